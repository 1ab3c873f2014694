"""Where an arrival goes and with what, before the store and the journal see it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.channel import Known
from engine.config_types import SiteConfig
from engine.errors import BadHeadStart, BadRequirement, Malformed, NotAdmitted
from engine.names import Names
from engine.requirement_text import RequirementError, alternatives_of, write_requirement
from engine.requirements import MAX_ALTERNATIVES, MAX_NEEDS, Requirement, both
from engine.routing_points import Facts, route

MS_PER_S: Final = 1_000
US_PER_S: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Demand:
    """What an arrival asks for.

    Attributes:
        requires: skill -> lowest level, or a text as in the configuration.
    """

    queue: str
    head_start_ms: int
    requires: str | Mapping[str, int]
    weight: int = 1


def admit(site: SiteConfig, channel: str, asked: Demand, known: Known, at_us: int) -> Demand:
    """Apply the routing points and the queues' own limits to an arrival.

    Args:
        site: the configuration.
        channel: the name of the channel that brings it.
        asked: what the channel asks for; what the deciding row does not say stays so.
        known: what the channel knows of it.
        at_us: when it arrives, Unix microseconds.

    Returns:
        What is to be stored and journaled.

    Raises:
        NotAdmitted: a routing point refuses it.
        BadHeadStart: the queue gives no such head start.
        BadRequirement: what the channel and the row ask together is more than the core takes.
        Malformed: what the channel asks cannot be read.
    """
    section = site.channels.get(channel)
    facts = Facts(
        at_us=at_us,
        channel=channel,
        asked=asked.queue,
        caller=known.caller,
        dialled=known.dialled or (section.account if section is not None else ""),
        language=known.language,
        regions=frozenset(known.regions),
        attributes=known.attributes,
    )
    routed = route(site.routing_points, facts)
    if routed.refused is not None:
        raise NotAdmitted(routed.refused, routed.reason())
    requires = asked.requires
    if routed.requires:
        requires = write_requirement(_within_bounds(both(_own(asked.requires), routed.requires)))
    demand = Demand(
        queue=asked.queue if routed.queue is None else routed.queue,
        head_start_ms=asked.head_start_ms if routed.head_start_ms is None else routed.head_start_ms,
        requires=requires,
        weight=asked.weight if routed.weight is None else routed.weight,
    )
    check_head_start(site, demand.queue, demand.head_start_ms)
    return demand


def check_head_start(site: SiteConfig, queue: str, head_start_ms: int) -> None:
    """Refuse a head start that is longer than a queue gives: the bound of overtaking follows from it.

    Raises:
        BadHeadStart: with the head start in microseconds.
    """
    section = site.queues.get(queue)
    if section is not None and head_start_ms > section.max_head_start_s * MS_PER_S:
        raise BadHeadStart(head_start_ms * 1_000)


def head_start_limits(site: SiteConfig, names: Names) -> list[tuple[int, int]]:
    """Return (queue, longest head start in microseconds) in the core's numbers, for the gateway's intake."""
    numbers = names.of("queue")
    return [
        (numbers[name], section.max_head_start_s * US_PER_S)
        for name, section in site.queues.items()
        if name in numbers
    ]


def _own(requires: str | Mapping[str, int]) -> Requirement:
    try:
        return alternatives_of(requires)
    except RequirementError as error:
        raise Malformed(f"requires: {error}") from error


def _within_bounds(requirement: Requirement) -> Requirement:
    if len(requirement) > MAX_ALTERNATIVES:
        raise BadRequirement(len(requirement))
    longest = max(map(len, requirement), default=0)
    if longest > MAX_NEEDS:
        raise BadRequirement(longest)
    return requirement
