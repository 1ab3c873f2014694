"""Plays a recorded day through the router on virtual time: one call into the simulator a day."""

from array import array
from collections.abc import Iterator
from typing import Any

from engine.model import (
    NO_LIMIT,
    AgentConfig,
    ChannelConfig,
    ChannelUnits,
    Config,
    Configure,
    Need,
    Order,
    QueueConfig,
    SkillLevel,
    encode_body,
)
from engine.router import simulate
from loadtest.errors import InputError
from loadtest.recorded import Fate, RecordedDay, Recording, Rules

CHANNEL = 1
MAX_US = 86_400_000_000


def build_config(recording: Recording, rules: Rules) -> Config:
    """Builds one exclusive channel, a queue and a skill per type, and the agents in the file's order."""
    kinds = {kind: number for number, kind in enumerate(_kinds(recording), start=1)}
    return Config(
        order=Order.AGENT_LEVEL if rules.by_level else Order.LONGEST,
        miss_limit=0,
        max_waiting=NO_LIMIT if rules.room is None else rules.room,
        channels=(ChannelConfig(id=CHANNEL, exclusive=True, instant=True),),
        skills=tuple(kinds.values()),
        queues=tuple(
            QueueConfig(
                id=number,
                requires=((Need(number, 1),),),
                rank_skill=number,
                offer_timeout_us=MAX_US,
                wrap_up_us=rules.wrap_up_us,
            )
            for number in kinds.values()
        ),
        agents=tuple(
            AgentConfig(
                id=number,
                skills=tuple(sorted((SkillLevel(kinds[k], v) for k, v in levels.items()), key=_skill)),
                capacity=(ChannelUnits(CHANNEL, 1),),
            )
            for number, levels in enumerate(recording.levels.values(), start=1)
        ),
    )


def _skill(entry: SkillLevel) -> int:
    return entry.skill


def _kinds(recording: Recording) -> list[str]:
    """Lists every type that a contact has or an agent can do, the contacts' first."""
    every = dict.fromkeys(recording.kinds)
    for levels in recording.levels.values():
        every.update(dict.fromkeys(levels))
    return list(every)


def play_day(recording: Recording, day: RecordedDay, rules: Rules) -> Iterator[Fate]:
    """Plays one day on a fresh router; yields what became of `day.contacts`, in their order."""
    queues = {kind: number for number, kind in enumerate(_kinds(recording), start=1)}
    agents = list(recording.levels)
    numbers = {agent: number for number, agent in enumerate(agents, start=1)}
    contacts, duty = day.contacts, day.duty
    outcomes, waits, by = _simulate(
        encode_body(Configure(config=build_config(recording, rules))),
        arrive_us=array("q", [c.arrive_us for c in contacts]),
        queue=array("q", [queues[c.kind] for c in contacts]),
        service_us=array("q", [_or_minus_one(c.service_us) for c in contacts]),
        patience_us=array("q", [_or_minus_one(c.patience_us) for c in contacts]),
        head_start_us=array("q", [c.head_start_us for c in contacts]),
        channel=array("q", [CHANNEL]) * len(contacts),
        weight=array("q", [1]) * len(contacts),
        duty_agent=array("q", [numbers[d.agent] for d in duty]),
        duty_sign_in_us=array("q", [d.sign_in_us for d in duty]),
        duty_sign_out_us=array("q", [_or_minus_one(d.sign_out_us) for d in duty]),
        reached_talk_us=rules.reached_talk_us,
    )
    for outcome, wait_us, agent in zip(outcomes, array("Q", waits), array("I", by), strict=True):
        yield Fate(outcome, wait_us, agents[agent - 1] if agent else None)


def _simulate(*arguments: Any, **columns: Any) -> tuple[bytes, bytes, bytes]:
    """Calls the simulator; what the router refuses is told as an error of the input."""
    try:
        return simulate(*arguments, **columns)[:3]
    except ValueError as error:
        raise InputError(f"the router cannot play this recording: {error}") from error


def _or_minus_one(value: int | None) -> int:
    return -1 if value is None else value
