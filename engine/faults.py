"""Faults on purpose: named points at which a test may let something go wrong, by a seed.

Nothing here is switched on by a setting or an environment variable: whoever wants faults makes a
`Faults` and hands it in. Without one a point costs a comparison with None.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Final

POINTS: Final = {
    "effect_given": "asking for the next effect fails: the channel crashes with nothing in hand",
    "effect_confirmed": "what a channel has finished cannot be written down",
    "channel_send": "the outside of a channel does not take what is sent",
    "channel_slow": "the outside of a channel takes it late",
    "journal_slow": "a commit takes long",
    "commit_unknown": "a commit fails, and may or may not be on the disk",
    "clock_leaps": "the machine's clock is far ahead from one moment to the next",
    "reader_slow": "a subscriber stops reading for a while",
}


class InjectedFault(Exception):
    """A fault that was asked for."""


class Faults:
    """Which faults strike, and when; the same seed and the same questions give the same answers.

    Args:
        seed: where the dice begin.
        rates: point -> how often it strikes, 0 to 1; points that are left out never do.

    Attributes:
        on: whether anything strikes; a test switches it off to see everything recover.
        struck: how often each point has struck.

    Raises:
        ValueError: a point or a rate is not one.
    """

    def __init__(self, seed: int, rates: Mapping[str, float]) -> None:
        for point, rate in rates.items():
            if point not in POINTS:
                raise ValueError(f"rates.{point}: expected one of {', '.join(POINTS)}")
            if not 0 <= rate <= 1:
                raise ValueError(f"rates.{point}: expected 0 to 1, got {rate}")
        self.on = True
        self.struck: Counter[str] = Counter()
        self._rates = dict(rates)
        self._dice = {point: Random(f"{seed}/{point}") for point in POINTS}  # noqa: S311 - repeatable

    def strikes(self, point: str) -> bool:
        """Whether it goes wrong this time; each point has dice of its own."""
        rate = self._rates.get(point, 0.0)
        if not self.on or not rate or self._dice[point].random() >= rate:
            return False
        self.struck[point] += 1
        return True

    def between(self, point: str, least: float, most: float) -> float:
        """How much of it, when it strikes."""
        return self._dice[point].uniform(least, most)

    def strike(self, point: str) -> None:
        """Raise `InjectedFault` when it strikes."""
        if self.strikes(point):
            raise InjectedFault(f"{point}: {POINTS[point]}")
