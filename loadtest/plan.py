"""Turns a scenario into the contacts of one run, each with everything that will happen to it."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

from loadtest.scenario import Scenario
from loadtest.streams import stream


@dataclass(frozen=True, slots=True)
class PlannedContact:
    """One customer: when, where, how patient, how long the talk, who ends it."""

    at_us: int
    channel: int
    queue: int
    head_start_us: int
    patience_us: int | None
    talk_us: int
    customer_ends: bool


def plan_contacts(scenario: Scenario, duration_s: float) -> Iterator[PlannedContact]:
    """Yields the contacts of a run in the order of their arrival; the same seed gives the same ones."""
    seed = scenario.seed
    times = scenario.arrivals.times_us(stream(seed, "arrivals"), duration_s)
    channels = _pick(stream(seed, "channels"), {k: v.share for k, v in scenario.channels.items()})
    queues = _pick(stream(seed, "queues"), {k: v.share for k, v in scenario.queues.items()})
    vips = stream(seed, "vips")
    patience = scenario.patience.draws(stream(seed, "patience"))
    handling = scenario.handling.draws(stream(seed, "handling"))
    for at_us in times:
        vip = vips.random() < scenario.vip_share
        talk_us, customer_ends = next(handling)
        yield PlannedContact(
            at_us,
            next(channels),
            next(queues),
            scenario.vip_head_start_ms * 1_000 if vip else 0,
            next(patience),
            talk_us,
            customer_ends,
        )


def _pick(rng: random.Random, shares: Mapping[str, float]) -> Iterator[int]:
    """Yields positions in `shares`, each as often as its share says."""
    bounds = list(accumulate(shares.values()))
    choices = range(len(bounds))
    while True:
        yield rng.choices(choices, cum_weights=bounds)[0]
