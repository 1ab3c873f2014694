"""Analysts' SQL: what only reads is answered, everything else refused, and the next one works."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.stats.database import FILE, Database
from engine.stats.guard import MAX_SQL_BYTES, StatementRefused
from engine.stats.reader import Bounds, Reader, Reply
from engine.stats.reports import load_report, report_names

LIMIT_MB = 128


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stats")


@pytest.fixture(scope="module")
def database(folder: Path) -> Iterator[Database]:
    """One for all: whatever a statement leaves behind would show in the next test."""
    database = Database(folder / FILE, "one", memory_limit_mb=LIMIT_MB, time_zone="Asia/Shanghai", threads=1)
    yield database
    database.close()


@pytest.fixture(scope="module")
def reader(database: Database) -> Reader:
    return Reader(database, Bounds(timeout_ms=5_000, max_rows=100, max_bytes=10_000))


def values(reply: Reply) -> list[list[Any]]:
    return [msgspec.json.decode(row) for row in reply.rows]


def fingerprint(database: Database) -> list[Any]:
    cursor = database.cursor()
    try:
        found = cursor.execute("FROM applied").fetchall()
        tables = cursor.execute(
            "SELECT table_name, estimated_size FROM duckdb_tables() ORDER BY ALL"
        ).fetchall()
        settings = cursor.execute("SELECT name, value FROM duckdb_settings() ORDER BY ALL").fetchall()
        return [found, tables, settings]
    finally:
        cursor.close()


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", [[1]]),
        ("select 1;", [[1]]),
        ("-- a remark\n/* and another */ SELECT 'a;b' -- end", [["a;b"]]),
        ("FROM conservation", [[0] * 12]),
        ("WITH t AS (SELECT 2 AS n) SELECT n FROM t", [[2]]),
        ("VALUES (1), (2)", [[1], [2]]),
        ("SELECT sum(range) FROM range(10)", [[45]]),
        ("SELECT count(*) FROM contacts WHERE arrived_at > now() - INTERVAL 1 day", [[0]]),
        (
            "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 4) SELECT max(n)"
            " FROM t",
            [[4]],
        ),
        ("SELECT list_transform([1, 2], lambda x: x + 1)", [[[2, 3]]]),
        ("SELECT site, seq FROM applied", [["one", 0]]),
    ],
)
def test_reading_is_answered(reader: Reader, sql: str, expected: list[list[Any]]) -> None:
    reply = reader.answer(sql)
    assert values(reply) == expected
    assert not reply.truncated


@pytest.mark.parametrize("sql", ["DESCRIBE contacts", "SHOW TABLES", "EXPLAIN SELECT * FROM contacts",
                                 "EXPLAIN ANALYZE SELECT 1", "SUMMARIZE contacts"])  # fmt: skip
def test_tools_may_look_around(reader: Reader, sql: str) -> None:
    assert reader.answer(sql).rows


def hostile(folder: str) -> list[tuple[str, str]]:
    return [
        ("SELECT 1; SELECT 2", "not_allowed"),
        ("", "not_allowed"),
        ("-- nothing", "not_allowed"),
        ("SELEC 1", "bad_sql"),
        ("SELECT nonsense", "bad_sql"),
        ("DELETE FROM applied", "not_allowed"),
        ("UPDATE applied SET seq = 9", "not_allowed"),
        ("INSERT INTO names VALUES ('x', 1, 'y')", "not_allowed"),
        ("DROP TABLE contacts_ended", "not_allowed"),
        ("CREATE TABLE mine (a INT)", "not_allowed"),
        ("CREATE TEMP TABLE mine (a INT)", "not_allowed"),
        ("CREATE MACRO m() AS 1", "not_allowed"),
        ("WITH x AS (INSERT INTO names VALUES ('x', 1, 'y') RETURNING id) SELECT * FROM x", "not_allowed"),
        ("WITH x AS (DELETE FROM applied RETURNING seq) SELECT * FROM x", "not_allowed"),
        (f"WITH x AS (COPY names TO '{folder}/out.csv') SELECT * FROM x", "not_allowed"),
        ("EXPLAIN ANALYZE DELETE FROM applied", "not_allowed"),
        ("EXPLAIN ANALYZE WITH x AS (DELETE FROM applied RETURNING seq) SELECT * FROM x", "not_allowed"),
        (f"COPY names TO '{folder}/out.csv'", "not_allowed"),
        (f"COPY (SELECT 1) TO '{folder}/out.csv'", "not_allowed"),
        (f"EXPORT DATABASE '{folder}/out'", "not_allowed"),
        (f"ATTACH '{folder}/other.duckdb' AS other", "not_allowed"),
        ("DETACH stats", "not_allowed"),
        ("SET enable_external_access = true", "not_allowed"),
        ("SET GLOBAL memory_limit = '100GB'", "not_allowed"),
        ("RESET lock_configuration", "not_allowed"),
        ("PRAGMA memory_limit = '100GB'", "not_allowed"),
        ("INSTALL httpfs", "not_allowed"),
        ("LOAD httpfs", "not_allowed"),
        ("CALL force_checkpoint()", "not_allowed"),
        ("CHECKPOINT", "not_allowed"),
        ("BEGIN", "not_allowed"),
        ("COMMIT", "not_allowed"),
        ("PREPARE p AS SELECT 1", "not_allowed"),
        ("USE memory", "not_allowed"),
        ("SELECT * FROM read_text('/etc/passwd')", "not_allowed"),
        ("SELECT * FROM read_csv('/etc/passwd')", "not_allowed"),
        ("SELECT * FROM '/etc/passwd'", "bad_sql"),
        ("SELECT * FROM '/etc/hosts.csv'", "bad_sql"),
        ("SELECT * FROM glob('/etc/*')", "not_allowed"),
        ("SELECT * FROM read_parquet('http://127.0.0.1/x.parquet')", "not_allowed"),
        ("SELECT * FROM query('DELETE FROM applied')", "not_allowed"),
        ("SELECT * FROM query_table('applied')", "not_allowed"),
        ("SELECT * FROM json_execute_serialized_sql('{}')", "not_allowed"),
        ("SELECT * FROM arrow_scan(1, 2, 3)", "not_allowed"),
        ("SELECT * FROM pandas_scan(1)", "not_allowed"),
        ("SELECT * FROM force_checkpoint()", "not_allowed"),
        ("SELECT * FROM enable_logging(storage := 'file')", "not_allowed"),
        ("SELECT * FROM main.FORCE_CHECKPOINT()", "not_allowed"),
        ("SELECT (SELECT count(*) FROM (SELECT * FROM truncate_duckdb_logs()))", "not_allowed"),
        ("SELECT sleep_ms(100)", "not_allowed"),
        ("SELECT SETSEED(0.5)", "not_allowed"),
        ("SELECT write_log('x')", "not_allowed"),
        ("SELECT getenv('HOME')", "bad_sql"),
        ("SELECT * FROM database", "bad_sql"),
        ("SELECT * FROM self", "bad_sql"),
        ("SELECT '" + "x" * MAX_SQL_BYTES + "'", "too_large"),
        ("(" * 5_000 + "SELECT 1" + ")" * 5_000, "too_large"),
        ("SELECT " + "[" * 5_000 + "]" * 5_000, "too_large"),
        ("SELECT 1" + " + 1" * 5_000, "bad_sql"),
        ("SELECT " + "NOT " * 5_000 + "true", "bad_sql"),
        ("SELECT CASE WHEN true THEN " * 2_000 + "1" + " END" * 2_000, "bad_sql"),
    ]


@pytest.mark.parametrize("number", range(len(hostile(""))))
def test_hostile_statement_is_refused_and_changes_nothing(
    database: Database, reader: Reader, folder: Path, number: int
) -> None:
    sql, code = hostile(str(folder))[number]
    before = fingerprint(database)
    files = sorted(path.name for path in folder.iterdir())
    with pytest.raises(StatementRefused) as caught:
        reader.answer(sql)
    assert caught.value.code == code, str(caught.value)
    assert fingerprint(database) == before
    assert sorted(path.name for path in folder.iterdir()) == files
    assert values(reader.answer("SELECT 'next'")) == [["next"]]


@pytest.mark.parametrize(
    "sql",
    [
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
        "SELECT sum(sqrt(a.range * b.range)) FROM range(10000000) AS a, range(10000000) AS b",
    ],
)
def test_endless_statement_is_stopped(database: Database, sql: str) -> None:
    reader = Reader(database, Bounds(timeout_ms=150, max_rows=10, max_bytes=1_000))
    with pytest.raises(StatementRefused, match=r"stopped after 0\.15 s"):
        reader.answer(sql)
    assert values(reader.answer("SELECT 1")) == [[1]]


def test_statement_that_wants_too_much_memory_is_refused(database: Database) -> None:
    reader = Reader(database, Bounds(timeout_ms=20_000, max_rows=10, max_bytes=1_000))
    with pytest.raises(StatementRefused, match="Out of Memory"):
        reader.answer("SELECT list(range) FROM range(100000000)")
    assert values(reader.answer("SELECT 1")) == [[1]]
    assert not list(database.path.parent.glob("*tmp*")), "it did not spill to the disk either"


def test_rows_and_bytes_are_capped(database: Database) -> None:
    reader = Reader(database, Bounds(timeout_ms=5_000, max_rows=10, max_bytes=1_000))
    exact = reader.answer("FROM range(10)")
    assert (len(exact.rows), exact.truncated) == (10, False)
    more = reader.answer("FROM range(10000000000)")
    assert (len(more.rows), more.truncated) == (10, True)
    assert more.elapsed_ms < 3_000, "rows come as they are made"
    wide = reader.answer("SELECT repeat('x', 400) FROM range(5)")
    assert (len(wide.rows), wide.truncated) == (2, True)


def test_every_type_can_be_said_in_json(reader: Reader) -> None:
    reply = reader.answer(
        """
        SELECT
            TIMESTAMPTZ '2026-11-22 12:00:00.000001+08' AS moment, TIMESTAMP '2026-11-22 12:00:00' AS local,
            TIMESTAMPTZ 'infinity' AS forever, TIMESTAMP_NS '2026-11-22 12:00:00.123456789' AS ns,
            DATE '2026-11-22' AS day, TIME '12:30:00' AS hour, INTERVAL 90 minutes AS span,
            12.50::DECIMAL(10, 2) AS exact, sum(9007199254740993) AS big,
            170141183460469231731687303715884105727 AS huge,
            'nan'::DOUBLE AS nan, true AS yes, 'x\\xAA'::BLOB AS bytes, NULL AS nothing,
            {'a': DATE '2026-01-01'} AS struct, [1, NULL] AS list, MAP {'k': 1} AS map,
            '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::UUID AS uuid, '银行' AS text
        """
    )
    (row,) = values(reply)
    said = dict(zip(reply.columns, row, strict=True))
    assert said["moment"] == "2026-11-22T04:00:00.000001Z"
    assert said["local"] == "2026-11-22T12:00:00.000000"
    assert said["forever"] == "infinity"
    assert said["ns"] == "2026-11-22T12:00:00.123456"
    assert (said["day"], said["hour"]) == ("2026-11-22", "12:30:00")
    assert said["exact"] == 12.5
    assert said["big"] == 9_007_199_254_740_993
    assert said["huge"] == "170141183460469231731687303715884105727"
    assert (said["nan"], said["yes"], said["nothing"]) == (None, True, None)
    assert said["struct"] == {"a": "2026-01-01"}
    assert said["list"] == [1, None]
    assert said["uuid"] == "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
    assert said["text"] == "银行"
    assert reply.types[0] == "TIMESTAMP WITH TIME ZONE"
    assert said["span"] == "PT5400S"
    assert said["bytes"] == "78aa"
    assert said["map"] == [["k", 1]]


def test_reports_pass_the_guard(reader: Reader) -> None:
    names = report_names()
    assert len(names) >= 11
    for name in names:
        report = load_report(name)
        assert report.title.en
        assert report.title.zh
        assert report.formula
        assert report.source
        reader.answer(report.sql)
