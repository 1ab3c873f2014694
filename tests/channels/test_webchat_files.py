"""Files in the web chat over real HTTP: sent and fetched by their own customer alone, bounded, once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from trio_websocket import WebSocketConnection

from channels.webchat import create, files
from engine.channel_attachments import NewAttachment
from engine.testing.channel_kit import KitSite, host_channel, open_kit_site
from tests.channels.test_webchat_kit import open_socket, serving

PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)
CHAT = "chat-0001"


class Customer:
    """A page with its socket open and a chat started."""

    def __init__(self, socket: WebSocketConnection, port: int) -> None:
        self.socket = socket
        self.token = ""
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/chat")

    async def next(self, kind: str) -> dict[str, Any]:
        while (told := json.loads(await self.socket.get_message()))["type"] != kind:
            pass
        return dict(told)

    async def tell(self, **message: Any) -> None:
        await self.socket.send_message(json.dumps(message))

    async def start(self, chat: str = CHAT) -> dict[str, Any]:
        await self.tell(type="hello")
        welcome = await self.next("welcome")
        self.token = welcome["token"]
        await self.tell(type="start", chat=chat, queue="desk")
        await self.next("chat")
        return welcome

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def send(self, content: bytes, **query: str) -> httpx.Response:
        asked = {"chat": CHAT, "external_id": "file-0001", "name": "护照.png", **query}
        return await self.http.post("/files", params=asked, content=content, headers=self.bearer)

    async def fetch(self, file: str, chat: str = CHAT) -> httpx.Response:
        return await self.http.get(f"/files/{chat}/{file}", headers=self.bearer)


@asynccontextmanager
async def customer(port: int) -> AsyncIterator[Customer]:
    async with open_socket(port, f"http://127.0.0.1:{port}") as socket:
        made = Customer(socket, port)
        try:
            yield made
        finally:
            with trio.CancelScope(shield=True):
                await made.http.aclose()


@asynccontextmanager
async def opened(folder: Path, **options: object) -> AsyncIterator[tuple[KitSite, int]]:
    async with (
        open_kit_site(folder, "webchat", {"abandon_after_s": 600, **options}) as site,
        serving(site) as port,
        host_channel(site, create),
    ):
        yield site, port


async def to_the_agent(site: KitSite) -> int:
    """Have the one customer talk to the one agent."""
    await site.ann.sign_in()
    while not site.ann.state().offers:
        await trio.sleep(0.01)
    (offer,) = site.ann.state().offers
    await site.ann.accept(offer.offer)
    while site.service.contact_state(offer.contact).state != "engaged":  # type: ignore[union-attr]
        await trio.sleep(0.01)
    return offer.contact


async def status_of_unsaid(port: int, token: str, content: bytes) -> bytes:
    """Send a file without saying how long it is; return the answer's status."""
    head = f"POST /chat/files?chat={CHAT}&external_id=file-0002&name=a HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
    head += f"Authorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n\r\n{len(content):x}\r\n"
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        with suppress(trio.BrokenResourceError):  # it need not listen to the end
            await stream.send_all(head.encode() + content + b"\r\n0\r\n\r\n")
        return bytes(await stream.receive_some()).split()[1]


