"""Routing points: an ordered table that says where an arrival goes, before the core sees it.

1. The first row whose conditions all hold decides; a row without conditions always does.
2. Holiday beats hours: when the row so found goes by opening hours, and a later row that goes by the
   holiday holds as well, that one decides.
3. What the row does not say stays as the channel asked for it. Where no row holds, all of it stays.
4. A region rule asks for the alternatives of every set that has one of the contact's regions, united:
   a visitor from Ningbo matches the sets of Zhejiang and of Ningbo and may reach either. Where no set
   matches, those of the designated sets are asked for.

Caller, dialled number, hours and holidays are decided here. Busy, no answer and overflow are not known
when a contact arrives: they are conditions of the core's overflow rules, which act while it waits.

Pure: what is known of the arrival comes in as :class:`Facts`, the instant included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from engine.calendars import Calendar, Hours
from engine.requirements import MAX_ALTERNATIVES, Requirement, both, either

ANY_END: Final = "*"
"""At the end of a pattern: whatever begins so."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an arrival.

    Attributes:
        at_us: when it arrives, Unix microseconds.
        channel: the channel's name.
        asked: the queue that the channel asked for.
        caller: who calls, as the medium writes it: a number, an address.
        dialled: what was called: a number, an account.
        language: as "zh" or "zh-CN".
        regions: where the customer is, from large to small: province and city, say.
        attributes: whatever else the channel knows, by name.
    """

    at_us: int
    channel: str
    asked: str = ""
    caller: str = ""
    dialled: str = ""
    language: str = ""
    regions: frozenset[str] = frozenset()
    attributes: Mapping[str, str] = field(default_factory=dict)


class Condition(Protocol):
    """One condition of a row."""

    @property
    def key(self) -> str:
        """What it is called in the configuration."""
        ...

    def holds(self, facts: Facts) -> bool:
        """Tell whether it holds for an arrival."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """A fact is one of some texts, or begins as one that ends with `*`.

    Attributes:
        key: the fact's name: caller, dialled, channel or asked.
    """

    key: str
    patterns: tuple[str, ...]

    def holds(self, facts: Facts) -> bool:
        """Tell whether one pattern fits."""
        value: str = getattr(facts, self.key)
        return any(_fits(pattern, value) for pattern in self.patterns)


@dataclass(frozen=True, slots=True)
class Attribute:
    """What the channel says under a name of its own is one of some texts, or begins as one with `*`."""

    name: str
    patterns: tuple[str, ...]

    @property
    def key(self) -> str:
        """What it is called in the configuration."""
        return f"attributes.{self.name}"

    def holds(self, facts: Facts) -> bool:
        """Tell whether one pattern fits; what is not known fits none."""
        value = facts.attributes.get(self.name)
        return value is not None and any(_fits(pattern, value) for pattern in self.patterns)


@dataclass(frozen=True, slots=True)
class Language:
    """The contact's language is one of some; `zh` is also `zh-CN`."""

    languages: tuple[str, ...]
    key: str = "language"

    def holds(self, facts: Facts) -> bool:
        """Tell whether it is one of them."""
        given = facts.language.lower()
        return any(f"{given}-".startswith(f"{language.lower()}-") for language in self.languages)


@dataclass(frozen=True, slots=True)
class Region:
    """One of the contact's regions is among these."""

    regions: frozenset[str]
    key: str = "region"

    def holds(self, facts: Facts) -> bool:
        """Tell whether one is."""
        return not self.regions.isdisjoint(facts.regions)


@dataclass(frozen=True, slots=True)
class WithinHours:
    """A calendar is open, or is closed."""

    calendar: Calendar
    wanted: Hours
    key: str = "hours"

    def holds(self, facts: Facts) -> bool:
        """Tell whether it is so when the contact arrives."""
        return self.calendar.state_at(facts.at_us) is self.wanted


@dataclass(frozen=True, slots=True)
class OnHoliday:
    """A calendar has a holiday, or has none."""

    calendar: Calendar
    wanted: bool
    key: str = "holiday"

    def holds(self, facts: Facts) -> bool:
        """Tell whether it is so when the contact arrives."""
        return self.calendar.is_holiday(facts.at_us) is self.wanted


@dataclass(frozen=True, slots=True)
class RegionSet:
    """Regions that belong together, and what their contacts ask of an agent."""

    name: str
    regions: frozenset[str]
    requires: Requirement


