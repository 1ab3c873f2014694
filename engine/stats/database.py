"""The statistics file: opening it, its schema, and one write = one transaction.

One process owns the file. Its storage format is that of DuckDB 1.5, so that older tools can open a
copy. What analysts may do is settled here once, before any of them asks: no files, no network, no
settings; :mod:`engine.stats.reader` adds what is per statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from engine.errors import PaiduiError
from engine.router import History
from engine.router_rows import Column, ColumnRows

FILE: Final = "stats.duckdb"
STORAGE_VERSION: Final = "v1.5.0"
FORMAT: Final = 9
"""Of the tables; to be raised whenever ``schema.sql`` or the meaning of a row changes."""
KEYS: Final = {
    "configurations": "config",
    "contacts": "contact",
    "offers": "offer",
    "segments": "segment",
    "choices": "choice",
    "estimates": "estimate",
    "overflows": "overflow",
    "queue_hours": "queue_id",
    "agent_states": "agent_id",
}
"""The tables, with the column by which a live row is found."""
_CATALOG: Final = "stats"
_TAKEN: Final = ("Could not set lock", "already attached", "Unique file handle")
"""What DuckDB says of a file that another process, or this one, has open."""
_DAMAGED: Final = (
    "not a valid DuckDB",
    "orrupt",
    "checksum",
    "version number",
    "Failure while replaying WAL",
)
"""What DuckDB says of a file that nothing but a rebuild can mend."""
_COLUMN: Final = re.compile(r"^    (?P<column>\w+) [A-Z].*? -- (?P<comment>.+)$")
_TABLE: Final = re.compile(r"^CREATE TABLE (?P<table>\w+) \(")


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the journal has been read; ``schema.sql`` explains the columns of ``applied``."""

    site: str
    seq: int
    at_us: int | None
    state_hash: str
    journal_seq: int


class StatsFileError(PaiduiError):
    """The file is damaged, or of another release, site or journal: it has to be made anew."""


