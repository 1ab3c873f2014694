"""How often: token buckets, with time as an argument."""

from __future__ import annotations

from collections import OrderedDict


class Bucket:
    """Admits `per_minute` on average and `burst` at once.

    Args:
        per_minute: the lasting rate.
        burst: how much may come at once.
        now_s: the time of the first use.
    """

    __slots__ = ("_burst", "_filled_s", "_level", "_per_second")

    def __init__(self, per_minute: float, burst: float, now_s: float) -> None:
        self._per_second = per_minute / 60
        self._burst = burst
        self._level = burst
        self._filled_s = now_s

    def take(self, now_s: float) -> float:
        """Take one; return 0, or the seconds after which there is one."""
        self._level = min(self._burst, self._level + (now_s - self._filled_s) * self._per_second)
        self._filled_s = now_s
        if self._level >= 1:
            self._level -= 1
            return 0.0
        return (1 - self._level) / self._per_second


class Buckets:
    """A bucket per key, for the `capacity` keys used last: bounded, whoever asks.

    A key that was pushed out starts full again; with the capacity far above what can be used in a
    minute that gives nothing away.
    """

    def __init__(self, per_minute: float, burst: float, capacity: int = 20_000) -> None:
        self._per_minute = per_minute
        self._burst = max(1.0, burst)
        self._capacity = capacity
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, key: str, now_s: float) -> float:
        """Take one of `key`'s; return 0, or the seconds after which there is one."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(self._per_minute, self._burst, now_s)
        self._buckets.move_to_end(key)
        while len(self._buckets) > self._capacity:
            self._buckets.popitem(last=False)
        return bucket.take(now_s)
