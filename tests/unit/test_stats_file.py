"""The statistics file: whose it is, what it says of itself, and what happens when it is not right."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from engine.errors import PaiduiError
from engine.stats.database import FILE, FORMAT, Mark
from engine.stats.writer import SET_ASIDE_SUFFIX
from tests.unit.stats_kit import Script, day, following, open_database, rows


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_file_of_another_journal_is_set_aside(data: Path, tmp_path: Path) -> None:
    script = Script(data)
    day(script)
    with following(data, script.site) as (writer, _):
        writer.step()
        writer.flush()
    script.close()
    other = Script(tmp_path / "other" / "data")
    for ms in range(1, 60):
        other.do(ms)
    (tmp_path / "other" / "data" / FILE).write_bytes((data / FILE).read_bytes())
    with following(tmp_path / "other" / "data", other.site) as (writer, database):
        writer.step()
        writer.flush()
        assert rows(database, "SELECT arrived, seq FROM applied") == [(0, other.seq)]
    assert (tmp_path / "other" / "data" / (FILE + SET_ASIDE_SUFFIX)).exists()
    other.close()


def test_file_that_is_ahead_of_the_journal_is_set_aside(data: Path) -> None:
    script = Script(data)
    with following(data, script.site) as (writer, database):
        writer.step()
        writer.flush()
        database.write(writer._history, Mark("one", 99, 1, "0" * 16, 99), None)
    with following(data, script.site) as (writer, database):
        assert rows(database, "SELECT seq FROM applied") == [(0,)]
        writer.step()
        writer.flush()
        assert rows(database, "SELECT seq FROM applied") == [(1,)]
    script.close()


def test_file_of_another_format_is_set_aside(data: Path) -> None:
    script = Script(data)
    with following(data, script.site):
        pass
    old = duckdb.connect(str(data / FILE))
    old.execute("UPDATE applied SET format = 0")
    old.close()
    with following(data, script.site) as (writer, database):
        writer.step()
        assert rows(database, "SELECT format FROM applied") == [(FORMAT,)]
    assert (data / (FILE + SET_ASIDE_SUFFIX)).exists()
    script.close()


def test_second_process_is_told_that_the_file_is_open(data: Path) -> None:
    script = Script(data)
    with following(data, script.site), pytest.raises(PaiduiError, match="another process has it open"):
        open_database(data, script.site)
    script.close()


@pytest.mark.parametrize("damage", [b"no database at all" * 500, b""])
def test_damaged_file_is_set_aside(data: Path, damage: bytes) -> None:
    script = Script(data)
    (data / FILE).write_bytes(damage)
    with following(data, script.site) as (writer, database):
        writer.step()
        writer.flush()
        assert rows(database, "SELECT seq FROM applied") == [(1,)]
    script.close()


def test_file_with_damaged_blocks_is_set_aside(data: Path) -> None:
    script = Script(data)
    day(script)
    with following(data, script.site) as (writer, _):
        writer.step()
        writer.flush()
    content = bytearray((data / FILE).read_bytes())
    for place in range(len(content) // 3, len(content), 997):
        content[place] ^= 0xFF
    (data / FILE).write_bytes(content)
    with following(data, script.site) as (writer, database):
        writer.step()
        writer.flush()
        assert rows(database, "FROM conservation") == [(6, 0, 3, 0, 0, 0, 1, 1, 1, 0, 0, 0)]
    assert (data / (FILE + SET_ASIDE_SUFFIX)).exists()
    script.close()


def test_file_opens_with_the_storage_of_duckdb_1_5(data: Path) -> None:
    script = Script(data)
    with following(data, script.site):
        pass
    # Bytes 12..19: the storage version; 68 is the newest that 1.5 reads.
    version = int.from_bytes((data / FILE).read_bytes()[12:20], "little")
    assert version <= 68
    script.close()


def test_every_column_says_what_it_means(data: Path) -> None:
    script = Script(data)
    with following(data, script.site) as (_, database):
        silent = rows(
            database,
            "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'stats' "
            "AND schema_name = 'main' AND NOT internal AND comment IS NULL AND table_name NOT LIKE '%_live' "
            "AND table_name IN (SELECT table_name FROM duckdb_tables() WHERE database_name = 'stats')",
        )
        assert silent == []
        durations = rows(
            database,
            "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE database_name = 'stats' "
            "AND column_name LIKE '%\\_ms' ESCAPE '\\' AND table_name LIKE '%_ended'",
        )
        assert durations
        assert all(", ms" in comment for _, _, comment in durations)
    script.close()
