"""The page of the wire protocol says what the code does, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import msgpack
import pytest

from engine import model
from engine.arrival_keys import arrival_key
from engine.gateway_connection import MAX_ATTACHED, PING_EVERY_S, SILENT_FOR_S
from engine.gateway_submit import CREDIT_BYTES, CREDIT_COMMANDS
from engine.names import KINDS
from tests.protocol_tables import TABLES, rows

DOCS = Path(__file__).resolve().parents[2] / "docs"
AT = 1_700_000_000_000_000
KEY = arrival_key(bytes(range(32)), "line", "call-7")


@pytest.fixture(params=["en", "zh"])
def page(request: pytest.FixtureRequest) -> str:
    return (DOCS / request.param / "protocol.md").read_text("utf-8")


def table_rows(page: str) -> list[list[str]]:
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@pytest.mark.parametrize("table", TABLES)
def test_tables_are_those_of_the_code(page: str, table: str) -> None:
    expected = rows(table)
    columns = len(expected[0])
    written = [row[:columns] for row in table_rows(page)]
    first = written.index(expected[0])
    assert written[first : first + len(expected)] == expected, "print them: python -m tests.protocol_tables"
    after = written[first + len(expected)] if first + len(expected) < len(written) else [""]
    assert not after[0].isdigit(), "and no row more"


def test_every_row_says_something(page: str) -> None:
    wanted = {row[1] for table in ("commands", "events", "control", "codes") for row in rows(table)}
    said = {row[1]: row[-1] for row in table_rows(page) if len(row) > 3 and row[0].isdigit()}
    assert wanted <= said.keys()
    assert all(len(text) > 1 and text != "–" for text in said.values())


def test_the_example_is_what_goes_over_the_wire(page: str) -> None:
    block = re.search(r"```\n(> hello.*?)```", page, re.DOTALL)
    assert block is not None
    joined = re.sub(r"\n +", " ", block[1])
    frames = {line[2:10].strip(): bytes.fromhex(line[10:]) for line in joined.splitlines()}
    arrived = model.Arrived(at=AT, contact=7, channel=2, key=KEY, queue=1, weight=1)
    queued = model.Queued(
        at=AT,
        contact=7,
        channel=2,
        queue=1,
        tier=2,
        enqueued_at=AT,
        head_start_us=0,
        cause=model.QueuedCause.ARRIVAL,
    )
    busy = model.Refusal(request_no=1, code="busy", text="too much is waiting", retry_after_ms=250)
    messages = {
        "hello": model.Hello(token="token", name="pigeon-1", versions=model.SPOKEN_VERSIONS),
        "ack": model.Ack(seq=42, results=[(0, 0, 0, 7)]),
        "events": model.Events(seq=42, at=AT, events=[(0, arrived), (1, queued)]),
        "refused": busy,
        "closing": model.Closing(code="slow_reader", text="resume behind seq 42", seq=42),
    }
    arrive = msgpack.packb([3, 1, 2, KEY, 1, 0, 1, []])
    expected = {name: model.encode_frame(message) for name, message in messages.items()}
    assert frames == {**expected, "arrive": len(arrive).to_bytes(4, "big") + arrive}
    assert len(frames["hello"]) == 4 + 23
    assert KEY.hex() in page


def test_numbers_are_those_of_the_code(page: str) -> None:
    numbers = {
        CREDIT_COMMANDS,
        CREDIT_BYTES,
        MAX_ATTACHED,
        model.MAX_FRAME_BYTES,
        model.MAX_CONFIGURE_BYTES,
    }
    for number in numbers:
        assert f"{number:,}" in page, number
    for seconds in (PING_EVERY_S, SILENT_FOR_S):
        assert re.search(rf"\b{seconds:.0f} ?(s\b|seconds|秒)", page) or f"{seconds:.0f} s" in page
    for kind in KINDS:
        assert f"`{kind}`" in page
