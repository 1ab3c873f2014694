"""Web chat passes the channel kit, over real sockets, with customers that behave as the page does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from trio_websocket import ConnectionClosed, HandshakeError, WebSocketConnection, wrap_client_stream

from channels.webchat import create, page_socket, protocol
from engine.config import Address
from engine.testing.channel_kit import (
    RULES,
    HostedChannel,
    KitSite,
    check_channel,
    host_channel,
    open_kit_site,
)
from engine.web import serve_web

pytestmark = pytest.mark.slow  # real sockets, and customers who stay away in real time

# Long enough for a page to come back after a crash on a busy machine, short enough to wait for.
GONE_AFTER_S = 1.5
OPTIONS = {"abandon_after_s": GONE_AFTER_S, "close_after_s": GONE_AFTER_S, "messages_per_minute": 60_000}
AGAIN_S = 0.02
QUEUED_FRAMES = 32
"""A bound that is reached sooner; that there is one is what is proved."""


class NotTaken(Exception):
    """The channel said that it did not take something."""


@asynccontextmanager
async def open_socket(port: int, origin: str | None) -> AsyncIterator[WebSocketConnection]:
    """Open the chat's socket as a page of `origin` would; closes the stream also when it is refused."""
    headers = [] if origin is None else [("Origin", origin)]
    try:
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream, trio.open_nursery() as nursery:
            host = f"127.0.0.1:{port}"
            yield await wrap_client_stream(nursery, stream, host, "/chat/ws", extra_headers=headers)
            nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


@asynccontextmanager
async def serving(site: KitSite) -> AsyncIterator[int]:
    """Serve what the channel mounts, and stop as the real server does, also when the check is cancelled."""
    shutdown = trio.Event()

    async def serve(task_status: trio.TaskStatus[int]) -> None:
        with trio.CancelScope(shield=True):
            await serve_web(site.mounts, Address("127.0.0.1", 0), shutdown, task_status=task_status)

    async with trio.open_nursery() as nursery:
        port: int = await nursery.start(serve)
        try:
            yield port
        finally:
            shutdown.set()


class Network:
    """What lies between the customers and the site."""

    def __init__(self) -> None:
        self.there = trio.Event()
        self.there.set()
        self.reads = trio.Event()
        self.reads.set()
        self._connections: set[trio.CancelScope] = set()

    @contextmanager
    def connection(self) -> Iterator[None]:
        with trio.CancelScope() as scope:
            self._connections.add(scope)
            try:
                yield
            finally:
                self._connections.remove(scope)

    async def goes_away(self) -> None:
        self.there = trio.Event()
        for scope in self._connections:
            scope.cancel()

    async def comes_back(self) -> None:
        self.there.set()

    def takes_nothing(self) -> None:
        self.reads = trio.Event()

    def takes_again(self) -> None:
        self.reads.set()


