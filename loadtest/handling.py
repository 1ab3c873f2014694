"""How long agents talk, think and wrap up, and what else they do with an offer."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from loadtest.patience import Distribution, draw_us


class Answer(IntEnum):
    """What an agent does with an offer."""

    ACCEPT = 0
    DECLINE = 1
    MISS = 2


@dataclass(frozen=True, slots=True)
class Handling:
    """How long a contact is talked to, and who ends it."""

    shape: Distribution
    mean_us: float
    spread: float
    customer_ends_share: float

    def draws(self, rng: random.Random) -> Iterator[tuple[int, bool]]:
        """Yields per contact how long it is talked to, and whether the customer ends it."""
        while True:
            by_customer = rng.random() < self.customer_ends_share
            yield draw_us(rng, self.shape, self.mean_us, self.spread), by_customer


@dataclass(frozen=True, slots=True)
class Manner:
    """What agents do with offers, and after a contact."""

    think_us: float
    decline_share: float
    miss_share: float
    wrap_up_us: float
    wrap_up_by_deadline_share: float

    def answers(self, rng: random.Random) -> Iterator[tuple[Answer, int]]:
        """Yields per offer what the agent does with it, and after how long."""
        while True:
            chance = rng.random()
            think_us = draw_us(rng, "exponential", self.think_us, 1)
            if chance < self.miss_share:
                yield Answer.MISS, 0
            elif chance < self.miss_share + self.decline_share:
                yield Answer.DECLINE, think_us
            else:
                yield Answer.ACCEPT, think_us

    def wrap_ups(self, rng: random.Random) -> Iterator[int | None]:
        """Yields per contact when the agent ends the wrap-up; `None` leaves it to the deadline."""
        while True:
            by_deadline = rng.random() < self.wrap_up_by_deadline_share
            wrap_up_us = draw_us(rng, "exponential", self.wrap_up_us, 1)
            yield None if by_deadline else wrap_up_us
