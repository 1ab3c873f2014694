"""The journal's folder: one writer holds it, and its names outlive a power cut."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.journal.contract import JournalError

LOCK = "lock"
KEEPER_LOCK = "keeper.lock"


def hold(folder: Path, name: str = LOCK) -> int:
    """Return the locked file's descriptor; closing it gives the folder up.

    Args:
        folder: the journal's folder.
        name: of the file; the writer's, or the keeper's.

    Raises:
        JournalError: somebody else holds it.
    """
    if not folder.is_dir():
        raise JournalError(f"{folder}: there is no journal yet; start the service once")
    file = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o640)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        does = "writes" if name == LOCK else "looks after"
        raise JournalError(f"{folder}: another process {does} this journal; stop it first") from None
    return file


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold a journal's folder, as its writer does.

    Raises:
        JournalError: somebody else holds it, or it does not exist.
    """
    if not folder.is_dir():
        raise JournalError(f"{folder}: no such folder")
    file = hold(folder)
    try:
        yield
    finally:
        os.close(file)


def make_names_certain(folder: Path, *, new: bool) -> None:
    """Make the files' names certain; of a new journal also those of the folders on the way to it."""
    device = folder.stat().st_dev
    for path in (folder, *folder.absolute().parents) if new else (folder, folder.parent):
        if path.stat().st_dev != device:
            break  # it was mounted, not made
        try:
            file = os.open(path, os.O_RDONLY)
        except PermissionError:
            continue  # who may not look into it has made nothing in it
        try:
            os.fsync(file)
        finally:
            os.close(file)
