"""What a contact asks for, from names to the core's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from engine import requirements
from engine.errors import Malformed, UnknownAgent, UnknownSkill
from engine.model import Need, Requirement, SkillWeight
from engine.names import Names, UnknownName
from engine.requirement_text import RequirementError, alternatives_of
from engine.wishes import NO_WISHES, Wishes


class DemandFields(TypedDict):
    """The fields that `Arrive` and `Transfer` share."""

    requires: Requirement
    prefers: tuple[SkillWeight, ...]
    preferred: tuple[int, ...]
    preferred_wait_us: int
    excludes: tuple[int, ...]
    beyond_capacity: bool


def requirement(names: Names, alternatives: requirements.Requirement) -> Requirement:
    """A requirement in the core's numbers and order.

    Raises:
        UnknownName: the configuration does not know a skill.
    """
    return tuple(
        tuple(Need(skill, level, negated) for skill, negated, level in _sorted(names, needs))
        for needs in alternatives
    )


def _sorted(names: Names, needs: requirements.Alternative) -> list[tuple[int, bool, int]]:
    return sorted((names.id("skill", one.skill), one.negated, one.level) for one in needs)


def requires_of(names: Names, requires: str | Mapping[str, int] | None) -> Requirement:
    """What a contact requires on top of its queue, in the core's numbers.

    Args:
        names: the configuration's.
        requires: `"cards >= 50 and not trainee >= 1 or english >= 80"`, or skill -> lowest level.

    Raises:
        UnknownSkill: the configuration does not know one.
        Malformed: the text cannot be read; the message says where.
    """
    try:
        return requirement(names, alternatives_of(requires))
    except RequirementError as error:
        raise Malformed(f"requires: {error}") from error
    except UnknownName:
        raise UnknownSkill(0) from None


def demand_fields(
    names: Names, requires: str | Mapping[str, int] | None, wishes: Wishes = NO_WISHES
) -> DemandFields:
    """Everything that a contact asks for, as the fields of a command.

    Raises:
        UnknownSkill: the configuration does not know one.
        UnknownAgent: it does not know one.
        Malformed: `requires` cannot be read, or nobody is preferred beyond whose capacity it could go.
    """
    if wishes.beyond_capacity and not wishes.preferred:
        raise Malformed("wishes.beyond_capacity: expected preferred agents beside it, got none")
    try:
        prefers = sorted((names.id("skill", skill), weight) for skill, weight in wishes.prefers.items())
    except UnknownName:
        raise UnknownSkill(0) from None
    try:
        preferred = sorted({names.id("agent", agent) for agent in wishes.preferred})
        excludes = sorted({names.id("agent", agent) for agent in wishes.excludes})
    except UnknownName:
        raise UnknownAgent(0) from None
    return DemandFields(
        requires=requires_of(names, requires),
        prefers=tuple(SkillWeight(*pair) for pair in prefers),
        preferred=tuple(preferred),
        preferred_wait_us=wishes.preferred_wait_ms * 1_000,
        excludes=tuple(excludes),
        beyond_capacity=wishes.beyond_capacity,
    )
