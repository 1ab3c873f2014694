"""What an analyst's statement may be, decided before it runs.

The read-only transaction and the locked configuration of the database are what holds; this looks at
the parsed statement first, because some functions reach past both: raw pointers, logging,
checkpoints, SQL inside strings. A statement's type proves nothing, DuckDB 2 has CTEs that write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import duckdb
import msgspec

from engine.errors import PaiduiError

MAX_SQL_BYTES: Final = 64 * 1024
MAX_NESTING: Final = 100
"""Brackets within brackets: the parser recurses, and its stack is the process's."""
QUERY_NODES: Final = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
TABLE_FUNCTIONS: Final = frozenset(
    {
        "duckdb_columns",
        "duckdb_functions",
        "duckdb_tables",
        "duckdb_types",
        "duckdb_views",
        "generate_series",
        "histogram",
        "histogram_values",
        "json_each",
        "json_tree",
        "pg_timezone_names",
        "pragma_table_info",
        "range",
        "repeat",
        "unnest",
    }
)
"""The functions that may stand where a table stands."""
REFUSED_FUNCTIONS: Final = frozenset({"nextval", "setseed", "setval", "sleep_ms", "write_log"})
"""The other functions with side effects."""
_EXPLAIN: Final = re.compile(r"\s*explain\b\s*(analyze\b|\([^)]*\))?", re.IGNORECASE)


class StatementRefused(PaiduiError):
    """The statement is not run, or was stopped.

    Attributes:
        code: ``bad_sql``, ``not_allowed``, ``too_large`` or ``stopped``.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def admit(cursor: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Let a statement pass that only reads.

    Args:
        cursor: parses, runs nothing of it.
        sql: what the analyst sent.

    Raises:
        StatementRefused: it is not one single reading statement; the text says why.
    """
    if len(sql.encode()) > MAX_SQL_BYTES:
        raise StatementRefused("too_large", f"a statement has at most {MAX_SQL_BYTES} bytes")
    _check_nesting(sql)
    try:
        statements = cursor.extract_statements(sql)
    except duckdb.Error as error:
        raise StatementRefused("bad_sql", str(error)) from error
    if len(statements) != 1:
        raise StatementRefused("not_allowed", f"send one statement, not {len(statements)}")
    query = statements[0].query
    if statements[0].type == duckdb.StatementType.EXPLAIN:
        query = _EXPLAIN.sub("", query, count=1)
    for node in _nodes(_tree(cursor, query)):
        _check_node(node)


def _check_nesting(sql: str) -> None:
    depth = 0
    for character in sql:
        if character in "([{":
            depth += 1
            if depth > MAX_NESTING:
                raise StatementRefused("too_large", f"more than {MAX_NESTING} brackets within brackets")
        elif character in ")]}":
            depth -= 1


def _tree(cursor: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = cursor.execute("SELECT json_serialize_sql(?::VARCHAR)::VARCHAR", [query]).fetchone()
    tree = msgspec.json.decode(row[0]) if row else {"error": True}
    if tree["error"]:
        if tree.get("error_type") == "not implemented":
            raise StatementRefused("not_allowed", "only SELECT and EXPLAIN of one are run here")
        raise StatementRefused("bad_sql", str(tree.get("error_message", "it cannot be parsed")))
    return tree


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a parsed statement; a stack of our own, because trees can be deep."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _check_node(node: dict[str, Any]) -> None:
    kind = node.get("type")
    if isinstance(kind, str) and kind.endswith("_NODE") and kind not in QUERY_NODES:
        raise StatementRefused("not_allowed", f"this statement only reads: {kind} would change something")
    if kind == "TABLE_FUNCTION":
        name = str(node["function"].get("function_name", "")).lower()
        if name not in TABLE_FUNCTIONS:
            raise StatementRefused("not_allowed", f"{name}() is not available in FROM")
    function = node.get("function_name")
    if isinstance(function, str) and function.lower() in REFUSED_FUNCTIONS:
        raise StatementRefused("not_allowed", f"{function}() is not available")
