"""Random configurations, right and broken.

Small ones make ties, full agents and equal deadlines common; wide ones have more kinds of agents and of
contacts than any one word of a bit set holds.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

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
    Strategy,
)

SECOND = 1_000_000


class Scale(NamedTuple):
    """How many of everything there may be."""

    channels: range
    skills: range
    reasons: range
    queues: range
    agents: range
    levels: tuple[int, ...]
    room: int
    """The highest max_waiting of a queue; the site's is up to three times as much."""
    crowds: tuple[int, ...]
    """How many contacts may be live before fewer arrive: agents wait, or contacts do."""


SMALL = Scale(
    *(range(1, 5), range(1, 5), range(1, 4), range(1, 6), range(1, 9)),
    *((1, 10, 50, 50, 90, 100), 6, (3, 6, 12, 24)),
)
WIDE = Scale(
    *(range(1, 6), range(1, 13), range(1, 4), range(1, 14), range(1, 151)),
    *(tuple(range(1, 101)), 60, (100, 250)),
)
QUIET = Scale(
    *(range(1, 4), range(1, 3), range(1, 3), range(1, 5), range(1, 21)),
    *((10, 50, 90), 60, (5, 10, 25)),
)
"""Agents wait for contacts, so that contacts choose among many, by every strategy."""

Change = Callable[["Configs", Config], Config]


class Configs:
    """Makes configurations of one scale."""

    def __init__(self, random: Random, scale: Scale) -> None:
        self.random = random
        self.scale = scale

    def levels(self, skills: tuple[int, ...], share: float) -> tuple[SkillLevel, ...]:
        """Return levels of a random part of the skills."""
        chosen = (skill for skill in skills if self.random.random() < share)
        return tuple(SkillLevel(skill, self.random.choice(self.scale.levels)) for skill in chosen)

    def _part(self, numbers: range, share: float) -> tuple[int, ...]:
        part = tuple(number for number in numbers if self.random.random() < share)
        return part or (self.random.choice(numbers),)

    def _limit(self, share: float, highest: int) -> int:
        return self.random.randrange(highest) if self.random.random() < share else NO_LIMIT

    def _seconds(self, *choices: int) -> int:
        return self.random.choice(choices) * SECOND

    def channel(self, number: int) -> ChannelConfig:
        """Return a random channel."""
        exclusive, instant = self.random.random() < 0.25, self.random.random() < 0.5
        return ChannelConfig(number, exclusive, instant, self._seconds(2, 5, 10, 20))

    def queue(self, number: int, skills: tuple[int, ...]) -> QueueConfig:
        """Return a random queue."""
        return QueueConfig(
            number,
            self.levels(skills, 0.6 / len(skills)),
            self.random.choice((0, *skills)),
            self._limit(0.2, self.scale.room),
            self._seconds(2, 5, 10, 20, 20),
            self._seconds(0, 0, 1, 5, 10),
            self.random.choice(tuple(Strategy)),
        )

    def agent(self, number: int, config: Config) -> AgentConfig:
        """Return a random agent."""
        served = [one.id for one in config.channels if self.random.random() < 0.9]
        capacity = tuple(ChannelUnits(one, self.random.choice((0, 1, 1, 2, 3, 5))) for one in served)
        share = self.random.choice((1, 50, 100, 100, 100, 250, 1000))
        return AgentConfig(number, self.levels(config.skills, 0.85), capacity, share)

    def fresh(self) -> Config:
        """Return a configuration that is right in itself."""
        random, scale, skills = self.random, self.scale, self._part(self.scale.skills, 0.7)
        config = Config(
            *(random.choice(tuple(Order)), random.choice((0, 1, 2, 3)), self._seconds(1, 2, 5)),
            *(self._limit(0.15, 3 * scale.room), self._seconds(20, 60, 300), self._seconds(5, 30, 120)),
            random.choice((0, 7, (1 << 64) - 1, random.randrange(1 << 64))),
            tuple(self.channel(number) for number in self._part(scale.channels, 0.7)),
            *(skills, self._part(scale.reasons, 0.6)),
            tuple(self.queue(number, skills) for number in self._part(scale.queues, 0.6)),
            (),
            random.randbytes(random.choice((0, 3))),
            random.randbytes(32),
        )
        numbers = list(self._part(scale.agents, 0.7))
        random.shuffle(numbers)
        return config._replace(agents=tuple(self.agent(number, config) for number in numbers))

    def changed(self, old: Config) -> Config:
        """Return the configuration with one thing, or a few, done to it; it may be in use, or broken."""
        new = old._replace(hash=self.random.randbytes(32))
        for _ in range(self.random.choice((1, 1, 1, 2, 3))):
            new = self.random.choice(CHANGES)(self, new)
        return new

    def _swap(self, old: Config, field: str, one: Callable[[int], Any], numbers: range) -> Config:
        """Add, replace or remove one entry of a list; agents keep their order, the rest is sorted."""
        entries = {entry.id: entry for entry in getattr(old, field)}
        number = self.random.choice(numbers)
        if number in entries and self.random.random() < 0.4:
            del entries[number]
        else:
            entries[number] = one(number)
        listed = list(entries.values())
        if field != "agents":
            listed.sort(key=lambda entry: int(entry.id))
        return _with(old, **{field: tuple(listed)})

    def change_agent(self, old: Config) -> Config:
        """Add, replace or remove an agent."""
        return self._swap(old, "agents", lambda number: self.agent(number, old), self.scale.agents)

    def change_queue(self, old: Config) -> Config:
        """Add, replace or remove a queue."""
        return self._swap(old, "queues", lambda number: self.queue(number, old.skills), self.scale.queues)

    def change_channel(self, old: Config) -> Config:
        """Add, replace or remove a channel, and its capacity with it."""
        new = self._swap(old, "channels", self.channel, self.scale.channels)
        known = {one.id for one in new.channels}
        kept = tuple(
            one._replace(capacity=tuple(units for units in one.capacity if units.channel in known))
            for one in new.agents
        )
        return new._replace(agents=kept)

    def change_skills(self, old: Config) -> Config:
        """Take other skills, and what is known of them out of queues and agents."""
        skills = self._part(self.scale.skills, 0.7)
        queues = tuple(
            one._replace(requires=_known(one.requires, skills), rank_skill=self.random.choice((0, *skills)))
            for one in old.queues
        )
        agents = tuple(one._replace(skills=_known(one.skills, skills)) for one in old.agents)
        return old._replace(skills=skills, queues=queues, agents=agents)

    def change_routing(self, old: Config) -> Config:
        """Take two of the site's rules anew."""
        rules = ("order", "miss_limit", "retry_after_us", "max_waiting", "key_retention_us", "memory_us")
        source = self.fresh()
        names = self.random.sample((*rules, "seed", "reasons"), 2)
        return _with(old, **{name: getattr(source, name) for name in names})

    def shuffle(self, old: Config) -> Config:
        """Give every agent another position."""
        return old._replace(agents=tuple(self.random.sample(old.agents, len(old.agents))))

    def spoil(self, old: Config) -> Config:
        """Plant one fault."""
        return self.random.choice(FAULTS)(self, old)

    def renew(self, old: Config) -> Config:
        """Take another configuration altogether, with the old agents in it, half of the time."""
        new = self.fresh()
        if self.random.random() < 0.5:
            return new
        agents = tuple(self.agent(one.id, new) for one in old.agents)
        return new._replace(agents=agents)

    def edit(self, old: Config, field: str, **values: Any) -> Config:
        """Spoil one random entry of a list."""
        entries = list(getattr(old, field))
        if entries:
            place = self.random.randrange(len(entries))
            entries[place] = entries[place]._replace(**values)
        return _with(old, **{field: tuple(entries)})


