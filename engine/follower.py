"""A follower: the journal's batches, applied to its own copy of the router, give the same events.

It works in any process, beside the running service or without it, and never advances beyond the
last batch's stamp: time passes only inside a committed batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from engine.journal import JournalReader
from engine.replay import Replay
from engine.router import Router


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


class Follower:
    """Reads a journal from its beginning and keeps up with it.

    Args:
        folder: the journal's folder, `data/journal`.
    """

    def __init__(self, folder: Path) -> None:
        self._reader = JournalReader(folder)
        self._replay = Replay()

    @property
    def seq(self) -> int:
        """The last batch that was applied."""
        return self._replay.seq

    @property
    def router(self) -> Router:
        """The router behind that batch; for reading only."""
        return self._replay.router

    def newest_seq(self) -> int:
        """Return the last batch that is in the journal now."""
        return self._reader.last().seq

    def poll(self) -> Iterator[FollowedBatch]:
        """Yield the batches that have been committed since, then end; it never waits.

        Raises:
            JournalCorrupt: a row is not what was written.
            Diverged: this build decides otherwise than the one that wrote the journal.
        """
        for row in self._reader.read(self._replay.seq):
            batch = self._replay.apply(row)
            yield FollowedBatch(batch.seq, batch.at, row.count, batch.events_count, batch.events)

    def close(self) -> None:
        """Close the journal."""
        self._reader.close()
