"""How far a later contact can overtake an earlier one: a bound for every queue, from the configuration.

An agent who becomes free takes, of the contacts that it can serve, the one that stands first by
`(tier, queue priority, rank, enqueued_at - head start, sequence)`. Let a contact of queue q be enqueued
at t with head start h >= 0, and a later one of queue r at t + x, x > 0, with head start k <= H(r): the
longest that queue r gives (`max_head_start_s`) and all that its steps add. In one tier the later one
goes before only if its priority or then its rank does, or, these being equal, if

    t + x - k < t - h,    that is    x < k - h <= H(r).

So with equal priorities and ranks x stays below H(r), and head starts of H(r) and 0 come within a
microsecond of it. With `order = "longest"` all ranks are equal. With `order = "agent_level"` the rank
is the agent's level for the queue. With `order = "deadline"` ranks are equal, and the service levels S
count with the time: x < H(r) + S(q) - S(r). With `order = "ratio"` the queue whose part of all who
wait is the most above its ratio goes first: contacts of another queue may overtake without bound, those
of the own queue by H(q).
Where r has the better priority or rank, x has no bound; where it has the worse one, r never goes
before. Rivals of q are the queues that share an agent with it, at whatever step, q itself included; the
bound of q is the greatest over its rivals. Strategies choose among agents and do not matter here.

What an outbound queue sends out stands below all that comes in, and a queue with `max_in_hand` lets others
go before it while so many are in hand; an agent who serves several domains gives to each by its share. All
of these are overtaken without bound because the file says so in as many words.

Contacts that overflow into r, over at most MAX_HOPS queues, compete there as r's own, with the head start
that their first queue gave and all that the queues on the way have added by their steps: H(r) is the
greatest of these sums. Who overflows is overtaken in each queue as that queue's contacts are, unless it
keeps another tier than they have: the bound of a queue is that of the tier of its own arrivals.

A common slope is what bounds it: priority grows with time for everybody alike (L. Kleinrock, "A delay
dependent queue discipline", Naval Research Logistics Quarterly 11, 1964; docs/adr/0002). What stands
outside of the bound: whoever is passed on by an agent goes before the newly arrived (tier 1 before 2;
it has been served before, and among those passed on the bound holds again, unless one of the queues is
outbound: once passed on, its contacts stand as all others do), what a supervisor does to
one contact by hand, and what a contact asks for itself: one that waits for an agent whom it prefers
lets others pass as long as that is its wish.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from engine.config_domains import may_use
from engine.config_types import AgentSection, QueueSection, SiteConfig
from engine.model import OverflowTo
from engine.reach import holds, requirements_in_time
from engine.requirements import MAX_LEVEL, Requirement

MS_PER_S: Final = 1_000
OUTBOUND, INBOUND = TIERS = (0, 1)
"""The tiers of arrivals, turned round: the greater one goes first."""
MAX_HOPS: Final = 4
"""A contact overflows no more often."""
WEEK_MS: Final = 7 * 86_400_000
"""The core adds no more to a head start than makes a week."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What is known of a queue.

    Attributes:
        queue: its name.
        limit_s: a later contact overtakes by less than so many seconds; None = there is no bound.
        because: which rival and which agent it comes from.
        intended: there is none because the configuration says so in as many words.
    """

    queue: str
    limit_s: int | None
    because: str
    intended: bool = False

    def __str__(self) -> str:
        """Say it in a line."""
        if self.limit_s is None:
            return f"unbounded because {self.because}"
        return f"bounded: {self.limit_s} s ({self.because})"


class Standing(NamedTuple):
    """What an agent goes by before the time; the greater one goes first. A queue's part of the turn."""

    tier: int
    """One of `TIERS`."""
    priority: int
    """Turned round: 1 is the greatest."""
    level: int


class _Rival(NamedTuple):
    """How far before its own time a queue's contacts may count as having come."""

    reach_ms: int
    queue: str


_Rivals: TypeAlias = tuple[_Rival, ...]
"""Of the queues with one standing, the two whose contacts reach farthest, farthest first."""

