"""Latency histograms: logarithmic buckets of at most 1/64 relative width, exact counts and maximum.

One histogram is a few thousand integers however many values it holds, so a long flood costs no
memory and a percentile is at most 1.6 % above the true value, never below it.
"""

import math
from collections.abc import Iterable

SUB_BITS = 6
_SUB = 1 << SUB_BITS


def bucket_of(value: int) -> int:
    """Returns the bucket of a value >= 0: exact below 128, then 64 buckets per power of two."""
    shift = value.bit_length() - SUB_BITS - 1
    if shift <= 0:
        return value
    return (shift << SUB_BITS) + (value >> shift)


def highest_of(bucket: int) -> int:
    """Returns the highest value that a bucket holds."""
    if bucket < 2 * _SUB:
        return bucket
    shift = (bucket >> SUB_BITS) - 1
    return ((bucket - (shift << SUB_BITS) + 1) << shift) - 1


class Histogram:
    """Counts of non-negative integers, in microseconds wherever the load tester uses it."""

    __slots__ = ("_counts", "count", "largest", "total")

    def __init__(self, values: Iterable[int] = ()) -> None:
        self._counts: dict[int, int] = {}
        self.count = 0
        self.total = 0
        self.largest = 0
        for value in values:
            self.add(value)

    def add(self, value: int) -> None:
        """Adds one value; below zero counts as zero (two clocks may disagree by a tick)."""
        value = max(value, 0)
        bucket = bucket_of(value)
        self._counts[bucket] = self._counts.get(bucket, 0) + 1
        self.count += 1
        self.total += value
        self.largest = max(self.largest, value)

    @classmethod
    def from_counts(cls, counts: Iterable[int], total: int, largest: int) -> "Histogram":
        """Makes one of the counts of buckets 0, 1, 2..., the values' sum and the largest."""
        made = cls()
        made._counts = {bucket: count for bucket, count in enumerate(counts) if count}
        made.count = sum(made._counts.values())
        made.total, made.largest = total, largest
        return made

    def merge(self, other: "Histogram") -> None:
        """Adds all of another histogram's values."""
        for bucket, count in other._counts.items():
            self._counts[bucket] = self._counts.get(bucket, 0) + count
        self.count += other.count
        self.total += other.total
        self.largest = max(self.largest, other.largest)

    def percentile(self, share: float) -> int | None:
        """Returns the smallest bucket bound that at least `share` (0..1] of the values do not exceed."""
        if not self.count:
            return None
        wanted = max(1, math.ceil(share * self.count))
        seen = 0
        for bucket in sorted(self._counts):
            seen += self._counts[bucket]
            if seen >= wanted:
                return min(highest_of(bucket), self.largest)
        return self.largest

    def summary_ms(self) -> dict[str, float | int | None]:
        """Returns count, mean and the usual percentiles in milliseconds."""

        def ms(value: float | None) -> float | None:
            return None if value is None else round(value / 1_000, 3)

        return {
            "count": self.count,
            "mean_ms": ms(self.total / self.count if self.count else None),
            "p50_ms": ms(self.percentile(0.50)),
            "p99_ms": ms(self.percentile(0.99)),
            "p999_ms": ms(self.percentile(0.999)),
            "max_ms": ms(self.largest if self.count else None),
        }
