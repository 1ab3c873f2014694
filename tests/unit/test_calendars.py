"""Opening hours: what the words mean, over clock changes, holidays and make-up working days."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from engine.calendars import EPOCH, MICROSECOND, Calendar, Hours
from engine.config import read_site
from engine.errors import ConfigError

CHINA_2025 = """
[calendars.c]
timezone = "Asia/Shanghai"
# General Office of the State Council, notice 国办发明电〔2024〕12号 of 12 November 2024 on the holidays
# of 2025: https://m.gmw.cn/2024-11/12/content_1303894933.htm. It names the days that work; which
# weekday's hours they have is the site's own choice.
holidays = [
    "2025-01-01",              # 元旦
    "2025-01-28..2025-02-04",  # 春节
    "2025-04-04..2025-04-06",  # 清明节
    "2025-05-01..2025-05-05",  # 劳动节
    "2025-05-31..2025-06-02",  # 端午节
    "2025-10-01..2025-10-08",  # 国庆节、中秋节
]
[calendars.c.work_days]
2025-01-26 = "mon"
2025-02-08 = "tue"
2025-04-27 = "fri"
2025-09-28 = "tue"
2025-10-11 = "wed"
[calendars.c.week]
mon = ["09:00-18:00"]
tue = ["09:00-18:00"]
wed = ["09:00-18:00"]
thu = ["09:00-18:00"]
fri = ["08:00-17:00"]
"""


def calendar(text: str) -> Calendar:
    return read_site('[site]\nname = "one"\n' + text, Path("/srv")).calendars["c"]


def errors_of(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        calendar("[calendars.c]\n" + text)
    return caught.value.errors


def us(text: str, zone: str) -> int:
    """The instant of a wall-clock time that comes once, or of an ISO time with its offset."""
    wall = datetime.fromisoformat(text)
    return ((wall if wall.tzinfo else wall.replace(tzinfo=ZoneInfo(zone))) - EPOCH) // MICROSECOND


def opened(one: Calendar, zone: str, start: str, end: str) -> list[str]:
    """The changes of a stretch as wall-clock words."""
    inside = itertools.takewhile(lambda pair: pair[0] < us(end, zone), one.changes(us(start, zone) - 1))
    return [f"{wall(at, zone)} {state}" for at, state in inside]


def wall(at_us: int, zone: str) -> str:
    return (EPOCH + at_us * MICROSECOND).astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M%z")


def test_a_week_opens_and_closes() -> None:
    one = calendar('[calendars.c]\nweek = { mon = ["09:00-12:00", "13:00-18:00"], fri = ["22:00-02:00"] }')
    assert opened(one, "UTC", "2025-06-02T00:00", "2025-06-09T00:00") == [
        "06-02 09:00+0000 open",
        "06-02 12:00+0000 closed",
        "06-02 13:00+0000 open",
        "06-02 18:00+0000 closed",
        "06-06 22:00+0000 open",
        "06-07 02:00+0000 closed",
    ]
    nine = us("2025-06-02T09:00", "UTC")
    assert (one.state_at(nine - 1), one.state_at(nine)) == (Hours.CLOSED, Hours.OPEN), "half open"
    assert one.next_change(nine - 1) == nine
    assert one.next_change(nine) == us("2025-06-02T12:00", "UTC")


def test_all_day_every_day_never_changes() -> None:
    week = ", ".join(f'{day} = ["00:00-24:00"]' for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
    one = calendar(f'[calendars.c]\ntimezone = "Europe/Berlin"\nweek = {{ {week} }}')
    assert one.next_change(us("2025-03-01T00:00", "UTC")) is None
    assert list(one.changes(0)) == []
    leap = calendar(f'[calendars.c]\nholidays = ["02-29"]\nweek = {{ {week} }}')
    assert leap.next_change(us("2097-01-01T00:00", "UTC")) == us("2104-02-29T00:00", "UTC")


def test_without_hours_it_is_always_closed() -> None:
    one = calendar("[calendars.c]")
    assert one.state_at(0) is Hours.CLOSED
    assert one.next_change(0) is None


def test_the_clock_is_put_forward_in_berlin() -> None:
    one = calendar(
        '[calendars.c]\ntimezone = "Europe/Berlin"\n'
        'week = { sat = ["22:00-02:30"], sun = ["02:30-03:30", "08:00-12:00"] }'
    )
    assert opened(one, "Europe/Berlin", "2025-03-29T12:00", "2025-03-31T00:00") == [
        "03-29 22:00+0100 open",
        # 02:30 does not come: both openings touch at the change, 01:00 UTC, and go on as one.
        "03-30 03:30+0200 closed",
        "03-30 08:00+0200 open",
        "03-30 12:00+0200 closed",
    ]
    lost = calendar('[calendars.c]\ntimezone = "Europe/Berlin"\nweek = { sun = ["02:15-02:45"] }')
    assert wall(lost.next_change(us("2025-03-29T12:00", "UTC")) or 0, "Europe/Berlin") == "04-06 02:15+0200"


def test_the_clock_is_put_back_in_berlin() -> None:
    one = calendar(
        '[calendars.c]\ntimezone = "Europe/Berlin"\nweek = { sat = ["22:00-02:30"], sun = ["02:30-03:00"] }'
    )
    assert opened(one, "Europe/Berlin", "2025-10-25T12:00", "2025-10-27T00:00") == [
        "10-25 22:00+0200 open",
        # The second opening begins with the first 02:30 and lasts until 03:00, an hour and a half later.
        "10-26 03:00+0100 closed",
    ]
    first = calendar('[calendars.c]\ntimezone = "Europe/Berlin"\nweek = { sun = ["02:15-02:45"] }')
    assert opened(first, "Europe/Berlin", "2025-10-26T00:00", "2025-10-27T00:00") == [
        "10-26 02:15+0200 open",
        "10-26 02:45+0200 closed",
    ]


def test_a_date_that_was_skipped_has_no_hours() -> None:
    """Samoa went from Thursday to Saturday at the end of 2011."""
    one = calendar('[calendars.c]\ntimezone = "Pacific/Apia"\nweek = { fri = ["09:00-17:00"] }')
    after = us("2011-12-29T12:00", "Pacific/Apia")
    assert wall(one.next_change(after) or 0, "Pacific/Apia") == "01-06 09:00+1400"


def test_the_swap_days_of_china_in_2025() -> None:
    one = calendar(CHINA_2025)
    zone = "Asia/Shanghai"
    assert opened(one, zone, "2025-01-25T00:00", "2025-02-09T00:00") == [
        "01-26 09:00+0800 open",  # a Sunday that works
        "01-26 18:00+0800 closed",
        "01-27 09:00+0800 open",
        "01-27 18:00+0800 closed",
        "02-05 09:00+0800 open",
        "02-05 18:00+0800 closed",
        "02-06 09:00+0800 open",
        "02-06 18:00+0800 closed",
        "02-07 08:00+0800 open",
        "02-07 17:00+0800 closed",
        "02-08 09:00+0800 open",  # a Saturday that works
        "02-08 18:00+0800 closed",
    ]
    assert wall(one.next_change(us("2025-04-26T00:00", zone)) or 0, zone) == "04-27 08:00+0800", "as a Friday"
    noon = {day: one.state_at(us(f"2025-{day}T12:00", zone)) for day in ("09-28", "10-01", "10-08", "10-11")}
    assert list(noon.values()) == [Hours.OPEN, Hours.CLOSED, Hours.CLOSED, Hours.OPEN]
    year = [us("2025-01-01T12:00", zone) + number * 86_400_000_000 for number in range(365)]
    worked = sum(one.state_at(at) is Hours.OPEN for at in year)
    assert worked == 248, "365 days less 104 at weekends and 18 weekdays off, and 5 made up for"
    assert sum(one.is_holiday(at) for at in year) == 28


def test_make_up_beats_holiday_and_exceptions_beat_both() -> None:
    one = calendar(
        """
        [calendars.c]
        week = { mon = ["09:00-17:00"], sat = ["10:00-12:00"] }
        holidays = ["2025-06-02", "2025-06-09"]
        work_days = { 2025-06-02 = "sat" }
        open = ["2025-06-09 20:00-22:00"]
        closed = ["2025-06-09 21:00-21:30", "2025-06-16..2025-06-17"]
        """
    )
    assert opened(one, "UTC", "2025-06-02T00:00", "2025-06-24T00:00") == [
        "06-02 10:00+0000 open",
        "06-02 12:00+0000 closed",
        "06-07 10:00+0000 open",
        "06-07 12:00+0000 closed",
        "06-09 20:00+0000 open",
        "06-09 21:00+0000 closed",
        "06-09 21:30+0000 open",
        "06-09 22:00+0000 closed",
        "06-14 10:00+0000 open",
        "06-14 12:00+0000 closed",
        "06-21 10:00+0000 open",
        "06-21 12:00+0000 closed",
        "06-23 09:00+0000 open",
        "06-23 17:00+0000 closed",
    ]
    assert not one.is_holiday(us("2025-06-02T15:00", "UTC")), "made up for"
    assert one.is_holiday(us("2025-06-09T19:00", "UTC"))
    assert not one.is_holiday(us("2025-06-09T20:00", "UTC")), "opened"


def test_an_opening_goes_on_into_a_holiday_and_ranges_go_over_the_new_year() -> None:
    one = calendar(
        '[calendars.c]\nweek = { tue = ["22:00-02:00"], wed = ["22:00-02:00"] }\nholidays = ["12-31..01-01"]'
    )
    assert opened(one, "UTC", "2025-12-30T00:00", "2026-01-08T00:00") == [
        "12-30 22:00+0000 open",
        "12-31 02:00+0000 closed",
        "01-06 22:00+0000 open",
        "01-07 02:00+0000 closed",
        "01-07 22:00+0000 open",
    ]


@pytest.mark.parametrize("seed", range(6))
def test_next_change_is_where_the_state_changes(seed: int) -> None:
    """Between two changes every instant has the state that the first began: 40 days with a clock change."""
    chance = random.Random(seed)
    zone = chance.choice(["Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Asia/Shanghai"])
    days = [
        f'{day} = ["{chance.randrange(5):02}:{chance.randrange(60):02}-{chance.randrange(5, 24):02}:30", '
        f'"23:45-{chance.randrange(23):02}:15"]'
        for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        if chance.random() < 0.7
    ]
    one = calendar(
        f'[calendars.c]\ntimezone = "{zone}"\nweek = {{ {", ".join(days)} }}\n'
        'holidays = ["2025-03-15..2025-03-17", "04-01"]\nwork_days = { 2025-03-16 = "mon" }\n'
        'closed = ["2025-03-10 10:00-11:00"]\nopen = ["2025-03-30 01:30-03:30"]'
    )
    start, minute = us("2025-03-01T00:00", "UTC"), 60_000_000
    stop, step = start + 40 * 24 * 60 * minute, 15 * minute
    changes = list(itertools.takewhile(lambda pair: pair[0] < stop, one.changes(start)))
    state, position = one.state_at(start), 0
    for at in range(start, stop, step):
        while position < len(changes) and changes[position][0] <= at:
            assert changes[position][1] != state
            state, position = changes[position][1], position + 1
        assert one.state_at(at) is state, wall(at, zone)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'timezone = "Peking"',
            'calendars.c.timezone: no time zone "Peking"; give an IANA name such as "Asia/Shanghai"',
        ),
        (
            'week = { mon = ["9:00-12:00"] }',
            'calendars.c.week.mon[0]: expected "HH:MM-HH:MM", up to 24:00 and over midnight if need be, '
            'got "9:00-12:00"',
        ),
        (
            'week = { mon = ["09:00-12:00", "11:00-13:00"] }',
            'calendars.c.week.mon[1]: "11:00-13:00" begins before the one before it has ended; '
            "list them in order",
        ),
        ('week = { mon = "09:00-12:00" }', "calendars.c.week.mon: expected an array, got a string"),
        ("week = { mon = [9] }", "calendars.c.week.mon[0]: expected a string, got an integer"),
        (
            "week = { mo = [] }",
            'calendars.c.week.mo: unknown key; did you mean "mon"?',
        ),
        (
            'holidays = ["2025-02-30"]',
            'calendars.c.holidays[0]: expected "YYYY-MM-DD", "MM-DD" for every year, '
            'or a range "first..last" of one kind, got "2025-02-30"',
        ),
        (
            'holidays = ["01-01", "2025-01-05..2025-01-01"]',
            'calendars.c.holidays[1]: "2025-01-05..2025-01-01" is not a range of 1 to 366 days',
        ),
        (
            'work_days = { 2025-01-26 = "monday" }',
            'calendars.c.work_days.2025-01-26: no weekday "monday"; did you mean "mon"?',
        ),
        (
            'work_days = { "01-26" = "mon" }',
            'calendars.c.work_days.01-26: expected a date "YYYY-MM-DD" as the key',
        ),
        (
            'open = ["2025-06-12"]',
            'calendars.c.open[0]: expected "YYYY-MM-DD HH:MM-HH:MM", got "2025-06-12"',
        ),
        (
            'closed = ["06-12"]',
            'calendars.c.closed[0]: expected "YYYY-MM-DD", a range of them, or "YYYY-MM-DD HH:MM-HH:MM", '
            'got "06-12"',
        ),
        ('[queues.q]\ncalendar = "d"', 'queues.q.calendar: no calendar "d"; known: c'),
    ],
)
def test_each_fault_is_named(text: str, expected: str) -> None:
    assert errors_of(text) == [expected]


def test_all_faults_come_at_once() -> None:
    errors = errors_of('zone = "x"\nholidays = ["x", ""]\nweek = { mon = ["x"] }\nclosed = ["x"]')
    assert [error.split(": ")[0] for error in errors] == [
        "calendars.c.week.mon[0]",
        "calendars.c.holidays[0]",
        "calendars.c.holidays[1]",
        "calendars.c.closed[0]",
        "calendars.c.zone",
    ]


def test_a_calendar_has_the_sites_time_zone_unless_it_has_its_own() -> None:
    site = read_site(
        '[site]\nname = "one"\ntimezone = "Asia/Shanghai"\n[calendars.a]\n[calendars.b]\ntimezone = "UTC"',
        Path("/srv"),
    )
    at = datetime(2025, 6, 1, tzinfo=UTC)
    offsets = [at.astimezone(one.timezone).utcoffset() for one in site.calendars.values()]
    assert offsets == [timedelta(hours=8), timedelta(0)]