_Reaches: TypeAlias = Mapping[str, Mapping[int, int]]
"""How far before its own time a contact may count as having come, by queue and tier; milliseconds."""

_Asked: TypeAlias = Mapping[str, tuple[Requirement, ...]]
"""What each queue asks, from the beginning and at each step."""


def overtaking_bounds(site: SiteConfig) -> dict[str, Bound]:
    """Return the bound of every queue, in the file's order.

    Args:
        site: the configuration.
    """
    bounds: dict[str, Bound] = {}
    asked = {name: requirements_in_time(site, queue) for name, queue in site.queues.items()}
    asking = _by_skill(asked)
    reaches_ms = _reaches_ms(site)
    for agent in _kinds(site, asked):
        served = {
            name: _standing(site, agent, site.queues[name])
            for skill in (None, *agent.skills)
            for name in asking.get(skill, ())
            if may_use(site, agent.domain, name)
            and any(holds(requirement, agent.skills) for requirement in asked[name])
        }
        rivals = _rivals(reaches_ms, served)
        for name, own in served.items():
            others = [one for one in served if site.queues[one].domain != site.queues[name].domain]
            if others:
                because = f"agent {agent.name} serves {others[0]} of another domain by the domains' shares"
                bounds[name] = Bound(name, None, because, intended=True)
                continue
            if (most := site.queues[name].max_in_hand) is not None:
                because = f"no more than {most} of its contacts may be in hand at once"
                bounds[name] = Bound(name, None, because, intended=True)
                continue
            for standing, group in rivals.items():
                found = _bound(site, agent, name, own, standing, group)
                if found is not None and _is_worse(found, bounds.get(name)):
                    bounds[name] = found
    return {name: bounds.get(name, Bound(name, 0, "no agent serves it")) for name in site.queues}


def unbounded(site: SiteConfig) -> list[Bound]:
    """Return the bounds that a configuration is refused for: there is none, and nobody has waived it."""
    found = overtaking_bounds(site).values()
    waived = {name for name, queue in site.queues.items() if queue.waive_overtaking is not None}
    return [one for one in found if one.limit_s is None and not one.intended and one.queue not in waived]


def _by_skill(asked: _Asked) -> dict[str | None, list[str]]:
    """Queues by a skill that they always ask for: an agent without it need not be compared with them."""
    asking: dict[str | None, list[str]] = {}
    for name, requirements in asked.items():
        alternatives = [needs for requirement in requirements for needs in requirement or ((),)]
        always = [{need.skill for need in needs if not need.negated} for needs in alternatives]
        common = sorted(set.intersection(*always))
        asking.setdefault(common[0] if common else None, []).append(name)
    return asking


def _kinds(site: SiteConfig, asked: _Asked) -> Iterable[AgentSection]:
    """One agent of each kind: whom nothing that a queue asks for tells apart, competes for the same ones."""
    steps: dict[str, set[int]] = {}
    for name, queue in site.queues.items():
        for need in (need for requirement in asked[name] for needs in requirement for need in needs):
            steps.setdefault(need.skill, set()).add(need.level)
        if queue.rank_skill is not None and site.routing.order == "agent_level":
            steps.setdefault(queue.rank_skill, set()).update(range(1, MAX_LEVEL + 1))
    ordered = {skill: sorted(levels) for skill, levels in steps.items()}
    kinds: dict[tuple[str | None, frozenset[tuple[str, int]]], AgentSection] = {}
    for agent in site.agents.values():
        if agent.capacity:
            known = agent.skills.items()
            kind = (
                (skill, bisect_right(ordered[skill], level)) for skill, level in known if skill in ordered
            )
            kinds.setdefault((agent.domain, frozenset(kind)), agent)
    return kinds.values()


def _standing(site: SiteConfig, agent: AgentSection, queue: QueueSection) -> Standing:
    tier = _tier(queue)
    if site.routing.order != "agent_level" or queue.rank_skill is None:
        return Standing(tier, -queue.priority, 0)
    return Standing(tier, -queue.priority, agent.skills.get(queue.rank_skill, 0))


