"""What a queue learns about its waits, by docs/en/estimates.md: plain numbers, no contact and no agent."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise
from math import isqrt
from typing import NamedTuple

from tests.oracle.config import DAY_US
from tests.oracle.state import Words

ONE = 1 << 32
WEEK_US = 7 * DAY_US
FIRST_SAMPLES = 10
"""How many contacts a new queue is taken to have served as expected."""
HEAVIEST = 1000
EXACT_TERMS = 256
PARTS = 16


def _eighth_root(value: int) -> int:
    return isqrt(isqrt(isqrt(value)))


EDGES = (0, *((_eighth_root(1 << (256 + b % 8)) << b // 8) >> 4 for b in range(1, 65)))
"""Where the 64 buckets of actual / estimate begin, and where the last ends, in 2^-32."""
EXPONENTIAL = (0, 11, 17, 22, 26, 29, 32, 35, 39, 44)
"""The buckets in which the middles of the tenths of an exponential wait lie."""


def faded(value: int) -> int:
    """Return what is left of a sum when a new sample comes."""
    return value * 998 // 1000


class Sample(NamedTuple):
    """The contact that a queue's estimates are measured by."""

    contact: int
    raw_us: int
    mean_us: int
    p90_us: int
    weight: int


@dataclass(slots=True)
class Calibration:
    """What one queue has learnt."""

    queue: int
    handle_us: int
    waited_us: int
    handled: int = ONE
    abandoned: int = 0
    sample: Sample | None = None
    actual_us: int = 0
    estimated_us: int = 0
    weights: list[int] = field(default_factory=lambda: [ONE * (b in EXPONENTIAL) for b in range(64)])

    def words(self) -> Words:
        """Return its canonical encoding."""
        return (
            *(16, self.queue, self.handle_us, self.handled, self.waited_us, self.abandoned),
            *(self.sample or (0, 0, 0, 0, 0)),
            *(self.actual_us, self.estimated_us, *self.weights),
        )

    def handle_time(self) -> int:
        """Return the mean time in an agent's hands."""
        return min(max(1, self.handle_us * ONE // self.handled), WEEK_US)

    def scaled(self, raw_us: int) -> int:
        """Return a raw estimate as it is announced."""
        if self.estimated_us == 0:
            return raw_us
        return min(raw_us * self.actual_us // self.estimated_us, WEEK_US)

    def percentile(self, mean_us: int, percent: int) -> int:
        """Return the wait that so many of a hundred stay within."""
        wanted = sum(self.weights) * percent // 100
        reached, bucket = 0, 0
        while self.weights[bucket] == 0 or reached + self.weights[bucket] < wanted:
            reached += self.weights[bucket]
            bucket += 1
        low, high = EDGES[bucket : bucket + 2]
        ratio = low + (high - low) * (wanted - reached) // self.weights[bucket]
        return min(mean_us * ratio // ONE, WEEK_US)

    def learn_handling(self, lasted_us: int) -> None:
        """Count an engagement with its wrap-up."""
        self.handle_us = faded(self.handle_us) + min(lasted_us, WEEK_US)
        self.handled = faded(self.handled) + ONE

    def learn_waiting(self, waited_us: int, *, abandoned: bool) -> None:
        """Count a wait that is over."""
        self.waited_us = faded(self.waited_us) + min(waited_us, WEEK_US)
        self.abandoned = faded(self.abandoned) + ONE * abandoned

    def score(self, sample: Sample, actual_us: int) -> None:
        """Hold an estimate against the wait."""
        actual_us = min(actual_us, WEEK_US)
        if self.estimated_us == 0:
            self.actual_us = self.estimated_us = FIRST_SAMPLES * sample.raw_us
        self.actual_us = faded(self.actual_us) + actual_us
        self.estimated_us = faded(self.estimated_us) + sample.raw_us
        ratio = actual_us * ONE // max(1, sample.mean_us)
        self.weights = [faded(weight) for weight in self.weights]
        self.weights[min(bisect_right(EDGES, ratio) - 1, 63)] += sample.weight * ONE


def line_time(ahead: int, rate: int, handle_us: int, leaving: int) -> int:
    """Return how long `ahead + 1` contacts take to be served.

    Args:
        ahead: Contacts that go first.
        rate: Contacts served in one handle time, in 2^-32.
        handle_us: The mean handle time.
        leaving: How much of one waiting contact abandons in one handle time, in 2^-32.
    """

    def term(halves: int) -> int:
        return handle_us * ONE * ONE // (rate + leaving * halves // 2)

    terms = ahead + 1
    if leaving == 0:
        return terms * term(0) // ONE
    total = sum(term(2 * i) for i in range(min(terms, EXACT_TERMS)))
    start = EXACT_TERMS
    while start < terms:
        length = min(start, terms - start)
        cuts = [start + length * part // PARTS for part in range(PARTS + 1)]
        for low, high in pairwise(cuts):
            if low < high:
                total += (high - low) * term(low + high - 1)
        start *= 2
    return total // ONE
