"""A writer whose disk is recorded: `python -m tests.faults.child FOLDER SEED BATCHES SEGMENT [PLANTED BUG]`.

SEGMENT batches are in a segment; behind every ninth a snapshot is written, whose state means nothing.

It opens the journal below FOLDER, goes on behind its last row, and writes what it promises into the
file `promises` beside the journal: that is one more file of the recorded disk, so that the record
has the writes and the promises in one order.
"""

from __future__ import annotations

import itertools
import os
import random
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import trio

from engine.errors import NotDurable
from engine.journal import (
    RULES_VERSION,
    Journal,
    JournalError,
    JournalWriter,
    Limits,
    NewBatch,
    Snapshot,
    SqliteJournal,
    events_hash,
    files,
    head,
    making,
    sqlite,
)
from engine.journal import folder as folder_
from engine.journal.contract import Last
from tests.at_once import AtOnce

SITE = "recorded"
JOURNAL = "data/journal"
PROMISES = "promises"
STOPPED = 3
"""The exit code of a writer whose journal has failed."""

SIZES = (0, 40, 55, 300, 900, 4_000, 30_000)
WEIGHTS = (1, 9, 9, 6, 3, 2, 1)


def made(seed: int, seq: int) -> NewBatch:
    """Return the batch that a writer of this seed appends as row `seq`."""
    rng = random.Random(seed * 1_000_003 + seq)
    frames = rng.randbytes(rng.choices(SIZES, WEIGHTS)[0])
    state_hash = rng.getrandbits(64) if seq % 7 == 0 else None
    return NewBatch(seq * 1_000, seq % 5, frames, events_hash(b"%d" % seq), state_hash)


class Promises:
    """What the writer says to others, each in a line: what it is, and a seq."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)

    def note(self, what: str, seq: int) -> None:
        """Say it."""
        os.write(self._file, b"%s %d\n" % (what.encode(), seq))


RESERVE_BYTES = 16_384
SNAPSHOT_EVERY = 9


def made_snapshot(seed: int, last: Last) -> Snapshot:
    """Return the snapshot that a writer of this seed writes behind row `last`."""
    rng = random.Random(seed * 1_000_003 + last.seq)
    state = rng.randbytes(rng.randint(10, 9_000))
    return Snapshot(
        SITE,
        RULES_VERSION,
        last.seq,
        last.at,
        last.chain,
        events_hash(b"%d" % (last.seq + 1)),
        rng.getrandbits(64),
        state,
    )


def plant(bug: str) -> None:
    """Make the journal worse than it is."""
    if bug == "synchronous=NORMAL":
        making.WRITER_PRAGMAS["synchronous"] = ("normal", 1)
    elif bug == "head not synced":
        head.os = SimpleNamespace(**{**vars(os), "fsync": lambda file: None})  # type: ignore[attr-defined]
    elif bug == "WAL not written anew":
        sqlite.write_anew = lambda path: None
    elif bug == "snapshot not synced":
        files.os = SimpleNamespace(**{**vars(os), "fsync": lambda file: None})  # type: ignore[attr-defined]
    elif bug == "new folders not synced":
        sqlite.make_names_certain = lambda folder, new: folder_.make_names_certain(folder, new=False)


def note_heads(promises: Promises) -> None:
    """Promise what the head file holds, as soon as it is said to be durable."""
    write = SqliteJournal._write_head

    def write_and_note(journal: SqliteJournal) -> None:
        write(journal)
        promises.note("head", journal._head_seq)

    SqliteJournal._write_head = write_and_note  # type: ignore[method-assign]


def turn_the_clock(seed: int) -> None:
    """Let each look at the clock be a tenth of a second later at most, and only after an append.

    So what is due, and with it the record, depends on the seed alone.
    """
    steps = random.Random(seed)
    times = itertools.accumulate(steps.uniform(0, 0.1) for _ in itertools.count())
    sqlite.time = SimpleNamespace(monotonic=lambda: next(times))  # type: ignore[attr-defined]
    maintain = SqliteJournal.maintain

    def maintain_and_wait(journal: SqliteJournal) -> None:
        maintain(journal)

    SqliteJournal.maintain = maintain_and_wait  # type: ignore[assignment, method-assign]


async def write(folder: Path, seed: int, batches: int, segment: int, bug: str) -> None:
    """Append so many batches, one after the other, and a snapshot now and then."""
    promises = Promises(folder / PROMISES)
    note_heads(promises)
    limits = Limits(segment_batches=segment, reserve_bytes=RESERVE_BYTES)
    writer = JournalWriter(lambda: SqliteJournal(folder / JOURNAL, SITE, limits, AtOnce()))
    try:
        await writer.start()
        last = await writer.read(lambda journal: journal.last())
        promises.note("found", last.seq)
        for seq in range(last.seq + 1, last.seq + 1 + batches):
            if bug == "acknowledged before the commit":
                promises.note("acknowledged", seq)
            await append_or_die(writer, promises, made(seed, seq), seq)
            if seq % SNAPSHOT_EVERY == 0:
                await writer.read(partial(write_snapshot, seed, promises))
    finally:
        await writer.close()


def write_snapshot(seed: int, promises: Promises, journal: Journal) -> None:
    """As the keeper does, which is another process."""
    last = journal.last()
    journal.snapshots.write(made_snapshot(seed, last))
    promises.note("snapshot", last.seq)


async def append_or_die(writer: JournalWriter, promises: Promises, batch: NewBatch, seq: int) -> None:
    """Append one; after a failure try twice again, as several askers would: none may be answered."""
    try:
        promises.note("acknowledged", await writer.append(batch))
    except NotDurable:
        for _ in range(2):
            try:
                promises.note("acknowledged", await writer.append(batch))
            except NotDurable:
                continue
        raise


def main() -> int:
    """Write, and say on standard error why it could not be done."""
    folder, seed, batches = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    segment = int(sys.argv[4])
    bug = sys.argv[5] if len(sys.argv) > 5 else ""
    plant(bug)
    turn_the_clock(seed)
    try:
        trio.run(write, folder, seed, batches, segment, bug)
    except (NotDurable, JournalError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return STOPPED
    return 0


if __name__ == "__main__":
    sys.exit(main())
