"""A follower: the journal's batches, applied to its own copy of the router, give the same events.

It works in any process, beside the running service or without it, and never advances beyond the
last batch's stamp: time passes only inside a committed batch.

Batches that were decided under other rules than this release's are never run: their events come from
the file that was written when their segment was sealed, and of their commands only `configure` is
applied, so that names and agents are known.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from engine.errors import Malformed
from engine.journal import (
    RULES_VERSION,
    BatchRow,
    Diverged,
    JournalError,
    JournalReader,
    JournalTooOld,
    events_hash,
)
from engine.journal.events import EventFile, Happened, events_path
from engine.journal.segment import Header
from engine.journal.snapshots import opening_path, read_snapshot
from engine.model import Configure, Configured, decode_body, split_frames
from engine.replay import Replay, checked, newest_state
from engine.router import Batch, Router, decode_events


class FollowedBatch(msgspec.Struct, frozen=True):
    """A batch and what it brought about.

    Attributes:
        at: its stamp, Unix microseconds.
        count: how many commands it held.
        events: all events as frames, in order; an event's place is its index.
    """

    seq: int
    at: int
    count: int
    events_count: int
    events: bytes


class Following:
    """From rows to events, whatever rules they were decided under.

    Args:
        folder: the journal's folder.
        reader: of that journal.
        newest: begin at the newest snapshot instead of the oldest row that is kept.
    """

    def __init__(self, folder: Path, reader: JournalReader, *, newest: bool = False) -> None:
        self._folder = folder
        self._reader = reader
        self._until = 0  # the last row that is known to be of the segment that we are in
        self._past: Iterator[Happened] | None = None
        self._replay = newest_state(reader) if newest else self._oldest()
        self.seq = self._replay.seq
        self.at_us = self._replay.at_us
        self._until = self.seq

    @property
    def router(self) -> Router:
        """The router behind the last row; for reading only. Of older rules it has the configuration alone."""
        return self._replay.router

    @property
    def events_hash(self) -> bytes:
        """The hash of the last row's events."""
        return self._replay.events_hash

    @property
    def tail(self) -> tuple[int, tuple[tuple[int, int, bytes], ...]]:
        """Behind which batch, and the events `(seq, at, events)` up to the snapshot that it began with."""
        return self._replay.tail_behind(), self._replay.tail()

    def decides(self, row: BatchRow) -> bool:
        """Whether the router will decide the next row itself: it is of this release's rules."""
        if row.seq > self._until:
            self._enter(row.seq)
        return self._past is None

    def decide(self, row: BatchRow) -> Batch:
        """Take the next row, which is of this release's rules, and return what the router made of it.

        Raises:
            Diverged: the batch before gave other events, or another state, than were recorded.
            JournalError: it is of other rules.
        """
        if not self.decides(row):
            raise JournalError(f"batch {row.seq} was decided under other rules: its state is not at hand")
        batch = self._replay.apply(row)
        self.seq, self.at_us = row.seq, row.at
        return batch

    def apply(self, row: BatchRow) -> FollowedBatch:
        """Take the next row and return what it brought about.

        Raises:
            Diverged: the batch before gave other events, or another state, than were recorded.
            JournalError: it was decided under rules of which nobody has written down the events.
        """
        if self.decides(row):
            batch = self.decide(row)
            return FollowedBatch(batch.seq, batch.at, row.count, batch.events_count, batch.events)
        made = self._look_up(row)
        self.seq, self.at_us = row.seq, row.at
        return made

    def _oldest(self) -> Replay:
        first = self._reader.segments()[0]
        if first.first_seq == 1:
            return Replay()
        snapshot = read_snapshot(opening_path(self._folder, first.number))
        return checked(snapshot, self._reader, self._reader.last())

    def _enter(self, seq: int) -> None:
        """See which rules hold for row `seq`, and for the rows behind it."""
        segments = self._reader.segments()
        if seq < segments[0].first_seq:
            raise JournalTooOld(seq - 1, segments[0].first_seq - 1)
        at = max(index for index, header in enumerate(segments) if header.first_seq <= seq)
        header = segments[at]
        later = segments[at + 1] if at + 1 < len(segments) else None
        self._until = later.first_seq - 1 if later else self._reader.last().seq
        if header.rules > RULES_VERSION:
            raise JournalError(
                f"batch {seq} was decided under rules {header.rules}, this release has rules "
                f"{RULES_VERSION}: use the release that wrote it"
            )
        if header.rules == RULES_VERSION:
            if self._past is not None:
                self._go_over_to(header)
        elif self._past is None or seq == header.first_seq:
            self._past = self._events_of(header).happened(seq - 1)

    def _go_over_to(self, header: Header) -> None:
        """From older rules to these: the state comes from the snapshot that the segment begins with."""
        before = self._replay.events_hash
        snapshot = read_snapshot(opening_path(self._folder, header.number))
        self._replay = checked(snapshot, self._reader, self._reader.last())
        self._past = None
        if self._replay.events_hash != before:
            raise Diverged(self.seq, "events")

    def _events_of(self, header: Header) -> EventFile:
        path = events_path(self._folder, header.number)
        if not path.exists():
            raise JournalError(
                f"segment {header.number:06} was decided under rules {header.rules} and has no event file: "
                "run `paidui journal seal` with the release that wrote it"
            )
        return EventFile(path)

    def _look_up(self, row: BatchRow) -> FollowedBatch:
        assert self._past is not None
        if row.events_hash_previous != self._replay.events_hash:
            raise Diverged(self.seq, "events")
        one = next(self._past, None)
        if one is None or (one.seq, one.at, one.count) != (row.seq, row.at, row.count):
            raise Diverged(row.seq, "events")
        made = FollowedBatch(row.seq, row.at, row.count, one.events_count, one.events)
        self._replay.events_hash = events_hash(one.events)
        if any(isinstance(event, Configured) for event in decode_events(one.events)):
            self._configure(row)
        return made

    def _configure(self, row: BatchRow) -> None:
        for body in split_frames(row.frames):
            try:
                command = decode_body(body)
            except Malformed:
                continue  # of an older wire; it is no configuration, or one that nobody reads any more
            if isinstance(command, Configure):
                self._replay.router.apply_raw(row.at, body)


