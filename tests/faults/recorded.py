"""Recorded writers: their lives on one disk, what they promised by when, and whether it was kept."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from engine.journal import NO_EVENTS_HASH, Last, Limits, Snapshot, SqliteJournal
from engine.journal.head import read_head
from engine.journal.reader import HEAD
from engine.journal.snapshots import SnapshotFolder
from tests.faults.child import JOURNAL, PROMISES, SITE, AtOnce, made, made_snapshot
from tests.faults.disk import Asked, Disk, Kind, read_log

ROOT = Path(__file__).resolve().parent.parent.parent
KILLED = -9
SEGMENT = 12
"""Batches of a segment where segments are to follow each other often."""


class Life(NamedTuple):
    """One process: how many batches it appends, and what befalls it."""

    batches: int
    fault: str = ""
    ends: int = 0
    """Its exit code."""


@dataclass
class Recorded:
    """A folder with a journal, and all that its disk was asked for."""

    folder: Path
    log: Path
    seed: int
    library: Path
    bug: str = ""
    module: str = "tests.faults.child"
    segment: int = 1_000
    """Batches of a segment."""

    def live(self, life: Life) -> str:
        """Run one process on the disk and return what it said on standard error."""
        self.folder.mkdir(exist_ok=True)
        arguments = [str(self.folder), str(self.seed), str(life.batches), str(self.segment), self.bug]
        recording = {
            "LD_PRELOAD": str(self.library),
            "DISK_FOLDER": str(self.folder),
            "DISK_LOG": str(self.log),
            "DISK_FAULT": life.fault,
        }
        done = subprocess.run(
            [sys.executable, "-m", self.module, *arguments],
            env={**os.environ, **recording},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == life.ends, f"{life} ended with {done.returncode}: {done.stderr}"
        return done.stderr

    def asked(self) -> list[Asked]:
        """Return the record."""
        return read_log(self.log)


class Promised(NamedTuple):
    """The furthest seq of each kind of promise; -1 where there was none yet."""

    acknowledged: int = -1
    found: int = -1
    head: int = -1
    snapshot: int = -1

    @property
    def durable(self) -> int:
        """How many rows must be there."""
        return max(self)


def promised(asked: Iterable[Asked]) -> Promised:
    """Return what the writer had said by then."""
    furthest = Promised()
    for one in asked:
        if one.kind is Kind.WRITE and one.path == PROMISES:
            what, seq = one.data.decode().split()
            furthest = furthest._replace(**{what: max(int(seq), getattr(furthest, what))})
    return furthest


def cut_and_recover(asked: list[Asked], at: int, seed: int, chance: random.Random, folder: Path) -> None:
    """Cut the power before record `at` and check what can be recovered.

    Args:
        asked: the record.
        at: how much of it had reached the disk.
        seed: the writer's.
        chance: decides what is left of the unsynced.
        folder: where to recover; removed if all is well.

    Raises:
        AssertionError: a promise was broken.
        JournalError: the start is refused.
    """
    before = asked[:at]
    Disk(chance).take(before).cut(folder)
    check_recovered(folder / JOURNAL, promised(before), seed)
    shutil.rmtree(folder, ignore_errors=True)


def check_snapshots(journal: SqliteJournal, seed: int, said: Promised) -> None:
    """The newest that was promised is whole, and of this journal; no other is taken for good.

    Raises:
        AssertionError: it is not so.
    """
    good = [one for one in journal.snapshots.newest_first() if isinstance(one, Snapshot)]
    assert max((one.seq for one in good), default=-1) >= said.snapshot, "a promised snapshot is spoilt"
    for one in good:
        chain = journal.chain_at(one.seq)
        assert one.chain == chain, "a snapshot is of another journal"
        assert one == made_snapshot(seed, Last(one.seq, one.at, chain))


LIMITS = Limits(segment_batches=SEGMENT, reserve_bytes=0)


def check_recovered(folder: Path, said: Promised, seed: int) -> None:
    """Open the journal and hold it against the promises; it has to go on, too.

    Raises:
        AssertionError: a promise was broken.
        JournalError: the start is refused.
    """
    newest = SnapshotFolder(folder).newest_seq() if folder.is_dir() else -1
    assert newest >= said.snapshot, "a promised snapshot is gone"
    remembered = read_head(folder / HEAD)
    assert (remembered.seq if remembered else -1) >= said.head, "the head has forgotten a row"
    journal = SqliteJournal(folder, SITE, LIMITS, AtOnce())
    try:
        rows = list(journal.read())
        check_snapshots(journal, seed, said)
        assert len(rows) >= said.durable, f"rows {len(rows) + 1}..{said.durable} were promised and are gone"
        assert len(rows) <= max(said.durable, 0) + 1, "more rows than the one that was in flight"
        for row in rows:
            new = made(seed, row.seq)
            assert (row.at, row.count, row.frames) == (new.at, new.count, new.frames)
            assert (row.events_hash_previous, row.state_hash_previous) == (
                new.previous_events_hash,
                new.previous_state_hash,
            )
        assert journal.append(10**9, 0, b"", NO_EVENTS_HASH) == len(rows) + 1
    finally:
        journal.close()
