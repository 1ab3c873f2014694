"""The endpoint: who may ask, what is answered, and what a fault looks like."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import trio
from quart.typing import TestClientProtocol as Client

from engine.auth import Tokens
from engine.stats.database import FILE, Database
from engine.stats.guard import StatementRefused
from engine.stats.reader import Bounds, Reader, Reply
from engine.stats.server import MAX_BODY_BYTES, STATEMENTS_WAITING, Health, create_endpoint

TOKENS = Tokens(b"k" * 32, "one")
TIMEOUT_MS = 300


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(
        tmp_path_factory.mktemp("stats") / FILE, "one", memory_limit_mb=128, time_zone="UTC", threads=1
    )
    yield database
    database.close()


@pytest.fixture
def client(database: Database) -> Client:
    reader = Reader(database, Bounds(TIMEOUT_MS, max_rows=100, max_bytes=100_000))
    return client_of(reader)


def client_of(reader: Reader) -> Client:
    return create_endpoint(reader, TIMEOUT_MS, TOKENS, lambda: Health(7, 9, 2)).test_client()


def bearer(typ: str = "analyst", ttl_s: float = 60) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS.issue(typ, 'mei', ttl_s)}"}


async def error_of(response: Any) -> tuple[int, str]:
    body = await response.get_json()
    assert set(body["error"]) == {"code", "message"}
    return response.status_code, body["error"]["code"]


async def test_answer_is_columns_types_and_rows(client: Client) -> None:
    response = await client.post("/sql", json={"sql": "SELECT 1 AS one, '二' AS two"}, headers=bearer())
    assert response.status_code == 200
    body = await response.get_json()
    assert body.pop("elapsed_ms") >= 0
    assert body == {
        "columns": ["one", "two"],
        "types": ["INTEGER", "VARCHAR"],
        "rows": [[1, "二"]],
        "truncated": False,
        "applied_seq": 0,
    }
    assert response.headers["Cache-Control"] == "no-store"


async def test_report_is_run_by_name(client: Client) -> None:
    response = await client.post("/sql", json={"report": "conservation"}, headers=bearer())
    assert (await response.get_json())["columns"][-1] == "missing"
    response = await client.post("/sql", json={"report": "conservatoin"}, headers=bearer())
    assert await error_of(response) == (404, "unknown_report")
    response = await client.get("/reports", headers=bearer())
    listed = (await response.get_json())["reports"]
    assert {"name", "title", "formula", "source"} == set(listed[0])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic bWVpOm1laQ=="},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": f"Bearer {'x' * 5_000}"},
        bearer("agent"),
        bearer("admin"),
        bearer(ttl_s=-60),
        {"Authorization": f"Bearer {Tokens(b'k' * 32, 'two').issue('analyst', 'mei', 60)}"},
        {"Authorization": f"Bearer {Tokens(b'x' * 32, 'one').issue('analyst', 'mei', 60)}"},
    ],
)
async def test_only_an_analyst_s_living_token_opens(client: Client, headers: dict[str, str]) -> None:
    response = await client.post("/sql", json={"sql": "SELECT 1"}, headers=headers)
    assert await error_of(response) == (401, "unauthorised")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert await error_of(await client.get("/reports", headers=headers)) == (401, "unauthorised")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"sql": "SELEC 1"}', 400, "bad_sql"),
        (b'{"sql": "SELECT nothing"}', 400, "bad_sql"),
        (b'{"sql": "DELETE FROM applied"}', 400, "not_allowed"),
        (b'{"sql": "SELECT count(*) FROM range(10000000000) a, range(100) b"}', 400, "stopped"),
        (b"", 400, "bad_sql"),
        (b"{", 400, "bad_sql"),
        (b"[]", 400, "bad_sql"),
        (b"{}", 400, "bad_sql"),
        (b'{"sql": 1}', 400, "bad_sql"),
        (b'{"sql": "SELECT 1", "report": "audits"}', 400, "bad_sql"),
        (b'{"sql": "SELECT 1", "limit": 5}', 400, "bad_sql"),
        (b'{"sql": "\xff"}', 400, "bad_sql"),
        (b"[" * 60_000, 400, "bad_sql"),
        (b'{"sql": "' + b"x" * (MAX_BODY_BYTES - 100) + b'"}', 413, "too_large"),
        (b"x" * (MAX_BODY_BYTES + 1), 413, "too_large"),
    ],
)
async def test_wrong_body_is_told_apart(client: Client, body: bytes, status: int, code: str) -> None:
    response = await client.post("/sql", data=body, headers=bearer())
    assert await error_of(response) == (status, code)


async def test_message_of_duckdb_reaches_the_analyst(client: Client) -> None:
    response = await client.post("/sql", json={"sql": "SELECT agnet FROM contacts"}, headers=bearer())
    message = (await response.get_json())["error"]["message"]
    assert '"agnet" not found' in message
    assert "agent" in message


async def test_health_needs_no_token_and_tells_the_lag(client: Client) -> None:
    response = await client.get("/healthz")
    assert await response.get_json() == {"applied_seq": 7, "journal_seq": 9, "lag": 2}


async def test_other_paths_and_methods_are_json_too(client: Client) -> None:
    assert (await error_of(await client.get("/"))) == (404, "not_found")
    assert (await error_of(await client.get("/sql"))) == (405, "method_not_allowed")


class SlowReader(Reader):
    """Does not notice that it should stop, as some of DuckDB's functions do not."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def answer(self, sql: str) -> Reply:
        time.sleep(self._seconds)
        raise StatementRefused("bad_sql", "late")


@pytest.mark.slow  # waits for the grace period of a real thread
async def test_statement_that_cannot_be_stopped_is_left_alone() -> None:
    client = client_of(SlowReader(1.6))
    started = trio.current_time()
    response = await client.post("/sql", json={"sql": "SELECT 1"}, headers=bearer())
    assert await error_of(response) == (400, "stopped")
    assert trio.current_time() - started < 1.55


async def test_too_many_at_once_are_asked_to_come_back() -> None:
    client = client_of(SlowReader(0.05))
    codes: list[int] = []

    async def one() -> None:
        response = await client.post("/sql", json={"sql": "SELECT 1"}, headers=bearer())
        codes.append(response.status_code)
        if response.status_code == 503:
            assert response.headers["Retry-After"] == "1"

    async with trio.open_nursery() as nursery:
        for _ in range(STATEMENTS_WAITING * 2):
            nursery.start_soon(one)
    assert codes.count(503) == STATEMENTS_WAITING - 2, "two run, sixteen wait"
    assert codes.count(400) == STATEMENTS_WAITING + 2
