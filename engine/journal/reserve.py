"""A file whose room is given back when the disk is full, so that an orderly stop can write its head."""

from __future__ import annotations

import errno
from pathlib import Path

import apsw

from engine.journal.contract import JournalError
from engine.journal.files import write_whole

RESERVE = "reserve"
_PART = bytes(1024 * 1024)


def keep_reserve(folder: Path, wanted_bytes: int) -> None:
    """Have the reserve there, whole; 0 bytes = none is wanted.

    Raises:
        JournalError: the disk has no room for it.
    """
    path = folder / RESERVE
    there = path.stat().st_size if path.exists() else 0
    if there == wanted_bytes:
        return
    if not wanted_bytes:
        path.unlink(missing_ok=True)
        return
    whole, rest = divmod(wanted_bytes, len(_PART))
    try:
        # Written, not only made longer: a file with holes has no room to give back.
        write_whole(path, [*[_PART] * whole, _PART[:rest]])
    except JournalError as error:
        raise JournalError(f"{error}; {wanted_bytes} bytes are wanted in reserve, make room first") from error


def give_back(folder: Path) -> None:
    """Let the reserve go; a second call does nothing."""
    (folder / RESERVE).unlink(missing_ok=True)


def says_full(error: BaseException | None) -> bool:
    """Whether an error, or what it came of, says that there is no room."""
    while error is not None:
        if isinstance(error, apsw.FullError) or (isinstance(error, OSError) and error.errno == errno.ENOSPC):
            return True
        error = error.__cause__
    return False
