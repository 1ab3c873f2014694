"""The writer's thread: in order, durable before it answers, and final in its first error."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from engine.errors import NotDurable
from engine.journal import (
    NO_EVENTS_HASH,
    BatchRow,
    JournalError,
    JournalReader,
    JournalWriter,
    Last,
    NewBatch,
    SqliteJournal,
)


class Failing:
    """A journal whose third append fails; afterwards it would work again."""

    def __init__(self) -> None:
        self.appended = 0
        self.threads: set[int] = set()
        self.maintained_after_failure = False

    def append(self, at: int, *rest: object) -> int:
        self.appended += 1
        self.threads.add(threading.get_ident())
        if self.appended == 3:
            raise OSError(5, "Input/output error")
        return self.appended

    def read(self, after_seq: int = 0) -> Iterator[BatchRow]:
        return iter(())

    def last(self) -> Last:
        return Last(0, 0, b"")

    def maintain(self) -> float | None:
        self.maintained_after_failure |= self.appended >= 3
        return None

    def close(self) -> None:
        pass


def batch(at: int) -> NewBatch:
    return NewBatch(at, 1, b"frame", NO_EVENTS_HASH)


async def test_what_is_answered_is_in_the_file(tmp_path: Path) -> None:
    writer = JournalWriter(lambda: SqliteJournal(tmp_path, "site"))
    await writer.start()
    for at in range(1, 4):
        assert await writer.append(batch(at)) == at
        reader = JournalReader(tmp_path)
        assert reader.last().seq == at
        reader.close()
    await writer.close()
    await writer.close()


async def test_the_first_error_is_the_last_word() -> None:
    journal = Failing()
    writer = JournalWriter(lambda: journal)
    await writer.start()
    assert [await writer.append(batch(1)), await writer.append(batch(2))] == [1, 2]
    for _ in range(3):
        with pytest.raises(NotDurable, match="Input/output error"):
            await writer.append(batch(3))
    assert journal.appended == 3, "nothing was tried again"
    assert not journal.maintained_after_failure
    assert len(journal.threads) == 1
    assert threading.get_ident() not in journal.threads
    await writer.close()


async def test_a_journal_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    holder = SqliteJournal(tmp_path, "site")
    writer = JournalWriter(lambda: SqliteJournal(tmp_path, "site"))
    with pytest.raises(JournalError, match="another process"):
        await writer.start()
    await writer.close()
    holder.close()


async def test_an_append_that_has_begun_is_not_cancelled(tmp_path: Path) -> None:
    writer = JournalWriter(lambda: SqliteJournal(tmp_path, "site"))
    await writer.start()
    with trio.move_on_after(0):
        await writer.append(batch(1))
    await writer.close()
    reader = JournalReader(tmp_path)
    assert reader.last().seq == 1
    reader.close()
