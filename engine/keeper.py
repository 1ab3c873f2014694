"""The keeper: a follower in a process of its own that bounds recovery and the journal's size.

It writes a snapshot whenever enough commands stand behind the last, seals segments that are followed by
another one, and lets go of those that are old. Between two snapshots it holds no router: each begins with
the one before, so a hundred thousand waiting contacts cost their memory only while one is written.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import structlog

from engine.journal import RULES_VERSION, JournalError, JournalReader
from engine.journal.events import SUFFIX as EVENTS
from engine.journal.events import (
    EventFile,
    EventsEnd,
    Happened,
    events_path,
    made_head,
    write_events,
)
from engine.journal.folder import KEEPER_LOCK, hold
from engine.journal.marks import slowest
from engine.journal.segment import SUFFIX, WAL_SUFFIX, Header, path_of
from engine.journal.snapshots import SUFFIX as OPENING
from engine.journal.snapshots import opening_path, read_snapshot
from engine.replay import Replay, check_rules, checked, newest_state

DAY_US = 86_400_000_000
REST_FACTOR = 10
"""A snapshot that took a second is followed by none for ten: with a very large state the keeper takes a
tenth of one processor, and recovery is as long as the state is large."""

ROWS_BETWEEN_LOOKS = 4_096
"""How many rows are read between two looks whether to stop: some milliseconds."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is kept, and how often a snapshot is written.

    Attributes:
        snapshot_every: commands; a batch without any counts as one.
        days: how long sealed segments stay.
        max_bytes: what they may take together; beyond it the oldest go, whoever still needs them.
    """

    snapshot_every: int
    days: int
    max_bytes: int


class Keeper:
    """Looks after one journal's folder; one per folder, beside the writer.

    Args:
        folder: the journal's folder.
        plan: what is kept.
        now_us: Unix microseconds, for tests.

    Attributes:
        rest_until: when the next snapshot may be written, by the monotonic clock, seconds.
    """

    def __init__(self, folder: Path, plan: Plan, now_us: Callable[[], int] | None = None) -> None:
        self._folder = folder
        self._plan = plan
        self._now_us = now_us or _system_now_us
        self._lock = hold(folder, KEEPER_LOCK)
        try:
            self._reader = JournalReader(folder)
        except BaseException:
            os.close(self._lock)
            raise
        self._counted_seq = -1
        self._commands = 0
        self.rest_until = 0.0
        self._unsealable: set[int] = set()
        self._remove_left_over()

    def step(self, stopped: Callable[[], bool] = lambda: False) -> bool:
        """Do what is due: write a snapshot, seal, let go.

        Args:
            stopped: asked now and then; what is not finished is begun again the next time.

        Returns:
            Whether anything was done.
        """
        done = False
        if self._commands_since() >= self._plan.snapshot_every and self._is_rested():
            done = self.write_snapshot(stopped)
        done = self.seal(stopped) or done
        return self.let_go() or done

    # ----- snapshots ------------------------------------------------------------------------------

    def write_snapshot(self, stopped: Callable[[], bool] = lambda: False) -> bool:
        """Write a snapshot of the newest row; False where there is none yet, or one is there."""
        started = time.monotonic()
        state = newest_state(self._reader)
        began = state.seq
        check_rules(self._reader, began)
        for row in self._reader.read(began):
            batch = state.apply(row)
            state.remember(batch.seq, batch.at, batch.events)
            if row.seq % ROWS_BETWEEN_LOOKS == 0 and stopped():
                break  # it is written as far as it goes: the next one has less to do
        if state.seq == began:
            return False
        self._reader.snapshots.write(state.snapshot(self._reader.site))
        took_s = time.monotonic() - started
        self.rest_until = time.monotonic() + REST_FACTOR * took_s
        self._counted_seq, self._commands = state.seq, 0
        _log.info("snapshot written", seq=state.seq, rows=state.seq - began, took_ms=round(took_s * 1_000))
        return True

    def _commands_since(self) -> int:
        """How many commands stand behind the newest snapshot; only new rows are looked at."""
        newest = max(self._reader.snapshots.newest_seq(), 0)
        last = self._reader.last().seq
        if newest > self._counted_seq:
            self._counted_seq, self._commands = newest, 0
        if last > self._counted_seq:
            self._commands += self._reader.commands_behind(self._counted_seq)
            self._counted_seq = last
        return self._commands

    def _is_rested(self) -> bool:
        return time.monotonic() >= self.rest_until

    # ----- sealing --------------------------------------------------------------------------------

    def seal(self, stopped: Callable[[], bool] = lambda: False, *, newest: bool = False) -> bool:
        """Write the event files of segments that are finished, and the snapshots that the next begin with.

        Args:
            stopped: asked now and then; the file that is being written is begun again the next time.
            newest: the newest segment, too, because another release will go on.

        Returns:
            Whether one was sealed.
        """
        done = False
        segments = self._reader.segments()
        ends = [following.first_seq - 1 for following in segments[1:]]
        if newest:
            ends.append(self._reader.last().seq)
        for header, end in zip(segments, ends, strict=False):
            if not stopped() and header.number not in self._unsealable and not self._is_sealed(header, end):
                done = self._seal(header, end, stopped) or done
        return done

    def _is_sealed(self, header: Header, end: int) -> bool:
        path = events_path(self._folder, header.number)
        if not path.exists() or not opening_path(self._folder, header.number + 1).exists():
            return False
        try:
            return EventFile(path).end().last_seq == end
        except JournalError:
            return header.rules != RULES_VERSION  # nobody but that release can write it again

    def _seal(self, header: Header, end: int, stopped: Callable[[], bool]) -> bool:
        if header.rules != RULES_VERSION:
            self._unsealable.add(header.number)
            _log.error(
                "a segment of other rules has no event file", segment=header.number, rules=header.rules
            )
            return False
        state = self._beginning(header)
        head = made_head(header.format, header.site, header.rules, header.number, header.first_seq)
        try:
            write_events(events_path(self._folder, header.number), head, self._happened(state, end, stopped))
        except _Stopped:
            return False
        self._reader.snapshots.write_opening(state.snapshot(header.site), header.number + 1)
        _log.info("segment sealed", segment=header.number, first_seq=header.first_seq, last_seq=end)
        return True

    def _beginning(self, header: Header) -> Replay:
        """The state with which a segment begins, from its own snapshot; the first has none."""
        if header.first_seq == 1:
            return Replay()
        path = opening_path(self._folder, header.number)
        return checked(read_snapshot(path), self._reader, self._reader.last())

    def _happened(
        self, state: Replay, end: int, stopped: Callable[[], bool]
    ) -> Iterator[Happened | EventsEnd]:
        for row in self._reader.read(state.seq):
            batch = state.apply(row)
            state.remember(batch.seq, batch.at, batch.events)
            yield Happened(batch.seq, batch.at, row.count, batch.events_count, batch.events)
            if row.seq % ROWS_BETWEEN_LOOKS == 0 and stopped():
                raise _Stopped
            if row.seq == end:
                break
        yield EventsEnd(state.seq, state.chain, state.events_hash)

    # ----- letting go -----------------------------------------------------------------------------

    def let_go(self) -> bool:
        """Remove the oldest segments whose time is over, or that are too much; never what a start needs."""
        segments = self._reader.segments()
        sizes = [self._bytes_of(header.number) for header in segments]
        hold_behind = slowest(self._folder)
        gone = 0
        for index, (header, following) in enumerate(pairwise(segments)):
            end = following.first_seq - 1
            too_much = sum(sizes[index:-1]) > self._plan.max_bytes
            over = self._is_over(header, end) and (hold_behind is None or hold_behind >= end)
            if not (too_much or over) or not self._is_passed(header, following, end):
                break
            self._remove(header.number)
            gone = end
        if gone:
            _log.info("old segments have been let go of", up_to_seq=gone)
        return gone > 0

    def _is_over(self, header: Header, end: int) -> bool:
        last = next(iter(self._reader.read(end - 1)))
        return last.at < self._now_us() - self._plan.days * DAY_US

    def _is_passed(self, header: Header, following: Header, end: int) -> bool:
        """Whether a start and a reader can begin behind it: the next segment's own snapshot is good."""
        if not self._is_sealed(header, end):
            return False
        try:
            snapshot = read_snapshot(opening_path(self._folder, following.number))
            return snapshot.seq == end and snapshot.chain == following.previous_chain
        except JournalError as error:
            _log.error("a segment is kept, the next one's snapshot is not good", why=str(error))
            return False

    def _bytes_of(self, number: int) -> int:
        paths = (path_of(self._folder, number), events_path(self._folder, number))
        return sum(path.stat().st_size for path in paths if path.exists())

    def _remove(self, number: int) -> None:
        """The segment itself goes first: what is left of it then is removed at the next start."""
        for suffix in (SUFFIX, SUFFIX + WAL_SUFFIX, SUFFIX + "-shm", EVENTS, OPENING):
            path_of(self._folder, number, suffix).unlink(missing_ok=True)

    def _remove_left_over(self) -> None:
        self._reader.snapshots.remove_unfinished()
        number = self._reader.segments()[0].number - 1
        while any(path_of(self._folder, number, suffix).exists() for suffix in (EVENTS, OPENING)):
            self._remove(number)
            number -= 1

    def close(self) -> None:
        """Close the journal and give the folder up."""
        self._reader.close()
        os.close(self._lock)


class _Stopped(Exception):
    """Whoever runs the keeper wants it to end."""


def _system_now_us() -> int:
    return time.time_ns() // 1_000
