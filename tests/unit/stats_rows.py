"""The statistics' rows as a test reads them: plain numbers and words, with the columns' names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

from engine.model import Event, encode_frame
from engine.router import History as Core
from engine.router_rows import Column, ColumnRows
from engine.stats.database import KEYS, schema_text

Values = tuple[object, ...]
_TABLE = re.compile(r"^CREATE TABLE (\w+)_ended \(\n(.*?)^\);", re.M | re.S)
COLUMNS = {name: re.findall(r"^    (\w+) ", text, re.M) for name, text in _TABLE.findall(schema_text())}
"""Table -> its columns, as `schema.sql` has them."""


class History:
    """What the core's class gives, decoded; nothing is taken off it unless a test says so."""

    def __init__(self) -> None:
        self.core = Core()

    def apply(self, seq: int, events: Sequence[Event]) -> None:
        """Take one batch."""
        self.core.apply(seq, b"".join(encode_frame(event) for event in events))

    @property
    def arrived(self) -> int:
        """Contacts that have arrived."""
        return self.core.arrived

    def closed(self, table: str) -> list[Values]:
        """Rows that are final, in the order in which they became so."""
        return decoded(self.core.changes(table)[2])

    def live(self, table: str) -> list[Values]:
        """Open rows, by their keys."""
        return decoded(self.core.changes(table)[1])

    def open(self, table: str) -> dict[int, Any]:
        """Open rows by their keys, with the columns as attributes; as they are now."""
        return {row[key_place(table)]: named(table, row) for row in self.live(table)}  # type: ignore[misc]

    def changed(self) -> Iterator[tuple[str, list[int], list[Values], list[Values]]]:
        """Of each table: keys of stored rows that go, live rows, rows that are final; then all is stored."""
        for table in KEYS:
            gone, live, ended = self.core.changes(table)
            yield table, gone, decoded(live), decoded(ended)
        self.core.written()


def key_place(table: str) -> int:
    """In which column of a table its key stands."""
    return COLUMNS[table].index(KEYS[table])


def named(table: str, row: Values) -> SimpleNamespace:
    """A row with its columns as attributes."""
    names: Mapping[str, object] = dict(zip(COLUMNS[table], row, strict=True))
    return SimpleNamespace(**names)


def decoded(rows: ColumnRows) -> list[Values]:
    """Rows out of columns."""
    count, columns = rows
    return list(zip(*(_cells(column, count) for column in columns), strict=True)) if count else []


def _cells(column: Column, count: int) -> list[object]:
    bits, valid, values, starts = column
    cells: list[object]
    if starts is not None:
        places = _integers(starts, 4)
        cells = [values[start:end].decode() for start, end in pairwise(places)]
    elif bits == 1:
        cells = [_bit(values, row) for row in range(count)]
    else:
        cells = list(_integers(values, bits // 8))
    assert len(cells) == count
    return [cell if valid is None or _bit(valid, row) else None for row, cell in enumerate(cells)]


def _integers(values: bytes, width: int) -> list[int]:
    places = range(0, len(values), width)
    return [int.from_bytes(values[at : at + width], "little", signed=True) for at in places]


def _bit(bits: bytes, row: int) -> bool:
    return bool(bits[row // 8] >> row % 8 & 1)