class Database:
    """The open file.

    Args:
        path: the file; made if it is not there.
        site: the site's name, for a file that is made.
        memory_limit_mb: MiB that DuckDB may use, for the writer and all analysts together.
        time_zone: what days and half hours mean, an IANA name.
        threads: for all statements together.

    Raises:
        StatsFileError: the file has to be made anew.
        PaiduiError: another process has it open, or it cannot be opened.
    """

    def __init__(self, path: Path, site: str, *, memory_limit_mb: int, time_zone: str, threads: int) -> None:
        self.path = path
        self._db = duckdb.connect(":memory:")
        try:
            self._attach(path)
            self._create(site)
            self._confine(memory_limit_mb, time_zone, threads)
            self._schemas = {name: self._schema(name) for name in KEYS}
            self._stored = {name: self._stored_keys(name) for name in KEYS}
        except duckdb.Error as error:
            self._db.close()
            raise _opening_error(path, str(error)) from error
        except BaseException:
            self._db.close()
            raise

    def _attach(self, path: Path) -> None:
        quoted = str(path).replace("'", "''")
        self._db.execute(f"ATTACH '{quoted}' AS {_CATALOG} (STORAGE_VERSION '{STORAGE_VERSION}')")
        self._db.execute(f"USE {_CATALOG}")

    def _create(self, site: str) -> None:
        exists = self._db.execute(
            "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND table_name = 'applied'", [_CATALOG]
        ).fetchone()
        self._db.execute("BEGIN")
        if exists is None:
            self._create_tables(site)
        elif self._format() != FORMAT:
            raise StatsFileError(f"{self.path}: its tables are not of format {FORMAT}")
        self._db.execute(_text("views.sql"))
        self._db.execute("COMMIT")

    def _create_tables(self, site: str) -> None:
        schema = schema_text()
        self._db.execute(schema)
        for statement in column_comments(schema):
            self._db.execute(statement)
        self._db.execute("INSERT INTO applied VALUES (?, ?, 0, NULL, '', 0, 0)", [FORMAT, site])

    def _format(self) -> int | None:
        try:
            row = self._db.execute("SELECT format FROM applied").fetchone()
        except duckdb.Error:
            return None
        return None if row is None else int(row[0])

    def _confine(self, memory_limit_mb: int, time_zone: str, threads: int) -> None:
        for setting, value in {
            "memory_limit": f"'{memory_limit_mb}MiB'",
            "TimeZone": f"'{time_zone}'",
            "threads": str(threads),
            # What a large transaction has used goes back to the system, and not only at the next one.
            "allocator_background_threads": "true",
            # Every checkpoint packs the last, unfilled part of each table once more.
            "checkpoint_threshold": "'64MiB'",
            # A statement that does not fit fails; it does not fill the disk that the journal needs.
            "temp_directory": "''",
            "python_enable_replacements": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "enable_external_access": "false",
        }.items():
            self._db.execute(f"SET GLOBAL {setting} = {value}")
        self._db.execute("SET GLOBAL lock_configuration = true")

    def _schema(self, table: str) -> pa.Schema:
        empty: pa.Table = self._db.sql(f"FROM {table}_live LIMIT 0").to_arrow_table()
        return empty.schema

    def _stored_keys(self, table: str) -> list[int]:
        rows = self._db.execute(f"SELECT {KEYS[table]} FROM {table}_live").fetchall()  # noqa: S608 - constants
        return [key for (key,) in rows]

    def history(self) -> History:
        """Return a history that knows which live rows the file had when it was opened."""
        history = History()
        for table, keys in self._stored.items():
            history.stored(table, keys)
        return history

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a connection of its own to the same file, for one statement in another thread."""
        cursor = self._db.cursor()
        cursor.execute(f"USE {_CATALOG}")
        return cursor

    def mark(self) -> Mark:
        """Return the watermark."""
        rows = self._db.execute(
            "SELECT site, seq, epoch_us(applied_at), state_hash, journal_seq FROM applied"
        )
        return Mark(*rows.fetchall()[0])

    def write(self, history: History, mark: Mark, names: dict[str, dict[str, int]] | None) -> None:
        """Write everything that has changed, and the watermark, in one transaction.

        Args:
            history: the rows; what was written is taken off it.
            mark: the watermark.
            names: kind -> name -> id, if they have changed.
        """
        self._db.execute("BEGIN")
        try:
            for table in KEYS:
                self._write_table(table, history)
            if names is not None:
                self._write_names(names)
            self._db.execute(
                "UPDATE applied SET seq = ?, applied_at = make_timestamptz(?), state_hash = ?, "
                "journal_seq = ?, arrived = ?",
                [mark.seq, mark.at_us, mark.state_hash, mark.journal_seq, history.arrived],
            )
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        history.written()

    def _write_table(self, table: str, history: History) -> None:
        gone, live, ended = history.changes(table)
        if gone:
            self._with_rows(
                pa.table({"key": pa.array(gone, pa.int64())}),
                f"DELETE FROM {table}_live WHERE {KEYS[table]} IN (SELECT key FROM new_rows)",  # noqa: S608
            )
        self._append(f"{table}_live", table, live)
        self._append(f"{table}_ended", table, ended)

    def _append(self, target: str, table: str, rows: ColumnRows) -> None:
        count, columns = rows
        if not count:
            return
        schema = self._schemas[table]
        arrays = [
            arrow_array(field.type, count, column) for field, column in zip(schema, columns, strict=True)
        ]
        self._with_rows(pa.Table.from_arrays(arrays, schema=schema), f"INSERT INTO {target} FROM new_rows")

    def _with_rows(self, rows: pa.Table, statement: str) -> None:
        self._db.register("new_rows", rows)
        try:
            self._db.execute(statement)
        finally:
            self._db.unregister("new_rows")

    def _write_names(self, names: dict[str, dict[str, int]]) -> None:
        rows = [(kind, number, name) for kind, ids in names.items() for name, number in ids.items()]
        kinds, numbers, texts = zip(*rows, strict=True) if rows else ((), (), ())
        table = pa.table(
            {
                "kind": pa.array(kinds, pa.string()),
                "id": pa.array(numbers, pa.int64()),
                "name": pa.array(texts, pa.string()),
            }
        )
        self._db.execute("DELETE FROM names")
        self._with_rows(table, "INSERT INTO names FROM new_rows")

    def pack(self) -> None:
        """Move what was written out of memory into the file; put off while a statement is in the way."""
        with suppress(duckdb.TransactionException):
            self._db.execute("CHECKPOINT")

    def close(self) -> None:
        """Close the file; a clean close leaves no write-ahead log."""
        self._db.close()


def arrow_array(kind: pa.DataType, count: int, column: Column) -> pa.Array:
    """Return a column of a history as Arrow's, its bytes as they are.

    Args:
        kind: the column's type in the table.
        count: rows.
        column: of the width that the type has.

    Raises:
        ValueError: it has another width.
    """
    bits, valid, values, starts = column
    if bits != (0 if pa.types.is_string(kind) else kind.bit_width):
        raise ValueError(f"a column of {bits} bits is not for {kind}")
    buffers = [valid, values] if starts is None else [valid, starts, values]
    return pa.Array.from_buffers(kind, count, [None if one is None else pa.py_buffer(one) for one in buffers])


def _opening_error(path: Path, text: str) -> PaiduiError:
    if any(words in text for words in _TAKEN):
        return PaiduiError(f"{path}: another process has it open; stop it first")
    if any(words in text for words in _DAMAGED):
        return StatsFileError(f"{path}: it is damaged: {text}")
    return PaiduiError(f"{path}: cannot be opened: {text}")


def schema_text() -> str:
    """Return ``schema.sql``."""
    return _text("schema.sql")


def column_comments(schema: str) -> Iterator[str]:
    """Yield the statements that give every column its comment, so that tools show it."""
    table = ""
    for line in schema.splitlines():
        if match := _TABLE.match(line):
            table = match["table"]
        elif match := _COLUMN.match(line):
            comment = match["comment"].replace("'", "''")
            yield f"COMMENT ON COLUMN {table}.{match['column']} IS '{comment}'"


def _text(name: str) -> str:
    return resources.files("engine.stats").joinpath(name).read_text(encoding="utf-8")
