"""The embedded journal: SQLite in WAL mode, one row per batch, synced at every commit."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import apsw

from engine.journal.contract import (
    FORMAT_VERSION,
    RULES_VERSION,
    BatchRow,
    JournalCorrupt,
    JournalCut,
    JournalError,
    Last,
    first_chain,
    next_chain,
)
from engine.journal.folder import hold, make_names_certain
from engine.journal.head import Head, HeadFile, read_head
from engine.journal.wal import has_lost_commits, write_anew

SEGMENT = "000001.sqlite"
WAL = SEGMENT + "-wal"
HEAD = "head"
OLDEST_SQLITE = (3, 51, 3)
"""Before it, a WAL reset could race with a second connection, and followers are just that."""

CHECKPOINT_EVERY_S = 0.5
HEAD_EVERY_S = 0.5
"""Half of the second that may be lost unnoticed, because a commit may come between two looks."""

READ_ROWS = 256
"""Rows per read transaction: a long one would keep the writer from resetting its WAL."""

_SCHEMA = """
CREATE TABLE meta (format INTEGER NOT NULL, rules INTEGER NOT NULL, site TEXT NOT NULL) STRICT;
CREATE TABLE batches (
    seq INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, at INTEGER NOT NULL, count INTEGER NOT NULL,
    frames BLOB NOT NULL, events_hash_previous BLOB NOT NULL, state_hash_previous BLOB,
    chain BLOB NOT NULL
) STRICT;
"""
_INSERT = "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_ROWS = (
    "SELECT seq, epoch, at, count, frames, events_hash_previous, chain, state_hash_previous "
    "FROM batches WHERE seq > ? ORDER BY seq LIMIT ?"
)
_WRITER_PRAGMAS: dict[str, tuple[str, object]] = {
    "journal_mode": ("wal", "wal"),
    "synchronous": ("full", 2),
    "wal_autocheckpoint": ("0", 0),
}
_ACCEPT = (
    "Restore the folder from a copy, or accept the loss with `python -m engine.journal rebuild-head FOLDER`."
)


class JournalReader:
    """A read-only view of a journal that another process may be writing.

    Args:
        folder: the journal's folder.
    """

    def __init__(self, folder: Path) -> None:
        _check_version()
        path = folder / SEGMENT
        if not path.exists():
            raise JournalError(f"{path}: there is no journal yet; start the service once")
        self._db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        self._db.set_busy_timeout(5_000)
        self._first_chain = _read_meta(self._db)

    def read(self, after_seq: int = 0) -> Iterator[BatchRow]:
        """Yield the rows behind `after_seq` that are there now, each checked against the chain."""
        return _verified(self._db, self._first_chain, after_seq)

    def last(self) -> Last:
        """Return where the journal ends now."""
        return _last(self._db, self._first_chain)

    def close(self) -> None:
        """Close the connection."""
        self._db.close()


class SqliteJournal:
    """The writer's journal; one per folder, which a lock file guards.

    Args:
        folder: the journal's folder; made when missing.
        site: the site's name, bound into the chain.
    """

    def __init__(self, folder: Path, site: str) -> None:
        _check_version()
        folder.mkdir(parents=True, exist_ok=True)
        self._held = ExitStack()  # the lock first, so that it is given up last
        self._held.callback(os.close, hold(folder))
        self._failed = False
        self._closed = False
        try:
            self._open(folder, site)
        except (apsw.Error, OSError) as error:
            self._held.close()
            raise JournalError(f"{folder / SEGMENT}: cannot be opened: {error}") from error
        except BaseException:
            self._held.close()
            raise

    def _open(self, folder: Path, site: str) -> None:
        head = read_head(folder / HEAD)
        write_anew(folder / WAL)
        self._db = apsw.Connection(str(folder / SEGMENT))
        self._held.callback(self._db.close)
        # Else closing copies the WAL's good part and removes the rest: a refused start would destroy
        # what can still be saved, and a failed writer would write.
        self._db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        _configure_writer(self._db)
        if not _query(self._db, "SELECT 1 FROM sqlite_schema WHERE name = 'batches'"):
            self._check_tail(folder, head, Last(0, 0, b""))  # before anything is written over the rest
            _create(self._db, site)
        self._first_chain = _check_site(self._db, site)
        self._last = _last(self._db, self._first_chain)
        self._check_tail(folder, head, self._last)
        self._head_file = HeadFile(folder / HEAD)
        self._held.callback(self._head_file.close)
        self._head_seq = -1
        make_names_certain(folder, new=not self._last.seq)
        self._epoch = _last_epoch(self._db) + 1
        self._checkpointed_seq = 0
        self._checkpoint_at = self._head_at = 0.0
        self._write_head()

    def _check_tail(self, folder: Path, head: Head | None, last: Last) -> None:
        _check_head(self._db, head, last)
        kept, _ = self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
        if has_lost_commits(folder / WAL, kept):
            raise JournalCut(
                last.seq + 1, f"it and what follows were durable, and {WAL} is damaged there. {_ACCEPT}"
            )

    def append(
        self,
        at: int,
        count: int,
        frames: bytes,
        previous_events_hash: bytes,
        previous_state_hash: int | None = None,
    ) -> int:
        """Commit one row and return its seq.

        Raises:
            JournalError: it is not known to be durable. Every later call raises too: after an
                I/O error the next fsync may "succeed" without having written anything.
        """
        if self._failed or self._closed:
            raise JournalError("the journal has failed or is closed; restart the process")
        last = self._last
        if at < last.at:
            raise ValueError(f"at: expected {last.at} or later, got {at}")
        row = BatchRow(
            last.seq + 1, self._epoch, at, count, frames, previous_events_hash, b"", previous_state_hash
        )
        chain = next_chain(last.chain, row)
        try:
            self._db.execute(_INSERT, _values(row, chain))
        except BaseException as error:
            self._failed = True
            raise JournalError(f"batch {row.seq} could not be made durable: {error}") from error
        self._last = Last(row.seq, at, chain)
        return row.seq

    def read(self, after_seq: int = 0) -> Iterator[BatchRow]:
        """Yield the rows behind `after_seq`, each checked against the chain."""
        return _verified(self._db, self._first_chain, after_seq)

    def last(self) -> Last:
        """Return where the journal ends."""
        return self._last

    def maintain(self) -> float | None:
        """Checkpoint and write the head when they are due.

        Returns:
            Seconds until something is due; None when nothing is.
        """
        try:
            return self._maintain(time.monotonic())
        except BaseException as error:
            self._failed = True
            raise JournalError(f"the journal could not be kept: {error}") from error

    def _maintain(self, now: float) -> float | None:
        waits = []
        if self._checkpointed_seq != self._last.seq:
            if now >= self._checkpoint_at:
                self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
                self._checkpointed_seq = self._last.seq
                self._checkpoint_at = now + CHECKPOINT_EVERY_S
            else:
                waits.append(self._checkpoint_at - now)
        if self._head_seq != self._last.seq:
            if now >= self._head_at:
                self._write_head()
                self._head_at = now + HEAD_EVERY_S
            else:
                waits.append(self._head_at - now)
        return min(waits) if waits else None

    def close(self) -> None:
        """Write the head, checkpoint and release the folder; after a failure only release it."""
        if self._closed:
            return
        self._closed = True
        with self._held:
            if not self._failed:
                self._write_head()
                self._db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)

    def _write_head(self) -> None:
        if self._head_seq != self._last.seq:
            self._head_file.write(Head(self._last.seq, self._last.chain))
            self._head_seq = self._last.seq


def _check_version() -> None:
    text = apsw.sqlite_lib_version()
    if tuple(int(part) for part in text.split(".")) < OLDEST_SQLITE:
        oldest = ".".join(str(part) for part in OLDEST_SQLITE)
        raise JournalError(f"SQLite {text} is too old, {oldest} is needed: upgrade the apsw package")


def _configure_writer(db: apsw.Connection) -> None:
    """Set what durability rests on, and read it back: a pragma that is refused says nothing."""
    db.set_busy_timeout(5_000)
    for name, (value, expected) in _WRITER_PRAGMAS.items():
        db.pragma(name, value)
        actual = db.pragma(name)
        if actual != expected:
            raise JournalError(f"SQLite keeps {name} = {actual!r} where {expected!r} is needed")


def _create(db: apsw.Connection, site: str) -> None:
    with db:
        db.execute(_SCHEMA)
        db.execute("INSERT INTO meta VALUES (?, ?, ?)", (FORMAT_VERSION, RULES_VERSION, site))


def _check_site(db: apsw.Connection, site: str) -> bytes:
    found = _query(db, "SELECT site FROM meta")[0][0]
    if found != site:
        raise JournalError(f"site.name: this journal belongs to {found!r}, not to {site!r}")
    return _read_meta(db)


def _query(db: apsw.Connection, sql: str) -> list[Any]:
    try:
        return db.execute(sql).fetchall()
    except apsw.Error as error:
        raise JournalError(f"the journal cannot be read: {error}") from error


def _read_meta(db: apsw.Connection) -> bytes:
    rows = _query(db, "SELECT format, rules, site FROM meta")
    if not rows:
        raise JournalError("the journal's header is missing: start the service once")
    format_version, rules_version, site = rows[0]
    if format_version != FORMAT_VERSION or rules_version != RULES_VERSION:
        raise JournalError(
            f"the journal has format {format_version} and rules {rules_version}; this release "
            f"reads format {FORMAT_VERSION} and rules {RULES_VERSION}: open it with the release that wrote "
            "it, or move the data folder away to begin anew"
        )
    return first_chain(format_version, rules_version, site)


def _last(db: apsw.Connection, start: bytes) -> Last:
    rows = _query(db, "SELECT seq, at, chain FROM batches ORDER BY seq DESC LIMIT 1")
    return Last(*rows[0]) if rows else Last(0, 0, start)


def _last_epoch(db: apsw.Connection) -> int:
    rows = _query(db, "SELECT epoch FROM batches ORDER BY seq DESC LIMIT 1")
    return rows[0][0] if rows else 0


def _check_head(db: apsw.Connection, head: Head | None, last: Last) -> None:
    if head is None:
        if last.seq:
            raise JournalError(
                f"the head file is missing or blank, the journal has {last.seq} rows. "
                "If it was removed on purpose, run `python -m engine.journal rebuild-head FOLDER`."
            )
        return
    if head.seq > last.seq:
        raise JournalCut(
            last.seq + 1,
            f"rows {last.seq + 1}..{head.seq} were durable and are gone. {_ACCEPT}",
        )
    if head.seq:
        rows = db.execute("SELECT chain FROM batches WHERE seq = ?", (head.seq,)).fetchall()
        if not rows or rows[0][0] != head.chain:
            raise JournalCorrupt(head.seq, "differs from what the head file remembers")


def _verified(db: apsw.Connection, start: bytes, after_seq: int) -> Iterator[BatchRow]:
    chain = start
    if after_seq:
        rows = _fetch(db, "SELECT chain FROM batches WHERE seq = ?", (after_seq,), after_seq)
        if not rows:
            raise JournalError(f"after_seq: the journal has no row {after_seq}")
        chain = rows[0][0]
    seq = after_seq
    while rows := _fetch(db, _ROWS, (seq, READ_ROWS), seq + 1):
        for values in rows:
            row = _row(values)
            _check_row(row, seq + 1, chain)
            seq, chain = row.seq, row.chain
            yield row


def _fetch(db: apsw.Connection, sql: str, values: tuple[int, ...], seq: int) -> list[Any]:
    try:
        return db.execute(sql, values).fetchall()
    except apsw.Error as error:
        raise JournalCorrupt(seq, f"it or one of the {READ_ROWS} after it is unreadable: {error}") from error


def _values(row: BatchRow, chain: bytes) -> tuple[int | bytes | None, ...]:
    state = row.state_hash_previous
    state_bytes = None if state is None else state.to_bytes(8, "big")
    return (
        row.seq, row.epoch, row.at, row.count, row.frames, row.events_hash_previous, state_bytes, chain
    )  # fmt: skip


def _row(values: tuple[Any, ...]) -> BatchRow:
    seq, epoch, at, count, frames, events_hash_previous, chain, state = values
    state_hash = None if state is None else int.from_bytes(state, "big")
    return BatchRow(seq, epoch, at, count, frames, events_hash_previous, chain, state_hash)


def _check_row(row: BatchRow, seq: int, previous_chain: bytes) -> None:
    if row.seq != seq:
        raise JournalCorrupt(seq, f"it is missing; the next one is {row.seq}")
    if row.chain != next_chain(previous_chain, row):
        raise JournalCorrupt(
            seq,
            "its hash does not fit. Restore the folder from a copy, or keep only the rows before "
            f"it with `python -m engine.journal cut FOLDER --before {seq}`.",
        )
