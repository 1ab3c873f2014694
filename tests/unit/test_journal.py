"""The SQLite journal: its contract, and every way in which it must refuse to go on."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from engine.cli import main
from engine.journal import (
    NO_EVENTS_HASH,
    JournalCorrupt,
    JournalCut,
    JournalError,
    JournalReader,
    Limits,
    SqliteJournal,
)
from engine.journal.head import SLOT_BYTES, Head, HeadFile, read_head
from engine.journal.reader import HEAD
from engine.journal.segment import numbers_in
from engine.testing.journal_kit import SEGMENT_ROWS, check_journal, check_letting_go
from tests.unit.journal_kit import PLAN, AtOnce, kept, written


def filled(folder: Path, rows: int) -> None:
    journal = SqliteJournal(folder, "site")
    for number in range(1, rows + 1):
        journal.append(number, 1, b"frame %d" % number, NO_EVENTS_HASH)
    journal.close()


def test_contract(tmp_path: Path) -> None:
    folder, limits = tmp_path / "journal", Limits(segment_batches=SEGMENT_ROWS // 3, reserve_bytes=0)
    check_journal(lambda: SqliteJournal(folder, "site", limits, AtOnce()), lambda: JournalReader(folder))
    assert len(numbers_in(folder)) > 3


def test_contract_in_one_segment_and_with_a_thread_beside(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    check_journal(lambda: SqliteJournal(folder, "site"), lambda: JournalReader(folder))


def test_contract_of_letting_go(tmp_path: Path) -> None:
    written(tmp_path, 90)
    check_letting_go(lambda: JournalReader(tmp_path), lambda: kept(tmp_path, replace(PLAN, max_bytes=1)))


def test_pragmas_are_in_force(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path, "site")
    db = journal._segment.db
    assert [db.pragma(name) for name in ("journal_mode", "synchronous", "wal_autocheckpoint")] == [
        "wal",
        2,
        0,
    ]
    journal.close()


def test_an_old_sqlite_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.51.2")
    with pytest.raises(JournalError, match=r"3\.51\.2 is too old"):
        SqliteJournal(tmp_path, "site")


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path, "site")
    with pytest.raises(JournalError, match="another process"):
        SqliteJournal(tmp_path, "site")
    journal.close()
    SqliteJournal(tmp_path, "site").close()


def test_another_sites_journal_is_refused(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    with pytest.raises(JournalError, match=r"site\.name.*'site'.*'other'"):
        SqliteJournal(tmp_path, "other")
    filled(tmp_path / "again", 1)


def test_a_reader_follows_while_it_is_written(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path, "site")
    journal.append(1, 1, b"one", NO_EVENTS_HASH)
    reader = JournalReader(tmp_path)
    assert [row.frames for row in reader.read()] == [b"one"]
    journal.append(2, 1, b"two", NO_EVENTS_HASH)
    assert [row.frames for row in reader.read(after_seq=1)] == [b"two"]
    assert reader.last().seq == 2
    with pytest.raises(JournalError, match="no row 9"):
        list(reader.read(after_seq=9))
    reader.close()
    journal.close()


def test_a_reader_reads_when_nobody_writes(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    reader = JournalReader(tmp_path)
    assert [row.seq for row in reader.read()] == [1, 2, 3]
    reader.close()


@pytest.mark.parametrize(
    ("column", "value"),
    [("frames", b"other"), ("at", 7), ("count", 9), ("epoch", 5), ("chain", bytes(32))],
)
def test_a_changed_row_is_named(tmp_path: Path, column: str, value: object) -> None:
    filled(tmp_path, 5)
    db = apsw.Connection(str(tmp_path / "000001.sqlite"))
    db.execute(f"UPDATE batches SET {column} = ? WHERE seq = 3", (value,))
    db.close()
    journal = SqliteJournal(tmp_path, "site")
    with pytest.raises(JournalCorrupt, match="journal row 3") as caught:
        list(journal.read())
    assert caught.value.seq == 3
    journal.close()


def test_a_missing_row_is_named(tmp_path: Path) -> None:
    filled(tmp_path, 5)
    db = apsw.Connection(str(tmp_path / "000001.sqlite"))
    db.execute("DELETE FROM batches WHERE seq = 2")
    db.close()
    with pytest.raises(JournalCorrupt, match="row 2: it is missing"):
        list(SqliteJournal(tmp_path, "site").read())


def test_a_cut_tail_is_detected(tmp_path: Path) -> None:
    filled(tmp_path, 5)
    db = apsw.Connection(str(tmp_path / "000001.sqlite"))
    db.execute("DELETE FROM batches WHERE seq > 3")
    db.close()
    with pytest.raises(JournalCut, match=r"rows 4\.\.5 were durable and are gone") as caught:
        SqliteJournal(tmp_path, "site")
    assert caught.value.seq == 4


def test_a_failed_journal_is_not_written_when_it_closes(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path, "site")
    journal.append(1, 1, b"one", NO_EVENTS_HASH)
    names = ("000001.sqlite", "000001.sqlite-wal", HEAD)
    before = [(tmp_path / name).read_bytes() for name in names]
    journal._failed = True
    journal.close()
    assert [(tmp_path / name).read_bytes() for name in names] == before


@pytest.mark.parametrize("left", [b"", bytes(SLOT_BYTES)])
def test_a_first_start_that_was_cut_off_is_begun_again(tmp_path: Path, left: bytes) -> None:
    """The head was made and not yet written; with rows beside it, it would be one that was wiped."""
    SqliteJournal(tmp_path, "site").close()
    (tmp_path / HEAD).write_bytes(left)
    filled(tmp_path, 3)
    (tmp_path / HEAD).write_bytes(left)
    with pytest.raises(JournalError, match="missing or blank, the journal has 3 rows"):
        SqliteJournal(tmp_path, "site")


def test_a_missing_head_is_refused_until_rebuilt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filled(tmp_path, 5)
    (tmp_path / HEAD).unlink()
    with pytest.raises(JournalError, match="rebuild-head"):
        SqliteJournal(tmp_path, "site")
    assert main(["journal", "repair", "--rebuild-head", "--yes", "--journal", str(tmp_path)]) == 0
    assert "5 rows" in capsys.readouterr().out
    SqliteJournal(tmp_path, "site").close()


def test_the_head_survives_one_torn_slot(tmp_path: Path) -> None:
    path = tmp_path / "head"
    file = HeadFile(path)
    for seq in (1, 2, 3):
        file.write(Head(seq, bytes([seq]) * 32))
    file.close()
    whole = bytearray(path.read_bytes())
    whole[10] ^= 1  # seq 3 went into the first slot
    path.write_bytes(whole)
    assert read_head(path) == Head(2, b"\2" * 32)
    whole[SLOT_BYTES + 10] ^= 1
    path.write_bytes(whole)
    with pytest.raises(JournalError, match="neither of its two records"):
        read_head(path)


def test_the_head_is_kept_between_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("engine.journal.sqlite.time.monotonic", lambda: now)
    journal = SqliteJournal(tmp_path, "site")
    journal.append(1, 1, b"", NO_EVENTS_HASH)
    assert journal.maintain() is None
    journal.append(2, 1, b"", NO_EVENTS_HASH)
    wait_s = journal.maintain()
    assert wait_s is not None
    assert wait_s <= 1
    now += wait_s
    journal.maintain()
    head = read_head(tmp_path / HEAD)
    assert head is not None
    assert head.seq == 2
    journal.close()


def test_the_first_error_is_final(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path, "site")
    journal.append(1, 1, b"one", NO_EVENTS_HASH)
    db, journal._segment.db = journal._segment.db, apsw.Connection(":memory:")  # no table: any error will do
    with pytest.raises(JournalError, match="batch 2 could not be made durable"):
        journal.append(2, 1, b"two", NO_EVENTS_HASH)
    journal._segment.db, memory = db, journal._segment.db
    memory.close()
    with pytest.raises(JournalError, match="restart the process"):
        journal.append(2, 1, b"two", NO_EVENTS_HASH)
    journal.close()


def test_check_names_the_row_and_cut_keeps_what_stands_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(tmp_path, 5)
    db = apsw.Connection(str(tmp_path / "000001.sqlite"))
    db.execute("UPDATE batches SET frames = x'00' WHERE seq = 4")
    db.close()
    assert main(["journal", "verify", "--journal", str(tmp_path)]) == 1
    assert "journal row 4" in capsys.readouterr().err
    assert main(["journal", "repair", "--cut-before", "4", "--yes", "--journal", str(tmp_path)]) == 0
    assert main(["journal", "verify", "--journal", str(tmp_path)]) == 0
    assert (tmp_path / "before-repair" / "000001.sqlite").exists()
    journal = SqliteJournal(tmp_path, "site")
    assert journal.append(9, 0, b"", NO_EVENTS_HASH) == 4
    journal.close()


def test_a_killed_writers_rows_are_there(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys\n"
        "from engine.journal import SqliteJournal, NO_EVENTS_HASH\n"
        "journal = SqliteJournal(pathlib.Path(sys.argv[1]), 'site')\n"
        "for n in range(1, 8): journal.append(n, 1, b'frame', NO_EVENTS_HASH)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, cwd=Path.cwd())
    journal = SqliteJournal(tmp_path, "site")
    assert journal.last().seq == 7
    assert len(list(journal.read())) == 7
    journal.close()
