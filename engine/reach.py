"""Who may come to serve a queue's contacts: its requirement, and what its steps make of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.config_types import QueueSection, SiteConfig
from engine.requirements import Need, Requirement


def requirements_in_time(site: SiteConfig, queue: QueueSection) -> tuple[Requirement, ...]:
    """Return what the queue asks from the beginning and at each of its steps; one of them must hold.

    A widened queue's requirement stands beside the own queue's, relaxed by the same steps.
    """
    return tuple(dict.fromkeys(_in_time(site, queue)))


def holds(requirement: Requirement, skills: Mapping[str, int]) -> bool:
    """Whether an agent with these levels meets a requirement."""
    return not requirement or any(all(_holds(need, skills) for need in needs) for needs in requirement)


def _holds(need: Need, skills: Mapping[str, int]) -> bool:
    return (skills.get(need.skill, 0) >= need.level) != need.negated


def _in_time(site: SiteConfig, queue: QueueSection) -> Iterator[Requirement]:
    yield queue.requires
    dropped: set[str] = set()
    lowered: dict[str, int] = {}
    accepted = [queue.requires]
    for step in queue.steps:
        dropped.update(step.drop)
        for skill, by in step.lower.items():
            lowered[skill] = lowered.get(skill, 0) + by
        accepted += [site.queues[other].requires for other in step.widen if other in site.queues]
        for requirement in accepted:
            yield _relaxed(requirement, dropped, lowered)


def _relaxed(requirement: Requirement, dropped: set[str], lowered: Mapping[str, int]) -> Requirement:
    def left(need: Need) -> Need | None:
        if need.negated:
            return need
        level = need.level - lowered.get(need.skill, 0)
        return need._replace(level=level) if level > 0 and need.skill not in dropped else None

    return tuple(tuple(need for one in needs if (need := left(one)) is not None) for needs in requirement)
