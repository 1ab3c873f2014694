"""Time for the service: one clock per process, and one that tests move by hand."""

from __future__ import annotations

import time
from typing import Protocol

import trio

MICROS_PER_SECOND = 1_000_000


class Clock(Protocol):
    """What the service asks about time."""

    def now_us(self) -> int:
        """Return Unix time in microseconds; it never runs backwards."""
        ...

    async def sleep_until(self, at_us: int) -> None:
        """Return when `at_us` has come; a caller looks at `now_us()` again."""
        ...

    async def wait(self, event: trio.Event, until_us: int | None) -> None:
        """Return when `event` is set or `until_us` has come, if it is given."""
        ...


class SystemClock:
    """Unix microseconds: a monotonic clock plus an offset that is fixed at the start.

    A step of the machine's wall clock (NTP, an operator) therefore neither fires deadlines nor
    holds them back.
    """

    def __init__(self) -> None:
        self._offset_us = (time.time_ns() - time.monotonic_ns()) // 1_000

    def now_us(self) -> int:
        """Return Unix time in microseconds."""
        return time.monotonic_ns() // 1_000 + self._offset_us

    async def sleep_until(self, at_us: int) -> None:
        """Sleep until `at_us`."""
        await trio.sleep(max(0, at_us - self.now_us()) / MICROS_PER_SECOND)

    async def wait(self, event: trio.Event, until_us: int | None) -> None:
        """Wait for `event`, at the longest until `until_us`."""
        if until_us is None:
            await event.wait()
            return
        with trio.move_on_after(max(0, until_us - self.now_us()) / MICROS_PER_SECOND):
            await event.wait()


class LaterClock:
    """Another clock, so much later.

    Args:
        clock: the other one.
        by_us: how much.
    """

    def __init__(self, clock: Clock, by_us: int) -> None:
        self._clock = clock
        self._by_us = by_us

    def now_us(self) -> int:
        """Return Unix time in microseconds, later."""
        return self._clock.now_us() + self._by_us

    async def sleep_until(self, at_us: int) -> None:
        """Sleep until `at_us`."""
        await self._clock.sleep_until(at_us - self._by_us)

    async def wait(self, event: trio.Event, until_us: int | None) -> None:
        """Wait for `event`, at the longest until `until_us`."""
        await self._clock.wait(event, None if until_us is None else until_us - self._by_us)


def not_before(clock: Clock, at_us: int) -> Clock:
    """Return a clock that goes on from `at_us` where this one is behind it.

    The machine's clock may have been set back since the journal's last batch. Stamps never go back; a
    clock that waited until it had caught up would hold every deadline back by as much.
    """
    behind_us = at_us - clock.now_us()
    return clock if behind_us <= 0 else LaterClock(clock, behind_us)


class ManualClock:
    """A clock that stands still until a test moves it.

    Args:
        at_us: where it starts, Unix microseconds.
    """

    def __init__(self, at_us: int = 1_700_000_000 * MICROS_PER_SECOND) -> None:
        self._at_us = at_us
        self._moved = trio.Event()

    def now_us(self) -> int:
        """Return the time that was last set."""
        return self._at_us

    def advance_ms(self, ms: int) -> None:
        """Move the clock forward and wake whoever sleeps on it."""
        if ms < 0:
            raise ValueError(f"ms: expected 0 or more, got {ms}: this clock never runs backwards")
        self._at_us += ms * 1_000
        moved, self._moved = self._moved, trio.Event()
        moved.set()

    async def sleep_until(self, at_us: int) -> None:
        """Sleep until `advance_ms` has reached `at_us`."""
        await trio.lowlevel.checkpoint()
        while self._at_us < at_us:
            await self._moved.wait()

    async def wait(self, event: trio.Event, until_us: int | None) -> None:
        """Wait for `event`, at the longest until the clock has been moved to `until_us`."""
        if until_us is None:
            await event.wait()
            return
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._cancel_when_set, event, nursery.cancel_scope)
            await self.sleep_until(until_us)
            nursery.cancel_scope.cancel()

    async def _cancel_when_set(self, event: trio.Event, scope: trio.CancelScope) -> None:
        await event.wait()
        scope.cancel()