def code_of(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


async def test_a_file_each_way(tmp_path: Path) -> None:
    async with opened(tmp_path, file_mb=1) as (site, port), customer(port) as wang:
        assert (await wang.start())["file_bytes"] == 1 << 20
        for _ in range(3):
            assert (await wang.send(PNG)).status_code == 204
        (message,) = (await wang.next("messages"))["messages"]
        (file,) = message["files"]
        assert message["text"] == ""
        assert (file["name"], file["size"], file["image"]) == ("护照.png", len(PNG), True)
        contact = await to_the_agent(site)
        new = NewAttachment("offer.pdf", b"%PDF-1.7", "application/pdf")
        await site.ann.say(contact, "", "a-1", attachments=[new])
        while (message := (await wang.next("messages"))["messages"][-1])["sender"] != "agent":
            pass
        (sent,) = message["files"]
        assert (sent["name"], sent["image"]) == ("offer.pdf", False)
        got = await wang.fetch(file["id"])
        assert (got.status_code, got.content, got.headers["content-type"]) == (200, PNG, "image/png")
        got = await wang.fetch(sent["id"])
        assert (got.content, got.headers["content-type"]) == (b"%PDF-1.7", "application/octet-stream")
        assert got.headers["content-disposition"] == "attachment; filename*=UTF-8''offer.pdf"
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["cache-control"] == "no-store"
        conversation = await site.store.by_contact(contact)
        assert conversation is not None
        assert len(await site.store.attachments(conversation.id)) == 2, "a repeat stored nothing"
        assert len(list((tmp_path / "data" / "attachments").iterdir())) == 2


async def test_nobody_elses(tmp_path: Path) -> None:
    async with opened(tmp_path) as (_, port), customer(port) as wang, customer(port) as li:
        await wang.start()
        await li.start()
        await wang.send(PNG)
        (message,) = (await wang.next("messages"))["messages"]
        file = message["files"][0]["id"]
        assert code_of(await li.fetch(file)) == (404, "no_file")
        assert code_of(await li.fetch(file, "chat-0002")) == (409, "no_chat")
        li.token = wang.token[:-2]
        assert code_of(await li.fetch(file)) == (401, "bad_token")
        assert code_of(await li.send(PNG)) == (401, "bad_token")
        assert code_of(await li.http.get(f"/files/{CHAT}/{file}")) == (401, "bad_token")
        foreign = {**wang.bearer, "Origin": "http://evil.example"}
        assert code_of(await wang.http.post("/files", content=PNG, headers=foreign)) == (
            403,
            "foreign_origin",
        )


async def test_what_is_refused_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(tmp_path, file_mb=1, files_per_minute=100) as (site, port), customer(port) as wang:
        await wang.start()
        text = (await wang.send(b"")).json()["error"]["text"]
        assert text == "attachment: expected 1 byte or more, got none"
        assert code_of(await wang.send(b"x", name="a/b")) == (400, "malformed")
        assert code_of(await wang.send(b"x", external_id="short")) == (400, "malformed")
        large = b"x" * ((1 << 20) + 1)
        assert code_of(await wang.send(large)) == (413, "too_large")

        assert await status_of_unsaid(port, wang.token, large) in (b"400", b"413"), "it is counted"
        monkeypatch.setattr(files, "AT_ONCE_EACH", 0)
        assert code_of(await wang.send(b"x")) == (503, "busy")
        monkeypatch.setattr(files, "AT_ONCE_EACH", 2)
        await wang.tell(type="end")
        await wang.next("chat")
        assert code_of(await wang.send(b"x")) == (409, "ended")
        assert await site.store.attachments(1) == []
        assert list((tmp_path / "data" / "attachments").iterdir()) == []


async def test_how_often_is_bounded(tmp_path: Path) -> None:
    async with opened(tmp_path, files_per_minute=6) as (_, port), customer(port) as wang:
        await wang.start()
        codes = [(await wang.send(b"x", external_id=f"file-000{number}")).status_code for number in range(4)]
        assert codes == [204, 204, 204, 429]
        refused = (await wang.send(b"x", external_id="file-0009")).json()["error"]
        assert refused["code"] == "too_fast"
        assert 0 < refused["retry_after_ms"] <= 10_001


async def test_a_chat_without_files(tmp_path: Path) -> None:
    async with opened(tmp_path, file_mb=0) as (site, port), customer(port) as wang:
        assert "file_bytes" not in await wang.start()
        refused = await wang.send(b"x")
        assert refused.status_code in (400, 413)
        contact = await to_the_agent(site)
        with pytest.raises(Exception, match="attachments: none are taken here"):
            await site.ann.say(contact, "", "a-1", attachments=[NewAttachment("a", b"x")])


async def test_a_picture_survives_a_crash_of_the_channel(tmp_path: Path) -> None:
    async with (
        open_kit_site(tmp_path, "webchat", {"abandon_after_s": 600}) as site,
        serving(site) as port,
        host_channel(site, create) as hosted,
    ):
        async with customer(port) as wang:
            await wang.start()
            token = wang.token
            assert (await wang.send(PNG)).status_code == 204
        await hosted.crash()
        async with customer(port) as wang:
            await wang.tell(type="hello", token=token)
            wang.token = (await wang.next("welcome"))["token"]
            await wang.tell(type="start", chat=CHAT, queue="desk")
            (message,) = (await wang.next("messages"))["messages"]
            assert (await wang.fetch(message["files"][0]["id"])).content == PNG
            assert (await wang.send(PNG)).status_code == 204
            assert (await wang.next("messages"))["messages"][0]["position"] == 1, "sent again, it is the same"
