"""The embedded journal: segments of SQLite in WAL mode, one row per batch, synced at every commit."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import apsw
import msgspec

from engine.journal.contract import (
    FORMAT_VERSION,
    RULES_VERSION,
    WRITABLE_FORMATS,
    BatchRow,
    JournalCorrupt,
    JournalCut,
    JournalError,
    Last,
    next_chain,
    unwritable,
    ways_on,
)
from engine.journal.folder import hold, make_names_certain
from engine.journal.head import Head, HeadFile, read_head
from engine.journal.making import (
    ACCEPT,
    WAL,
    check_log,
    connect,
    make_first,
    prepare,
    remove_unpromised,
    retire,
    retire_left_over,
)
from engine.journal.reader import HEAD, JournalReader, check_version
from engine.journal.reserve import give_back, keep_reserve, says_full
from engine.journal.segment import (
    INSERT,
    INSERT_META,
    Header,
    Segment,
    header_values,
    made_header,
    numbers_in,
    path_of,
    row_values,
)
from engine.journal.snapshots import SnapshotFolder
from engine.journal.wal import write_anew

CHECKPOINT_EVERY_S = 0.5
HEAD_EVERY_S = 0.5
"""Half of the second that may be lost unnoticed, because a commit may come between two looks."""

PREPARE_AT = 0.9
"""How full a segment is when the next one's file is made."""
ROW_BYTES = 200
"""What a row takes beside its frames: hashes, numbers, and its part of a page."""


class Limits(msgspec.Struct, frozen=True):
    """When a segment is followed by the next, in which format, and how much room is kept in reserve.

    The bound: a segment is replayed when it is sealed, so its size is what that costs at once; 512 MiB
    and two million batches are some seconds.
    """

    segment_bytes: int = 512 * 1024 * 1024
    segment_batches: int = 2_000_000
    reserve_bytes: int = 8 * 1024 * 1024
    format: int = FORMAT_VERSION


