"""What a contact asks for: `crates/router_core/src/demand.rs` in Python."""

from __future__ import annotations

from typing import Any, TypeAlias

from msgspec import Struct


class Need(tuple[int, ...]):
    """One `skill >= level` of a requirement; `negated` turns it round.

    A skill that an agent lacks has level 0, so a negated need holds for it.
    On the wire it is `[skill, level]`, or `[skill, level, true]` when it is negated.
    """

    __slots__ = ()

    def __new__(cls, skill: int, level: int, negated: bool = False) -> Need:
        """Make a need as short as it goes over the wire."""
        return super().__new__(cls, (skill, level, True) if negated else (skill, level))

    @property
    def skill(self) -> int:
        """The skill's number."""
        return self[0]

    @property
    def level(self) -> int:
        """The level that is the lowest, or with `negated` the first one too many; 1 to 100."""
        return self[1]

    @property
    def negated(self) -> bool:
        """Whether the agent must stay below the level."""
        return len(self) == 3

    def __repr__(self) -> str:
        return f"Need({self.skill}, {self.level}{', negated=True' if self.negated else ''})"


Requirement: TypeAlias = tuple[tuple[Need, ...], ...]
"""Alternatives, one of which must hold whole: at most 8, each with 1 to 16 needs, strictly increasing
by (skill, negated). No alternatives ask nothing."""


class SkillWeight(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """How much each level of a skill counts for a contact that prefers it."""

    skill: int
    weight: int


def read_need(value: Any) -> Need:
    """The need that two or three items of the wire say.

    Raises:
        ValueError: they say none.
    """
    match value:
        case [int(skill), int(level), *negated] if bool not in (type(skill), type(level)):
            if not negated or (len(negated) == 1 and isinstance(negated[0], bool)):
                return Need(skill, level, *negated)
    raise ValueError("expected [skill, level] or [skill, level, true]")
