"""The log of a real site: lines of JSON, with seq and contact, and nothing that anybody wrote or is."""

from __future__ import annotations

import json
import signal
import sqlite3
from contextlib import AsyncExitStack, closing, suppress
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import trio
import trio_websocket

from engine import model
from engine.wire_client import connect
from tests.e2e.serve_process import Serve

CHATS = 8
PLANTED = {
    "name": "Zebulonia Quartzmeyer",
    "chinese": "欧阳翡翠琳琅",
    "number": "+8613977788899",
    "mail": "quartz@zebulonia.example",
    "text": "my card 6222021234567890 was stolen",
    "login": "zebulonia.login",
    "password": "hunter2-zebulonia",
    "header": "zebulonia-header",
}

FAULT = """
CREATE TRIGGER fault BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'a planted fault'); END
"""


class Chat:
    """A customer's page."""

    def __init__(self, page: trio_websocket.WebSocketConnection) -> None:
        self._page = page

    async def say(self, **message: Any) -> None:
        await self._page.send_message(json.dumps(message))

    async def say_raw(self, text: str | bytes) -> None:
        await self._page.send_message(text)

    async def next(self, kind: str) -> dict[str, Any]:
        with trio.fail_after(30):
            while True:
                message: dict[str, Any] = json.loads(await self._page.get_message())
                if message["type"] == kind:
                    return message


async def visit(stack: AsyncExitStack, nursery: trio.Nursery, site: Serve, number: int) -> Chat:
    """A customer who says all that the test looks for, some of it malformed."""
    stream = await stack.enter_async_context(await trio.open_tcp_stream("127.0.0.1", site.web))
    headers = [("origin", site.url), ("x-planted", PLANTED["header"])]
    page = await trio_websocket.wrap_client_stream(
        nursery, stream, f"127.0.0.1:{site.web}", f"/chat/ws?who={PLANTED['mail']}", extra_headers=headers
    )
    chat = Chat(page)
    await chat.say(type="hello")
    await chat.next("welcome")
    name = PLANTED["chinese" if number % 2 else "name"]
    await chat.say(
        type="start", chat=f"chat-{number:04}-{'x' * 16}", queue="all", name=name, page=PLANTED["mail"]
    )
    await chat.say(type="say", external_id=f"message-{number}", text=f"{PLANTED['text']} {PLANTED['number']}")
    await chat.next("messages")
    await chat.say(type="start", chat=PLANTED["text"], queue=PLANTED["number"])
    await chat.say(type="say", external_id="x" * 500, text=PLANTED["text"])
    await chat.say_raw(PLANTED["text"])
    return chat


async def knock(site: Serve) -> None:
    """Requests that carry what the test looks for wherever a request can carry something."""
    async with httpx.AsyncClient(base_url=site.url, trust_env=False) as client:
        cookies = {"Cookie": f"paidui_refresh={PLANTED['password']}"}
        for path in (
            "/",
            "/api/site",
            f"/{PLANTED['login']}",
            f"/chat/{PLANTED['mail']}",
            "/api/config-view",
        ):
            params = {"q": PLANTED["text"]}
            await client.get(path, params=params, headers={"Authorization": PLANTED["password"], **cookies})
        login = {"login": PLANTED["login"], "password": PLANTED["password"]}
        for body in (login, {**login, "more": PLANTED["text"]}):
            answer = await client.post("/api/auth/login", json=body)
            assert answer.status_code in {400, 401}
        await client.post("/api/auth/login", content=PLANTED["text"].encode())


async def confuse_the_gateway(site: Serve) -> None:
    """Frames with the planted words where ids and tokens belong."""
    token = site.token("plugin", channel="line")
    async with connect(f"127.0.0.1:{site.gateway}", token, PLANTED["name"]) as line:
        message = model.Message(contact=1, text=PLANTED["text"], external_id=PLANTED["number"])
        await line.send_control(message)
        bad = msgspec.msgpack.encode([3, 1, PLANTED["text"]])
        await line.send(len(bad).to_bytes(4, "big") + bad, 1)
        with trio.fail_after(30):
            await line.incoming()
    with suppress(Exception):
        async with connect(f"127.0.0.1:{site.gateway}", PLANTED["text"], PLANTED["login"]):
            pass


@pytest.mark.slow  # a process that starts and stops
async def test_nothing_that_anybody_wrote_is_in_the_log(tmp_path: Path) -> None:
    site = Serve(tmp_path, ops="request_log = true", drain_s=0)
    async with site.running(), AsyncExitStack() as stack, trio.open_nursery() as nursery:
        chats = [await visit(stack, nursery, site, number) for number in range(CHATS)]
        await knock(site)
        await confuse_the_gateway(site)
        # Now a fault of ours, in the middle of what they write: its traceback goes to the log.
        with closing(sqlite3.connect(site.site.data / "store.sqlite")) as store:
            store.execute(FAULT)
        for number, chat in enumerate(chats):
            await chat.say(type="say", external_id=f"message-late-{number}", text=PLANTED["text"])
        with trio.fail_after(30):
            while "a planted fault" not in site.log():  # another process writes it
                await trio.sleep(0.05)
        site.tell(signal.SIGTERM)
        assert await site.end() == 0
        nursery.cancel_scope.cancel()
    log = site.log()
    assert {name: words for name, words in PLANTED.items() if words in log} == {}
    for words in ("Quartzmeyer", "翡翠", "13977788899", "6222021234567890", "zebulonia"):
        assert words not in log
        assert json.dumps(words)[1:-1] not in log
    lines = site.log_lines()  # each is JSON: not a terminal
    assert {"event", "level", "timestamp"} <= set.intersection(*(set(line) for line in lines))
    requests = [line for line in lines if line["event"] == "request"]
    assert {"method": "POST", "status": 401}.items() <= next(
        line for line in requests if line["status"] == 401 and line["method"] == "POST"
    ).items()
    assert any("seq" in line for line in lines)
    failed = [line for line in lines if line["event"] == "what a channel asked for has failed"]
    assert failed, "the fault that was planted"
    assert all(line["contact"] in range(1, CHATS + 1) and line["seq"] > 0 for line in failed)
    assert {line["channel"] for line in failed} == {"webchat"}


@pytest.mark.slow  # a process that starts and stops
async def test_requests_are_not_logged_unless_wanted_and_text_is_for_people(tmp_path: Path) -> None:
    site = Serve(tmp_path)
    async with site.running("--log", "text"):
        await knock(site)
        site.tell(signal.SIGINT)
        assert await site.end() == 0
    log = site.log()
    assert "the site stops" in log
    assert "request" not in log
    assert "{" not in log
    assert not [words for words in PLANTED.values() if words in log]
