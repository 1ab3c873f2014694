"""Opening hours: when a site works, exact over clock changes, holidays and make-up working days.

1. What a date's hours are: as of the weekday that it makes up for (调休), if it is a make-up working
   day; else none, if it is a holiday; else as of its own weekday.
2. An opening belongs to the date on which it begins, and may go on past midnight.
3. Exceptions beat all of that: an `open` one, and over it a `closed` one (whoever shuts the doors in
   an emergency means it).
4. A wall-clock time that comes twice (the clock was put back) means its first coming, so openings
   that touch each other on the wall touch each other in time. One that is skipped (the clock was put
   forward) means the moment of the change.

Pure: instants come in and go out as Unix microseconds; nothing here asks what time it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
ONE_DAY: Final = timedelta(days=1)
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES: Final = 24 * 60

WEEKS_OF_DAYS: Final = 22
"""Without dated rules every weekday comes three times in so many days: one of them has no clock change."""
LEAP_DAYS: Final = 8 * 366
"""The longest time between two 29th of February: a century year lies between them."""


class Hours(StrEnum):
    """What a calendar says of an instant."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Opening:
    """Minutes of a date, from 00:00; `end` beyond 1440 is on the next date. Half open."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of wall-clock time of an exception, half open."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Calendar:
    """A site's or a queue's hours.

    Attributes:
        name: what the configuration calls it.
        timezone: whose wall clock the hours are read from.
        week: the openings of each weekday, Monday first, in order and not overlapping.
        holidays: dates without hours, once.
        yearly: (month, day) without hours, every year.
        make_up: dates that work, with the weekday (0 = Monday) whose hours they have.
        opened: exceptions that open.
        closed: exceptions that close.
    """

    name: str
    timezone: tzinfo
    week: tuple[tuple[Opening, ...], ...]
    holidays: frozenset[date] = frozenset()
    yearly: frozenset[tuple[int, int]] = frozenset()
    make_up: Mapping[date, int] = field(default_factory=dict)
    opened: tuple[Span, ...] = ()
    closed: tuple[Span, ...] = ()

    def state_at(self, instant_us: int) -> Hours:
        """Tell whether it is open.

        Args:
            instant_us: Unix microseconds.
        """
        if self._within(self.closed, instant_us):
            return Hours.CLOSED
        if self._within(self.opened, instant_us):
            return Hours.OPEN
        today = self._date_at(instant_us)
        spans = [*self._spans(today - ONE_DAY), *self._spans(today)]
        return Hours.OPEN if any(start <= instant_us < end for start, end in spans) else Hours.CLOSED

    def is_holiday(self, instant_us: int) -> bool:
        """Tell whether the local date is a holiday that neither make-up nor an open exception takes back.

        Args:
            instant_us: Unix microseconds.
        """
        today = self._date_at(instant_us)
        if today in self.make_up or self._within(self.opened, instant_us):
            return False
        return self._is_holiday(today)

    def next_change(self, instant_us: int) -> int | None:
        """Return when it next opens or closes.

        Args:
            instant_us: Unix microseconds.

        Returns:
            The first instant behind `instant_us` at which `state_at` differs from before; None = never.
        """
        before = self.state_at(instant_us)
        today = self._date_at(instant_us)
        last = self._last_date(today)
        while today <= last:
            start, end = self._instant(_midnight(today)), self._instant(_midnight(today + ONE_DAY))
            for boundary in self._boundaries(today):
                if max(start, instant_us + 1) <= boundary < end and self.state_at(boundary) != before:
                    return boundary
            today += ONE_DAY
        return None

    def changes(self, instant_us: int) -> Iterator[tuple[int, Hours]]:
        """Yield every change behind an instant, with the state that begins; ends where none follows.

        Args:
            instant_us: Unix microseconds.
        """
        following = self.next_change(instant_us)
        while following is not None:
            yield following, self.state_at(following)
            following = self.next_change(following)

    def _openings(self, day: date) -> tuple[Opening, ...]:
        if day in self.make_up:
            return self.week[self.make_up[day]]
        return () if self._is_holiday(day) else self.week[day.weekday()]

    def _is_holiday(self, day: date) -> bool:
        return day in self.holidays or (day.month, day.day) in self.yearly

    def _spans(self, day: date) -> Iterator[tuple[int, int]]:
        midnight = _midnight(day)
        for opening in self._openings(day):
            start = self._instant(midnight + timedelta(minutes=opening.start))
            yield start, self._instant(midnight + timedelta(minutes=opening.end))

    def _boundaries(self, day: date) -> list[int]:
        """Every instant at which the state may change on a date, in order; some may lie beside it."""
        regular = [*self._spans(day - ONE_DAY), *self._spans(day)]
        exceptions = [
            (self._instant(one.start), self._instant(one.end))
            for one in (*self.opened, *self.closed)
            if one.start.date() <= day <= one.end.date()
        ]
        return sorted({instant for span in (*regular, *exceptions) for instant in span})

    def _within(self, spans: tuple[Span, ...], instant_us: int) -> bool:
        if not spans:
            return False
        return any(self._instant(one.start) <= instant_us < self._instant(one.end) for one in spans)

    def _date_at(self, instant_us: int) -> date:
        return (EPOCH + instant_us * MICROSECOND).astimezone(self.timezone).date()

    def _last_date(self, today: date) -> date:
        """The last date that has to be looked at: behind it everything has been seen in some form."""
        dated = [*self.holidays, *self.make_up, *(one.end.date() for one in (*self.opened, *self.closed))]
        behind = max([today, *dated])
        return behind + timedelta(days=LEAP_DAYS if self.yearly else WEEKS_OF_DAYS)

    def _instant(self, wall: datetime) -> int:
        """The instant of a wall-clock time: its first coming, or the change that skips it."""
        utc = wall.replace(tzinfo=self.timezone, fold=0).astimezone(UTC)
        if utc.astimezone(self.timezone).replace(tzinfo=None) != wall:
            utc = self._change_that_skips(wall, utc)
        return (utc - EPOCH) // MICROSECOND

    def _change_that_skips(self, wall: datetime, after: datetime) -> datetime:
        """Find the change by halving: `wall` lies behind it by the old offset, before it by the new one."""
        before = wall.replace(tzinfo=self.timezone, fold=1).astimezone(UTC)
        old = before.astimezone(self.timezone).utcoffset()
        while after - before > MICROSECOND:
            middle = before + (after - before) // 2
            if middle.astimezone(self.timezone).utcoffset() == old:
                before = middle
            else:
                after = middle
        return after


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())