class SqliteJournal:
    """The writer's journal; one per folder, which a lock file guards.

    Args:
        folder: the journal's folder; made when missing.
        site: the site's name, bound into the chain.
        limits: of its segments.
        beside: where the next segment's file is made and the last one's is closed; a thread.
    """

    def __init__(
        self, folder: Path, site: str, limits: Limits | None = None, beside: Executor | None = None
    ) -> None:
        check_version()
        self._limits = limits or Limits()
        if self._limits.format not in WRITABLE_FORMATS:
            raise JournalError(f"journal.format: {unwritable(self._limits.format)}")
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._held = ExitStack()  # the lock first, so that it is given up last
        self._held.callback(os.close, hold(folder))
        self._beside = beside or ThreadPoolExecutor(1, "journal-segments")
        self._next: Future[apsw.Connection] | None = None
        self._retiring: Future[None] | None = None
        self._failed = False
        self._closed = False
        try:
            self._open(site)
        except (apsw.Error, OSError) as error:
            self._held.close()
            raise JournalError(f"{folder}: cannot be opened: {error}") from error
        except BaseException:
            self._held.close()
            raise

    def _open(self, site: str) -> None:
        folder = self._folder
        head = read_head(folder / HEAD)
        numbers = numbers_in(folder)
        for number in numbers:
            write_anew(path_of(folder, number, WAL))
        if numbers in ([], [1]):
            make_first(folder, head, site, self._limits.format)
        self._reader = JournalReader(folder)
        self._held.callback(self._reader.close)
        header = self._reader.segments()[-1]
        if header.site != site:
            raise JournalError(f"site.name: this journal belongs to {header.site!r}, not to {site!r}")
        self._segment = Segment(connect(folder, header.number), header)
        self._held.callback(self._segment.close)
        self._last = self._segment.last()
        self._check_previous(header)
        self._check_head(head)
        check_log(folder, header.number, self._last, self._segment.db)
        remove_unpromised(folder, header.number)
        keep_reserve(folder, self._limits.reserve_bytes)
        self._head_file = HeadFile(folder / HEAD)
        self._held.callback(self._head_file.close)
        self._head_seq = -1
        make_names_certain(folder, new=not self._last.seq)
        self._epoch = self._segment.epoch() + 1
        self._checkpointed_seq = 0
        self._checkpoint_at = self._head_at = 0.0
        self._bytes = path_of(folder, header.number).stat().st_size
        self._write_head()
        retire_left_over(folder, header.number)

    # ----- what a start holds against each other -----------------------------------------------

    def _check_previous(self, header: Header) -> None:
        if self._last.seq < header.first_seq and header.number > 1:
            raise JournalCut(header.first_seq, f"it and what followed are gone. {ACCEPT}")
        if path_of(self._folder, header.number - 1).exists():
            self._reader.check_border(header.number)

    def _check_head(self, head: Head | None) -> None:
        last = self._last
        if head is None:
            if last.seq:
                raise JournalError(
                    f"the head file is missing or blank, the journal has {last.seq} rows. "
                    "If it was removed on purpose, run `paidui journal repair --rebuild-head`."
                )
            return
        if head.seq > last.seq:
            raise JournalCut(
                last.seq + 1, f"rows {last.seq + 1}..{head.seq} were durable and are gone. {ACCEPT}"
            )
        if head.seq and self._reader.chain_at(head.seq) != head.chain:
            raise JournalCorrupt(head.seq, f"differs from what the head file remembers. {ways_on(head.seq)}")

    # ----- appending ----------------------------------------------------------------------------

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
        try:
            if self._is_followed():
                self._roll(row)
            else:
                self._insert(row)
        except BaseException as error:
            self._fail(error)
            raise JournalError(f"batch {row.seq} could not be made durable: {error}") from error
        self._bytes += len(frames) + ROW_BYTES
        return row.seq

    def _insert(self, row: BatchRow) -> None:
        chain = next_chain(self._last.chain, row)
        self._segment.db.execute(INSERT, row_values(row, chain))
        self._last = Last(row.seq, row.at, chain)

    def _is_followed(self) -> bool:
        """Whether the next row goes into a new segment."""
        header = self._segment.header
        if (header.rules, header.format) != (RULES_VERSION, self._limits.format):
            return self._last.seq > 0
        return self._full() >= 1 and self._next is not None and self._next.done()

    def _full(self) -> float:
        """How full the segment is; from 1 on another one follows as soon as its file is made."""
        batches = self._last.seq - self._segment.header.first_seq + 1
        return max(self._bytes / self._limits.segment_bytes, batches / self._limits.segment_batches)

    def _roll(self, row: BatchRow) -> None:
        """Begin the next segment with this row: one commit, and the head, which then proves the segment."""
        before = self._segment
        number = before.header.number + 1
        db = prepare(self._folder, number) if self._next is None else self._next.result()
        self._next = None
        self._held.callback(db.close)
        header = made_header(number, self._limits.format, RULES_VERSION, before.header.site, self._last)
        chain = next_chain(header.chain, row)
        with db:
            db.execute(INSERT_META, header_values(header))
            db.execute(INSERT, row_values(row, chain))
        self._segment, self._last = Segment(db, header), Last(row.seq, row.at, chain)
        self._bytes = 0
        self._retiring = self._beside.submit(retire, before.db)
        self._write_head()

    def _fail(self, error: BaseException) -> None:
        """Never to write again; only where there was no room, the head once more, with what is durable."""
        self._failed = True
        if not says_full(error):
            return
        with suppress(OSError, JournalError):
            give_back(self._folder)
            self._write_head()

    # ----- reading, looking after, closing --------------------------------------------------------

    @property
    def oldest(self) -> int:
        """It can be read behind this seq: 0 as long as nothing was let go of."""
        return self._reader.oldest

    @property
    def snapshots(self) -> SnapshotFolder:
        """From where a start goes on."""
        return SnapshotFolder(self._folder)

    def read(self, after_seq: int | None = None) -> Iterator[BatchRow]:
        """Yield the rows behind `after_seq`, each checked against the chain."""
        return self._reader.read(after_seq)

    def chain_at(self, seq: int) -> bytes:
        """Return the chain behind row `seq`."""
        return self._reader.chain_at(seq)

    def rules_at(self, seq: int) -> int:
        """Return for which rules row `seq` was decided, or will be."""
        return RULES_VERSION if seq > self._last.seq else self._reader.rules_at(seq)

    def last(self) -> Last:
        """Return where the journal ends."""
        return self._last

    def maintain(self) -> float | None:
        """Checkpoint, write the head, and have the next segment's file made, when they are due.

        Returns:
            Seconds until something is due; None when nothing is.
        """
        try:
            return self._maintain(time.monotonic())
        except BaseException as error:
            self._fail(error)
            raise JournalError(f"the journal could not be kept: {error}") from error

    def _maintain(self, now: float) -> float | None:
        waits = []
        if self._checkpointed_seq != self._last.seq:
            if now >= self._checkpoint_at:
                self._segment.db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
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
        self._look_after_segments()
        return min(waits) if waits else None

    def _look_after_segments(self) -> None:
        if self._retiring is not None and self._retiring.done():
            retired, self._retiring = self._retiring, None
            retired.result()
        if self._next is None and self._retiring is None and self._full() >= PREPARE_AT:
            self._next = self._beside.submit(prepare, self._folder, self._segment.header.number + 1)
        if self._next is not None and self._next.done():
            self._next.result()

    def close(self) -> None:
        """Write the head, checkpoint and release the folder; after a failure only release it."""
        if self._closed:
            return
        self._closed = True
        with self._held:
            self._beside.shutdown(cancel_futures=self._failed)
            if self._next is not None and not self._next.cancelled() and self._next.exception() is None:
                self._next.result().close()
            if not self._failed:
                self._reader.close()  # else it would keep the log from being taken in
                if self._retiring is not None:
                    self._retiring.result()
                self._write_head()
                self._segment.db.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)

    def _write_head(self) -> None:
        if self._head_seq != self._last.seq:
            self._head_file.write(Head(self._last.seq, self._last.chain))
            self._head_seq = self._last.seq
