"""The configuration's `[[routing_points]]` and `[regions]`; `engine.routing_points` acts on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from engine.calendars import Calendar, Hours
from engine.config_table import Table, did_you_mean, type_word
from engine.config_types import ChannelSection, Named, QueueSection
from engine.requirements import MAX_ALTERNATIVES, MAX_LEVEL, MAX_NEEDS, Alternative, Need, Requirement
from engine.routing_points import (
    Attribute,
    Condition,
    Language,
    OnHoliday,
    Point,
    Region,
    RegionRule,
    RegionSet,
    Text,
    WithinHours,
)

MAX_POINTS: Final = 1_000
MAX_RULES: Final = 1_000
MAX_SETS: Final = 1_000
MAX_WEIGHT: Final = 100
WEEK_MS: Final = 7 * 86_400_000
"""The core's longest head start."""
NOT: Final = "!"
"""Before a skill: the agent must lack it, or have less of it."""
Known = Mapping[str, object]


def read_routing_points(
    file: Table,
    *,
    skills: Mapping[str, Named],
    channels: Mapping[str, ChannelSection],
    queues: Mapping[str, QueueSection],
    calendars: Mapping[str, Calendar],
) -> tuple[Point, ...]:
    """Read the table of routing points and the region rules that it uses.

    Args:
        file: the whole file.
        skills: what may be asked for.
        channels: what may be a condition.
        queues: where a row may lead.
        calendars: what a row may go by.
    """
    rules = {name: _rule(table, name, skills) for name, table in file.named_tables("regions", MAX_RULES)}
    points: list[Point] = []
    named: set[str] = set()
    always: str | None = None
    for table in file.tables("routing_points", MAX_POINTS):
        point = _Row(table, skills, channels, queues, calendars, rules).read()
        if point.name in named:
            table.error("name", f'"{point.name}" is already a row; give each its own name')
        if always is not None:
            table.error("name", f'is never reached: "{always}" stands before it and has no conditions')
        elif not point.conditions:
            always = point.name
        named.add(point.name)
        points.append(point)
    return tuple(points)


def read_requirement(table: Table, key: str, skills: Mapping[str, Named]) -> Requirement:
    """Read a requirement: a table of skill = level, or an array of such tables of which one must hold."""
    value = table.raw(key)
    if value is None:
        return ()
    given = value if isinstance(value, list) else [value]
    if len(given) > MAX_ALTERNATIVES:
        table.error(key, f"{len(given)} alternatives are listed, at most {MAX_ALTERNATIVES} can be")
    alternatives = []
    for index, one in enumerate(given):
        at = f"{key}[{index}]" if isinstance(value, list) else key
        if isinstance(one, dict):
            alternatives.append(_alternative(Table(table.at(at), one, table.errors), table, at, skills))
        else:
            table.error(at, f"expected a table of skill = level, got {type_word(one)}")
    return tuple(dict.fromkeys(alternatives))


def _alternative(inner: Table, outer: Table, at: str, skills: Mapping[str, Named]) -> Alternative:
    if not 1 <= len(inner.values) <= MAX_NEEDS:
        outer.error(at, f"expected 1 to {MAX_NEEDS} skills, got {len(inner.values)}")
    needs = []
    for key in inner.values:
        level = inner.optional_integer(key, 1, MAX_LEVEL)
        skill = key.removeprefix(NOT)
        if skill not in skills:
            inner.error(key, f'no skill "{skill}"; {did_you_mean(skill, skills)}')
        elif level is not None:
            needs.append(Need(skill, key.startswith(NOT), level))
    return tuple(sorted(needs))


def _rule(table: Table, name: str, skills: Mapping[str, Named]) -> RegionRule:
    sets = tuple(_set(inner, key, skills) for key, inner in table.named_tables("sets", MAX_SETS))
    fallback = table.words("fallback")
    known = {one.name: one for one in sets}
    for unknown in (one for one in fallback if one not in known):
        table.error("fallback", f'no set "{unknown}"; {did_you_mean(unknown, known)}')
    if not fallback:
        table.error("fallback", "is missing; name the set that serves where no region matches")
    table.finish()
    return RegionRule(name, sets, frozenset(fallback))


