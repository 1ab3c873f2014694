"""Everything in a journal's folder held against everything else: `paidui journal verify`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from engine.journal import JournalError, JournalReader
from engine.journal.repair import check_log, check_rows
from engine.journal.snapshots import SnapshotFolder, read_snapshot
from engine.replay import checked


def verify(folder: Path, say: Callable[[str], None], *, stopped: bool) -> list[JournalError]:
    """Check rows, head, log, event files and snapshots; one damage does not hide another.

    Args:
        folder: the journal's folder; it may be written meanwhile.
        say: is told what is well.
        stopped: nobody writes, so the log can be looked at, too.

    Returns:
        What is wrong, each naming its row or file.
    """
    wrong: list[JournalError] = []
    for check in (check_rows, _log_of if stopped else _log_later):
        try:
            say(check(folder))
        except JournalError as error:
            wrong.append(error)
    for _, path in SnapshotFolder(folder).found():
        try:
            say(_snapshot(folder, path))
        except JournalError as error:
            wrong.append(error)
    return wrong


def _log_of(folder: Path) -> str:
    check_log(folder)
    return "the log: nothing durable was dropped from it"


def _log_later(folder: Path) -> str:
    return "the log: not looked at while the site runs"


def _snapshot(folder: Path, path: Path) -> str:
    snapshot = read_snapshot(path)
    with closing(JournalReader(folder)) as reader:
        state = checked(snapshot, reader, reader.last())
    return f"{path.name}: batch {state.seq}, {len(snapshot.state)} bytes, its state hash fits"
