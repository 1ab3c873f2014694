"""Files that are there whole or not at all, and folders whose names are certain."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from engine.journal.contract import JournalError

UNFINISHED = ".unfinished"


def write_whole(path: Path, parts: Iterable[bytes], mode: int = 0o600) -> None:
    """Write a file beside its place, make it durable, and put it there in one step.

    Raises:
        JournalError: it cannot be written; what stood there before still does.
    """
    beside = path.with_name(path.name + UNFINISHED)
    try:
        beside.unlink(missing_ok=True)
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            for part in parts:
                _write_all(file, part)
            os.fsync(file)
        finally:
            os.close(file)
        beside.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise JournalError(f"{path}: cannot be written: {error.strerror}") from error


def sync_folder(folder: Path) -> None:
    """Make the names in a folder certain."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _write_all(file: int, part: bytes) -> None:
    left = memoryview(part)
    while left:
        left = left[os.write(file, left) :]
