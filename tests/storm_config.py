"""Random configurations: small, so that ties, full agents and equal deadlines are common, and broken ones."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from tests.oracle.config import (
    DAY_US,
    NO_LIMIT,
    AgentConfig,
    ChannelConfig,
    ChannelUnits,
    Config,
    Order,
    QueueConfig,
    SkillLevel,
)

SECOND = 1_000_000
CHANNELS = range(1, 5)
SKILLS = range(1, 5)
REASONS = range(1, 4)
QUEUES = range(1, 6)
AGENTS = range(1, 9)
LEVELS = (1, 10, 50, 50, 90, 100)


def levels(random: Random, skills: tuple[int, ...], share: float) -> tuple[SkillLevel, ...]:
    """Return levels of a random part of the skills."""
    return tuple(SkillLevel(skill, random.choice(LEVELS)) for skill in skills if random.random() < share)


def _part(random: Random, numbers: range, share: float) -> tuple[int, ...]:
    return tuple(number for number in numbers if random.random() < share) or (random.choice(numbers),)


def _limit(random: Random, share: float, highest: int) -> int:
    return random.randrange(highest) if random.random() < share else NO_LIMIT


def channel(random: Random, number: int) -> ChannelConfig:
    """Return a random channel."""
    timeout = random.choice((2, 5, 10, 20)) * SECOND
    return ChannelConfig(number, random.random() < 0.25, random.random() < 0.5, timeout)


def queue(random: Random, number: int, skills: tuple[int, ...]) -> QueueConfig:
    """Return a random queue."""
    return QueueConfig(
        number,
        levels(random, skills, 0.15),
        random.choice((0, *skills)),
        _limit(random, 0.2, 6),
        random.choice((2, 5, 10, 20, 20)) * SECOND,
        random.choice((0, 0, 1, 5, 10)) * SECOND,
    )


def agent(random: Random, number: int, config: Config) -> AgentConfig:
    """Return a random agent."""
    served = [one.id for one in config.channels if random.random() < 0.9]
    capacity = tuple(ChannelUnits(one, random.choice((0, 1, 1, 2, 3, 5))) for one in served)
    return AgentConfig(number, levels(random, config.skills, 0.85), capacity)


def random_config(random: Random) -> Config:
    """Return a configuration that is right in itself."""
    skills = _part(random, SKILLS, 0.7)
    config = Config(
        *(random.choice(tuple(Order)), random.choice((0, 1, 2, 3)), random.choice((1, 2, 5)) * SECOND),
        *(_limit(random, 0.15, 16), random.choice((20, 60, 300)) * SECOND),
        random.choice((5, 30, 120)) * SECOND,
        tuple(channel(random, number) for number in _part(random, CHANNELS, 0.7)),
        *(skills, _part(random, REASONS, 0.6)),
        tuple(queue(random, number, skills) for number in _part(random, QUEUES, 0.6)),
        (),
        random.randbytes(random.choice((0, 3))),
        random.randbytes(32),
    )
    numbers = list(_part(random, AGENTS, 0.7))
    random.shuffle(numbers)
    return config._replace(agents=tuple(agent(random, number, config) for number in numbers))


def changed(random: Random, old: Config) -> Config:
    """Return the configuration with one thing, or a few, done to it; it may be in use, or broken."""
    new = old._replace(hash=random.randbytes(32))
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        new = random.choice(CHANGES)(random, new)
    return new


def _swap(random: Random, old: Config, field: str, one: Callable[[int], Any], numbers: range) -> Config:
    """Add, replace or remove one entry of a list; agents keep their order, the rest is sorted."""
    entries = {entry.id: entry for entry in getattr(old, field)}
    number = random.choice(numbers)
    if number in entries and random.random() < 0.4:
        del entries[number]
    else:
        entries[number] = one(number)
    listed = list(entries.values())
    if field != "agents":
        listed.sort(key=lambda entry: int(entry.id))
    return _with(old, **{field: tuple(listed)})


def _with(old: Config, **values: Any) -> Config:
    return old._replace(**values)


def _change_agent(random: Random, old: Config) -> Config:
    return _swap(random, old, "agents", lambda number: agent(random, number, old), AGENTS)


def _change_queue(random: Random, old: Config) -> Config:
    return _swap(random, old, "queues", lambda number: queue(random, number, old.skills), QUEUES)


def _change_channel(random: Random, old: Config) -> Config:
    new = _swap(random, old, "channels", lambda number: channel(random, number), CHANNELS)
    known = {one.id for one in new.channels}
    kept = tuple(
        one._replace(capacity=tuple(units for units in one.capacity if units.channel in known))
        for one in new.agents
    )
    return new._replace(agents=kept)


def _change_skills(random: Random, old: Config) -> Config:
    skills = _part(random, SKILLS, 0.7)
    queues = tuple(
        one._replace(requires=_known(one.requires, skills), rank_skill=random.choice((0, *skills)))
        for one in old.queues
    )
    agents = tuple(one._replace(skills=_known(one.skills, skills)) for one in old.agents)
    return old._replace(skills=skills, queues=queues, agents=agents)


def _known(entries: tuple[SkillLevel, ...], skills: tuple[int, ...]) -> tuple[SkillLevel, ...]:
    return tuple(entry for entry in entries if entry.skill in skills)


def _change_routing(random: Random, old: Config) -> Config:
    fields = (
        "order",
        "miss_limit",
        "retry_after_us",
        "max_waiting",
        "key_retention_us",
        "memory_us",
        "reasons",
    )
    source = random_config(random)
    return old._replace(**{name: getattr(source, name) for name in random.sample(fields, 2)})


def _shuffle(random: Random, old: Config) -> Config:
    return old._replace(agents=tuple(random.sample(old.agents, len(old.agents))))


def _break(random: Random, old: Config) -> Config:
    return random.choice(FAULTS)(random, old)


def _renew(random: Random, old: Config) -> Config:
    return random_config(random)


CHANGES: tuple[Callable[[Random, Config], Config], ...] = (
    *(_change_agent, _change_agent, _change_agent, _change_queue, _change_channel, _change_skills),
    *(_change_routing, _shuffle, _break, _renew),
)


def _edit(random: Random, old: Config, field: str, **values: Any) -> Config:
    """Spoil one random entry of a list."""
    entries = list(getattr(old, field))
    if entries:
        place = random.randrange(len(entries))
        entries[place] = entries[place]._replace(**values)
    return _with(old, **{field: tuple(entries)})


_MANY = tuple(SkillLevel(number, 1) for number in range(1, 18))
_ODD_LEVELS = (SkillLevel(1, 0), SkillLevel(1, 101), SkillLevel(9, 50), SkillLevel(0, 50))
FAULTS: tuple[Callable[[Random, Config], Config], ...] = (
    lambda random, old: _edit(random, old, "channels", id=random.choice((0, 1, 2))),
    lambda random, old: _edit(random, old, "queues", id=random.choice((0, 1, 2))),
    lambda random, old: _edit(random, old, "agents", id=random.choice((0, 1, 2))),
    lambda random, old: _edit(random, old, "channels", connect_timeout_us=random.choice((0, DAY_US + 1))),
    lambda random, old: _edit(random, old, "queues", offer_timeout_us=random.choice((0, DAY_US + 1))),
    lambda random, old: _edit(random, old, "queues", wrap_up_us=DAY_US + 1),
    lambda random, old: _edit(random, old, "queues", requires=(random.choice(_ODD_LEVELS),)),
    lambda random, old: _edit(random, old, "queues", requires=_MANY),
    lambda random, old: _edit(random, old, "queues", rank_skill=9),
    lambda random, old: _edit(random, old, "agents", skills=(random.choice(_ODD_LEVELS),)),
    lambda random, old: _edit(random, old, "agents", skills=(SkillLevel(2, 9), SkillLevel(1, 9))),
    lambda random, old: _edit(random, old, "agents", capacity=(ChannelUnits(random.choice((0, 9)), 1),)),
    lambda random, old: _edit(random, old, "agents", capacity=(ChannelUnits(1, 1), ChannelUnits(1, 2))),
    lambda random, old: old._replace(skills=random.choice(((0, 1), (2, 1), (1, 1)))),
    lambda random, old: old._replace(reasons=random.choice(((0, 1), (2, 1), (1, 1)))),
    lambda random, old: old._replace(retry_after_us=random.choice((0, DAY_US + 1))),
    lambda random, old: old._replace(memory_us=random.choice((0, DAY_US + 1))),
    lambda random, old: old._replace(key_retention_us=0),
)
