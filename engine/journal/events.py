"""Event files: what the batches of a sealed segment brought about, for when nobody may run them any more.

A file is a magic word and blocks, each with its tag, its length, the first seq that it is about and a
blake2b over all of that: `HEAD`, parts of about a mebibyte (compressed), and `DONE`, which says where the
segment ends. The events of each batch are held against the hash that the next row carries.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from engine.journal.contract import READABLE_FORMATS, WRITABLE_FORMATS, JournalCorrupt, JournalError
from engine.journal.files import write_whole

SUFFIX = ".events"
PART_BYTES = 1024 * 1024
_COMPRESSION = 3
"""Half of what the best takes off, at a fifth of its time."""

_MAGIC = b"paidui events\n\n\n"
_BLOCK = struct.Struct(">4sIQ16s")
_HEAD, _PART, _DONE = b"HEAD", b"PART", b"DONE"


class Happened(msgspec.Struct, array_like=True, frozen=True):
    """A batch's events as frames, and how many commands it held."""

    seq: int
    at: int
    count: int
    events_count: int
    events: bytes


class EventsHead(msgspec.Struct, array_like=True, frozen=True):
    """Which segment the file is of, and from where on."""

    format: int
    site: str
    rules: int
    number: int
    first_seq: int


class EventsEnd(msgspec.Struct, array_like=True, frozen=True):
    """Where it ends: the last row's seq and chain, and the hash of its events."""

    last_seq: int
    chain: bytes
    events_hash: bytes


_Kind = TypeVar("_Kind", EventsHead, EventsEnd)


def events_path(folder: Path, number: int) -> Path:
    """Return the path of a segment's event file."""
    return folder / f"{number:06}{SUFFIX}"


def write_events(path: Path, head: EventsHead, batches: Iterable[Happened | EventsEnd]) -> None:
    """Write a segment's event file, whole or not at all.

    Args:
        path: where to.
        head: of which segment.
        batches: all of them, then the end.

    Raises:
        JournalError: it cannot be written.
    """
    write_whole(path, _blocks(head, batches))


def _blocks(head: EventsHead, batches: Iterable[Happened | EventsEnd]) -> Iterator[bytes]:
    yield _MAGIC
    yield from _block(_HEAD, head.first_seq, msgspec.msgpack.encode(head))
    part: list[Happened] = []
    size = 0
    for one in batches:
        if isinstance(one, EventsEnd):
            if part:
                yield from _part(part)
            yield from _block(_DONE, one.last_seq, msgspec.msgpack.encode(one))
            return
        part.append(one)
        size += len(one.events) + 20
        if size >= PART_BYTES:
            yield from _part(part)
            part, size = [], 0


def _part(part: list[Happened]) -> Iterator[bytes]:
    return _block(_PART, part[0].seq, zlib.compress(msgspec.msgpack.encode(part), _COMPRESSION))


def _block(tag: bytes, seq: int, payload: bytes) -> Iterator[bytes]:
    yield _BLOCK.pack(tag, len(payload), seq, _digest(tag, seq, payload))
    yield payload


class EventFile:
    """A segment's event file; every block is checked before it is believed.

    Args:
        path: the file.

    Raises:
        JournalError: it is not there, or not an event file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with path.open("rb") as file:
                payload = self._begin(file)
        except OSError as error:
            raise JournalError(f"{path}: cannot be read: {error.strerror}") from error
        self.head = self._decoded(payload, EventsHead)
        if self.head.format not in READABLE_FORMATS:
            raise JournalError(f"{path}: has format {self.head.format}, which this release does not read")

    def end(self) -> EventsEnd:
        """Return where it ends, without reading what stands between.

        Raises:
            JournalCorrupt: the end is not what was written.
        """
        with self._path.open("rb") as file:
            self._begin(file)
            for tag, _, payload in self._rest(file, skip=_PART):
                if tag == _DONE:
                    return self._decoded(payload, EventsEnd)
        raise AssertionError

    def happened(self, after_seq: int = 0) -> Iterator[Happened]:
        """Yield the batches behind `after_seq`.

        Raises:
            JournalCorrupt: a block is not what was written; it names its first batch.
        """
        with self._path.open("rb") as file:
            self._begin(file)
            for tag, seq, payload in self._rest(file):
                if tag == _DONE:
                    return
                for one in self._batches(seq, payload):
                    if one.seq > after_seq:
                        yield one

    def _batches(self, seq: int, payload: bytes) -> list[Happened]:
        try:
            return msgspec.msgpack.decode(zlib.decompress(payload), type=list[Happened])
        except (zlib.error, msgspec.MsgspecError) as error:
            raise self._spoilt(seq, str(error)) from error

    def _begin(self, file: BinaryIO) -> bytes:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise self._spoilt(1, "it is not an event file")
        tag, _, payload = self._one(file, 1)
        if tag != _HEAD:
            raise self._spoilt(1, "it has no head")
        return payload

    def _rest(self, file: BinaryIO, skip: bytes = b"") -> Iterator[tuple[bytes, int, bytes]]:
        seq = self.head.first_seq if hasattr(self, "head") else 1
        while True:
            tag, seq, payload = self._one(file, seq, skip)
            yield tag, seq, payload
            if tag == _DONE:
                if file.read(1):
                    raise self._spoilt(seq, "it goes on behind its end")
                return

    def _one(self, file: BinaryIO, seq: int, skip: bytes = b"") -> tuple[bytes, int, bytes]:
        """Read one block; of one that is skipped nothing but its place is believed."""
        header = file.read(_BLOCK.size)
        if len(header) < _BLOCK.size:
            raise self._spoilt(seq, "it ends too early")
        tag, size, first, digest = _BLOCK.unpack(header)
        if tag == skip:
            file.seek(size, 1)
            return tag, first, b""
        payload = file.read(size)
        if _digest(tag, first, payload) != digest or len(payload) != size:
            raise self._spoilt(seq, "the hash of a block does not fit")
        return tag, first, payload

    def _decoded(self, payload: bytes, kind: type[_Kind]) -> _Kind:
        try:
            return msgspec.msgpack.decode(payload, type=kind)
        except msgspec.MsgspecError as error:
            raise self._spoilt(1, str(error)) from error

    def _spoilt(self, seq: int, why: str) -> JournalCorrupt:
        return JournalCorrupt(
            seq, f"in {self._path.name}, {why}; remove the file and run `paidui journal seal`, or restore it"
        )


def made_head(format_version: int, site: str, rules: int, number: int, first_seq: int) -> EventsHead:
    """Return the head of a new file, which has its segment's format; format 1 had no such files."""
    return EventsHead(max(format_version, WRITABLE_FORMATS[0]), site, rules, number, first_seq)


def _digest(tag: bytes, seq: int, payload: bytes) -> bytes:
    digest = blake2b(tag, digest_size=16)
    digest.update(struct.pack(">IQ", len(payload), seq))
    digest.update(payload)
    return digest.digest()
