"""When queues are open: a task of the service that tells the core what the calendars say.

1. At the start each queue gets the state that its calendar has then; a queue without one is open.
2. At every change of its calendar a queue opens, or closes: those who wait are served out first
   (`closing`) unless the queue says otherwise (`serve_out = false`).
3. What a supervisor did by hand holds until the calendar's next change, over restarts, too: it is noted
   in a file beside the journal. Without that file, or if it cannot be read, the calendar decides again.

The core only knows states, and the journal holds every change of them, so a replay needs no calendar.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, Protocol

import msgspec
import structlog
import trio

from engine.calendars import Calendar
from engine.calendars import Hours as Calendars
from engine.clock import Clock
from engine.config_types import QueueSection, SiteConfig
from engine.errors import Busy
from engine.model import Command, Hours, HoursState
from engine.names import Names

FILE: Final = "hours_by_hand.json"
_log = structlog.get_logger(__name__)


class ByHand(msgspec.Struct, frozen=True):
    """What a supervisor did with a queue, and when (Unix microseconds)."""

    state: HoursState
    at_us: int


class Notes:
    """The file of what was done by hand.

    Args:
        folder: where it lies, `site.data`.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._queues: dict[str, ByHand] = self._read()

    def of(self, queue: str) -> ByHand | None:
        """Return what was done with a queue; None = nothing that still holds."""
        return self._queues.get(queue)

    def note(self, queue: str, state: HoursState, at_us: int) -> None:
        """Remember it."""
        self._write(self._queues | {queue: ByHand(state, at_us)})

    def forget(self, queues: Iterable[str]) -> None:
        """Remember it no more: the calendar has gone on."""
        gone = set(queues) & self._queues.keys()
        if gone:
            self._write({name: one for name, one in self._queues.items() if name not in gone})

    def _read(self) -> dict[str, ByHand]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, ByHand])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            _log.warning("what was opened or closed by hand cannot be read", file=FILE, why=str(error))
            return {}

    def _write(self, queues: dict[str, ByHand]) -> None:
        """Replace the file: a few bytes, some times a day, so the service's task may wait for it."""
        self._queues = queues
        new = self._path.with_suffix(".new")
        try:
            new.write_bytes(msgspec.json.encode(queues))
            new.replace(self._path)
        except OSError as error:
            _log.error("what was opened or closed by hand cannot be written", file=FILE, why=str(error))


class Opened(Protocol):
    """What the task needs of the service."""

    @property
    def site(self) -> SiteConfig:
        """The configuration file's content."""
        ...

    @property
    def names(self) -> Names:
        """Name <-> number of everything that is configured."""
        ...

    @property
    def clock(self) -> Clock:
        """The one clock."""
        ...

    def hours(self, queue: str) -> str | None:
        """Return the state of a queue, one of `HOURS`; None when it is not in force."""
        ...

    async def command(self, command: Command) -> int:
        """Carry out one command."""
        ...


class Opening:
    """The task.

    Args:
        service: whose queues they are.
        notes: what was done by hand.
    """

    def __init__(self, service: Opened, notes: Notes) -> None:
        self._service = service
        self._notes = notes
        self._seen_us = 0

    async def begin(self) -> None:
        """Bring every queue into the state that it should have now."""
        now_us = self._seen_us = self._service.clock.now_us()
        over = [queue.name for queue in self._queues() if not self._holds(queue, now_us)]
        self._notes.forget(over)
        for queue in self._queues():
            if self._notes.of(queue.name) is None:
                await self._set(queue, wanted(queue, self._calendar(queue), now_us))

    async def run(self) -> None:
        """Follow the calendars until cancelled."""
        while (change_us := self._next_change()) is not None:
            await self._service.clock.sleep_until(change_us)
            now_us = self._service.clock.now_us()
            before_us, self._seen_us = self._seen_us, max(now_us, self._seen_us)
            await self._changed([name for name in self._calendars() if self._has_changed(name, before_us)])

    async def _changed(self, calendars: list[str]) -> None:
        queues = [queue for queue in self._queues() if queue.calendar in calendars]
        for queue in queues:
            await self._set(queue, wanted(queue, self._calendar(queue), self._seen_us))
        self._notes.forget(queue.name for queue in queues)

    def _has_changed(self, calendar: str, since_us: int) -> bool:
        change_us = self._service.site.calendars[calendar].next_change(since_us)
        return change_us is not None and change_us <= self._seen_us

    def _next_change(self) -> int | None:
        calendars = self._service.site.calendars
        changes = (calendars[name].next_change(self._seen_us) for name in self._calendars())
        return min((change for change in changes if change is not None), default=None)

    async def _set(self, queue: QueueSection, state: HoursState) -> None:
        if self._service.hours(queue.name) == state.name.lower():
            return
        number = self._service.names.id("queue", queue.name)
        while True:
            try:
                await self._service.command(Hours(queue=number, state=state))
            except Busy as busy:
                await trio.sleep(busy.retry_after_ms / 1_000)
            else:
                _log.info("a queue's hours", queue=queue.name, state=state.name.lower())
                return

    def _holds(self, queue: QueueSection, now_us: int) -> bool:
        """Whether what was done by hand still holds: it is so, and the calendar has not changed since."""
        by_hand, calendar = self._notes.of(queue.name), self._calendar(queue)
        if by_hand is None or self._service.hours(queue.name) != by_hand.state.name.lower():
            return False
        change_us = None if calendar is None else calendar.next_change(by_hand.at_us)
        return change_us is None or change_us > now_us

    def _queues(self) -> list[QueueSection]:
        """The queues of the file that are in force, too: a refused file may have others."""
        every = self._service.site.queues.values()
        return [queue for queue in every if self._service.hours(queue.name) is not None]

    def _calendars(self) -> list[str]:
        return sorted({queue.calendar for queue in self._queues() if queue.calendar is not None})

    def _calendar(self, queue: QueueSection) -> Calendar | None:
        return None if queue.calendar is None else self._service.site.calendars[queue.calendar]


def wanted(queue: QueueSection, calendar: Calendar | None, at_us: int) -> HoursState:
    """Return the state that a queue's calendar asks for at an instant (Unix microseconds)."""
    if calendar is None or calendar.state_at(at_us) is Calendars.OPEN:
        return HoursState.OPEN
    return HoursState.CLOSING if queue.serve_out else HoursState.CLOSED
