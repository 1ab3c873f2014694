"""Replay: from a snapshot or the first row to the router's state, every hash on the way checked."""

from __future__ import annotations

from collections import deque
from typing import Protocol

import msgspec
import structlog

from engine.errors import Malformed
from engine.journal import (
    NO_EVENTS_HASH,
    RULES_VERSION,
    BatchRow,
    Diverged,
    Journal,
    JournalCut,
    JournalError,
    Last,
    Reader,
    Snapshot,
    events_hash,
)
from engine.router import Batch, Router

TAIL_BYTES = 4 * 1024 * 1024
"""How many of the newest events a snapshot carries for who comes back behind an older batch."""

_log = structlog.get_logger(__name__)


class Remembers(Protocol):
    """Who is told of the batches that a start goes through; the bus's ring."""

    def remember(self, seq: int, at: int, events: bytes) -> None:
        """A batch and its events."""

    def begin_behind(self, seq: int) -> None:
        """Nothing before is told of: the first batch will be `seq + 1` or later."""


class Replayed(msgspec.Struct, frozen=True):
    """Where a replay ended: the state behind batch `seq`, and the hash of its events.

    Attributes:
        began_behind: the seq of the snapshot that it began with; 0 = the journal's first row.
    """

    router: Router
    seq: int
    at_us: int
    events_hash: bytes
    began_behind: int = 0


class Replay:
    """A router that follows the journal's rows, one by one."""

    def __init__(self) -> None:
        self.router = Router()
        self.seq = 0
        self.at_us = 0
        self.events_hash = NO_EVENTS_HASH
        self.chain = b""
        self._tail: deque[tuple[int, int, bytes]] = deque()
        self._tail_bytes = 0
        self._tail_behind = 0

    @classmethod
    def behind(cls, snapshot: Snapshot) -> Replay:
        """A replay that goes on from a snapshot.

        Raises:
            JournalError: the state is not the one that was written.
        """
        state = cls()
        try:
            state.router = Router.restore(snapshot.state)
        except Malformed as error:
            raise JournalError(f"the snapshot of batch {snapshot.seq}: {error}") from error
        if state.router.state_hash() != snapshot.state_hash:
            raise JournalError(f"the snapshot of batch {snapshot.seq}: its state hash does not fit")
        state.seq, state.at_us, state.chain = snapshot.seq, snapshot.at, snapshot.chain
        state.events_hash = snapshot.events_hash
        state._tail_behind = snapshot.tail_behind
        for seq, at, events in snapshot.tail:
            state.remember(seq, at, events)
        return state

    def apply(self, row: BatchRow) -> Batch:
        """Apply the next row and return what it brought about.

        Raises:
            Diverged: the batch before gave other events, or another state, than were recorded.
        """
        if row.events_hash_previous != self.events_hash:
            raise Diverged(self.seq, "events")
        recorded = row.state_hash_previous
        if recorded is not None and recorded != self.router.state_hash():
            raise Diverged(self.seq, "state")
        batch = self.router.apply_batch(row.seq, row.at, [(0, 0, row.frames)])
        self.seq, self.at_us, self.chain = row.seq, row.at, row.chain
        self.events_hash = events_hash(batch.events)
        return batch

    def remember(self, seq: int, at: int, events: bytes) -> None:
        """Keep a batch's events for the tail of a snapshot."""
        if not events:
            return
        self._tail.append((seq, at, events))
        self._tail_bytes += len(events)
        while self._tail_bytes > TAIL_BYTES:
            self._tail_behind, _, gone = self._tail.popleft()
            self._tail_bytes -= len(gone)

    def tail(self) -> tuple[tuple[int, int, bytes], ...]:
        """The newest events before the next row, `(seq, at, events)`."""
        return tuple(self._tail)

    def tail_behind(self) -> int:
        """Behind which batch the tail is complete."""
        return self._tail_behind

    def snapshot(self, site: str) -> Snapshot:
        """Return the state behind the last row."""
        return Snapshot(
            site=site,
            rules=RULES_VERSION,
            seq=self.seq,
            at=self.at_us,
            chain=self.chain,
            events_hash=self.events_hash,
            state_hash=self.router.state_hash(),
            state=self.router.snapshot(),
            tail=self.tail(),
            tail_behind=self._tail_behind,
        )


def checked(snapshot: Snapshot, journal: Reader | Journal, last: Last) -> Replay:
    """Return a replay that goes on from a snapshot, if it is one of this journal.

    Raises:
        JournalCut: it knows rows that the journal has no more.
        JournalError: it belongs to another history, or its state is not the one that was written.
    """
    if snapshot.seq > last.seq:
        raise JournalCut(
            last.seq + 1,
            f"rows {last.seq + 1}..{snapshot.seq} were durable and are gone: a snapshot knows of them. "
            "Restore the folder from a copy, or accept the loss with `paidui journal repair --rebuild-head`.",
        )
    if journal.chain_at(snapshot.seq) != snapshot.chain:
        raise JournalError(f"the snapshot of batch {snapshot.seq} belongs to another journal")
    return Replay.behind(snapshot)


def newest_state(journal: Reader | Journal) -> Replay:
    """Return a replay at the newest good snapshot, or at the first row when there is none.

    What is wrong with a newer one is said in the log.

    Raises:
        JournalCut: a snapshot knows rows that the journal has no more.
        JournalError: none is good, and the first rows have been let go of.
    """
    last = journal.last()
    failed: JournalError | None = None
    for found in journal.snapshots.newest_first():
        try:
            if isinstance(found, JournalError):
                raise found
            state = checked(found, journal, last)
        except JournalCut:
            raise
        except JournalError as error:
            failed = error
            _log.warning("a snapshot cannot be used, an older one is taken", why=str(error))
            continue
        if failed is not None:
            _log.warning("recovery goes on from an older snapshot", seq=state.seq, why=str(failed))
        return state
    if journal.oldest:
        raise JournalError(
            f"no snapshot is good, and the rows up to {journal.oldest} have been let go of: restore the "
            "folder from a copy"
        ) from failed
    if failed is not None:
        _log.warning("recovery replays from the first row, no snapshot is good", why=str(failed))
    return Replay()


def replay(journal: Journal, remembers: Remembers) -> Replayed:
    """Bring the state back: the newest good snapshot, and the rows behind it.

    Args:
        journal: where the rows and the snapshots are.
        remembers: is told each batch's seq, stamp and events.

    Raises:
        JournalCorrupt: a row is not what was written.
        Diverged: this build decides otherwise than the one that wrote the journal.
        JournalError: rows behind the newest snapshot were decided under other rules.
    """
    state = newest_state(journal)
    began = state.seq
    check_rules(journal, began)
    if began:
        remembers.begin_behind(state.tail_behind())
        for seq, at, events in state.tail():
            remembers.remember(seq, at, events)
        remembers.remember(began, state.at_us, b"")
    for row in journal.read(began):
        batch = state.apply(row)
        remembers.remember(batch.seq, batch.at, batch.events)
    return Replayed(state.router, state.seq, state.at_us, state.events_hash, began)


def check_rules(journal: Journal | Reader, behind: int) -> None:
    """Refuse rows that were decided under other rules: they never run under these.

    Raises:
        JournalError: saying what the release that wrote them has to do first.
    """
    if behind >= journal.last().seq:
        return
    if (rules := journal.rules_at(behind + 1)) != RULES_VERSION:
        raise JournalError(
            f"batches from {behind + 1} on were decided under rules {rules}, this release has rules "
            f"{RULES_VERSION}: stop the site and run `paidui journal seal` with the release that wrote them, "
            "then start this one"
        )
