"""The journal's contract: one row per batch, a hash chain over the rows, and what can go wrong.

A batch is what was committed together: its commands' frames, concatenated as they arrived, and the
one time that all of them carry. Row k+1 carries the hash of the events that batch k made, and every
`STATE_HASH_EVERY` rows the router's state hash, so a replay that diverges is caught at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import Protocol

import msgspec

from engine.errors import PaiduiError

FORMAT_VERSION = 1
"""How rows are laid out and chained; a release reads this one and the one before it."""

RULES_VERSION = 3
"""Which decisions the commands were made for; old commands never run under new rules."""

HASH_BYTES = 32
STATE_HASH_EVERY = 1_000
"""A row whose seq is a multiple of this carries the state hash before its batch."""


class JournalError(PaiduiError):
    """The journal cannot be used; the process must not go on acknowledging."""


class JournalCorrupt(JournalError):
    """A row is not what was written.

    Attributes:
        seq: the first row that is wrong.
    """

    def __init__(self, seq: int, text: str) -> None:
        super().__init__(f"journal row {seq}: {text}")
        self.seq = seq


class JournalCut(JournalCorrupt):
    """Rows that were durable are gone: the journal's tail has been cut off."""


class Diverged(JournalError):
    """A replay made other events or another state than the journal says.

    Attributes:
        seq: the batch whose result differs.
    """

    def __init__(self, seq: int, what: str) -> None:
        super().__init__(
            f"batch {seq}: the replay gave other {what} than were recorded. This build does not "
            f"decide as the one that wrote the journal did; start the release that wrote it."
        )
        self.seq = seq


class BatchRow(msgspec.Struct, frozen=True):
    """One committed batch.

    Attributes:
        seq: its number, from 1, without gaps.
        epoch: counts the starts of a writer, from 1.
        at: its one time, Unix microseconds.
        count: how many commands `frames` holds; 0 for a batch that only lets time pass.
        frames: length-prefixed command frames.
        events_hash_previous: `events_hash` of the events of batch `seq - 1`.
        chain: hash over everything above and the previous row's chain.
        state_hash_previous: the router's state hash after batch `seq - 1`, on some rows.
    """

    seq: int
    epoch: int
    at: int
    count: int
    frames: bytes
    events_hash_previous: bytes
    chain: bytes
    state_hash_previous: int | None = None


class Last(msgspec.Struct, frozen=True):
    """Where the journal ends: `seq` is 0 and `at` is 0 when it is empty."""

    seq: int
    at: int
    chain: bytes


class Journal(Protocol):
    """A writer's journal. Every method blocks; the service calls `append` in the writer's thread."""

    def append(
        self,
        at: int,
        count: int,
        frames: bytes,
        previous_events_hash: bytes,
        previous_state_hash: int | None = None,
    ) -> int:
        """Make one batch durable and return its seq; after the first error nothing is accepted."""
        ...

    def read(self, after_seq: int = 0) -> Iterator[BatchRow]:
        """Yield the rows behind `after_seq`, each checked against the chain."""
        ...

    def last(self) -> Last:
        """Return where the journal ends."""
        ...

    def maintain(self) -> float | None:
        """Do what is due between batches; return in how many seconds to call again, if at all."""
        ...

    def close(self) -> None:
        """Leave the journal clean; a second call does nothing."""
        ...


def events_hash(events: bytes) -> bytes:
    """Return the hash of a batch's events, as row `seq + 1` carries it."""
    return blake2b(events, digest_size=HASH_BYTES).digest()


NO_EVENTS_HASH = events_hash(b"")
"""What the first row carries: nothing happened before it."""


def first_chain(format_version: int, rules_version: int, site: str) -> bytes:
    """Return the chain's start, which binds the rows to the segment's versions and site."""
    text = f"paidui journal {format_version} {rules_version} {site}"
    return blake2b(text.encode(), digest_size=HASH_BYTES).digest()


def next_chain(previous_chain: bytes, row: BatchRow) -> bytes:
    """Return what `row.chain` has to be behind a row with `previous_chain`."""
    digest = blake2b(previous_chain, digest_size=HASH_BYTES)
    for number in (row.seq, row.epoch, row.at, row.count):
        digest.update(number.to_bytes(8, "big"))
    digest.update(row.events_hash_previous)
    if row.state_hash_previous is not None:
        digest.update(row.state_hash_previous.to_bytes(8, "big"))
    digest.update(row.frames)
    return digest.digest()
