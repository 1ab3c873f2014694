"""Opening hours: the service's task, on a clock that tests move."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import trio
import trio.testing

from engine.clock import ManualClock
from engine.errors import QueueClosed, UnknownQueue
from engine.follower import Follower
from engine.model import HoursChanged, HoursState
from engine.opening import FILE
from engine.router import decode_events
from engine.service import Service
from engine.testing.fixtures import SMALL_SITE, small_service
from tests.unit.test_service import arrive

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
OPEN, CLOSING, CLOSED = HoursState

CALENDAR = """
[calendars.hours]
timezone = "{zone}"
holidays = ["2025-10-01..2025-10-08"]
work_days = {{ "2025-10-11" = "wed" }}

[calendars.hours.week]
mon = ["09:00-12:00", "13:00-18:00"]
wed = ["09:00-18:00"]
sun = ["01:30-02:30"]
"""


def site(zone: str = "Asia/Shanghai", queue: str = "") -> str:
    cards = f'[queues.cards]\ncalendar = "hours"\n{queue}'
    return SMALL_SITE.replace("[queues.cards]", cards) + CALENDAR.format(zone=zone)


def at_us(text: str, zone: ZoneInfo = SHANGHAI, fold: int = 0) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()) * 1_000_000


@asynccontextmanager
async def running(folder: Path, clock: ManualClock, text: str) -> AsyncIterator[Service]:
    async with small_service(folder, clock=clock, text=text) as service:
        await trio.testing.wait_all_tasks_blocked()
        yield service


async def to(clock: ManualClock, when_us: int) -> None:
    clock.advance_ms((when_us - clock.now_us()) // 1_000)
    # A batch is committed by a thread, which trio does not see.
    for _ in range(3):
        await trio.testing.wait_all_tasks_blocked(0.02)


def changes(folder: Path) -> list[tuple[int, int, HoursState]]:
    """Every change of hours in the journal: (queue, Unix microseconds, state)."""
    follower = Follower(folder / "data" / "journal")
    found = [event for batch in follower.poll() for event in decode_events(batch.events)]
    follower.close()
    return [(one.queue, one.at, one.state) for one in found if isinstance(one, HoursChanged)]


async def test_a_queue_opens_and_closes_by_its_calendar(tmp_path: Path) -> None:
    clock = ManualClock(at_us("2025-10-13T08:00"))
    async with running(tmp_path, clock, site()) as service:
        assert (service.hours("cards"), service.hours("loans")) == ("closing", "open")
        contact = await service.command(arrive(service, 1, "loans"))
        with pytest.raises(QueueClosed):
            await service.change(contact, queue="cards")
        for clock_time, state in (
            ("09:00", "open"),
            ("12:00", "closing"),
            ("13:00", "open"),
            ("18:00", "closing"),
        ):
            await to(clock, at_us(f"2025-10-13T{clock_time}") - 1_000)
            assert service.hours("cards") != state
            await to(clock, at_us(f"2025-10-13T{clock_time}"))
            assert service.hours("cards") == state
    told = [(at, state) for _, at, state in changes(tmp_path)]
    assert told == [
        (at_us("2025-10-13T08:00"), CLOSING),
        (at_us("2025-10-13T09:00"), OPEN),
        (at_us("2025-10-13T12:00"), CLOSING),
        (at_us("2025-10-13T13:00"), OPEN),
        (at_us("2025-10-13T18:00"), CLOSING),
    ], "at its own time, and once each"


async def test_without_serve_out_it_closes_at_once(tmp_path: Path) -> None:
    clock = ManualClock(at_us("2025-10-13T17:59"))
    async with running(tmp_path, clock, site(queue="serve_out = false")) as service:
        contact = await service.command(arrive(service, 1))
        await to(clock, at_us("2025-10-13T18:00"))
        assert service.hours("cards") == "closed"
        await service.desk("ann").sign_in()
        assert service.desk("ann").state().offers == []
        await to(clock, at_us("2025-10-15T09:00"))
        assert [one.contact for one in service.desk("ann").state().offers] == [contact]


async def test_make_up_days_and_holidays(tmp_path: Path) -> None:
    """2025-10-06 is a Monday and a holiday, 2025-10-11 a Saturday that makes up for a Wednesday."""
    clock = ManualClock(at_us("2025-09-30T12:00"))
    async with running(tmp_path, clock, site()) as service:
        for text in ("2025-10-06T10:00", "2025-10-08T10:00", "2025-10-11T08:59"):
            await to(clock, at_us(text))
            assert service.hours("cards") == "closing"
        await to(clock, at_us("2025-10-11T12:30"))
        assert service.hours("cards") == "open"
    assert [state for *_, state in changes(tmp_path)] == [CLOSING, OPEN]


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        # The clock is put forward at 02:00: 02:30 does not come, and the change itself closes.
        ("2025-03-30", at_us("2025-03-30T01:30", BERLIN), at_us("2025-03-30T03:00", BERLIN)),
        # It is put back at 03:00: 02:30 comes twice, and the first one closes.
        ("2025-10-26", at_us("2025-10-26T01:30", BERLIN), at_us("2025-10-26T02:30", BERLIN)),
    ],
)
async def test_a_change_of_the_clock(tmp_path: Path, day: str, opens: int, closes: int) -> None:
    clock = ManualClock(at_us(f"{day}T00:00", BERLIN))
    async with running(tmp_path, clock, site("Europe/Berlin")):
        for _ in range(20):
            await to(clock, clock.now_us() + 30 * 60 * 1_000_000)
    told = [(at, state) for _, at, state in changes(tmp_path)]
    assert told == [(at_us(f"{day}T00:00", BERLIN), CLOSING), (opens, OPEN), (closes, CLOSING)]


async def test_a_clock_that_stood_ahead(tmp_path: Path) -> None:
    """The journal's time never goes back; hours follow the clock that the people see."""
    async with running(tmp_path, ManualClock(at_us("2025-10-13T10:00")), site()) as service:
        assert service.hours("cards") == "open"
    early = ManualClock(at_us("2025-10-13T08:59"))
    async with running(tmp_path, early, site()) as service:
        assert service.hours("cards") == "closing"
        await to(early, at_us("2025-10-13T09:00"))
        assert service.hours("cards") == "open"
        assert service.at_us == at_us("2025-10-13T10:01"), "and goes on from there, or deadlines would stand"


