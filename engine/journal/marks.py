"""Marks: how far a follower has come, so that what it still needs is not let go of before its time."""

from __future__ import annotations

from pathlib import Path

from engine.journal.files import write_whole

PREFIX = "follower-"


def write_mark(folder: Path, name: str, seq: int) -> None:
    """Say that follower `name` needs nothing up to batch `seq` any more.

    Raises:
        JournalError: it cannot be written.
    """
    write_whole(folder / f"{PREFIX}{name}", [b"%d\n" % seq])


def remove_mark(folder: Path, name: str) -> None:
    """Hold nothing for a follower any more."""
    (folder / f"{PREFIX}{name}").unlink(missing_ok=True)


def slowest(folder: Path) -> int | None:
    """Return the lowest seq that a follower has come to; None when there is none.

    A mark that cannot be read holds nothing: it is only a wish.
    """
    seqs = []
    for path in folder.glob(f"{PREFIX}*"):
        try:
            seqs.append(int(path.read_text()))
        except (OSError, ValueError):
            continue
    return min(seqs, default=None)