@dataclass(frozen=True, slots=True)
class RegionRule:
    """Sets of regions; `fallback` names those that serve where none matches."""

    name: str
    sets: tuple[RegionSet, ...]
    fallback: frozenset[str]

    def matching(self, regions: frozenset[str]) -> tuple[RegionSet, ...]:
        """Return the sets that have one of the regions; the designated ones if there is none."""
        found = tuple(one for one in self.sets if not one.regions.isdisjoint(regions))
        return found or tuple(one for one in self.sets if one.name in self.fallback)


@dataclass(frozen=True, slots=True)
class Point:
    """A row of the table; None and an empty requirement leave things as the channel asked.

    Attributes:
        name: what reasons call it.
        conditions: all must hold.
        refuse: the word by which the arrival is refused.
        by_region: whose matching sets' alternatives are asked for.
    """

    name: str
    conditions: tuple[Condition, ...] = ()
    queue: str | None = None
    head_start_ms: int | None = None
    weight: int | None = None
    requires: Requirement = ()
    by_region: RegionRule | None = None
    refuse: str | None = None

    def failed(self, facts: Facts) -> tuple[str, ...]:
        """Return the conditions that do not hold, by their keys."""
        return tuple(one.key for one in self.conditions if not one.holds(facts))

    def goes_by(self, key: str) -> bool:
        """Tell whether it has a condition of this key."""
        return any(one.key == key for one in self.conditions)


@dataclass(frozen=True, slots=True)
class Passed:
    """A row that stood before and did not decide.

    Attributes:
        failed: its conditions that did not hold; none if a holiday has beaten it.
    """

    point: str
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Routed:
    """Where an arrival goes, and why.

    Attributes:
        point: the row that decided; None if no row held.
        passed: the rows that stood before it, in order.
        regions: the region sets that the contact matched, or that were designated.
    """

    point: str | None
    passed: tuple[Passed, ...]
    queue: str | None = None
    head_start_ms: int | None = None
    weight: int | None = None
    requires: Requirement = ()
    regions: tuple[str, ...] = ()
    refused: str | None = None

    def reason(self) -> str:
        """Say in a sentence which row decided and what failed in those before it."""
        told = [
            f"{one.point} ({', '.join(one.failed) if one.failed else 'the holiday beats its hours'})"
            for one in self.passed
        ]
        before = f", after {'; '.join(told)}" if told else ""
        where = f" by the region sets {', '.join(self.regions)}" if self.regions else ""
        return f"{self.point or 'no routing point'}{where}{before}"


def route(points: Sequence[Point], facts: Facts) -> Routed:
    """Find the row that decides.

    Args:
        points: the table, in order.
        facts: what is known of the arrival.

    Returns:
        What the row says; where no row holds, nothing but what failed in each.
    """
    passed: list[Passed] = []
    for index, point in enumerate(points):
        failed = point.failed(facts)
        if failed:
            passed.append(Passed(point.name, failed))
            continue
        if point.goes_by("hours") and not point.goes_by("holiday"):
            for later in range(index + 1, len(points)):
                if points[later].goes_by("holiday") and not points[later].failed(facts):
                    between = points[index:later]
                    passed += [Passed(one.name, one.failed(facts)) for one in between]
                    return _routed(points[later], facts, tuple(passed))
        return _routed(point, facts, tuple(passed))
    return Routed(None, tuple(passed))


def _routed(point: Point, facts: Facts, passed: tuple[Passed, ...]) -> Routed:
    requires = point.requires
    names: tuple[str, ...] = ()
    if point.by_region is not None:
        sets = point.by_region.matching(facts.regions)
        names = tuple(one.name for one in sets)
        # More regions than the core takes alternatives: the first ones of the file serve.
        requires = both(requires, either(*(one.requires for one in sets)))[:MAX_ALTERNATIVES]
    return Routed(
        point=point.name,
        passed=passed,
        queue=point.queue,
        head_start_ms=point.head_start_ms,
        weight=point.weight,
        requires=requires,
        regions=names,
        refused=point.refuse,
    )


def _fits(pattern: str, value: str) -> bool:
    if pattern.endswith(ANY_END):
        return bool(value) and value.startswith(pattern[: -len(ANY_END)])
    return value == pattern
