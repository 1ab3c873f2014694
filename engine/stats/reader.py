"""Analysts' SQL: one reading statement at a time, bounded in time, rows, bytes and memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import msgspec
import pyarrow as pa

from engine.stats.cells import encode_row, plain
from engine.stats.database import Database
from engine.stats.guard import StatementRefused, admit

BATCH_ROWS: Final = 1_000
_FAULTS: Final = (duckdb.Error, pa.ArrowException, OSError, MemoryError)
"""What a statement ends with: DuckDB's own, and Arrow's while rows come (an OSError, mostly)."""


class Reply(msgspec.Struct, frozen=True):
    """The answer to one statement.

    Attributes:
        columns: their names.
        types: their DuckDB types.
        rows: one JSON array each.
        truncated: more rows or bytes would have come.
        applied_seq: the journal's batch that all rows stand behind.
        elapsed_ms: how long it took.
    """

    columns: list[str]
    types: list[str]
    rows: list[msgspec.Raw]
    truncated: bool
    applied_seq: int
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one statement may cost."""

    timeout_ms: int
    max_rows: int
    max_bytes: int


class Reader:
    """Runs analysts' statements; any thread may call it.

    Args:
        database: the open file.
        bounds: of one statement.
    """

    def __init__(self, database: Database, bounds: Bounds) -> None:
        self._database = database
        self._bounds = bounds

    def answer(self, sql: str) -> Reply:
        """Run one statement.

        Raises:
            StatementRefused: it may not be run, is wrong, or took too long.
        """
        started = time.perf_counter()
        cursor = self._database.cursor()
        stopped = threading.Event()
        try:
            with self._interrupted(cursor, stopped):
                return self._run(cursor, sql, started)
        except _FAULTS as error:
            if stopped.is_set():
                seconds = self._bounds.timeout_ms / 1_000
                text = f"stopped after {seconds:g} s; ask for less, or for a shorter time"
                raise StatementRefused("stopped", text) from error
            raise StatementRefused("bad_sql", str(error)) from error
        finally:
            cursor.close()

    @contextmanager
    def _interrupted(self, cursor: duckdb.DuckDBPyConnection, stopped: threading.Event) -> Iterator[None]:
        def stop() -> None:
            stopped.set()
            cursor.interrupt()

        timer = threading.Timer(self._bounds.timeout_ms / 1_000, stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    def _run(self, cursor: duckdb.DuckDBPyConnection, sql: str, started: float) -> Reply:
        admit(cursor, sql)
        cursor.execute("BEGIN TRANSACTION READ ONLY")
        (seq,) = cursor.execute("SELECT seq FROM applied").fetchall()[0]
        # sql() hands its rows on as they come; execute() would gather all of them first.
        result = cursor.sql(sql)
        columns = result.description or []
        rows, truncated = self._fetch(result.to_arrow_reader(BATCH_ROWS))
        return Reply(
            columns=[column[0] for column in columns],
            types=[str(column[1]) for column in columns],
            rows=rows,
            truncated=truncated,
            applied_seq=seq,
            elapsed_ms=round((time.perf_counter() - started) * 1_000, 1),
        )

    def _fetch(self, batches: Any) -> tuple[list[msgspec.Raw], bool]:
        rows: list[msgspec.Raw] = []
        size = 0
        batch: pa.RecordBatch
        for batch in batches:
            columns = [plain(column) for column in batch.columns]
            for values in zip(*columns, strict=True):
                row = encode_row(values)
                size += len(row)
                if len(rows) == self._bounds.max_rows or size > self._bounds.max_bytes:
                    return rows, True
                rows.append(msgspec.Raw(row))
        return rows, False
