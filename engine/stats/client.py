"""Asking the statistics endpoint, and showing what it says: what ``paidui sql`` is made of."""

from __future__ import annotations

import csv
import unicodedata
from collections import Counter
from collections.abc import Iterable
from io import StringIO
from typing import Any, Final

import httpx
import msgspec

from engine.errors import PaiduiError

TIMEOUT_S: Final = 60.0
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_NULL: Final = "NULL"


class Table(msgspec.Struct, frozen=True):
    """A reply: ``rows`` hold JSON values in the order of ``columns``."""

    columns: list[str]
    types: list[str]
    rows: list[list[Any]]
    truncated: bool
    applied_seq: int
    elapsed_ms: float


class AskError(PaiduiError):
    """The endpoint refused the statement, or did not answer.

    Attributes:
        code: the endpoint's word for it; ``unreachable`` if there was no answer.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def ask(url: str, token: str, sql: str) -> Table:
    """Run one statement.

    Args:
        url: of the endpoint, ``http://127.0.0.1:8702``.
        token: of the purpose analyst.
        sql: the statement.

    Raises:
        AskError: there is no table; the text says why.
    """
    return _post(url, token, {"sql": sql})


def ask_report(url: str, token: str, name: str) -> Table:
    """Run a named report; see :func:`ask`."""
    return _post(url, token, {"report": name})


def _post(url: str, token: str, body: dict[str, str]) -> Table:
    try:
        response = httpx.post(
            f"{url}/sql", json=body, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT_S
        )
    except httpx.HTTPError as error:
        raise AskError(
            "unreachable", f"{url}: {error}; is the site running? Its statistics open a moment after it"
        ) from error
    if response.status_code == httpx.codes.OK:
        return msgspec.json.decode(response.content, type=Table)
    try:
        refusal = response.json()["error"]
        code, text = str(refusal["code"]), str(refusal["message"])
    except (ValueError, KeyError, TypeError):
        code, text = "http", f"{url}: status {response.status_code}"
    raise AskError(code, text)


def as_json(table: Table) -> str:
    """Return the rows as a JSON array of objects, one a line; a column's second namesake gets ``_2``."""
    seen: Counter[str] = Counter()
    names = []
    for name in table.columns:
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    rows = (msgspec.json.encode(dict(zip(names, row, strict=True))).decode() for row in table.rows)
    return "[" + ",\n ".join(rows) + "]\n"


def as_csv(table: Table) -> str:
    """Return the rows as CSV; text that a spreadsheet would run as a formula gets an apostrophe."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([_csv_cell(name) for name in table.columns])
    for row in table.rows:
        writer.writerow([_csv_cell(value) for value in row])
    return text.getvalue()


def as_text(table: Table) -> str:
    """Return the rows as a table for a terminal, with a line below that says how current it is."""
    numeric = [_is_number(kind) for kind in table.types]
    cells = [[_shown(value) for value in row] for row in table.rows]
    header = [_shown(name) for name in table.columns]
    widths = [max(map(display_width, column)) for column in zip(header, *cells, strict=True)]
    lines = [
        _line(header, widths, [False] * len(header)),
        "  ".join("-" * width for width in widths),
        *(_line(row, widths, numeric) for row in cells),
    ]
    count = f"{len(table.rows)} row" + ("" if len(table.rows) == 1 else "s")
    cut = ", cut off: ask for less" if table.truncated else ""
    lines.append(f"({count}{cut}; as of batch {table.applied_seq}; {table.elapsed_ms:g} ms)")
    return "\n".join(lines) + "\n"


def display_width(text: str) -> int:
    """Return how many terminal columns a text takes: Chinese characters take two, accents none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def _line(cells: Iterable[str], widths: Iterable[int], right: Iterable[bool]) -> str:
    padded = []
    for cell, width, to_right in zip(cells, widths, right, strict=True):
        blanks = " " * (width - display_width(cell))
        padded.append(blanks + cell if to_right else cell + blanks)
    return "  ".join(padded).rstrip()


def _is_number(kind: str) -> bool:
    return kind.startswith(("DECIMAL", "DOUBLE", "FLOAT")) or kind.endswith("INT") or kind == "INTEGER"


def _shown(value: object) -> str:
    """Return a cell's text; what could steer the terminal is spelled out."""
    text = _plain(value, _NULL)
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _csv_cell(value: object) -> str:
    text = _plain(value, "")
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA_STARTS) else text


def _plain(value: object, null: str) -> str:
    if value is None:
        return null
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
