"""When contacts arrive: a Poisson stream whose rate follows a shape and its surges."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

DAY_S = 86_400

# Arrivals per hour on a weekday, by half-hour, all service types together: mean of January, February
# and October 1999. "Anonymous Bank" call-centre data, Ilan Guedj and Avi Mandelbaum, Technion, 2000.
BANK_DAY_PER_HOUR = (
    5.6,
    3.3,
    2.1,
    1.2,
    0.9,
    0.8,
    0.7,
    0.4,
    0.3,
    0.2,
    0.8,
    2.2,
    2.9,
    9.0,
    34.2,
    44.6,
    71.1,
    110.2,
    100.9,
    125.1,
    130.8,
    123.2,
    110.0,
    107.6,
    101.9,
    95.8,
    110.0,
    105.4,
    111.6,
    112.4,
    115.8,
    115.7,
    122.2,
    112.7,
    95.7,
    86.4,
    83.1,
    71.4,
    67.0,
    64.7,
    52.5,
    60.4,
    52.3,
    60.4,
    53.8,
    48.5,
    44.3,
    33.1,
)


@dataclass(frozen=True, slots=True)
class Surge:
    """For a while, more contacts than usual."""

    start_s: float
    duration_s: float
    factor: float
    every_s: float | None = None

    def holds(self, at_s: float) -> bool:
        """Says whether it is on."""
        since_s = at_s - self.start_s
        if self.every_s and since_s >= 0:
            since_s %= self.every_s
        return 0 <= since_s < self.duration_s


@dataclass(frozen=True, slots=True)
class Arrivals:
    """A rate per second, constant or in the shape of a day that is `day_s` long."""

    rate_per_s: float
    shape: tuple[float, ...] = (1.0,)
    day_s: float = DAY_S
    day_starts_at: float = 0.0
    surges: tuple[Surge, ...] = ()

    def rate_at(self, at_s: float) -> float:
        """Returns the rate at a moment; surges that overlap multiply."""
        mean = sum(self.shape) / len(self.shape)
        part = (self.day_starts_at + at_s / self.day_s) % 1.0
        rate = self.rate_per_s * self.shape[int(part * len(self.shape))] / mean
        for surge in self.surges:
            if surge.holds(at_s):
                rate *= surge.factor
        return rate

    def peak(self) -> float:
        """Returns a bound that `rate_at` never exceeds."""
        peak = self.rate_per_s * max(self.shape) * len(self.shape) / sum(self.shape)
        for surge in self.surges:
            peak *= max(1.0, surge.factor)
        return peak

    def times_us(self, rng: random.Random, until_s: float) -> Iterator[int]:
        """Yields arrival times before `until_s` by thinning (Lewis and Shedler, 1979)."""
        peak = self.peak()
        at_s = 0.0
        while peak > 0:
            at_s += rng.expovariate(peak)
            if at_s >= until_s:
                return
            if rng.random() * peak < self.rate_at(at_s):
                yield int(at_s * 1_000_000)
