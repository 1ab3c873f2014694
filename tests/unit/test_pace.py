"""When connections read: at once while nothing commits, else together behind the commit."""

from __future__ import annotations

import trio

from engine.inbox import Pace


async def test_while_nothing_commits_nobody_waits() -> None:
    assert await Pace().wait() is False


async def test_all_who_wait_have_read_before_the_next_batch_is_made() -> None:
    pace = Pace()
    pace.committing = True
    read: list[int] = []

    async def connection(number: int) -> None:
        assert await pace.wait() is True
        read.append(number)

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(connection, number)
            await trio.testing.wait_all_tasks_blocked()
            assert read == []
            pace.committing = False
            await pace.let_read()
            assert sorted(read) == list(range(50))


async def test_behind_a_commit_for_which_nobody_waited_nothing_is_lost() -> None:
    pace = Pace()
    await pace.let_read()
    pace.committing = True
    with trio.move_on_after(0.01) as scope:
        await pace.wait()
    assert scope.cancelled_caught, "the commit that is under way now counts, not the one before"
