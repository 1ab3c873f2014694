"""How long customers wait before they leave."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Distribution = Literal["constant", "exponential", "lognormal"]


def draw_us(rng: random.Random, shape: Distribution, mean_us: float, spread: float) -> int:
    """Draws one duration; `spread` is the coefficient of variation of a lognormal (sd / mean)."""
    if shape == "constant" or mean_us <= 0:
        return int(max(mean_us, 0))
    if shape == "exponential":
        return int(rng.expovariate(1 / mean_us))
    sigma2 = math.log1p(spread * spread)
    return int(rng.lognormvariate(math.log(mean_us) - sigma2 / 2, math.sqrt(sigma2)))


@dataclass(frozen=True, slots=True)
class Patience:
    """A share of the customers leaves after a random wait; the others wait for ever."""

    shape: Distribution
    mean_us: float
    spread: float
    share: float

    def draws(self, rng: random.Random) -> Iterator[int | None]:
        """Yields one patience per customer; `None` is endless.

        Both numbers are drawn for every customer, so that another share leaves the waits alone.
        """
        while True:
            leaves = rng.random() < self.share
            patience_us = draw_us(rng, self.shape, self.mean_us, self.spread)
            yield patience_us if leaves else None