def _with(old: Config, **values: Any) -> Config:
    return old._replace(**values)


def _known(entries: tuple[SkillLevel, ...], skills: tuple[int, ...]) -> tuple[SkillLevel, ...]:
    return tuple(entry for entry in entries if entry.skill in skills)


CHANGES: tuple[Change, ...] = (
    *(Configs.change_agent, Configs.change_agent, Configs.change_agent, Configs.change_queue),
    *(Configs.change_channel, Configs.change_skills, Configs.change_routing),
    *(Configs.shuffle, Configs.spoil, Configs.renew),
)

_MANY = tuple(SkillLevel(number, 1) for number in range(1, 18))
_ODD_LEVELS = (SkillLevel(1, 0), SkillLevel(1, 101), SkillLevel(9, 50), SkillLevel(0, 50))
FAULTS: tuple[Change, ...] = (
    lambda make, old: make.edit(old, "channels", id=make.random.choice((0, 1, 2))),
    lambda make, old: make.edit(old, "queues", id=make.random.choice((0, 1, 2))),
    lambda make, old: make.edit(old, "agents", id=make.random.choice((0, 1, 2))),
    lambda make, old: make.edit(old, "channels", connect_timeout_us=make.random.choice((0, DAY_US + 1))),
    lambda make, old: make.edit(old, "queues", offer_timeout_us=make.random.choice((0, DAY_US + 1))),
    lambda make, old: make.edit(old, "queues", wrap_up_us=DAY_US + 1),
    lambda make, old: make.edit(old, "queues", requires=(make.random.choice(_ODD_LEVELS),)),
    lambda make, old: make.edit(old, "queues", requires=_MANY),
    lambda make, old: make.edit(old, "queues", rank_skill=9),
    lambda make, old: make.edit(old, "agents", skills=(make.random.choice(_ODD_LEVELS),)),
    lambda make, old: make.edit(old, "agents", skills=(SkillLevel(2, 9), SkillLevel(1, 9))),
    lambda make, old: make.edit(old, "agents", capacity=(ChannelUnits(make.random.choice((0, 9)), 1),)),
    lambda make, old: make.edit(old, "agents", capacity=(ChannelUnits(1, 1), ChannelUnits(1, 2))),
    lambda make, old: make.edit(old, "agents", share=make.random.choice((0, 1001))),
    lambda make, old: old._replace(skills=make.random.choice(((0, 1), (2, 1), (1, 1)))),
    lambda make, old: old._replace(reasons=make.random.choice(((0, 1), (2, 1), (1, 1)))),
    lambda make, old: old._replace(retry_after_us=make.random.choice((0, DAY_US + 1))),
    lambda make, old: old._replace(memory_us=make.random.choice((0, DAY_US + 1))),
    lambda make, old: old._replace(key_retention_us=0),
)
