"""What a journal's keeper by hand needs: everything checked, and ways on from what is damaged.

Both ways on give up batches that were acknowledged, so they keep what they change beside it, in
`before-repair`, and say what is lost.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import apsw

from engine.journal.contract import (
    BatchRow,
    JournalCorrupt,
    JournalCut,
    JournalError,
    events_hash,
)
from engine.journal.events import EventFile, Happened, events_path
from engine.journal.files import UNFINISHED, sync_folder
from engine.journal.folder import lock_folder
from engine.journal.head import Head, HeadFile, read_head
from engine.journal.making import WAL
from engine.journal.reader import HEAD, JournalReader
from engine.journal.segment import (
    INSERT,
    Segment,
    numbers_in,
    path_of,
    query,
    read_header,
    row_values,
)
from engine.journal.snapshots import SnapshotFolder, opening_path
from engine.journal.wal import has_lost_commits

ASIDE = "before-repair"


def check_rows(folder: Path) -> str:
    """Read every row, and hold every event file against the rows; return what stands there.

    Raises:
        JournalError: something is wrong; the text names the row.
    """
    with closing(JournalReader(folder)) as reader:
        rows, compared, previous = 0, 0, None
        past = _event_files(folder, reader)
        happened: Happened | None = None
        chains: dict[int, bytes] = {}
        head = read_head(folder / HEAD)
        for row in reader.read():
            if previous is not None and happened is not None:
                compared += _compare(happened, previous, row)
            if head is not None and row.seq == head.seq:
                chains[row.seq] = row.chain
            happened = past.get(row.seq)
            rows, previous = rows + 1, row
        last, oldest = reader.last().seq, reader.oldest
    if head is not None and head.seq > last:
        raise JournalCut(last + 1, f"rows {last + 1}..{head.seq} were durable and are gone")
    if head is not None and head.seq > oldest and chains.get(head.seq) != head.chain:
        raise JournalCorrupt(head.seq, "differs from what the head file remembers")
    kept = f", kept behind {oldest}" if oldest else ""
    return f"{rows} rows, all as they were written{kept}; the events of {compared} as in their event files"


class _Past:
    """The events of sealed segments, looked up in the order of the rows."""

    def __init__(self, files: list[tuple[int, Path]]) -> None:
        self._files = files
        self._running: Iterator[Happened] | None = None
        self._last = 0

    def get(self, seq: int) -> Happened | None:
        if self._files and self._files[0][0] == seq:
            file = EventFile(self._files.pop(0)[1])
            self._running, self._last = file.happened(), file.end().last_seq
        if self._running is None or seq > self._last:
            return None
        found = next(self._running, None)
        if found is None or found.seq != seq:
            raise JournalCorrupt(seq, "its segment's event file does not have it")
        return found


def _event_files(folder: Path, reader: JournalReader) -> _Past:
    paths = [(header.first_seq, events_path(folder, header.number)) for header in reader.segments()]
    return _Past([(first, path) for first, path in paths if path.exists()])


def _compare(happened: Happened, row: BatchRow, following: BatchRow) -> int:
    same = (happened.at, happened.count) == (row.at, row.count)
    if not same or events_hash(happened.events) != following.events_hash_previous:
        raise JournalCorrupt(row.seq, "its segment's event file says something else")
    return 1


def check_log(folder: Path) -> None:
    """Look for commits that SQLite has dropped from the newest segment's log; the site has to be stopped.

    Raises:
        JournalCut: naming the first row that is gone.
        JournalError: another process writes the journal.
    """
    with lock_folder(folder), closing(JournalReader(folder)) as reader:
        number, last = reader.segments()[-1].number, reader.last().seq
        log = path_of(folder, number, WAL)
        with closing(apsw.Connection(str(path_of(folder, number)))) as db:
            db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            db.execute("SELECT count(*) FROM batches").fetchall()
            kept, _ = db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
    if has_lost_commits(log, kept):
        raise JournalCut(last + 1, f"it and what follows were durable, and {log.name} is damaged there")


def cut(folder: Path, before_seq: int) -> str:
    """Keep only the rows before `before_seq`; return what was done. The site has to be stopped.

    Raises:
        JournalError: there is no such row, or an earlier repair's files are still there.
    """
    segments = _readable(folder)
    holding = max((one for one in segments if segments[one][0] <= before_seq), default=None)
    if holding is None or before_seq > segments[holding][1] + 1:
        raise JournalError(f"--cut-before: the journal has no row {before_seq}")
    aside = _aside(folder)
    first, _ = segments[holding]
    whole = holding + 1 if first < before_seq or holding == min(segments) else holding
    lost = sum(end - max(begin, before_seq) + 1 for begin, end in segments.values() if end >= before_seq)
    for number in numbers_in(folder):
        if number >= whole:
            _move(aside, *_files_of(folder, number))
    if whole > holding:
        _move(aside, events_path(folder, holding), opening_path(folder, holding + 1))
        _write_again(folder, holding, before_seq, aside)
    _write_head(folder, aside)
    return f"{lost} rows from {before_seq} on were removed; what was there is in {aside.name}"


def _write_again(folder: Path, number: int, before_seq: int, aside: Path) -> None:
    """Make a segment anew with its rows before `before_seq`: a damaged file may not let any be deleted."""
    path = path_of(folder, number)
    anew = path.with_name(path.name + UNFINISHED)
    anew.unlink(missing_ok=True)
    with closing(apsw.Connection(str(path))) as db, closing(apsw.Connection(str(anew))) as copy, copy:
        db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        header = read_header(db, number)
        if header is None:
            raise JournalError(f"{path.name}: has no header; restore the folder from a copy")
        for (sql,) in query(db, "SELECT sql FROM sqlite_schema WHERE name IN ('meta', 'batches')"):
            copy.execute(sql)
        (meta,) = query(db, "SELECT * FROM meta")
        marks = ", ".join("?" * len(meta))
        copy.execute(f"INSERT INTO meta VALUES ({marks})", meta)  # noqa: S608 - question marks only
        if before_seq > header.first_seq:
            for row in Segment(db, header).rows(header.first_seq - 1):
                if row.seq >= before_seq:
                    break
                copy.execute(INSERT, row_values(row, row.chain))
                if row.seq == before_seq - 1:
                    break
    _move(aside, path, path_of(folder, number, WAL))
    path_of(folder, number, ".sqlite-shm").unlink(missing_ok=True)
    anew.rename(path)
    sync_folder(folder)


def rebuild_head(folder: Path) -> str:
    """Make the head file say what the journal holds; return what was done. The site has to be stopped."""
    segments = _readable(folder)
    if not segments:
        raise JournalError(f"{folder}: no segment can be read; restore the folder from a copy")
    aside = _aside(folder)
    newest = max(segments)
    for number in numbers_in(folder):
        if number > newest:
            _move(aside, *_files_of(folder, number))
    log = path_of(folder, newest, WAL)
    if log.exists() and log.stat().st_size:
        _copy(aside, path_of(folder, newest), log)
        # The last to close takes in what is readable of the log and removes it.
        with closing(apsw.Connection(str(path_of(folder, newest)))) as db:
            db.execute("SELECT count(*) FROM batches").fetchall()
    last = _write_head(folder, aside)
    lost = f"the head now says {last} rows; contacts of rows behind it are lost"
    return f"{lost}; what was there is in {aside.name}"


def _readable(folder: Path) -> dict[int, tuple[int, int]]:
    """Each segment's first and last row, up to the first that cannot be read or does not go on."""
    found: dict[int, tuple[int, int]] = {}
    for number in numbers_in(folder):
        with closing(apsw.Connection(str(path_of(folder, number)))) as db:
            db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            try:
                header = read_header(db, number)
                if header is None:
                    break
                found[number] = (header.first_seq, Segment(db, header).last().seq)
            except JournalError:
                break
    for before, number in pairwise(list(found)):
        if found[number][0] != found[before][1] + 1:
            return {one: found[one] for one in found if one <= before}
    return found


def _write_head(folder: Path, aside: Path) -> int:
    """Write the head anew, and put aside the snapshots that know more than it."""
    with closing(JournalReader(folder)) as reader:
        last = reader.last()
    for seq, path in SnapshotFolder(folder).found():
        if seq > last.seq:
            _move(aside, path)
    _move(aside, folder / HEAD)
    file = HeadFile(folder / HEAD)
    file.write(Head(last.seq, last.chain))
    file.close()
    return last.seq


def _files_of(folder: Path, number: int) -> list[Path]:
    suffixes = (".sqlite", WAL, ".sqlite-shm", ".events", ".snapshot")
    return [path_of(folder, number, suffix) for suffix in suffixes]


def _aside(folder: Path) -> Path:
    aside = folder / ASIDE
    if aside.exists():
        raise JournalError(f"{aside}: already exists; move it away first")
    aside.mkdir(mode=0o700)
    return aside


def _copy(aside: Path, *paths: Path) -> None:
    for path in paths:
        if path.exists():
            shutil.copy2(path, aside / path.name)


def _move(aside: Path, *paths: Path) -> None:
    for path in paths:
        if path.exists():
            path.rename(aside / path.name)
