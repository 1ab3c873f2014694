"""The inbox: two lanes, bounded batches."""

from __future__ import annotations

from engine.inbox import BATCH_COMMANDS, Inbox, Part


def part(commands: int, size: int = 10, source: int = 1) -> Part:
    return Part(source, 0, b"x" * size, commands)


def test_the_urgent_lane_goes_first_and_leaves_a_quarter() -> None:
    inbox = Inbox()
    for _ in range(10):
        inbox.put(part(1_000, source=2), urgent=False)
        inbox.put(part(1_000, source=1), urgent=True)
    taken = inbox.take()
    assert [one.source for one in taken] == [1, 1, 1, 2]
    assert sum(one.commands for one in taken) <= BATCH_COMMANDS


def test_a_part_larger_than_a_batch_stands_alone() -> None:
    inbox = Inbox()
    inbox.put(part(1), urgent=False)
    inbox.put(part(1, size=2_000_000), urgent=False)
    inbox.put(part(1), urgent=False)
    assert [len(inbox.take()) for _ in range(3)] == [1, 1, 1]
    assert not inbox
    assert inbox.waiting_bytes == 0
    assert not inbox.filled.is_set()
