"""SQLite's write-ahead log from outside: what its recovery leaves undone, and what it does not say.

Recovery keeps the frames up to the first that does not fit and drops the others without a word. Layout
and checksums: https://www.sqlite.org/fileformat2.html#walformat.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

_HEADER = struct.Struct(">8I")
"""Magic number, version, bytes of a page, checkpoints so far, two salts, checksum in two parts."""

_FRAME = struct.Struct(">6I")
"""The page's number, the database's pages after a commit (else 0), two salts, checksum in two parts."""

_COPY_BYTES = 1024 * 1024


def write_anew(path: Path) -> None:
    """Make the rows of a writer that did not end well durable, before anybody builds on them.

    The last of them may have been written and never synced, or its sync failed; then the system
    takes the pages for clean, and another sync would not write them. So they are written again.
    """
    if not path.exists():
        return
    with path.open("r+b") as file:
        while part := file.read(_COPY_BYTES):
            file.seek(-len(part), os.SEEK_CUR)
            file.write(part)
        file.flush()
        os.fsync(file.fileno())


def has_lost_commits(path: Path, kept: int) -> bool:
    """Whether commits that were durable stand behind the frames that recovery has kept.

    Each commit is synced before the next is written. So a frame of one commit proves that the one
    before was durable, and if that was dropped, it was spoilt later. A frame's checksum goes on from
    what the frame before says is its own, so it can be verified behind a spoilt one. The last commit
    has no witness here, nor the one before if its frame's header is hit: that is what the head file
    is for.

    Args:
        path: the log; there may be none.
        kept: how many frames recovery has kept.
    """
    if not path.exists():
        return False
    with path.open("rb") as file:
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size or not any(header):
            return False  # cut off while it was made
        magic, _, page_bytes, _, *salts, first, second = _HEADER.unpack(header)
        words = "<" if magic % 2 == 0 else ">"
        if _checksum(header[:24], words, 0, 0) != (first, second):
            return True  # one sector is not torn: it was spoilt
        frame_bytes = _FRAME.size + page_bytes
        file.seek(_HEADER.size + kept * frame_bytes)
        committed: tuple[int, int] | None = None
        while len(frame := file.read(frame_bytes)) == frame_bytes:
            _, commit, *frame_salts, first, second = _FRAME.unpack_from(frame)
            if frame_salts != salts:
                committed = None  # of the log's round before this one, or spoilt
                continue
            content = frame[:8] + frame[_FRAME.size :]
            if committed is not None and _checksum(content, words, *committed) == (first, second):
                return True
            committed = (first, second) if commit else None
    return False


def _checksum(content: bytes, words: str, first: int, second: int) -> tuple[int, int]:
    for one, other in struct.iter_unpack(f"{words}2I", content):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return first, second
