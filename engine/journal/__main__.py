"""Look after a journal by hand: `python -m engine.journal check|cut|rebuild-head FOLDER`.

The service has to be stopped. `cut` and `rebuild-head` give up batches that were acknowledged, so
they keep a copy of what they change beside it and say what is lost.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from contextlib import closing
from pathlib import Path

import apsw

from engine.journal.contract import JournalCorrupt, JournalError
from engine.journal.folder import LOCK, lock_folder
from engine.journal.head import Head, HeadFile, read_head
from engine.journal.sqlite import HEAD, SEGMENT, WAL, JournalReader
from engine.journal.wal import has_lost_commits


def check(folder: Path) -> str:
    """Read every row and return what stands there.

    Raises:
        JournalError: something is wrong; the text names the row.
    """
    reader = JournalReader(folder)
    try:
        rows = sum(1 for _ in reader.read())
    finally:
        reader.close()
    head = read_head(folder / HEAD)
    if head is not None and head.seq > rows:
        raise JournalCorrupt(rows + 1, f"rows {rows + 1}..{head.seq} were durable and are gone")
    if _has_lost_commits(folder):
        raise JournalCorrupt(rows + 1, f"it and what follows were durable, and {WAL} is damaged there")
    return f"{rows} rows, all as they were written"


def cut(folder: Path, before_seq: int) -> str:
    """Keep only the rows before `before_seq`; return what was done."""
    copy = _copy_aside(folder)
    db = apsw.Connection(str(folder / SEGMENT))
    try:
        db.execute("DELETE FROM batches WHERE seq >= ?", (before_seq,))
        lost = db.changes()
    finally:
        db.close()
    rebuild_head(folder)
    return f"{lost} rows from {before_seq} on were removed; the journal as it was is in {copy.name}"


def rebuild_head(folder: Path) -> str:
    """Make the head file say what the journal holds; return what was done."""
    reader = JournalReader(folder)
    try:
        last = reader.last()
    finally:
        reader.close()
    kept = ""
    log = folder / WAL
    if log.exists() and log.stat().st_size:
        kept = f"; the journal as it was is in {_copy_aside(folder).name}"
        # The last to close takes in what is readable of the log and removes it.
        with closing(apsw.Connection(str(folder / SEGMENT))) as db:
            db.execute("SELECT count(*) FROM batches").fetchall()
    (folder / HEAD).unlink(missing_ok=True)
    file = HeadFile(folder / HEAD)
    file.write(Head(last.seq, last.chain))
    file.close()
    return f"the head now says {last.seq} rows; contacts of rows behind it are lost{kept}"


def _has_lost_commits(folder: Path) -> bool:
    with closing(apsw.Connection(str(folder / SEGMENT))) as db:
        db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        db.execute("SELECT count(*) FROM batches").fetchall()
        kept, _ = db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
    return has_lost_commits(folder / WAL, kept)


def _copy_aside(folder: Path) -> Path:
    copy = folder / "before-cut"
    if copy.exists():
        raise JournalError(f"{copy}: already exists; move it away first")
    copy.mkdir()
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name != LOCK:
            shutil.copy2(path, copy / path.name)
    return copy


def _run(given: argparse.Namespace) -> str:
    folder: Path = given.folder
    if given.command == "check":
        return check(folder)
    if given.command == "cut":
        return cut(folder, given.before)
    return rebuild_head(folder)


def main(arguments: list[str]) -> int:
    """Run one command; return the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m engine.journal", description=__doc__)
    parser.add_argument("command", choices=["check", "cut", "rebuild-head"])
    parser.add_argument("folder", type=Path, help="the journal's folder, data/journal")
    parser.add_argument("--before", type=int, help="cut: the first row that is given up")
    given = parser.parse_args(arguments)
    if given.command == "cut" and given.before is None:
        parser.error("cut needs --before SEQ")
    try:
        with lock_folder(given.folder):
            sys.stdout.write(f"{_run(given)}\n")
    except JournalError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
