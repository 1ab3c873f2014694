"""Replay: from the journal's rows back to the router's state, with every hash on the way checked."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from engine.journal import NO_EVENTS_HASH, BatchRow, Diverged, Journal, events_hash
from engine.router import Batch, Router


class Replayed(msgspec.Struct, frozen=True):
    """Where a replay ended: the state behind batch `seq`, and the hash of its events."""

    router: Router
    seq: int
    at_us: int
    events_hash: bytes


class Replay:
    """A router that follows the journal's rows, one by one."""

    def __init__(self) -> None:
        self.router = Router()
        self.seq = 0
        self.at_us = 0
        self.events_hash = NO_EVENTS_HASH

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
        self.seq, self.at_us = row.seq, row.at
        self.events_hash = events_hash(batch.events)
        return batch


def replay(journal: Journal, remember: Callable[[int, int, bytes], None]) -> Replayed:
    """Replay the whole journal.

    Args:
        journal: where the rows are.
        remember: is told each batch's seq, stamp and events.

    Raises:
        JournalCorrupt: a row is not what was written.
        Diverged: this build decides otherwise than the one that wrote the journal.
    """
    state = Replay()
    for row in journal.read():
        batch = state.apply(row)
        remember(batch.seq, batch.at, batch.events)
    return Replayed(state.router, state.seq, state.at_us, state.events_hash)