def _set(table: Table, name: str, skills: Mapping[str, Named]) -> RegionSet:
    requires = read_requirement(table, "requires", skills)
    if "requires" not in table.values:
        table.error("requires", "is missing; say what an agent for these regions must have")
    one = RegionSet(name, frozenset(table.words("regions")), requires)
    table.finish()
    return one


class _Row:
    """Reads one row; what it may name comes from the other sections."""

    def __init__(
        self,
        table: Table,
        skills: Mapping[str, Named],
        channels: Mapping[str, ChannelSection],
        queues: Mapping[str, QueueSection],
        calendars: Mapping[str, Calendar],
        rules: Mapping[str, RegionRule],
    ) -> None:
        self._table = table
        self._skills = skills
        self._channels = channels
        self._queues = queues
        self._calendars = calendars
        self._rules = rules

    def read(self) -> Point:
        table = self._table
        name = table.name("name")
        if "name" not in table.values:
            table.error("name", "is missing; reasons and errors call the row by it")
        queue = self._one_of("queue", "queue", self._queues)
        conditions = (*self._texts(), *self._times(queue))
        rule = self._one_of("by_region", "region rule", self._rules)
        point = Point(
            name=name or table.path,
            conditions=conditions,
            queue=queue,
            head_start_ms=table.optional_integer("head_start_ms", 0, WEEK_MS),
            weight=table.optional_integer("weight", 1, MAX_WEIGHT),
            requires=read_requirement(table, "requires", self._skills),
            by_region=None if rule is None else self._rules[rule],
            refuse=table.name("refuse"),
        )
        table.finish()
        self._check_result(point)
        return point

    def _texts(self) -> Iterable[Condition]:
        table = self._table
        yield from self._text("caller", table)
        yield from self._text("dialled", table)
        yield from self._text("channel", table, self._channels)
        yield from self._text("asked", table, self._queues)
        if languages := table.words("language"):
            yield Language(languages)
        if regions := table.words("region"):
            yield Region(frozenset(regions))
        attributes = table.table("attributes")
        for name in attributes.values:
            if patterns := attributes.words(name):
                yield Attribute(name, patterns)

    def _text(self, key: str, table: Table, known: Known | None = None) -> Iterable[Condition]:
        patterns = table.words(key)
        for one in patterns:
            if known is not None and one not in known:
                kind = "queue" if key == "asked" else key
                table.error(key, f'no {kind} "{one}"; {did_you_mean(one, known)}')
        if patterns:
            yield Text(key, patterns)

    def _times(self, queue: str | None) -> Iterable[Condition]:
        table = self._table
        name = self._one_of("calendar", "calendar", self._calendars)
        if name is None and queue is not None:
            name = self._queues[queue].calendar
        calendar = self._calendars.get(name or "")
        for key in ("hours", "holiday"):
            if key in table.values and calendar is None and "calendar" not in table.values:
                table.error(key, "whose? name a calendar here, or one at the queue that the row leads to")
        hours = table.choice("hours", tuple(Hours), Hours.OPEN) if "hours" in table.values else None
        holiday = table.boolean("holiday", default=True) if "holiday" in table.values else None
        table.known += ["hours", "holiday"]
        if calendar is not None and hours is not None:
            yield WithinHours(calendar, Hours(hours))
        if calendar is not None and holiday is not None:
            yield OnHoliday(calendar, holiday)

    def _one_of(self, key: str, kind: str, known: Known) -> str | None:
        name = self._table.optional_text(key)
        if name is not None and name not in known:
            self._table.error(key, f'no {kind} "{name}"; {did_you_mean(name, known)}')
            return None
        return name

    def _check_result(self, point: Point) -> None:
        keys = ("queue", "head_start_ms", "weight", "requires", "by_region")
        given = [key for key in keys if key in self._table.values]
        if "refuse" in self._table.values and given:
            self._table.error(
                "refuse", f"the row refuses, so {given[0]} says nothing; take one of the two out"
            )
        named = [point.queue] if point.queue is not None else list(self._queues)
        least_ms = min((self._queues[one].max_head_start_s * 1_000 for one in named), default=WEEK_MS)
        if (point.head_start_ms or 0) > least_ms:
            self._table.error(
                "head_start_ms", f"{least_ms} is the most that {' and '.join(named)} gives (max_head_start_s)"
            )
        if "refuse" not in self._table.values and not given:
            self._table.error("queue", "the row decides nothing; give a queue, another result, or refuse")
