"""A whole site over real sockets: engine, store, console and web server, with pages that log in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
import trio_websocket

from console import create_console
from engine.auth import Tokens
from engine.clock import SystemClock
from engine.config_types import Address
from engine.edge.service import EdgeService
from engine.logins import Logins
from engine.passwords import AttemptLimits, Passwords
from engine.service import Service, open_service
from engine.store import Store
from engine.testing.edge import edge_beside
from engine.testing.fixtures import SECRET, small_site
from engine.web import WebLimits, serve_web

PASSWORD = "a long password"
KEY = b"k" * 32
PASSWORDS = Passwords()
PASSWORD_HASH = PASSWORDS._hasher.hash(PASSWORD)
"""Hashing is slow by intention; once is enough here."""


class Socket:
    """A page's WebSocket, as a test reads it."""

    def __init__(self, connection: trio_websocket.WebSocketConnection) -> None:
        self.connection = connection
        self._seen: list[dict[str, Any]] = []
        self._number = 0

    async def next(
        self, kind: str, where: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        """The next message of a kind for which `where` holds; others are kept for later."""
        for position, message in enumerate(self._seen):
            if message["type"] == kind and where(message):
                return self._seen.pop(position)
        with trio.fail_after(5):
            while True:
                message = json.loads(await self.connection.get_message())
                if message["type"] == kind and where(message):
                    return message
                self._seen.append(message)

    async def desk(self, where: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """The next desk for which `where` holds."""
        message = await self.next("desk", lambda m: where(m["desk"]))
        return message["desk"]

    async def close_code(self) -> int:
        """Read until the server has closed, and say with which code."""
        try:
            while True:
                await self.connection.get_message()
        except trio_websocket.ConnectionClosed as closed:
            return int(closed.reason.code)

    async def send(self, **message: Any) -> None:
        await self.connection.send_message(json.dumps(message))

    async def ask(self, **message: Any) -> dict[str, Any]:
        """Send with an id, and return the result."""
        self._number += 1
        request_id = f"r{self._number}"
        await self.send(id=request_id, **message)
        return await self.next("result", lambda m: m["id"] == request_id)

    async def do(self, act: str, **fields: Any) -> dict[str, Any]:
        return await self.ask(type="do", act=act, **fields)

    async def say(self, contact: int, text: str, external_id: str = "x") -> dict[str, Any]:
        return await self.ask(type="say", contact=contact, text=text, external_id=external_id)


class Page:
    """A browser tab: its cookies, and its access token once it has logged in."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", verify=False)
        self.access = ""

    async def login(self, login: str, password: str = PASSWORD) -> httpx.Response:
        response = await self.http.post("/api/auth/login", json={"login": login, "password": password})
        if response.status_code == 200:
            self.access = response.json()["access"]
        return response

    async def refresh(self) -> httpx.Response:
        response = await self.http.post("/api/auth/refresh", json={})
        if response.status_code == 200:
            self.access = response.json()["access"]
        return response

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access}"}

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(path, headers=self.bearer)

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        return await self.http.post(path, json=body or {}, headers=self.bearer)

    async def ticket(self) -> str:
        return str((await self.post("/api/ticket")).json()["ticket"])

    @asynccontextmanager
    async def socket(self, ticket: str | None = None) -> AsyncIterator[Socket]:
        """An open WebSocket with a new ticket."""
        ticket = await self.ticket() if ticket is None else ticket
        host = f"127.0.0.1:{self.port}"
        # Its own stream: the library leaves that open when the server closes first.
        stream = await trio.open_tcp_stream("127.0.0.1", self.port)
        async with stream, trio.open_nursery() as nursery:
            connection = await trio_websocket.wrap_client_stream(
                nursery, stream, host, f"/ws?ticket={ticket}", extra_headers=[("Origin", f"http://{host}")]
            )
            yield Socket(connection)
            await connection.aclose()
            nursery.cancel_scope.cancel()

    async def knock(self, ticket: str, origin: str | None = None) -> httpx.Response:
        """Ask for a WebSocket that is not granted."""
        headers = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Origin": origin or f"http://127.0.0.1:{self.port}",
        }
        async with httpx.AsyncClient(base_url=self.http.base_url, verify=False) as http:
            return await http.get(f"/ws?ticket={ticket}", headers=headers)


class Site:
    """A running site."""

    def __init__(self, service: Service, store: Store, logins: Logins, tokens: Tokens) -> None:
        self.service = service
        self.store = store
        self.logins = logins
        self.tokens = tokens
        self.edge: EdgeService
        self.shutdown = trio.Event()
        self.port = 0
        self._pages: list[Page] = []

    def page(self) -> Page:
        page = Page(self.port)
        self._pages.append(page)
        return page

    async def logged_in(self, login: str) -> Page:
        page = self.page()
        response = await page.login(login)
        assert response.status_code == 200, response.text
        return page

    async def arrive(self, name: str, queue: str = "cards", text: str | None = None) -> int:
        """A customer comes, and writes."""
        conversations = self.service.conversations
        assert conversations is not None
        contact, _ = await conversations.arrive("chat", name, queue=queue, customer_name=name)
        if text is not None:
            await conversations.customer_says("chat", contact, text, f"{name}-1")
        return contact

    async def customer_says(self, contact: int, text: str, external_id: str) -> None:
        assert self.service.conversations is not None
        await self.service.conversations.customer_says("chat", contact, text, external_id)

    async def close(self) -> None:
        for page in self._pages:
            await page.http.aclose()


@asynccontextmanager
async def open_site(folder: Path, limits: WebLimits | None = None) -> AsyncIterator[Site]:
    """A site in a folder, serving on a free port."""
    config = small_site(folder)
    tokens = Tokens(KEY, config.name)
    static = folder / "static"
    async with (
        Store(folder / "store.sqlite") as store,
        open_service(config, SystemClock(), store=store, secret=SECRET) as service,
    ):
        attempts = AttemptLimits(per_account=4, per_address=200)
        logins = Logins(store, tokens, SECRET, passwords=PASSWORDS, limits=attempts)
        for login, role, agent in (
            ("ann", "agent", "ann"),
            ("bob", "agent", "bob"),
            ("eve", "supervisor", None),
        ):
            name = login.title()
            await store.add_user(login, name=name, password_hash=PASSWORD_HASH, role=role, agent=agent)
        site = Site(service, store, logins, tokens)
        async with edge_beside(service, store, SECRET) as edge, trio.open_nursery() as nursery:
            site.edge = edge.service
            app = create_console(edge.service, store, logins, config, static=static)
            bind = Address("127.0.0.1", 0)
            limits = limits or WebLimits(graceful_s=0.5, send_timeout_s=0.3)
            serve = partial(serve_web, {"/": app}, bind, site.shutdown, limits=limits)
            site.port = await nursery.start(serve)
            yield site
            await site.close()
            site.shutdown.set()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    with trio.fail_after(20):
        async with open_site(tmp_path) as site:
            yield site
