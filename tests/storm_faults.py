"""Faults that random configurations are given on purpose, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Protocol

from tests.oracle.config import (
    DAY_US,
    MAX_HEAD_START_US,
    NO_LIMIT,
    QUEUE_WRAP_UP,
    ChannelUnits,
    Config,
    Goal,
    Lower,
    Overflow,
    RelaxStep,
    SkillLevel,
    Strategy,
    When,
)
from tests.storm_demand import SECOND, a_broken_requirement


class Editor(Protocol):
    """Who plants a fault."""

    random: Random

    def edit(self, old: Config, field: str, **values: Any) -> Config:
        """Spoil one random entry of a list."""


Fault = Callable[[Editor, Config], Config]

_ODD_LEVELS = (SkillLevel(1, 0), SkillLevel(1, 101), SkillLevel(9, 50), SkillLevel(0, 50))
_ODD_STEPS = (
    tuple(RelaxStep(SECOND * number) for number in range(1, 10)),
    (RelaxStep(0),),
    (RelaxStep(DAY_US + 1),),
    (RelaxStep(SECOND), RelaxStep(SECOND)),
    (RelaxStep(SECOND, drop=(1, 1)),),
    (RelaxStep(SECOND, drop=(99,)),),
    (RelaxStep(SECOND, lower=(Lower(2, 1), Lower(1, 1))),),
    (RelaxStep(SECOND, lower=(Lower(99, 1),)),),
    (RelaxStep(SECOND, lower=(Lower(1, 0),)),),
    (RelaxStep(SECOND, lower=(Lower(1, 101),)),),
    (RelaxStep(SECOND, widen=(99,)),),
    *((RelaxStep(SECOND, widen=(number,)),) for number in (1, 2)),
    (RelaxStep(SECOND, widen=(1, 1)),),
    (RelaxStep(SECOND, widen=(2, 2)),),
    (RelaxStep(SECOND, head_start_us=MAX_HEAD_START_US + 1),),
)
_ODD_OVERFLOWS = (
    (Overflow(When.CLOSED, 0, Goal.TARGET, 1),) * 9,
    (Overflow(When.CLOSED, 1, Goal.TARGET, 1),),
    (Overflow(When.NO_AGENT, 1, Goal.TARGET, 1),),
    (Overflow(When.NO_AGENT, 0, Goal.TARGET, 99),),
    *((Overflow(When.SIZE, 1, Goal.QUEUE, number),) for number in (0, 1, 2, 99)),
    *((Overflow(When.SIZE, number, Goal.TARGET, 1),) for number in (0, NO_LIMIT)),
    *((Overflow(When.WAIT, us, Goal.TARGET, 2),) for us in (0, DAY_US, DAY_US + 1)),
    *((Overflow(When.ESTIMATE, us, Goal.TARGET, 2),) for us in (0, DAY_US, DAY_US + 1)),
    *((Overflow(When.NO_ANSWER, count, Goal.TARGET, 3),) for count in (0, 1000, 1001)),
)
FAULTS: tuple[Fault, ...] = (
    lambda make, old: make.edit(old, "queues", overflow=make.random.choice(_ODD_OVERFLOWS)),
    lambda make, old: make.edit(old, "queues", overflow=make.random.choice(_ODD_OVERFLOWS)),
    lambda make, old: make.edit(old, "queues", tier=make.random.choice((0, 1, 4))),
    lambda make, old: make.edit(
        old, "queues", announce_us=make.random.choice((1, SECOND - 1, SECOND, DAY_US, DAY_US + 1))
    ),
    lambda make, old: make.edit(old, "channels", id=make.random.choice((0, 1, 2))),
    lambda make, old: make.edit(old, "queues", id=make.random.choice((0, 1, 2))),
    lambda make, old: make.edit(old, "agents", id=make.random.choice((0, 1, 2))),
    lambda make, old: make.edit(old, "channels", connect_timeout_us=make.random.choice((0, DAY_US + 1))),
    lambda make, old: make.edit(old, "queues", offer_timeout_us=make.random.choice((0, DAY_US + 1))),
    lambda make, old: make.edit(old, "queues", wrap_up_us=DAY_US + 1),
    lambda make, old: make.edit(old, "queues", expected_handle_us=make.random.choice((0, DAY_US + 1))),
    lambda make, old: make.edit(old, "queues", requires=a_broken_requirement(make.random)),
    lambda make, old: make.edit(old, "queues", requires=a_broken_requirement(make.random)),
    lambda make, old: make.edit(old, "queues", priority=make.random.choice((0, 10))),
    lambda make, old: make.edit(old, "queues", service_level_us=DAY_US + make.random.choice((0, 1))),
    lambda make, old: make.edit(old, "queues", ratio=make.random.choice((0, 1001))),
    lambda make, old: make.edit(old, "queues", steps=make.random.choice(_ODD_STEPS)),
    lambda make, old: make.edit(old, "queues", steps=make.random.choice(_ODD_STEPS)),
    lambda make, old: make.edit(old, "queues", rank_skill=9),
    lambda make, old: make.edit(old, "agents", skills=(make.random.choice(_ODD_LEVELS),)),
    lambda make, old: make.edit(old, "agents", skills=(SkillLevel(2, 9), SkillLevel(1, 9))),
    lambda make, old: make.edit(old, "agents", capacity=(ChannelUnits(make.random.choice((0, 9)), 1),)),
    lambda make, old: make.edit(old, "agents", capacity=(ChannelUnits(1, 1), ChannelUnits(1, 2))),
    lambda make, old: make.edit(old, "agents", share=make.random.choice((0, 1001))),
    *(
        lambda make, old, field=field: make.edit(old, field, domain=make.random.choice((4, 99)))
        for field in ("channels", "queues", "agents", "contracts")
    ),
    lambda make, old: make.edit(old, "contracts", queue=make.random.choice((0, 1, 2, 99))),
    lambda make, old: make.edit(old, "domains", share=make.random.choice((0, 1001))),
    lambda make, old: make.edit(old, "domains", id=make.random.choice((0, 1, 2))),
    lambda make, old: old._replace(skills=make.random.choice(((0, 1), (2, 1), (1, 1)))),
    lambda make, old: old._replace(reasons=make.random.choice(((0, 1), (2, 1), (1, 1)))),
    lambda make, old: old._replace(targets=make.random.choice(((0, 1), (2, 1), (1, 1)))),
    lambda make, old: make.edit(old, "channels", exclusive=True, interruptible=True),
    lambda make, old: make.edit(old, "queues", ring_limit=make.random.choice((0, 1001))),
    lambda make, old: make.edit(
        old, "agents", wrap_up_us=make.random.choice((DAY_US + 1, QUEUE_WRAP_UP - 1))
    ),
    lambda make, old: old._replace(retry_after_us=make.random.choice((0, DAY_US + 1))),
    lambda make, old: old._replace(memory_us=make.random.choice((0, DAY_US + 1))),
    lambda make, old: old._replace(key_retention_us=0),
    lambda make, old: old._replace(reserve_after_us=DAY_US + make.random.choice((0, 1))),
    lambda make, old: old._replace(reply_margin_us=DAY_US + make.random.choice((0, 1))),
    lambda make, old: make.edit(old, "queues", fallback=Strategy.OUTSIDE),
    lambda make, old: make.edit(old, "queues", choice_timeout_us=make.random.choice((999, 10_000_001))),
)
