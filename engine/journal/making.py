"""A segment's file from the writer's side: made, opened for writing, and left when the next one follows."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import apsw

from engine.journal.contract import (
    RULES_VERSION,
    JournalCut,
    JournalError,
    Last,
)
from engine.journal.files import sync_folder
from engine.journal.head import Head
from engine.journal.segment import (
    INSERT_META,
    SCHEMA,
    WAL_SUFFIX,
    header_values,
    made_header,
    path_of,
    query,
    read_header,
)
from engine.journal.wal import has_lost_commits

WAL = ".sqlite" + WAL_SUFFIX
ACCEPT = "Restore the folder from a copy, or accept the loss with `paidui journal repair --rebuild-head`."

WRITER_PRAGMAS: dict[str, tuple[str, object]] = {
    "journal_mode": ("wal", "wal"),
    "synchronous": ("full", 2),
    "wal_autocheckpoint": ("0", 0),
}


def connect(folder: Path, number: int) -> apsw.Connection:
    """Open a segment's file for writing; it is made when it is missing."""
    db = apsw.Connection(str(path_of(folder, number)))
    try:
        # Else closing copies the WAL's good part and removes the rest: a refused start would destroy
        # what can still be saved, and a failed writer would write.
        db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        _configure_writer(db)
    except BaseException:
        db.close()
        raise
    return db


def make_first(folder: Path, head: Head | None, site: str, format_version: int) -> None:
    """Make the first segment's tables; those that nothing stands in are made again where they are others.

    Raises:
        JournalCut: there were rows.
    """
    db = connect(folder, 1)
    try:
        there = bool(query(db, "SELECT 1 FROM sqlite_schema WHERE name = 'batches'"))
        if there and (query(db, "SELECT 1 FROM batches LIMIT 1") or (head is not None and head.seq)):
            return
        nothing = Last(0, 0, b"")
        if head is not None and head.seq:
            raise JournalCut(1, f"rows 1..{head.seq} were durable and are gone. {ACCEPT}")
        check_log(folder, 1, nothing, db)  # before anything is written over the rest
        found = read_header(db, 1) if there else None
        if found is not None and (found.format, found.rules) == (format_version, RULES_VERSION):
            return
        with db:
            if there:
                db.execute("DROP TABLE meta; DROP TABLE batches")
            db.execute(SCHEMA)
            header = made_header(1, format_version, RULES_VERSION, site, nothing)
            db.execute(INSERT_META, header_values(header))
    finally:
        db.close()


def prepare(folder: Path, number: int) -> apsw.Connection:
    """Make the file of a segment, with tables and nothing in them; its names are certain."""
    db = connect(folder, number)
    try:
        with db:
            db.execute(SCHEMA)
        sync_folder(folder)
    except BaseException:
        db.close()
        raise
    return db


def retire(db: apsw.Connection) -> None:
    """Take a segment's log in and close it: nothing is written to it any more."""
    try:
        with suppress(apsw.BusyError):  # somebody reads in it; then the log stays, and is read with it
            db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    finally:
        db.close()


def retire_left_over(folder: Path, newest: int) -> None:
    """Take the logs of earlier segments in, whose writer ended before it could."""
    for number in range(1, newest):
        log = path_of(folder, number, WAL)
        if log.exists() and log.stat().st_size:
            retire(connect(folder, number))


def remove_unpromised(folder: Path, newest: int) -> None:
    """Remove a file that was made for the next segment: the head proves that nothing is in it.

    The first row of a segment is answered only after the head has it, so here it would have it.
    """
    for suffix in (".sqlite", WAL, ".sqlite-shm", ".sqlite-journal"):
        path_of(folder, newest + 1, suffix).unlink(missing_ok=True)


def check_log(folder: Path, number: int, last: Last, db: apsw.Connection) -> None:
    """Refuse a log of which SQLite has dropped commits that were durable.

    Raises:
        JournalCut: naming the first row that is gone.
    """
    path = path_of(folder, number, WAL)
    kept, _ = db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
    if has_lost_commits(path, kept):
        raise JournalCut(
            last.seq + 1, f"it and what follows were durable, and {path.name} is damaged there. {ACCEPT}"
        )


def _configure_writer(db: apsw.Connection) -> None:
    """Set what durability rests on, and read it back: a pragma that is refused says nothing."""
    db.set_busy_timeout(5_000)
    for name, (value, expected) in WRITER_PRAGMAS.items():
        db.pragma(name, value)
        actual = db.pragma(name)
        if actual != expected:
            raise JournalError(f"SQLite keeps {name} = {actual!r} where {expected!r} is needed")
