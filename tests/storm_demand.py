"""Random demands, right and broken: what contacts ask for, and whom they want."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from tests.oracle.config import DAY_US, Demand, Need, Requirement, SkillWeight
from tests.oracle.oracle import Oracle
from tests.oracle.state import Agent, State

SECOND = 1_000_000
BROKEN_NEEDS = (Need(0, 1), Need(3, 0), Need(2, 101), Need(99, 50), Need(1, 1))


def part_of(random: Random, items: Iterable[int], share: float) -> tuple[int, ...]:
    """Return a random part of some numbers, in their order."""
    return tuple(item for item in sorted(items) if random.random() < share)


def a_requirement(random: Random, skills: tuple[int, ...], levels: tuple[int, ...]) -> Requirement:
    """Return a requirement that asks something: often one alternative, now and then a NOT."""

    def needs() -> tuple[Need, ...]:
        count = random.choice((1, 1, 2, 3))
        keys = {(random.choice(skills), random.random() < 0.15) for _ in range(count)}
        return tuple(Need(skill, random.choice(levels), negated) for skill, negated in sorted(keys))

    return tuple(needs() for _ in range(random.choice((1, 1, 1, 2, 2, 3))))


def a_broken_requirement(random: Random) -> Requirement:
    """Return a requirement that is probably refused: an entry that is wrong, or too much of something."""
    need = random.choice(BROKEN_NEEDS)
    good = Need(1, 50)
    return random.choice(
        (
            ((need,) * random.choice((1, 2, 17)),),
            ((good,), ()),
            ((good,),) * 9,
            ((good,), (need, good)),
            ((Need(1, 50, negated=True), good),),
        )
    )


def a_demand(random: Random, oracle: Oracle, requires: Requirement) -> Demand:
    """Return what a contact asks for beside its requirement; half of the time nothing."""
    if random.random() < 0.4:
        return Demand(requires)
    if random.random() < 0.06:
        return _broken(random, Demand(requires))
    skills, agents = oracle.rules.skills, oracle.agents
    prefers = part_of(random, skills, 0.4)[:8] if random.random() < 0.5 else ()
    preferred, wait_us = _few(random, agents, 0), 0
    if random.random() < 0.6:
        preferred = _few(random, agents, random.choice((1, 1, 2, 3)))
        wait_us = random.choice((0, 1, 2, 5, 10, 30)) * SECOND
    excludes = _few(random, agents, random.choice((1, 1, 2, 4))) if random.random() < 0.4 else ()
    beyond = bool(preferred) and random.random() < 0.7
    if beyond and random.random() < 0.7:
        preferred, requires = _few(random, _busy(agents.values()), 1) or preferred, ()
    return Demand(
        requires,
        tuple(SkillWeight(skill, random.choice((1, 1, 2, 7, 100))) for skill in prefers),
        preferred,
        wait_us if random.random() < 0.95 else SECOND,
        excludes,
        beyond,
    )


def _few(random: Random, agents: Iterable[int], count: int) -> tuple[int, ...]:
    known = sorted(agents)
    return tuple(sorted(random.sample(known, min(count, len(known)))))


def _busy(agents: Iterable[Agent]) -> list[int]:
    """Return the agents who are there and whose hands are full, as far as can be: at whom something rings."""
    there = [agent for agent in agents if agent.available()]
    for kinds in ((State.OFFERED,), tuple(State)):
        found = [one.id for one in there if any(held.state in kinds for held in one.contacts.values())]
        if found:
            return found
    return []


def _broken(random: Random, demand: Demand) -> Demand:
    weight, odd = SkillWeight(1, 1), random.choice((0, 1, 9_999))
    lists = ((odd, odd), (2, 1), (odd,), tuple(range(1, 18)))
    return random.choice(
        (
            demand._replace(prefers=(weight,) * random.choice((2, 9))),
            demand._replace(prefers=(SkillWeight(random.choice((0, 99)), 1),)),
            demand._replace(prefers=(SkillWeight(1, random.choice((0, 101))),)),
            demand._replace(preferred=random.choice(lists)),
            demand._replace(preferred_wait_us=DAY_US + random.choice((0, 1))),
            demand._replace(excludes=random.choice(lists)),
            demand._replace(beyond_capacity=True),
        )
    )
