"""One segment: an SQLite file that says what it goes on from, and holds one row per batch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import apsw
import msgspec

from engine.journal.contract import (
    READABLE_FORMATS,
    BatchRow,
    JournalCorrupt,
    JournalError,
    Last,
    first_chain,
    next_chain,
    segment_chain,
    ways_on,
)

READ_ROWS = 256
"""Rows per read transaction: a long one would keep the writer from resetting its WAL."""

SUFFIX = ".sqlite"
WAL_SUFFIX = "-wal"
_NAME = re.compile(r"\d{6}\.sqlite")

SCHEMA = """
CREATE TABLE meta (
    format INTEGER NOT NULL, rules INTEGER NOT NULL, site TEXT NOT NULL,
    first_seq INTEGER NOT NULL, previous_chain BLOB NOT NULL, chain BLOB NOT NULL
) STRICT;
CREATE TABLE batches (
    seq INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, at INTEGER NOT NULL, count INTEGER NOT NULL,
    frames BLOB NOT NULL, events_hash_previous BLOB NOT NULL, state_hash_previous BLOB,
    chain BLOB NOT NULL
) STRICT;
"""
INSERT_META = "INSERT INTO meta VALUES (?, ?, ?, ?, ?, ?)"
INSERT = "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_ROWS = (
    "SELECT seq, epoch, at, count, frames, events_hash_previous, chain, state_hash_previous "
    "FROM batches WHERE seq > ? ORDER BY seq LIMIT ?"
)


class Header(msgspec.Struct, frozen=True):
    """What a segment says of itself.

    Attributes:
        number: of its file, from 1.
        first_seq: its first row's.
        previous_chain: the chain of the row before; empty in the first segment.
        chain: what its first row goes on from; binds the rows to all of the above.
    """

    number: int
    format: int
    rules: int
    site: str
    first_seq: int
    previous_chain: bytes
    chain: bytes


def made_header(number: int, format_version: int, rules: int, site: str, last: Last) -> Header:
    """Return the header of a new segment behind the row `last`."""
    if number == 1:
        return Header(1, format_version, rules, site, 1, b"", first_chain(format_version, rules, site))
    first_seq = last.seq + 1
    chain = segment_chain(format_version, rules, site, first_seq, last.chain)
    return Header(number, format_version, rules, site, first_seq, last.chain, chain)


def header_values(header: Header) -> tuple[int | str | bytes, ...]:
    """The header as a row of `meta`."""
    return (
        header.format, header.rules, header.site, header.first_seq, header.previous_chain, header.chain
    )  # fmt: skip


def path_of(folder: Path, number: int, suffix: str = SUFFIX) -> Path:
    """Return the path of a segment's file, or of another file that goes with the segment."""
    return folder / f"{number:06}{suffix}"


def numbers_in(folder: Path) -> list[int]:
    """Return the numbers of the segments that are there, in order.

    Raises:
        JournalError: one is missing between two others.
    """
    numbers = sorted(int(path.stem) for path in folder.iterdir() if _NAME.fullmatch(path.name))
    for before, number in pairwise(numbers):
        if number != before + 1:
            gone = path_of(folder, before + 1)
            raise JournalError(f"{gone}: is missing between its neighbours; restore the folder from a copy")
    return numbers


