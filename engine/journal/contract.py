"""The journal's contract: one row per batch, a hash chain over the rows, and what can go wrong.

A batch is what was committed together: its commands' frames, concatenated as they arrived, and the
one time that all of them carry. Row k+1 carries the hash of the events that batch k made, and every
`STATE_HASH_EVERY` rows the router's state hash, so a replay that diverges is caught at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Protocol

import msgspec

from engine.errors import PaiduiError

READABLE_FORMATS = (1, 2)
"""How rows are laid out and chained: a release reads the newest format that it knows and the one before it.
1 knew one segment only. A journal of another format goes on in a segment of the format that is written."""

WRITABLE_FORMATS = (2,)
"""What `[journal] format` may be. The release that brings a format 3 reads and writes (2, 3)."""

FORMAT_VERSION = 2
"""What is written when nothing is configured: a format that the release before this one reads, too. So a
new one is written by default only one release after it came, and who goes back a release can read it."""

RULES_VERSION = 3
"""Which decisions the commands were made for; old commands never run under new rules."""

HASH_BYTES = 32
STATE_HASH_EVERY = 1_000
"""A row whose seq is a multiple of this carries the state hash before its batch."""


def unwritable(format_version: int) -> str:
    """Return what is wrong with a format that this release cannot be told to write."""
    known = " or ".join(str(one) for one in WRITABLE_FORMATS)
    if format_version in READABLE_FORMATS:
        return f"expected {known}, got {format_version}, which this release reads and writes no more"
    newer = format_version > WRITABLE_FORMATS[-1]
    return f"expected {known}, got {format_version}" + (", which takes a newer release" if newer else "")


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


def ways_on(seq: int) -> str:
    """Return what can be done about a row that is damaged."""
    return (
        "Restore the folder from a copy, or keep only the rows before it with "
        f"`paidui journal repair --cut-before {seq}`."
    )


class JournalCut(JournalCorrupt):
    """Rows that were durable are gone: the journal's tail has been cut off."""


class JournalTooOld(JournalError):
    """What was asked for has been let go of: `too_old`.

    Attributes:
        oldest: the journal can be read behind this seq.
    """

    code = "too_old"

    def __init__(self, wanted: int, oldest: int) -> None:
        super().__init__(
            f"too_old: the journal is kept behind batch {oldest} only, and batch {wanted + 1} was asked for; "
            "begin anew there"
        )
        self.oldest = oldest


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


class Snapshot(msgspec.Struct, frozen=True):
    """The router's state behind one batch, and what proves that it belongs there.

    Attributes:
        seq: the batch; `at` is its stamp, `chain` its row's, `events_hash` that of its events.
        state_hash: the router's; a state that does not have it is never used.
        state: `Router.snapshot()`.
        tail: the newest events before it, `(seq, at, events)`, for who resumes behind an older batch.
        tail_behind: behind which batch the tail is complete.
    """

    site: str
    rules: int
    seq: int
    at: int
    chain: bytes
    events_hash: bytes
    state_hash: int
    state: bytes
    tail: Sequence[tuple[int, int, bytes]] = ()
    tail_behind: int = 0


class Snapshots(Protocol):
    """Where a journal's snapshots are; a follower writes them, never the router's task."""

    def newest_first(self) -> Iterator[Snapshot | JournalError]:
        """Yield what is there, the newest first; in place of a spoilt one, what is wrong with it."""
        ...

    def write(self, snapshot: Snapshot) -> None:
        """Make one durable, whole or not at all, and let go of those that are not kept any more."""
        ...


class Reader(Protocol):
    """A view of a journal that somebody else may be writing."""

    @property
    def snapshots(self) -> Snapshots:
        """What a follower may begin with."""
        ...

    @property
    def oldest(self) -> int:
        """What is kept can be read behind this seq: 0 as long as nothing was let go of."""
        ...

    def read(self, after_seq: int | None = None) -> Iterator[BatchRow]:
        """Yield the rows behind `after_seq` that are there now, each checked against the chain.

        Args:
            after_seq: None = the oldest that is kept.

        Raises:
            JournalTooOld: they have been let go of.
            JournalCorrupt: a row is not what was written.
        """
        ...

    def chain_at(self, seq: int) -> bytes:
        """Return the chain behind row `seq`.

        Raises:
            JournalError: there is no such row.
        """
        ...

    def rules_at(self, seq: int) -> int:
        """Return for which rules row `seq` was decided, or will be."""
        ...

    def last(self) -> Last:
        """Return where the journal ends now."""
        ...

    def close(self) -> None:
        """Close it; a second call does nothing."""
        ...


class Journal(Protocol):
    """A writer's journal. Every method blocks; the service calls `append` in the writer's thread."""

    @property
    def oldest(self) -> int:
        """As of `Reader`."""
        ...

    @property
    def snapshots(self) -> Snapshots:
        """From where a start goes on."""
        ...

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

    def read(self, after_seq: int | None = None) -> Iterator[BatchRow]:
        """As of `Reader`."""
        ...

    def chain_at(self, seq: int) -> bytes:
        """As of `Reader`."""
        ...

    def rules_at(self, seq: int) -> int:
        """As of `Reader`."""
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


def segment_chain(
    format_version: int, rules_version: int, site: str, first_seq: int, previous: bytes
) -> bytes:
    """Return the start of a later segment's chain, which goes on from `previous`."""
    digest = blake2b(first_chain(format_version, rules_version, site), digest_size=HASH_BYTES)
    digest.update(first_seq.to_bytes(8, "big"))
    digest.update(previous)
    return digest.digest()


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