class Follower:
    """Reads a journal from the oldest row that is kept, or from a snapshot, and keeps up with it.

    Args:
        folder: the journal's folder, `data/journal`.
        newest: begin at the newest snapshot: for who needs the state and not what led to it.
    """

    def __init__(self, folder: Path, *, newest: bool = False) -> None:
        self._reader = JournalReader(folder)
        try:
            self._following = Following(folder, self._reader, newest=newest)
        except BaseException:
            self._reader.close()
            raise
        self.began_behind = self._following.seq

    @property
    def seq(self) -> int:
        """The last batch that was applied."""
        return self._following.seq

    @property
    def router(self) -> Router:
        """The router behind that batch; for reading only."""
        return self._following.router

    def newest_seq(self) -> int:
        """Return the last batch that is in the journal now."""
        return self._reader.last().seq

    def poll(self) -> Iterator[FollowedBatch]:
        """Yield the batches that have been committed since, then end; it never waits.

        Raises:
            JournalTooOld: they have been let go of: begin anew, with what is kept.
            JournalCorrupt: a row is not what was written.
            Diverged: this build decides otherwise than the one that wrote the journal.
        """
        for row in self._reader.read(self._following.seq):
            yield self._following.apply(row)

    @property
    def at_us(self) -> int:
        """That batch's stamp, Unix microseconds."""
        return self._following.at_us

    @property
    def tail(self) -> tuple[int, tuple[tuple[int, int, bytes], ...]]:
        """Behind which batch, and the events `(seq, at, events)` up to the snapshot that it began with."""
        return self._following.tail

    def poll_state(self) -> Iterator[Batch]:
        """Like `poll`, for who began at the newest state: each batch as the router has just carried it out.

        Raises:
            JournalTooOld: see `poll`; JournalCorrupt and Diverged likewise.
        """
        for row in self._reader.read(self._following.seq):
            yield self._following.decide(row)

    def close(self) -> None:
        """Close the journal."""
        self._reader.close()