class Customer:
    """One browser: its memory stays when its page is closed."""

    def __init__(self, who: str, network: Network) -> None:
        self.network = network
        self.chat = f"chat-{who}-0001"
        self.token: str | None = None
        self.started = False
        self.state: dict[str, Any] = {}
        self.messages: dict[int, dict[str, Any]] = {}
        self.outbox: dict[str, dict[str, Any]] = {}
        self.error: dict[str, Any] | None = None
        self.changed = trio.Event()
        self.page = trio.CancelScope()
        self.socket: WebSocketConnection | None = None

    async def look(self, port: int, queue: str) -> None:
        """Have the page open: connect, and connect again."""
        self.page = trio.CancelScope()
        with self.page:
            while True:
                await self.network.there.wait()
                try:
                    with self.network.connection():
                        async with open_socket(port, f"http://127.0.0.1:{port}") as socket:
                            await self._converse(socket, queue)
                except (ConnectionClosed, HandshakeError, OSError):
                    pass
                finally:
                    self.socket = None
                await trio.sleep(AGAIN_S)

    async def _converse(self, socket: WebSocketConnection, queue: str) -> None:
        hello = {"type": "hello", **({"token": self.token} if self.token else {})}
        await socket.send_message(json.dumps(hello))
        while True:
            await self.network.reads.wait()
            message = json.loads(await socket.get_message())
            if message["type"] == "welcome":
                self.token, self.socket = message["token"], socket
                await self.tell_all(queue)
            elif message["type"] == "chat":
                self.state = message
            elif message["type"] == "messages":
                for one in message["messages"]:
                    self.messages[one["position"]] = one
                    self.outbox.pop(one["external_id"], None)
            elif message["type"] == "error":
                self.error = message
            changed, self.changed = self.changed, trio.Event()
            changed.set()

    async def tell_all(self, queue: str) -> None:
        """Say what the server may not know: the chat, and what is in the outbox."""
        if self.started:
            await self.tell({"type": "start", "chat": self.chat, "queue": queue, "after": self.complete()})
        for message in list(self.outbox.values()):
            await self.tell(message)

    async def tell(self, message: dict[str, Any]) -> None:
        """Say something; what gets lost is said again on the next connection."""
        if self.socket is not None:
            with suppress(ConnectionClosed):
                await self.socket.send_message(json.dumps(message))

    def complete(self) -> int:
        """The position up to which nothing is missing."""
        position = 0
        while position + 1 in self.messages:
            position += 1
        return position

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for the page to show something."""
        while not is_so():
            if self.error is not None:
                error, self.error = self.error, None
                raise NotTaken(error["text"])
            await self.changed.wait()


class WebChatFiles:
    """What customers send and get over HTTP, beside the socket."""

    def __init__(self, driver: WebChatDriver) -> None:
        self._driver = driver

    async def _ask(self, who: str, method: str, path: str, **how: Any) -> httpx.Response:
        customer = await self._driver.page(who)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self._driver.port}/chat") as http:
            bearer = {"Authorization": f"Bearer {customer.token}"}
            return (await http.request(method, path, headers=bearer, **how)).raise_for_status()

    async def sends(self, who: str, name: str, content: bytes, message_id: str) -> None:
        chat = self._driver.customer(who).chat
        asked = {"chat": chat, "external_id": f"message-{message_id}", "name": name}
        await self._ask(who, "POST", "/files", params=asked, content=content)

    async def seen(self, who: str, count: int) -> list[tuple[str, bytes]]:
        customer = self._driver.customer(who)

        def files() -> list[dict[str, Any]]:
            ordered = [customer.messages[position] for position in sorted(customer.messages)]
            return [
                one for message in ordered if message["sender"] == "agent" for one in message.get("files", ())
            ]

        await customer.until(lambda: len(files()) >= count)
        path = f"/files/{customer.chat}/"
        return [(one["name"], (await self._ask(who, "GET", path + one["id"])).content) for one in files()]


class WebChatDriver:
    """The customers of a web chat."""

    def __init__(
        self, site: KitSite, nursery: trio.Nursery, port: int, browsers: dict[tuple[Path, str], Customer]
    ) -> None:
        self.site = site
        self.hosted: HostedChannel
        self.outside = Network()
        self.files = WebChatFiles(self)
        self.port = port
        self._nursery = nursery
        self._browsers = browsers
        self._open: set[str] = set()

    def customer(self, who: str) -> Customer:
        return self._browsers.setdefault((self.site.folder, who), Customer(who, self.outside))

    async def page(self, who: str) -> Customer:
        customer = self.customer(who)
        if who not in self._open:
            self._open.add(who)
            self._nursery.start_soon(customer.look, self.port, self.site.queue)
        await customer.until(lambda: customer.socket is not None)
        return customer

    async def customer_opens(self, who: str) -> int:
        customer = await self.page(who)
        customer.started, customer.state = True, {}
        await customer.tell_all(self.site.queue)
        await customer.until(lambda: bool(customer.state))
        assert customer.token is not None
        external_id = protocol.external_id(self.hosted.port.verify(customer.token), customer.chat)
        conversation = await self.site.store.conversation_for(
            self.site.channel, external_id, queue=self.site.queue
        )
        assert conversation.contact is not None
        return conversation.contact

    async def customer_says(self, who: str, text: str, message_id: str) -> None:
        customer = await self.page(who)
        external_id = f"message-{message_id}"
        message = {"type": "say", "external_id": external_id, "text": text}
        customer.outbox[external_id] = message
        await customer.tell(message)
        await customer.until(lambda: external_id not in customer.outbox)

    async def customer_leaves(self, who: str) -> None:
        self.customer(who).page.cancel()

    def customer_is_done(self, who: str) -> None:
        self.customer(who).page.cancel()

    async def seen_by_customer(self, who: str, count: int) -> list[str]:
        customer = self.customer(who)

        def seen() -> list[str]:
            ordered = [customer.messages[position] for position in sorted(customer.messages)]
            return [one["text"] for one in ordered if one["sender"] == "agent"]

        await customer.until(lambda: len(seen()) >= count)
        return seen()

    async def told_of_end(self, who: str) -> None:
        customer = self.customer(who)
        await customer.until(lambda: customer.state.get("state") == "ended")

    async def position_shown(self, who: str) -> int | None:
        position: int | None = self.customer(who).state.get("position")
        return position

    async def restart(self) -> None:
        await self.hosted.crash()


@pytest.mark.parametrize("instant", [pytest.param(True, marks=pytest.mark.torture), False])
async def test_the_kit_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instant: bool) -> None:
    monkeypatch.setattr(page_socket, "QUEUED_FRAMES", QUEUED_FRAMES)
    browsers: dict[tuple[Path, str], Customer] = {}

    @asynccontextmanager
    async def open_webchat(site: KitSite) -> AsyncIterator[WebChatDriver]:
        async with serving(site) as port, trio.open_nursery() as nursery:
            driver = WebChatDriver(site, nursery, port, browsers)
            async with host_channel(site, create) as driver.hosted:
                yield driver
            nursery.cancel_scope.cancel()

    # A page that is away for long, or reads nothing and is cut, belongs to a customer who has gone: where
    # a check takes the pages away, they have time to come back, however busy the machine is.
    patient = {"holds_back", "reconnects", "survives_cancellation", "survives_crashes"}
    most = set(RULES) - patient
    certificate = await check_channel(
        tmp_path, open_webchat, plugin="webchat", options=OPTIONS, instant=instant, only=most
    )
    assert certificate.rules == most
    certificate = await check_channel(
        tmp_path,
        open_webchat,
        plugin="webchat",
        options={**OPTIONS, "abandon_after_s": 600, "close_after_s": 600},
        instant=instant,
        only=patient,
        buffered=QUEUED_FRAMES,
    )
    assert certificate.rules == patient


async def test_a_foreign_page_does_not_get_in(tmp_path: Path) -> None:
    async with (
        open_kit_site(tmp_path, "webchat", OPTIONS) as site,
        serving(site) as port,
        host_channel(site, create),
    ):
        own = f"http://127.0.0.1:{port}"
        async with open_socket(port, own) as socket:
            await socket.send_message('{"type":"hello"}')
            assert json.loads(await socket.get_message())["type"] == "welcome"
        for origin in ("http://evil.example", f"http://127.0.0.1:{port + 1}", "null", None):
            with pytest.raises(HandshakeError):
                async with open_socket(port, origin):
                    pass


async def test_what_no_store_keeps_is_refused_and_the_page_goes_on(tmp_path: Path) -> None:
    async with (
        open_kit_site(tmp_path, "webchat", OPTIONS) as site,
        serving(site) as port,
        host_channel(site, create),
        open_socket(port, f"http://127.0.0.1:{port}") as socket,
    ):

        async def answer(kind: str, **message: str) -> dict[str, Any]:
            await socket.send_message(json.dumps(message))
            while (told := json.loads(await socket.get_message()))["type"] != kind:
                pass
            return dict(told)

        await answer("welcome", type="hello")
        start = {"type": "start", "chat": "chat-0001", "queue": "desk"}
        told = await answer("error", **start, name="a\x00b")
        assert (told["code"], told["text"][:14]) == ("malformed", "customer_name:")
        await answer("chat", **start, name="Li")
        told = await answer("error", type="say", external_id="message-1", text="a\x00b")
        assert (told["code"], told["text"][:5], told["external_id"]) == ("malformed", "text:", "message-1")
        stored = await answer("messages", type="say", external_id="message-2", text="hello")
        assert [one["text"] for one in stored["messages"]] == ["hello"]
