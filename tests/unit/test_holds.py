"""Numbers that somebody holds: virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio
import trio.testing

from engine.leases import Holds

Clock = trio.testing.MockClock


@asynccontextmanager
async def holds(lasts_s: Callable[[int], float]) -> AsyncIterator[tuple[Holds, list[tuple[int, float]]]]:
    lost: list[tuple[int, float]] = []

    async def lose(number: int) -> None:
        lost.append((number, trio.current_time()))

    held = Holds(lasts_s, lose)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(held.run)
        yield held, lost
        nursery.cancel_scope.cancel()


async def test_what_nobody_holds_is_lost_once_when_its_time_is_over(autojump_clock: Clock) -> None:
    async with holds(float) as (held, lost):
        began = trio.current_time()
        held.take([20, 5, 0])
        held.take([5])
        await trio.sleep(3)
        held.drop([20, 5, 0])
        await trio.sleep(4)
        held.drop([5])
        await trio.sleep(100)
    assert [(number, at - began) for number, at in lost] == [(5, 12), (20, 23)]


async def test_who_comes_back_in_time_has_the_whole_time_again(autojump_clock: Clock) -> None:
    async with holds(lambda _: 10) as (held, lost):
        with held.held(1):
            await trio.sleep(50)
        await trio.sleep(9)
        with held.held(1):
            assert held.is_held(1)
            await trio.sleep(50)
        began = trio.current_time()
        await trio.sleep(9)
        assert (held.is_held(1), lost) == (False, [])
        await trio.sleep(50)
    assert lost == [(1, began + 10)]


async def test_nothing_is_lost_after_a_stop(autojump_clock: Clock) -> None:
    async with holds(lambda _: 10) as (held, lost):
        held.begin([1, 2])
        held.take([2, 3])
        held.stop()
        held.drop([2, 3])
        await trio.sleep(100)
    assert lost == []


async def test_the_first_who_comes_and_the_last_who_goes_are_told(autojump_clock: Clock) -> None:
    told: list[tuple[int, bool]] = []

    async def lose(_: int) -> None:
        raise AssertionError

    held = Holds(lambda _: 0, lose, lambda number: told.append((number, held.is_held(number))))
    held.take([1, 2])
    held.take([1])
    held.drop([1])
    assert told == [(1, True), (2, True)]
    held.drop([1])
    assert told == [(1, True), (2, True), (1, False)]
