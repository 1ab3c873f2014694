"""What `paidui sql` prints."""

from __future__ import annotations

import csv
import json
from io import StringIO

import httpx
import pytest

from engine.stats import client
from engine.stats.client import AskError, Table, as_csv, as_json, as_text, ask, display_width
from engine.stats.reader import Reply


def table(
    columns: list[str], types: list[str], rows: list[list[object]], *, truncated: bool = False
) -> Table:
    return Table(columns, types, rows, truncated, 42, 1.5)


def test_table_lines_up_with_chinese_text() -> None:
    text = as_text(
        table(["queue", "waiting"], ["VARCHAR", "BIGINT"], [["信用卡", 7], ["loans", 12_345], [None, None]])
    )
    assert text.splitlines() == [
        "queue   waiting",
        "------  -------",
        "信用卡        7",
        "loans     12345",
        "NULL       NULL",
        "(3 rows; as of batch 42; 1.5 ms)",
    ]
    widths = {display_width(line) for line in text.splitlines()[:-1]}
    assert widths == {15}


def test_cut_and_empty_tables_say_so() -> None:
    assert as_text(table(["a"], ["INTEGER"], [[1]], truncated=True)).endswith(
        "(1 row, cut off: ask for less; as of batch 42; 1.5 ms)\n"
    )
    assert "(0 rows;" in as_text(table(["a"], ["INTEGER"], []))


def test_terminal_cannot_be_steered_by_a_cell() -> None:
    text = as_text(table(["a"], ["VARCHAR"], [["\x1b[2Jgone\nnew line\u202e"]]))
    assert "\x1b" not in text
    assert "\\x1b[2Jgone\\nnew line\\u202e" in text


def test_accents_take_no_room() -> None:
    assert display_width("e\u0301") == 1
    assert display_width("坐席A") == 5


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_csv_text_is_no_formula(evil: str) -> None:
    written = as_csv(table(["a", evil], ["VARCHAR", "BIGINT"], [[evil, -5]]))
    header, row = list(csv.reader(StringIO(written, newline="")))
    assert header == ["a", f"'{evil}"]
    assert row == [f"'{evil}", "-5"], "a number is a number"


def test_csv_quotes_and_keeps_nothing_as_nothing() -> None:
    rows: list[list[object]] = [['x,"y"\n', True, [1, 2]], [None, None, None]]
    written = as_csv(table(["a", "b", "c"], ["VARCHAR", "BOOLEAN", "INTEGER[]"], rows))
    assert list(csv.reader(StringIO(written, newline=""))) == [
        ["a", "b", "c"],
        ['x,"y"\n', "true", "[1,2]"],
        ["", "", ""],
    ]


def test_json_keeps_columns_of_one_name_apart() -> None:
    written = as_json(table(["a", "a"], ["INTEGER", "VARCHAR"], [[1, "银"], [None, "行"]]))
    assert json.loads(written) == [{"a": 1, "a_2": "银"}, {"a": None, "a_2": "行"}]
    assert json.loads(as_json(table(["a"], ["INTEGER"], []))) == []


def test_client_reads_the_fields_that_the_endpoint_writes() -> None:
    assert Table.__struct_fields__ == Reply.__struct_fields__


def answering(monkeypatch: pytest.MonkeyPatch, status: int, body: bytes) -> None:
    def post(url: str, **_: object) -> httpx.Response:
        return httpx.Response(status, content=body, request=httpx.Request("POST", url))

    monkeypatch.setattr(client.httpx, "post", post)


def test_refusal_keeps_its_code_and_text(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, 400, b'{"error": {"code": "bad_sql", "message": "no column x"}}')
    with pytest.raises(AskError, match="no column x") as caught:
        ask("http://127.0.0.1:1", "token", "SELECT x")
    assert caught.value.code == "bad_sql"


def test_answer_that_is_not_ours_names_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, 502, b"<html>")
    with pytest.raises(AskError, match="status 502"):
        ask("http://127.0.0.1:1", "token", "SELECT 1")


def test_endpoint_that_is_not_there_says_what_to_do() -> None:
    with pytest.raises(AskError, match="is the site running") as caught:
        ask("http://127.0.0.1:1", "token", "SELECT 1")
    assert caught.value.code == "unreachable"
