"""The disk fails under the journal: the writer stops, says so, and has promised nothing it cannot keep."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from tests.faults.child import JOURNAL, PROMISES, STOPPED
from tests.faults.disk import Asked
from tests.faults.recorded import (
    SEGMENT,
    Life,
    Promised,
    Recorded,
    check_recovered,
    cut_and_recover,
    promised,
)

SEED = 1
BATCHES = 30
BATCH = r"NotDurable: the journal failed: batch \d+ could not be made durable: "
KEPT = "NotDurable: the journal failed: the journal could not be kept: "
OPENED = rf"JournalError: .*{JOURNAL}.*: cannot be opened: "
IO_ERROR, FULL = "disk I/O error", "database or disk is full"


def lived(folder: Path, library: Path, life: Life) -> tuple[Recorded, str]:
    record = Recorded(folder / "disk", folder / "log", SEED, library)
    return record, record.live(life)


def assert_said(said: str, message: str) -> None:
    """One line, and the right one: no traceback."""
    assert re.fullmatch(message + "\n", said), said


def after_the_error(asked: list[Asked]) -> list[Asked]:
    """What was still asked of the journal's files after the first error."""
    errors = [at for at, one in enumerate(asked) if one.error]
    return [one for one in asked[errors[0] + 1 :] if one.path != PROMISES] if errors else []


def what_was_written(asked: list[Asked]) -> list[tuple[str, str]]:
    return [(one.kind.name, Path(one.path).name) for one in asked]


def allowed(fault: str) -> list[tuple[str, str]]:
    """Of a full disk the reserve is given back, and the head says what is durable; of others nothing."""
    if not fault.endswith(("ENOSPC", "full")):
        return []
    given_back = ("UNLINK", "reserve")
    if "head" in fault:
        return [given_back, ("WRITE", "head")]  # still without room: it is left at that
    return [given_back, ("WRITE", "head"), ("SYNC", "head")]


def check_nothing_is_lost(record: Recorded, folder: Path) -> Promised:
    """Recover from what the system remembers, and from what a power cut would have left."""
    asked = record.asked()
    said = promised(asked)
    check_recovered(record.folder / JOURNAL, said, SEED)
    for number in range(5):
        cut_and_recover(asked, len(asked), SEED, random.Random(number), folder / f"cut {number}")
    return said


@pytest.mark.slow  # a process is started
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("write:-wal:30:EIO", BATCH + IO_ERROR),
        ("sync:-wal:12:EIO", BATCH + IO_ERROR),
        ("write:-wal:30:ENOSPC", BATCH + FULL),
        ("write:-wal:31:full", BATCH + FULL),
        ("write:.sqlite:6:EIO", KEPT + IO_ERROR),
        ("sync:.sqlite:4:EIO", KEPT + IO_ERROR),
        ("write:.sqlite:6:full", KEPT + FULL),
        ("write:head:3:EIO", KEPT + "head file: Input/output error"),
        ("sync:head:3:EIO", KEPT + "head file: Input/output error"),
        ("write:head:3:ENOSPC", KEPT + "head file: No space left on device"),
        ("write:head:3:short", KEPT + "head file: 256 of 512 bytes were written; disk full."),
    ],
)
def test_the_first_error_stops_the_writer(tmp_path: Path, library: Path, fault: str, message: str) -> None:
    """Later calls would succeed, and the writer is asked twice more: nothing is tried again."""
    record, said = lived(tmp_path, library, Life(BATCHES, fault, STOPPED))
    assert_said(said, message)
    asked = record.asked()
    assert what_was_written(after_the_error(asked)) == allowed(fault), "a failed journal was written"
    assert 0 < promised(asked).acknowledged < BATCHES
    assert (
        not said.startswith("NotDurable: the journal failed: batch")
        or str(promised(asked).acknowledged + 1) in said
    )
    check_nothing_is_lost(record, tmp_path)


@pytest.mark.slow  # a process is started
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("write:.sqlite:1:EIO", OPENED + IO_ERROR),
        ("write:-wal:1:ENOSPC", OPENED + FULL),
        ("sync:-wal:1:EIO", OPENED + IO_ERROR),
        ("write:head:1:ENOSPC", "JournalError: head file: No space left on device"),
        (
            "write:reserve.unfinished:1:ENOSPC",
            "JournalError: .*reserve: cannot be written: No space left on device; 16384 bytes are wanted in "
            "reserve, make room first",
        ),
        ("sync:head:1:EIO", "JournalError: head file: Input/output error"),
    ],
)
def test_an_error_while_it_is_made(tmp_path: Path, library: Path, fault: str, message: str) -> None:
    """The start is refused; the next one begins anew from whatever is there."""
    record, said = lived(tmp_path, library, Life(BATCHES, fault, STOPPED))
    assert_said(said, message)
    assert check_nothing_is_lost(record, tmp_path) == Promised()


@pytest.mark.slow  # a process is started
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("write:000002.sqlite:1:EIO", KEPT + IO_ERROR),  # the next segment's file is made
        ("sync:000002.sqlite-wal:1:EIO", KEPT + IO_ERROR),
        ("write:000002.sqlite-wal:1:full", KEPT + FULL),
        ("sync:000002.sqlite-wal:3:EIO", BATCH + IO_ERROR),  # its first row
        ("sync:000002.sqlite:3:EIO", KEPT + IO_ERROR),  # the last one's log is taken in
        (
            "write:unfinished:3:ENOSPC",
            "JournalError: .*snapshot-.*: cannot be written: No space left on device",
        ),
    ],
)
def test_an_error_around_a_roll(tmp_path: Path, library: Path, fault: str, message: str) -> None:
    """Beside the writer's thread or in it: the first error stops the writer, and nothing is lost."""
    record = Recorded(tmp_path / "disk", tmp_path / "log", SEED, library, segment=SEGMENT)
    assert_said(record.live(Life(BATCHES, fault, STOPPED)), message)
    said = check_nothing_is_lost(record, tmp_path)
    assert 0 < said.acknowledged < BATCHES


@pytest.mark.slow  # a process is started
def test_a_short_write_is_finished(tmp_path: Path, library: Path) -> None:
    """SQLite writes the rest: no error, and nothing is missing."""
    record, said = lived(tmp_path, library, Life(BATCHES, "write:-wal:30:short"))
    assert said == ""
    assert check_nothing_is_lost(record, tmp_path).acknowledged == BATCHES


@pytest.mark.slow  # processes are started
@pytest.mark.parametrize("fault", ["write:-wal:1:EIO", "sync:-wal:1:EIO", "sync:head:1:EIO"])
def test_an_error_while_it_recovers(tmp_path: Path, library: Path, fault: str) -> None:
    """The rows of a stopped writer are written anew before anybody builds on them; that may fail, too."""
    record, _ = lived(tmp_path, library, Life(BATCHES, "sync:-wal:12:EIO", STOPPED))
    before = promised(record.asked())
    assert_said(record.live(Life(BATCHES, fault, STOPPED)), "JournalError: .*Input/output error")
    assert check_nothing_is_lost(record, tmp_path) == before
