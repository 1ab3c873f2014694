"""The configuration's `[calendars]`: wall-clock words in, `engine.calendars.Calendar` out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.calendars import DAY_MINUTES, ONE_DAY, WEEKDAYS, Calendar, Opening, Span
from engine.config_table import Table, did_you_mean

MAX_CALENDARS: Final = 1_000
MAX_RANGE_DAYS: Final = 366
"""A range of dates is a holiday; what lasts longer is a calendar without hours."""
LEAP_YEAR: Final = 2000
"""Has every date that a year can have."""
_TIMES = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)\Z")


def read_calendars(file: Table, timezone: str) -> dict[str, Calendar]:
    """Read every calendar of the file.

    Args:
        file: the whole file.
        timezone: the site's, which serves where a calendar names none.
    """
    tables = file.named_tables("calendars", MAX_CALENDARS)
    return {name: _calendar(table, name, timezone) for name, table in tables}


def read_timezone(table: Table, default: str) -> str:
    """Read the IANA name of a time zone."""
    name = table.text("timezone", default)
    try:
        if name != "UTC":  # known even where the machine has no time zone data
            ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        table.error("timezone", f'no time zone "{name}"; give an IANA name such as "Asia/Shanghai"')
        return default
    return name


def _calendar(table: Table, name: str, timezone: str) -> Calendar:
    zone = read_timezone(table, timezone)
    week = table.table("week")
    openings = tuple(_weekday(week, index) for index in range(len(WEEKDAYS)))
    week.finish()
    holidays, yearly = _holidays(table)
    calendar = Calendar(
        name=name,
        timezone=_zone(zone),
        week=openings,
        holidays=frozenset(holidays),
        yearly=frozenset(yearly),
        make_up=_make_up(table),
        opened=tuple(_exceptions(table, "open")),
        closed=tuple(_exceptions(table, "closed")),
    )
    table.finish()
    return calendar


def _zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)


def _weekday(week: Table, index: int) -> tuple[Opening, ...]:
    """Read a weekday's openings; the last one may go on past midnight."""
    openings: list[Opening] = []
    key = WEEKDAYS[index]
    for at, text in week.texts(key):
        opening = _opening(text)
        if opening is None:
            week.error(at, f'expected "HH:MM-HH:MM", up to 24:00 and over midnight if need be, got "{text}"')
        elif openings and opening.start < openings[-1].end:
            week.error(at, f'"{text}" begins before the one before it has ended; list them in order')
        else:
            openings.append(opening)
    return tuple(openings)


def _opening(text: str) -> Opening | None:
    found = _TIMES.match(text)
    if found is None:
        return None
    hour, minute, end_hour, end_minute = (int(part) for part in found.groups())
    start, end = hour * 60 + minute, end_hour * 60 + end_minute
    if minute > 59 or end_minute > 59 or start >= DAY_MINUTES or end > DAY_MINUTES or start == end:
        return None
    return Opening(start, end if end > start else end + DAY_MINUTES)


def _holidays(table: Table) -> tuple[set[date], set[tuple[int, int]]]:
    once: set[date] = set()
    yearly: set[tuple[int, int]] = set()
    for at, text in table.texts("holidays"):
        dates = _dates(text)
        if isinstance(dates, str):
            table.error(at, dates)
        elif len(text.partition("..")[0]) == len("12-25"):
            yearly.update((day.month, day.day) for day in dates)
        else:
            once.update(dates)
    return once, yearly


def _dates(text: str) -> list[date] | str:
    """Return the dates of "2025-01-01", "2025-10-01..2025-10-08", "12-25", "12-24..12-26"; or the fault."""
    first_text, dots, last_text = text.partition("..")
    first = _date(first_text)
    last = _date(last_text) if dots else first
    if first is None or last is None or (dots and len(first_text) != len(last_text)):
        kinds = '"YYYY-MM-DD", "MM-DD" for every year, or a range "first..last" of one kind'
        return f'expected {kinds}, got "{text}"'
    if last < first and len(first_text) == len("12-25"):
        last = last.replace(year=last.year + 4)  # over the new year
        return [*_days(first, date(first.year, 12, 31)), *_days(date(last.year, 1, 1), last)]
    if not first <= last < first + MAX_RANGE_DAYS * ONE_DAY:
        return f'"{text}" is not a range of 1 to {MAX_RANGE_DAYS} days'
    return list(_days(first, last))


def _date(text: str) -> date | None:
    try:
        if re.fullmatch(r"\d\d-\d\d", text):
            return date.fromisoformat(f"{LEAP_YEAR}-{text}")
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        return None


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _make_up(table: Table) -> dict[date, int]:
    inner = table.table("work_days")
    days: dict[date, int] = {}
    for key in inner.values:
        weekday = inner.text(key, WEEKDAYS[0])
        day = _date(key) if len(key) == len("2025-01-26") else None
        if day is None:
            inner.error(key, 'expected a date "YYYY-MM-DD" as the key')
        elif weekday not in WEEKDAYS:
            inner.error(key, f'no weekday "{weekday}"; {did_you_mean(weekday, list(WEEKDAYS))}')
        else:
            days[day] = WEEKDAYS.index(weekday)
    return days


def _exceptions(table: Table, key: str) -> Iterator[Span]:
    for at, text in table.texts(key):
        span = _span(text, whole_days=key == "closed")
        if isinstance(span, str):
            table.error(at, span)
        else:
            yield span


def _span(text: str, *, whole_days: bool) -> Span | str:
    """Return the span of "2025-06-03 12:00-14:00" or, where it may be, of whole dates; or what is wrong."""
    day_text, _, times = text.partition(" ")
    if not times and whole_days:
        dates = _dates(day_text) if len(day_text) >= len("2025-06-03") else None
        if dates is None or isinstance(dates, str):
            return f'expected "YYYY-MM-DD", a range of them, or "YYYY-MM-DD HH:MM-HH:MM", got "{text}"'
        return Span(datetime.combine(dates[0], time()), datetime.combine(dates[-1] + ONE_DAY, time()))
    day, opening = _date(day_text), _opening(times)
    if day is None or opening is None or len(day_text) != len("2025-06-03"):
        return f'expected "YYYY-MM-DD HH:MM-HH:MM", got "{text}"'
    midnight = datetime.combine(day, time())
    return Span(midnight + timedelta(minutes=opening.start), midnight + timedelta(minutes=opening.end))