async def test_a_start_journals_only_what_differs(tmp_path: Path) -> None:
    clock = ManualClock(at_us("2025-10-13T10:00"))
    async with running(tmp_path, clock, site()) as service:
        seq = service.seq
    clock.advance_ms(3_600_000)
    async with running(tmp_path, clock, site()) as service:
        assert service.seq == seq + 1, "restarted, and nothing about hours"
    clock = ManualClock(at_us("2025-10-13T12:30"))
    async with running(tmp_path, clock, site()) as service:
        assert service.hours("cards") == "closing"
        assert service.seq == seq + 3


async def test_a_machine_that_slept_over_a_change(tmp_path: Path) -> None:
    clock = ManualClock(at_us("2025-10-13T10:00"))
    async with running(tmp_path, clock, site()) as service:
        await service.set_hours("cards", CLOSED)
        await to(clock, at_us("2025-10-13T17:00"))
        assert service.hours("cards") == "open", "it closed and opened meanwhile: by hand holds no more"


async def test_by_hand_holds_until_the_calendars_next_change(tmp_path: Path) -> None:
    clock = ManualClock(at_us("2025-10-13T10:00"))
    async with running(tmp_path, clock, site()) as service:
        await service.set_hours("cards", CLOSED)
        with pytest.raises(UnknownQueue):
            await service.set_hours("nothing", CLOSED)
    async with running(tmp_path, clock, site()) as service:
        assert service.hours("cards") == "closed", "over a restart, too"
        await to(clock, at_us("2025-10-13T12:00"))
        assert service.hours("cards") == "closing"
        await to(clock, at_us("2025-10-13T13:00"))
        assert service.hours("cards") == "open"
        await service.set_hours("cards", CLOSED)
    assert json.loads((tmp_path / "data" / FILE).read_bytes())["cards"]["state"] == CLOSED
    clock.advance_ms(6 * 3_600_000)
    async with running(tmp_path, clock, site()) as service:
        assert service.hours("cards") == "closing", "the calendar has closed it meanwhile"
        assert service.by_hand.of("cards") is None


@pytest.mark.parametrize("content", [None, b"{", b'{"cards": 3}'])
async def test_without_its_note_the_calendar_decides(tmp_path: Path, content: bytes | None) -> None:
    clock = ManualClock(at_us("2025-10-13T10:00"))
    async with running(tmp_path, clock, site()) as service:
        await service.set_hours("cards", CLOSED)
    note = tmp_path / "data" / FILE
    note.unlink() if content is None else note.write_bytes(content)
    async with running(tmp_path, clock, site()) as service:
        assert service.hours("cards") == "open"


async def test_a_queue_without_a_calendar_stays_as_it_was_made(tmp_path: Path) -> None:
    clock = ManualClock()
    async with running(tmp_path, clock, SMALL_SITE) as service:
        await service.set_hours("loans", CLOSING)
    clock.advance_ms(400 * 86_400_000)
    async with running(tmp_path, clock, SMALL_SITE) as service:
        assert service.hours("loans") == "closing"
        await service.set_hours("loans", OPEN)
        assert service.hours("loans") == "open"


async def test_a_queue_whose_calendar_is_taken_away_opens(tmp_path: Path) -> None:
    clock = ManualClock(at_us("2025-10-13T08:00"))
    async with running(tmp_path, clock, site()) as service:
        assert service.hours("cards") == "closing"
    async with running(tmp_path, clock, SMALL_SITE) as service:
        assert service.hours("cards") == "open"


async def test_queues_of_a_file_that_was_refused_are_left_alone(tmp_path: Path) -> None:
    clock = ManualClock(at_us("2025-10-13T08:00"))
    async with running(tmp_path, clock, SMALL_SITE) as service:
        await service.desk("bob").sign_in()
    text = site().split("[agents.bob]")[0] + '[queues.new]\ncalendar = "hours"\n'
    async with running(tmp_path, clock, text + CALENDAR.format(zone="UTC")) as service:
        assert service.config_errors
        assert (service.hours("new"), service.hours("cards")) == (None, "closing")