class Segment:
    """An open segment; reading only looks at what is committed.

    Args:
        db: the connection, closed with it.
        header: what the file says of itself.
    """

    def __init__(self, db: apsw.Connection, header: Header) -> None:
        self.db = db
        self.header = header

    def last(self) -> Last:
        """Return the last row; what stands before the segment while it has none."""
        rows = query(self.db, "SELECT seq, at, chain FROM batches ORDER BY seq DESC LIMIT 1")
        return Last(*rows[0]) if rows else Last(self.header.first_seq - 1, 0, self.header.chain)

    def epoch(self) -> int:
        """Return the last row's epoch; 0 when there is none."""
        rows = query(self.db, "SELECT epoch FROM batches ORDER BY seq DESC LIMIT 1")
        return int(rows[0][0]) if rows else 0

    def chain_at(self, seq: int) -> bytes | None:
        """Return the chain behind row `seq` of this segment, or behind its start."""
        if seq == self.header.first_seq - 1:
            return self.header.chain
        rows = fetch(self.db, "SELECT chain FROM batches WHERE seq = ?", (seq,), seq)
        return bytes(rows[0][0]) if rows else None

    def rows(self, after_seq: int) -> Iterator[BatchRow]:
        """Yield the rows behind `after_seq`, each checked against the chain.

        Raises:
            JournalError: there is no row `after_seq`.
            JournalCorrupt: a row is not what was written.
        """
        chain = self.chain_at(after_seq)
        if chain is None:
            raise JournalError(f"after_seq: the journal has no row {after_seq}")
        seq = after_seq
        while rows := fetch(self.db, _ROWS, (seq, READ_ROWS), seq + 1):
            for values in rows:
                row = _row(values)
                _check_row(row, seq + 1, chain)
                seq, chain = row.seq, row.chain
                yield row

    def commands_behind(self, seq: int) -> int:
        """Return how many commands stand behind row `seq`; a batch without any counts as one."""
        sql = "SELECT coalesce(sum(max(count, 1)), 0) FROM batches WHERE seq > ?"
        return int(fetch(self.db, sql, (seq,), seq + 1)[0][0])

    def close(self) -> None:
        """Close the connection."""
        self.db.close()


def read_header(db: apsw.Connection, number: int) -> Header | None:
    """Return what a segment's file says of itself; None while it is only prepared.

    Raises:
        JournalError: it cannot be read, or is of a format that this release does not know.
    """
    if not query(db, "SELECT 1 FROM sqlite_schema WHERE name = 'batches'"):
        return None
    rows = query(db, "SELECT * FROM meta")
    if not rows:
        return None
    format_version, rules, site, *rest = rows[0]
    if format_version not in READABLE_FORMATS:
        known = " and ".join(str(one) for one in READABLE_FORMATS)
        raise JournalError(
            f"the journal has format {format_version}; this release reads formats {known}: open it with the "
            "release that wrote it, restore a backup of before, or move the data folder away to begin anew"
        )
    if format_version == 1:
        return Header(number, 1, rules, site, 1, b"", first_chain(1, rules, site))
    first_seq, previous, chain = rest
    if number == 1 or first_seq == 1:
        expected = first_chain(format_version, rules, site)
    else:
        expected = segment_chain(format_version, rules, site, first_seq, previous)
    if expected != chain:
        what = f"the header of segment {number:06}{SUFFIX} is not what was written"
        raise JournalCorrupt(first_seq, f"{what}. {ways_on(first_seq)}")
    return Header(number, format_version, rules, site, first_seq, previous, chain)


def query(db: apsw.Connection, sql: str) -> list[Any]:
    """Run a query.

    Raises:
        JournalError: it cannot be read.
    """
    try:
        return db.execute(sql).fetchall()
    except apsw.Error as error:
        raise JournalError(f"the journal cannot be read: {error}") from error


def fetch(db: apsw.Connection, sql: str, values: tuple[int, ...], seq: int) -> list[Any]:
    """Run a query on rows from `seq` on.

    Raises:
        JournalCorrupt: naming that row.
    """
    try:
        return db.execute(sql, values).fetchall()
    except apsw.Error as error:
        what = f"it or one of the {READ_ROWS} after it is unreadable: {error}"
        raise JournalCorrupt(seq, f"{what}. {ways_on(seq)}") from error


def row_values(row: BatchRow, chain: bytes) -> tuple[int | bytes | None, ...]:
    """A batch as a row of `batches`."""
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
        raise JournalCorrupt(seq, f"it is missing; the next one is {row.seq}. {ways_on(seq)}")
    if row.chain != next_chain(previous_chain, row):
        raise JournalCorrupt(
            seq,
            f"its hash does not fit. {ways_on(seq)}",
        )
