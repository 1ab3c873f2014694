"""Random configurations, right and broken.

Small ones make ties, full agents and equal deadlines common; wide ones have more kinds of agents and of
contacts than any one word of a bit set holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Any, NamedTuple

from tests.oracle.config import (
    MAX_HEAD_START_US,
    NO_LIMIT,
    QUEUE_WRAP_UP,
    AgentConfig,
    ChannelConfig,
    ChannelUnits,
    Config,
    Contract,
    DomainConfig,
    Goal,
    Lower,
    Order,
    Overflow,
    QueueConfig,
    RelaxStep,
    SkillLevel,
    Strategy,
    When,
)
from tests.storm_demand import SECOND, a_requirement, part_of
from tests.storm_faults import FAULTS


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
    units: tuple[int, ...] = (0, 1, 1, 2, 3, 5)
    weights: tuple[int, ...] = (1, 1, 1, 2, 3)
    exclusive: float = 0.25
    """The share of the channels that are."""
    reserve: tuple[int, ...] = (0, 1, 1, 2, 5, 20)
    """Seconds after which an agent is kept for a contact that was passed."""


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
HEAVY = Scale(
    *(range(1, 3), range(1, 3), range(1, 3), range(1, 4), range(1, 8)),
    *((10, 50, 90), 60, (10, 16), (2, 3, 5, 6), (1, 1, 1, 2, 3, 5), 0.3, (1, 1, 2)),
)
"""Light contacts go before heavy ones, until agents are kept for these."""

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
        exclusive, instant = self.random.random() < self.scale.exclusive, self.random.random() < 0.5
        interruptible = not exclusive and self.random.random() < 0.4
        return ChannelConfig(number, exclusive, instant, self._seconds(2, 5, 10, 20), interruptible)

    def settle_domains(self, old: Config, *, anew: bool = False) -> Config:
        """Return the configuration with its domains known, and contracts between them; or with new ones."""
        random, domains = self.random, old.domains
        if anew:
            numbers = self._part(range(1, 4), 0.6) if random.random() < 0.4 else ()
            shares = (1, 50, 100, 100, 300, 1000)
            domains = tuple(DomainConfig(number, random.choice(shares)) for number in numbers)
        known = [0, *(domain.id for domain in domains)]

        def placed(entries: tuple[Any, ...]) -> tuple[Any, ...]:
            return tuple(
                one._replace(domain=random.choice(known)) if anew or one.domain not in known else one
                for one in entries
            )

        queues = placed(old.queues)
        pairs = [Contract(queue.id, domain) for queue in queues for domain in known if queue.domain != domain]
        kept = [pair for pair in pairs if (random.random() < 0.5 if anew else pair in old.contracts)]
        return old._replace(
            domains=domains,
            channels=placed(old.channels),
            queues=queues,
            agents=placed(old.agents),
            contracts=tuple(kept),
        )

    def steps(self, skills: tuple[int, ...], others: Iterable[int]) -> tuple[RelaxStep, ...]:
        """Return random steps of a queue; half of the queues have none."""
        random, after_us, steps = self.random, 0, []
        for _ in range(random.choice((0, 0, 0, 1, 2, 3))):
            after_us += self._seconds(1, 1, 2, 5, 10)
            lowered = part_of(random, skills, 0.8 / len(skills))
            steps.append(
                RelaxStep(
                    after_us,
                    part_of(random, skills, 0.4 / len(skills)),
                    tuple(Lower(skill, random.choice((1, 10, 40, 100))) for skill in lowered),
                    part_of(random, others, 0.3),
                    self._seconds(0, 0, 1, 5, 30) if random.random() < 0.98 else MAX_HEAD_START_US,
                )
            )
        return tuple(steps)

    def overflow(self, others: Iterable[int], targets: tuple[int, ...]) -> tuple[Overflow, ...]:
        """Return random rules of a queue; half of the queues have none."""
        random = self.random
        goals = [*((Goal.QUEUE, queue) for queue in others), *((Goal.TARGET, target) for target in targets)]
        count = random.choice((0, 0, 0, 1, 1, 2, 3, 8)) if goals else 0
        rules = []
        for when in random.choices((*When, When.SIZE, When.CLOSED), k=count):
            threshold = {
                When.SIZE: random.choice((1, 1, 2, 3)),
                When.WAIT: self._seconds(1, 2, 5, 10, 30),
                When.ESTIMATE: self._seconds(1, 5, 20, 180),
                When.NO_ANSWER: random.choice((1, 1, 2, 3)),
            }.get(when, 0)
            rules.append(Overflow(when, threshold, *random.choice(goals)))
        return tuple(rules)

    def queue(
        self, number: int, skills: tuple[int, ...], queues: Iterable[int], targets: tuple[int, ...]
    ) -> QueueConfig:
        """Return a random queue beside others."""
        others = sorted(set(queues) - {number})
        asks = self.random.random() < 0.5
        return QueueConfig(
            number,
            a_requirement(self.random, skills, self.scale.levels) if asks else (),
            self.random.choice((0, *skills)),
            self._limit(0.2, self.scale.room),
            self._seconds(2, 5, 10, 20, 20),
            self._seconds(0, 0, 1, 5, 10),
            self.random.choice((*Strategy, *[Strategy.RING_ALL, Strategy.OUTSIDE] * 2)),
            self.random.choice((5, 5, 5, 5, 1, 9)),
            self._seconds(0, 5, 20, 20, 60),
            self.random.choice((1, 50, 100, 100, 300, 1000)),
            self.steps(skills, others),
            self.random.choice((1, 2, 3, 50, 50, 1000)),
            self._seconds(1, 20, 180),
            self.overflow(others, targets),
            self.random.choice((2, 2, 2, 3)),
            self.random.choice((*[NO_LIMIT] * 6, 0, 1, 1, 2, 3)),
            self._seconds(0, 0, 1, 2, 5),
            fallback=self.random.choice([one for one in Strategy if one is not Strategy.OUTSIDE]),
            choice_timeout_us=self._seconds(1, 1, 2, 5, 10) if self.random.random() < 0.8 else 1_000,
        )

    def agent(self, number: int, config: Config) -> AgentConfig:
        """Return a random agent."""
        served = [one.id for one in config.channels if self.random.random() < 0.9]
        capacity = tuple(ChannelUnits(one, self.random.choice(self.scale.units)) for one in served)
        share = self.random.choice((1, 50, 100, 100, 100, 250, 1000))
        stealth, auto_accept = self.random.random() < 0.2, self.random.random() < 0.15
        wrap_up_us = QUEUE_WRAP_UP if self.random.random() < 0.7 else self._seconds(0, 2, 7)
        levels = self.levels(config.skills, 0.85)
        return AgentConfig(number, levels, capacity, share, stealth, auto_accept, wrap_up_us)

    def fresh(self) -> Config:
        """Return a configuration that is right in itself."""
        random, scale, skills = self.random, self.scale, self._part(self.scale.skills, 0.7)
        queues, targets = self._part(scale.queues, 0.6), self._part(scale.reasons, 0.6)
        config = Config(
            *(random.choice(tuple(Order)), random.choice((0, 1, 2, 3)), self._seconds(1, 2, 5)),
            *(self._limit(0.15, 3 * scale.room), self._seconds(20, 60, 300), self._seconds(5, 30, 120)),
            random.choice((0, 7, (1 << 64) - 1, random.randrange(1 << 64))),
            self._seconds(*scale.reserve),
            self._seconds(0, 1, 3, 10, 60),
            (),
            tuple(self.channel(number) for number in self._part(scale.channels, 0.7)),
            *(skills, self._part(scale.reasons, 0.6), targets),
            tuple(self.queue(number, skills, queues, targets) for number in queues),
            *((), ()),
            random.randbytes(random.choice((0, 3))),
            random.randbytes(32),
        )
        numbers = list(self._part(scale.agents, 0.7))
        random.shuffle(numbers)
        config = config._replace(agents=tuple(self.agent(number, config) for number in numbers))
        return self.settle_domains(config, anew=True)

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
        if number in entries and self.random.random() < 0.9:
            known = [0, *(domain.id for domain in old.domains)]
            entries[number] = entries[number]._replace(domain=self.random.choice(known))
        listed = list(entries.values())
        if field != "agents":
            listed.sort(key=lambda entry: int(entry.id))
        return self.settle_domains(_with(old, **{field: tuple(listed)}))

    def change_agent(self, old: Config) -> Config:
        """Add, replace or remove an agent."""
        return self._swap(old, "agents", lambda number: self.agent(number, old), self.scale.agents)

    def change_queue(self, old: Config) -> Config:
        """Add, replace or remove a queue, and the ways to it with it."""
        known = {queue.id for queue in old.queues}
        new = self._swap(
            *(old, "queues", lambda number: self.queue(number, old.skills, known, old.targets)),
            self.scale.queues,
        )
        return new._replace(queues=tuple(_without(queue, new) for queue in new.queues))

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
        new = old._replace(skills=skills)
        queues = tuple(
            _without(one, new)._replace(rank_skill=self.random.choice((0, *skills))) for one in old.queues
        )
        agents = tuple(one._replace(skills=_known(one.skills, skills)) for one in old.agents)
        return old._replace(skills=skills, queues=queues, agents=agents)

    def change_routing(self, old: Config) -> Config:
        """Take two of the site's rules anew."""
        rules = ("order", "miss_limit", "retry_after_us", "max_waiting", "key_retention_us", "memory_us")
        source = self.fresh()
        rest = ("seed", "reserve_after_us", "reply_margin_us", "reasons", "targets")
        names = self.random.sample((*rules, *rest), 2)
        new = _with(old, **{name: getattr(source, name) for name in names})
        return new._replace(queues=tuple(_without(queue, new) for queue in new.queues))

    def change_domains(self, old: Config) -> Config:
        """Take other domains and contracts, or other contracts alone."""
        return self.settle_domains(old, anew=True)

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
        agents = tuple(self.agent(one.id, new)._replace(domain=one.domain) for one in old.agents)
        return self.settle_domains(new._replace(agents=agents))

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


def _without(queue: QueueConfig, config: Config) -> QueueConfig:
    """Return a queue that speaks of known skills, queues and targets alone."""
    skills, queues = config.skills, {one.id for one in config.queues} - {queue.id}
    known = {Goal.QUEUE: queues, Goal.TARGET: {*config.targets}}
    requires = (tuple(need for need in needs if need.skill in skills) for needs in queue.requires)
    steps = tuple(
        step._replace(
            drop=tuple(skill for skill in step.drop if skill in skills),
            lower=tuple(lower for lower in step.lower if lower.skill in skills),
            widen=tuple(other for other in step.widen if other in queues),
        )
        for step in queue.steps
    )
    rules = tuple(rule for rule in queue.overflow if rule.to in known[rule.to_kind])
    return queue._replace(requires=tuple(needs for needs in requires if needs), steps=steps, overflow=rules)


CHANGES: tuple[Change, ...] = (
    *(Configs.change_agent, Configs.change_agent, Configs.change_agent),
    *(Configs.change_queue, Configs.change_queue),
    *(Configs.change_channel, Configs.change_skills, Configs.change_routing),
    *(Configs.change_domains, Configs.shuffle, Configs.renew),
    *(Configs.spoil, Configs.spoil, Configs.spoil),
)
