"""What a contact asks of an agent, in names: alternatives of needs.

A requirement holds when all needs of one of its alternatives hold; without alternatives nothing is
asked. The core's bounds are kept here, where a person can still be told which row of the
configuration goes beyond them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias

MAX_ALTERNATIVES: Final = 8
MAX_NEEDS: Final = 16
MAX_LEVEL: Final = 100


class Need(NamedTuple):
    """`skill >= level`; negated, that it is not so. Who lacks the skill has level 0."""

    skill: str
    negated: bool
    level: int


Alternative: TypeAlias = tuple[Need, ...]
"""Needs that must all hold, in order."""

Requirement: TypeAlias = tuple[Alternative, ...]
"""Alternatives of which one must hold; none = nothing is asked."""


def alternative(levels: Mapping[str, int]) -> Alternative:
    """Return the needs of `skill -> lowest level`."""
    return tuple(sorted(Need(skill, False, level) for skill, level in levels.items()))


def both(one: Requirement, other: Requirement) -> Requirement:
    """Return the requirement that holds when both hold.

    Two needs of one skill become the stricter one; equal alternatives are listed once.
    """
    if not one or not other:
        return one or other
    return _once(_joined(first, second) for first in one for second in other)


def either(*requirements: Requirement) -> Requirement:
    """Return the requirement that holds when one of these holds; each must ask for something."""
    return _once(alternative for requirement in requirements for alternative in requirement)


def _joined(one: Alternative, other: Alternative) -> Alternative:
    needs: dict[tuple[str, bool], int] = {}
    for skill, negated, level in (*one, *other):
        known = needs.setdefault((skill, negated), level)
        # "At least" is stricter when it is higher, "not at least" when it is lower.
        needs[skill, negated] = min(known, level) if negated else max(known, level)
    return tuple(sorted(Need(skill, negated, level) for (skill, negated), level in needs.items()))


def _once(alternatives: Iterable[Alternative]) -> Requirement:
    return tuple(dict.fromkeys(alternatives))
