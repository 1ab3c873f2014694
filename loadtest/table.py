"""Reads CSV tables whose every fault names file, line and column.

A header's text from ``(`` on is a comment: ``patience_ms(-1=infinite)`` is the column ``patience_ms``.
A column that ends in ``_s`` or ``_ms`` carries its unit in its name.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loadtest.errors import InputError

MAX_ROWS = 20_000_000
UNIT_US = {"s": 1_000_000, "ms": 1_000}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table."""

    table: "Table"
    line: int
    cells: list[str]

    def text(self, column: str) -> str:
        """Returns a cell, without the blanks around it; a column that is not there reads as empty."""
        index = self.table.columns.get(column)
        return "" if index is None else self.cells[index].strip()

    def fault(self, column: str, text: str) -> InputError:
        """Builds the error that points at a cell of this line."""
        return InputError(f"{self.table.path}:{self.line}: column {column}: {text}")

    def required(self, column: str) -> str:
        """Returns a cell that must not be empty."""
        text = self.text(column)
        if not text:
            raise self.fault(column, "expected a value, got an empty cell")
        return text

    def integer(self, column: str, low: int = 0, high: int = 2**53) -> int:
        """Returns a cell as a whole number between `low` and `high`."""
        text = self.text(column)
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise self.fault(column, f"expected a whole number {low}..{high}, got {text!r}")
        return value


class Table:
    """A CSV file: its columns by name, its unit of time, its rows."""

    def __init__(self, path: Path, required: tuple[str, ...]) -> None:
        """Opens `path`; every name in `required` must be a column (units stripped for time columns)."""
        self.path = path
        self._lines = self._read()
        header = next(self._lines, None)
        if header is None:
            raise InputError(f"{path}: expected a header line, got an empty file")
        self._header_line = header[0]
        names = [cell.partition("(")[0].strip() for cell in header[1]]
        self.columns: dict[str, int] = {}
        for index, name in enumerate(names):
            if name in self.columns:
                raise InputError(f"{path}:{header[0]}: column {name}: stands in the header twice")
            self.columns[name] = index
        for name in required:
            if name not in self.columns:
                known = ", ".join(names)
                raise InputError(f"{path}:{header[0]}: column {name}: missing; the header has {known}")

    def _read(self) -> Iterator[tuple[int, list[str]]]:
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.reader(file, strict=True)
                for cells in reader:
                    if any(cell.strip() for cell in cells):
                        yield reader.line_num, cells
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise InputError(f"{self.path}: expected UTF-8 text; byte {error.start} is not") from error
        except csv.Error as error:
            raise InputError(f"{self.path}: not a CSV file: {error}") from error

    def time_column(self, stem: str) -> tuple[str, int]:
        """Finds `stem_s` or `stem_ms`; returns its name and its unit in microseconds."""
        found = [(f"{stem}_{unit}", us) for unit, us in UNIT_US.items() if f"{stem}_{unit}" in self.columns]
        if len(found) != 1:
            raise InputError(
                f"{self.path}:{self._header_line}: column {stem}_s or {stem}_ms: "
                f"expected exactly one of them, got {len(found)}"
            )
        return found[0]

    def rows(self) -> Iterator[Row]:
        """Yields the rows; a row with a missing or an extra cell is an error."""
        for count, (line, cells) in enumerate(self._lines):
            if len(cells) != len(self.columns):
                last = next((n for n, i in self.columns.items() if i == len(cells)), "after the last")
                raise InputError(
                    f"{self.path}:{line}: column {last}: expected {len(self.columns)} cells, got {len(cells)}"
                )
            if count >= MAX_ROWS:
                raise InputError(f"{self.path}:{line}: more than {MAX_ROWS} rows")
            yield Row(self, line, cells)