def _rivals(reaches_ms: _Reaches, served: Mapping[str, Standing]) -> dict[Standing, _Rivals]:
    """Queues by standing: pairs of standings are few where pairs of queues are many."""
    rivals: dict[Standing, _Rivals] = {}
    for name, own in served.items():
        for tier, reach_ms in reaches_ms[name].items():
            standing = own._replace(tier=tier)
            known = rivals.get(standing, ())
            every = (*known, _Rival(reach_ms, name))
            rivals[standing] = tuple(sorted(every, key=lambda rival: -rival.reach_ms)[:2])
    return rivals


def _reaches_ms(site: SiteConfig) -> _Reaches:
    """How far a queue's contacts reach, those that overflow into it included: they keep their tier."""
    steps_ms = {name: sum(step.head_start_ms for step in queue.steps) for name, queue in site.queues.items()}
    leads = [
        (name, rule.to)
        for name, queue in site.queues.items()
        for rule in queue.overflow
        if rule.to_kind is OverflowTo.QUEUE
    ]
    hop_ms = {
        (name, _tier(queue)): queue.max_head_start_s * MS_PER_S + steps_ms[name]
        for name, queue in site.queues.items()
    }
    most_ms = dict(hop_ms)
    for _ in range(MAX_HOPS):
        before_ms, hop_ms = hop_ms, {}
        for name, to in leads:
            for tier in TIERS:
                if (reach_ms := before_ms.get((name, tier))) is not None:
                    hop_ms[to, tier] = max(hop_ms.get((to, tier), 0), reach_ms + steps_ms[to])
        most_ms |= {key: max(reach_ms, most_ms.get(key, 0)) for key, reach_ms in hop_ms.items()}
    reaches_ms: dict[str, dict[int, int]] = {}
    for (name, tier), reach_ms in most_ms.items():
        allowed_ms = _allowed_ms(site, site.queues[name])
        reaches_ms.setdefault(name, {})[tier] = min(reach_ms, WEEK_MS) - allowed_ms
    return reaches_ms


def _tier(queue: QueueSection) -> int:
    return OUTBOUND if queue.outbound else INBOUND


def _allowed_ms(site: SiteConfig, queue: QueueSection) -> int:
    return queue.service_level_ms if site.routing.order == "deadline" else 0


def _bound(
    site: SiteConfig, agent: AgentSection, queue: str, own: Standing, other: Standing, rivals: _Rivals
) -> Bound | None:
    """The bound between a queue and those of one standing at one agent; None = they never go before."""
    if other < own:
        return None
    rival = rivals[0]
    if other > own:
        if other.tier > own.tier:
            because = f"{queue} is outbound, and agent {agent.name} serves {rival.queue}, too"
            return Bound(queue, None, because, intended=True)
        if other.priority > own.priority:
            because = f"priority {-other.priority} for {rival.queue} and {-own.priority} for {queue}"
            return Bound(queue, None, f"agent {agent.name} serves {because}")
        levels = f"level {other.level} for {rival.queue} and {own.level} for {queue}"
        return Bound(queue, None, f'agent {agent.name} has {levels}, and order is "agent_level"')
    if site.routing.order == "ratio":
        others = [one for one in rivals if one.queue != queue]
        if others:
            both = f"{others[0].queue} and {queue}"
            return Bound(queue, None, f'agent {agent.name} serves {both}, and order is "ratio"')
    whose = "its own contacts" if rival.queue == queue else f"contacts of {rival.queue}"
    limit_ms = max(0, rival.reach_ms + _allowed_ms(site, site.queues[queue]))
    return Bound(queue, -(-limit_ms // MS_PER_S), f"{whose}, agent {agent.name}")


def _is_worse(one: Bound, other: Bound | None) -> bool:
    if other is None:
        return True
    if other.limit_s is None:
        return False
    return one.limit_s is None or one.limit_s > other.limit_s
