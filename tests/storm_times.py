"""What random arrivals say about time: a place that was left, a later time, a deadline for the reply."""

from __future__ import annotations

from random import Random
from typing import TypedDict

from tests.oracle.config import MAX_AHEAD_US
from tests.oracle.for_later import LEFT
from tests.oracle.oracle import Oracle
from tests.storm_demand import SECOND

RECENT = 12


class Times(TypedDict):
    """The fields of an arrival."""

    place: int
    not_before: int
    reply_by: int


def a_time(random: Random, oracle: Oracle) -> Times:
    """Return what an arrival says; mostly nothing, now and then what cannot be."""
    place = not_before = reply_by = 0
    chance = random.random()
    if chance < 0.12:
        place = _place(random, oracle)
    elif chance < 0.22:
        not_before = _later(random, oracle.now)
    if random.random() < 0.2:
        reply_by = _later(random, oracle.now)
    if random.random() < 0.005:
        place, not_before = _place(random, oracle), oracle.now + SECOND
    return Times(place=place, not_before=not_before, reply_by=reply_by)


def _place(random: Random, oracle: Oracle) -> int:
    """Return a contact that left, often one whose place is free, or any number."""
    left = [one for one in list(oracle.ended)[-RECENT:] if one.outcome in LEFT]
    free = [one for one in left if not one.place_used]
    if left and random.random() < 0.9:
        return random.choice(free if free and random.random() < 0.8 else left).id
    return random.randrange(1, oracle.next_contact + 2)


def _later(random: Random, now: int) -> int:
    """Return a time, mostly some seconds ahead on a coarse clock; it may have passed when it is said."""
    if random.random() < 0.03:
        return now + MAX_AHEAD_US + random.choice((0, 1, 10 * SECOND))
    if random.random() < 0.05:
        return max(0, now - random.randrange(2 * SECOND))
    ahead = random.choice((1, 2, 3, 5, 8, 12, 20, 40, 70)) * SECOND
    return (now + ahead) // SECOND * SECOND if random.random() < 0.8 else now + ahead
