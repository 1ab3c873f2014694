"""The head file: how far the journal had certainly come, kept outside the database.

SQLite recovers a torn write-ahead log by dropping its tail without a word. Two slots, written in
turn and each with its own checksum, remember the last durable seq and chain hash; a torn write
spoils one slot at most. A journal that ends before its head has lost acknowledged batches.
"""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path

import msgspec

from engine.journal.contract import HASH_BYTES, JournalError

SLOT_BYTES = 512
"""One disk sector: a write of one slot never touches the other."""

_MAGIC = b"paiduihd"
_BODY_BYTES = len(_MAGIC) + 8 + HASH_BYTES


class Head(msgspec.Struct, frozen=True):
    """A batch that is known to be durable; seq 0 = none yet."""

    seq: int
    chain: bytes


class HeadFile:
    """The open head file of a journal's writer."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
        slots = _read_slots(self._file)
        self._next_slot = 1 - max(slots, key=lambda slot: slots[slot].seq) if slots else 0

    def write(self, head: Head) -> None:
        """Make `head` durable in the older of the two slots."""
        body = _MAGIC + head.seq.to_bytes(8, "big") + head.chain
        record = (body + _checksum(body)).ljust(SLOT_BYTES, b"\0")
        try:
            written = os.pwrite(self._file, record, self._next_slot * SLOT_BYTES)
            if written == SLOT_BYTES:
                os.fsync(self._file)
        except OSError as error:
            raise JournalError(f"head file: {error.strerror}") from error
        if written != SLOT_BYTES:
            raise JournalError(f"head file: {written} of {SLOT_BYTES} bytes were written; disk full?")
        self._next_slot = 1 - self._next_slot

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def read_head(path: Path) -> Head | None:
    """Return the newest valid head, or None when none was ever written.

    A file without a single byte set is what a power cut leaves of a journal's very first start.
    """
    if not path.exists():
        return None
    file = os.open(path, os.O_RDONLY)
    try:
        slots = _read_slots(file)
        blank = not any(os.pread(file, 2 * SLOT_BYTES, 0))
    finally:
        os.close(file)
    if blank:
        return None
    if not slots:
        raise JournalError(
            f"head file {path.name}: neither of its two records is valid. Run `paidui journal verify`."
        )
    return max(slots.values(), key=lambda head: head.seq)


def _read_slots(file: int) -> dict[int, Head]:
    slots = {}
    for slot in (0, 1):
        record = os.pread(file, _BODY_BYTES + HASH_BYTES, slot * SLOT_BYTES)
        body, checksum = record[:_BODY_BYTES], record[_BODY_BYTES:]
        if body.startswith(_MAGIC) and checksum == _checksum(body):
            at = len(_MAGIC)
            slots[slot] = Head(int.from_bytes(body[at : at + 8], "big"), body[at + 8 :])
    return slots


def _checksum(body: bytes) -> bytes:
    return blake2b(body, digest_size=HASH_BYTES).digest()
