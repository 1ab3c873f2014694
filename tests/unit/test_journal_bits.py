"""One bit is flipped somewhere in the journal's folder: it is detected with its row, never served."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from engine.cli import main
from engine.journal import NO_EVENTS_HASH, JournalCut, JournalError, Limits, SqliteJournal
from engine.journal.head import SLOT_BYTES, Head, HeadFile, read_head

PAGE = 4_096
WAL_HEADER = 32
WAL_FRAME = 24 + PAGE
"""A frame is its header and one page."""

SCHEMA_FRAMES = 3
"""In a new log the first frames hold the tables; each other one a row, as long as they fit in a page."""

ROWS = 12

SMALL = Limits(reserve_bytes=0)


def append(journal: SqliteJournal, rows: int) -> None:
    for number in range(1, rows + 1):
        journal.append(number, 1, b"frame %d" % number, NO_EVENTS_HASH)


def rows_of(folder: Path) -> list[tuple[int, int, bytes]]:
    """Start, read everything and stop, without changing the folder."""
    journal = SqliteJournal(folder, "site", SMALL)
    try:
        return [(row.seq, row.at, row.frames) for row in journal.read()]
    finally:
        journal._failed = True
        journal.close()


def expected(rows: int) -> list[tuple[int, int, bytes]]:
    return [(n, n, b"frame %d" % n) for n in range(1, rows + 1)]


def stopped(folder: Path, *, head: bool) -> Path:
    """A journal whose rows are all in the log, as a power cut leaves it; the head knows them or none."""
    journal = SqliteJournal(folder, "site", SMALL)
    append(journal, ROWS)
    if head:
        journal._write_head()
    journal._failed = True
    journal.close()
    return folder


def flipped(whole: bytes, at: int) -> bytes:
    return whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :]


def refusals(folder: Path, name: str, places: Iterable[int]) -> dict[int, JournalError | int]:
    """Flip a bit at each place in turn; return which start was refused, or how many rows it gave."""
    files = {path: path.read_bytes() for path in folder.iterdir()}
    found: dict[int, JournalError | int] = {}
    for at in places:
        (folder / name).write_bytes(flipped(files[folder / name], at))
        try:
            rows = rows_of(folder)
            assert rows == expected(len(rows)), f"a bit at {at} was served"
            found[at] = len(rows)
        except JournalError as error:
            found[at] = error
        for path in folder.iterdir():
            path.unlink()
        for path, content in files.items():
            path.write_bytes(content)
    return found


@pytest.mark.slow  # the journal is opened some hundred times
def test_in_the_database(tmp_path: Path) -> None:
    """The file's header, the head of each page, and every 197th byte."""
    journal = SqliteJournal(tmp_path, "site", SMALL)
    append(journal, 40)
    journal.close()
    size = (tmp_path / "000001.sqlite").stat().st_size
    heads = {page + at for page in range(0, size, PAGE) for at in range(12)}
    found = refusals(tmp_path, "000001.sqlite", sorted({*range(100), *heads, *range(0, size, 197)}))
    assert {count for count in found.values() if isinstance(count, int)} == {40}
    assert sum(isinstance(error, JournalError) for error in found.values()) > 30


@pytest.mark.slow  # the journal is opened some hundred times
@pytest.mark.parametrize("head", [True, False], ids=["head knows", "head is behind"])
def test_in_the_log(tmp_path: Path, head: bool) -> None:
    """Its header, the headers of frames, and every 397th byte: all count.

    Only the end has no witness until the head knows it: the last row, and the one before where the
    header of its frame is hit, can look as if they had never been finished.
    """
    folder = stopped(tmp_path / "journal", head=head)
    frames = SCHEMA_FRAMES + ROWS
    headers = {
        WAL_HEADER + frame * WAL_FRAME + at
        for frame in (0, 2, 3, 9, frames - 2, frames - 1)
        for at in range(24)
    }
    size = WAL_HEADER + frames * WAL_FRAME
    assert (folder / "000001.sqlite-wal").stat().st_size == size
    places = sorted({*range(WAL_HEADER), *headers, *range(WAL_HEADER, size, 397)})
    for at, error in refusals(folder, "000001.sqlite-wal", places).items():
        frame, byte = divmod(at - WAL_HEADER, WAL_FRAME)
        if not head and (frame == frames - 1 or (frame == frames - 2 and byte < 24)):
            assert isinstance(error, JournalCut) or error in (ROWS - 1, ROWS - 2)
            continue
        assert isinstance(error, JournalCut), at
        assert error.seq == max(frame - SCHEMA_FRAMES, 0) + 1, "it names the first row that is gone"


@pytest.mark.parametrize("frame", [0, 2, 3, 5, SCHEMA_FRAMES + ROWS - 2])
def test_a_refused_start_changes_nothing(tmp_path: Path, frame: int) -> None:
    """So what is left can still be saved; here the bit is put right."""
    folder = stopped(tmp_path / "journal", head=frame % 2 == 0)
    path = folder / "000001.sqlite-wal"
    whole = path.read_bytes()
    path.write_bytes(flipped(whole, WAL_HEADER + frame * WAL_FRAME + 3_000))
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".sqlite-shm"}
    with pytest.raises(JournalCut):
        SqliteJournal(folder, "site", SMALL)
    assert {name: (folder / name).read_bytes() for name in before} == before
    path.write_bytes(whole)
    assert rows_of(folder) == expected(ROWS)


def test_a_damaged_log_is_named_and_can_be_given_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = stopped(tmp_path / "journal", head=False)
    path = folder / "000001.sqlite-wal"
    path.write_bytes(flipped(path.read_bytes(), WAL_HEADER + (SCHEMA_FRAMES + 6) * WAL_FRAME + 3_000))
    assert main(["journal", "verify", "--journal", str(folder)]) == 1
    assert "journal row 7: it and what follows were durable" in capsys.readouterr().err
    with pytest.raises(JournalCut, match="rebuild-head"):
        SqliteJournal(folder, "site", SMALL)
    assert main(["journal", "repair", "--rebuild-head", "--yes", "--journal", str(folder)]) == 0
    assert "6 rows" in capsys.readouterr().out
    assert (folder / "before-repair" / "000001.sqlite-wal").exists()
    assert rows_of(folder) == expected(6)


def test_in_the_head(tmp_path: Path) -> None:
    """Whichever bit it is, the other record counts, or the bit was in no record."""
    path = tmp_path / "head"
    file = HeadFile(path)
    for seq in (1, 2):
        file.write(Head(seq, bytes([seq]) * 32))
    file.close()
    whole = path.read_bytes()
    used = len(whole[SLOT_BYTES:].rstrip(b"\0"))
    for at in [*range(0, len(whole), 3), len(whole) - 1]:
        path.write_bytes(flipped(whole, at))
        spoilt = at % SLOT_BYTES < used and at >= SLOT_BYTES  # the second holds the newer one
        assert read_head(path) == Head(1, b"\1" * 32) if spoilt else Head(2, b"\2" * 32)
