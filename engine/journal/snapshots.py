"""Snapshots as files: `snapshot-<seq>`, and `<segment>.snapshot` with which a later segment begins.

A file is a magic word, the length of its header, the header, the state, the tail of events, and a
blake2b over all of it. The newest three are kept; one that begins a segment stays with its segment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import msgspec

from engine.journal.contract import HASH_BYTES, READABLE_FORMATS, JournalError, Snapshot
from engine.journal.files import UNFINISHED, write_whole

KEPT = 3
SNAPSHOT_FORMAT = 2
"""As of the journal's format; 1 had no snapshots."""

SUFFIX = ".snapshot"
_MAGIC = b"paidui snapshot\n"
_LENGTH_BYTES = 4
_NAME = re.compile(r"snapshot-\d{15}|\d{6}\.snapshot")
_PERIODIC = re.compile(r"snapshot-(\d{15})")


class SnapshotSpoilt(JournalError):
    """A snapshot is not what was written; it is never used.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path.name}: {why}; remove it, the one before it is used in its place")
        self.path = path


class _Header(msgspec.Struct, array_like=True):
    format: int
    site: str
    rules: int
    seq: int
    at: int
    chain: bytes
    events_hash: bytes
    state_hash: int
    state_bytes: int
    tail_bytes: int
    tail_behind: int


class Found(NamedTuple):
    """A file that is there, and the seq that it says it is of."""

    seq: int
    path: Path


def encode(snapshot: Snapshot) -> list[bytes]:
    """Return a snapshot's file in parts."""
    tail = msgspec.msgpack.encode(snapshot.tail)
    header = msgspec.msgpack.encode(
        _Header(
            SNAPSHOT_FORMAT,
            snapshot.site,
            snapshot.rules,
            snapshot.seq,
            snapshot.at,
            snapshot.chain,
            snapshot.events_hash,
            snapshot.state_hash,
            len(snapshot.state),
            len(tail),
            snapshot.tail_behind,
        )
    )
    parts = [_MAGIC, len(header).to_bytes(_LENGTH_BYTES, "big"), header, snapshot.state, tail]
    return [*parts, _digest(parts)]


def read_snapshot(path: Path) -> Snapshot:
    """Read a snapshot, every byte of it checked.

    Raises:
        SnapshotSpoilt: naming the file.
    """
    try:
        whole = path.read_bytes()
    except OSError as error:
        raise SnapshotSpoilt(path, f"cannot be read: {error.strerror}") from error
    content, digest = memoryview(whole)[:-HASH_BYTES], whole[-HASH_BYTES:]
    if len(whole) < len(_MAGIC) + _LENGTH_BYTES + HASH_BYTES or _digest([content]) != digest:
        raise SnapshotSpoilt(path, "its hash does not fit")
    at = len(_MAGIC)
    if content[:at] != _MAGIC:
        raise SnapshotSpoilt(path, "it is not a snapshot")
    header_at = at + _LENGTH_BYTES
    state_at = header_at + int.from_bytes(content[at:header_at], "big")
    try:
        header = msgspec.msgpack.decode(content[header_at:state_at], type=_Header)
        if header.format not in READABLE_FORMATS:
            raise SnapshotSpoilt(path, f"it has format {header.format}, which this release does not read")
        tail_at = state_at + header.state_bytes
        tail = msgspec.msgpack.decode(content[tail_at:], type=tuple[tuple[int, int, bytes], ...])
    except msgspec.MsgspecError as error:
        raise SnapshotSpoilt(path, f"its header cannot be read: {error}") from error
    return Snapshot(
        site=header.site,
        rules=header.rules,
        seq=header.seq,
        at=header.at,
        chain=header.chain,
        events_hash=header.events_hash,
        state_hash=header.state_hash,
        state=bytes(content[state_at:tail_at]),
        tail=tail,
        tail_behind=header.tail_behind,
    )


def opening_path(folder: Path, number: int) -> Path:
    """Return the path of the snapshot with which a segment begins."""
    return folder / f"{number:06}{SUFFIX}"


class SnapshotFolder:
    """The snapshots in a journal's folder.

    Args:
        folder: the journal's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def found(self) -> list[Found]:
        """Return the files that are there, the newest first; one that says no seq stands last."""
        paths = [path for path in self._folder.iterdir() if _NAME.fullmatch(path.name)]
        return sorted((Found(_claimed_seq(path), path) for path in paths), reverse=True)

    def newest_first(self) -> Iterator[Snapshot | JournalError]:
        """Yield what is there, the newest first; in place of a spoilt one, what is wrong with it."""
        for _, path in self.found():
            try:
                yield read_snapshot(path)
            except SnapshotSpoilt as error:
                yield error

    def newest_seq(self) -> int:
        """Return the seq that the newest file says it is of; -1 when there is none."""
        found = self.found()
        return found[0].seq if found else -1

    def write(self, snapshot: Snapshot) -> None:
        """Make one durable, whole or not at all; the newest three are kept.

        Raises:
            JournalError: it cannot be written.
        """
        write_whole(self._folder / f"snapshot-{snapshot.seq:015}", encode(snapshot))
        periodic = [one.path for one in self.found() if _PERIODIC.fullmatch(one.path.name)]
        for old in periodic[KEPT:]:
            old.unlink(missing_ok=True)

    def write_opening(self, snapshot: Snapshot, number: int) -> None:
        """Write the snapshot with which segment `number` begins.

        Raises:
            JournalError: it cannot be written.
        """
        write_whole(opening_path(self._folder, number), encode(snapshot))

    def remove_unfinished(self) -> None:
        """Remove what a writer that did not end well has left."""
        for path in self._folder.iterdir():
            if path.name.endswith(UNFINISHED):
                path.unlink(missing_ok=True)


def _claimed_seq(path: Path) -> int:
    """The seq in a file's name or header; what it is worth is seen when it is read."""
    if (periodic := _PERIODIC.fullmatch(path.name)) is not None:
        return int(periodic[1])
    try:
        with path.open("rb") as file:
            file.seek(len(_MAGIC))
            header = file.read(int.from_bytes(file.read(_LENGTH_BYTES), "big") & 0xFFFF)
        return msgspec.msgpack.decode(header, type=_Header).seq
    except (OSError, msgspec.MsgspecError):
        return -1


def _digest(parts: list[bytes] | list[memoryview]) -> bytes:
    digest = blake2b(digest_size=HASH_BYTES)
    for part in parts:
        digest.update(part)
    return digest.digest()
