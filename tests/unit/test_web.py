"""The web server's own promises: prefixes, headers, limits, the stop."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import trio
import trio_websocket

from engine.config_types import Address
from engine.errors import ConfigError
from engine.web import WebLimits, serve_web
from engine.web_mounts import Mounts

LOOPBACK = Address("127.0.0.1", 0)
QUICK = WebLimits(graceful_s=0.2, send_timeout_s=0.2, keep_alive_s=0.2)


def named(name: str, headers: list[tuple[bytes, bytes]] | None = None) -> Callable[..., Any]:
    """An application that says its name, its root_path and the path; without lifespan."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] != "lifespan"
        if scope["type"] == "websocket":
            await echo(scope, receive, send)
            return
        body = f"{name} {scope['root_path']} {scope['path']}".encode()
        await send({"type": "http.response.start", "status": 200, "headers": headers or []})
        await send({"type": "http.response.body", "body": body})

    return app


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Echo WebSocket messages; say good-bye when the server stops."""

    async def say_good_bye() -> None:
        await scope["state"]["closing"].wait()
        await send({"type": "websocket.close", "code": 1001})

    await receive()
    await send({"type": "websocket.accept"})
    async with trio.open_nursery() as nursery:
        nursery.start_soon(say_good_bye)
        while (event := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": event["text"]})
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def serving(mounts: Any, limits: WebLimits = QUICK) -> AsyncIterator[tuple[int, trio.Event]]:
    shutdown = trio.Event()
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:

            async def serve(task_status: Any) -> None:
                await serve_web(mounts, LOOPBACK, shutdown, limits=limits, task_status=task_status)

            yield await nursery.start(serve), shutdown
            shutdown.set()


async def get(port: int, path: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", verify=False) as http:
        return await http.get(path)


@asynccontextmanager
async def open_socket(port: int, **options: Any) -> AsyncIterator[trio_websocket.WebSocketConnection]:
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    async with stream, trio.open_nursery() as nursery:
        yield await trio_websocket.wrap_client_stream(nursery, stream, "localhost", "/", **options)
        nursery.cancel_scope.cancel()


async def test_longest_prefix_answers_and_sees_where_it_stands() -> None:
    async with serving({"/": named("page"), "/chat": named("chat"), "/chat/inner": named("inner")}) as (
        port,
        _,
    ):
        for path, expected in (
            ("/", "page  /"),
            ("/chats", "page  /chats"),
            ("/chat/", "chat /chat /chat/"),
            ("/chat/a/b", "chat /chat /chat/a/b"),
            ("/chat/inner/x", "inner /chat/inner /chat/inner/x"),
        ):
            assert (await get(port, path)).text == expected
        redirect = await get(port, "/chat")
        assert (redirect.status_code, redirect.headers["location"]) == (308, "chat/")


async def test_what_nobody_serves_is_404_in_json() -> None:
    async with serving({"/chat": named("chat")}) as (port, _):
        response = await get(port, "/other")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("prefix", ["chat", "", "//chat", "/a//b"])
def test_malformed_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match=r"^prefix: expected"):
        Mounts().mount(prefix, named("x"))


async def test_mounts_come_and_go_while_the_server_runs() -> None:
    mounts = Mounts()
    async with serving(mounts) as (port, _):
        assert (await get(port, "/chat/")).status_code == 404
        mounts.mount("/chat", named("first"))
        with pytest.raises(ValueError, match="already served"):
            mounts.mount("/chat/", named("second"))
        assert (await get(port, "/chat/")).text.startswith("first")
        mounts.unmount("/chat")
        mounts.unmount("/chat")
        mounts.mount("/chat", named("second"))
        assert (await get(port, "/chat/")).text.startswith("second")


async def test_mounting_after_a_cancelled_run_is_harmless() -> None:
    mounts = Mounts()
    async with trio.open_nursery() as nursery:
        await nursery.start(mounts.run)
        nursery.cancel_scope.cancel()
    mounts.mount("/chat", named("late"))


class WithLifespan:
    """Counts its startups and shutdowns; fails when told."""

    def __init__(self, fail: str = "") -> None:
        self.fail = fail
        self.seen: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await named("app")(scope, receive, send)
            return
        while True:
            event = (await receive())["type"]
            self.seen.append(event)
            if event.endswith(self.fail or "-"):
                await send({"type": f"{event}.failed", "message": "no database"})
            await send({"type": f"{event}.complete"})
            if self.fail == "later":
                raise OSError("lost its database")
            if event == "lifespan.shutdown":
                return


async def test_lifespans_start_before_and_end_after_the_requests() -> None:
    early, late = WithLifespan(), WithLifespan()
    mounts = Mounts()
    mounts.mount("/", early)
    async with serving(mounts) as (port, _):
        assert early.seen == ["lifespan.startup"]
        mounts.mount("/late", late)
        assert (await get(port, "/late/")).status_code == 200
        mounts.unmount("/late")
        await trio.testing.wait_all_tasks_blocked()
        assert late.seen == ["lifespan.startup", "lifespan.shutdown"]
    assert early.seen == ["lifespan.startup", "lifespan.shutdown"]


@pytest.mark.parametrize("fail", ["startup", "later"])
async def test_failed_application_is_503_and_harms_no_other(fail: str) -> None:
    mounts = Mounts()
    mounts.mount("/", named("page"))
    mounts.mount("/bad", WithLifespan(fail))
    async with serving(mounts) as (port, _):
        assert (await get(port, "/bad/")).status_code == 503
        assert (await get(port, "/")).status_code == 200


@pytest.mark.parametrize("fail", ["startup", "later"])
async def test_failed_essential_application_ends_the_server(fail: str) -> None:
    with pytest.RaisesGroup(RuntimeError if fail == "startup" else OSError, flatten_subgroups=True):
        async with serving({"/": WithLifespan(fail)}):
            await trio.sleep(5)


async def test_security_headers_are_added_but_not_over_the_applications_own() -> None:
    own = [(b"Content-Security-Policy", b"frame-ancestors https://bank.example")]
    async with serving({"/": named("page"), "/chat": named("chat", own)}) as (port, _):
        page, chat = (await get(port, "/")).headers, (await get(port, "/chat/")).headers
    assert "frame-ancestors 'none'" in page["content-security-policy"]
    assert chat.get_list("content-security-policy") == ["frame-ancestors https://bank.example"]
    assert chat["x-content-type-options"] == page["x-content-type-options"] == "nosniff"
    assert "server" not in page


async def test_taken_port_is_one_clear_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError) as caught:
            await serve_web({}, Address("127.0.0.1", port), trio.Event())
    assert str(caught.value) == (
        f"web.bind: 127.0.0.1:{port}: another program listens there; stop it or choose another port"
    )


async def test_foreign_address_is_named_too() -> None:
    with pytest.raises(ConfigError, match=r"^stats\.bind: 192\.0\.2\.1:80: cannot listen there"):
        await serve_web({}, Address("192.0.2.1", 80), trio.Event(), setting="stats.bind")


async def test_websocket_message_limit_counts_the_whole_message() -> None:
    async with serving({"/": named("echo")}) as (port, _), open_socket(port) as client:
        await client.send_message("x" * 65_536)
        assert len(await client.get_message()) == 65_536
        await client.send_message("x" * 65_537)
        with pytest.raises(trio_websocket.ConnectionClosed) as closed:
            await client.get_message()
        assert closed.value.reason.code == 1009


async def test_compression_is_declined() -> None:
    request = (
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
    )
    serves = serving({"/": named("echo")})
    async with serves as (port, _), await trio.open_tcp_stream("127.0.0.1", port) as client:
        await client.send_all(request)
        answer = (await client.receive_some()).lower()
    assert answer.startswith(b"http/1.1 101")
    assert b"sec-websocket-extensions" not in answer


async def test_stop_tells_the_sockets_and_accepts_no_more() -> None:
    limits = WebLimits(graceful_s=5)
    async with serving({"/": named("echo")}, limits) as (port, shutdown), open_socket(port) as client:
        began = trio.current_time()
        shutdown.set()
        with pytest.raises(trio_websocket.ConnectionClosed) as closed:
            await client.get_message()
        assert closed.value.reason.code == 1001
        with pytest.raises(OSError, match="connect"):
            await trio.open_tcp_stream("127.0.0.1", port)
    assert trio.current_time() - began < 2


@pytest.mark.slow  # waits for the grace period
async def test_stop_does_not_wait_for_a_handler_that_never_ends() -> None:
    async def stuck(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await trio.sleep_forever()

    async with (
        serving({"/": stuck}) as (port, shutdown),
        await trio.open_tcp_stream("127.0.0.1", port) as client,
    ):
        await client.send_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await trio.sleep(0.05)
        began = trio.current_time()
        shutdown.set()
        assert await client.receive_some() == b""
    assert trio.current_time() - began < 2


@pytest.mark.slow  # waits for the keep-alive time-out
@pytest.mark.parametrize("start", [b"", b"GET / HTTP/1.1\r\nHost: loc"])
async def test_idle_connection_and_one_that_dribbles_are_closed(start: bytes) -> None:
    async with (
        serving({"/": named("page")}) as (port, _),
        await trio.open_tcp_stream("127.0.0.1", port) as client,
    ):
        if start:
            await client.send_all(start)
        with trio.fail_after(2):
            assert await client.receive_some() == b""


async def test_connections_beyond_the_limit_are_closed_at_once() -> None:
    limits = WebLimits(max_connections=2, graceful_s=0.2, send_timeout_s=0.2)
    async with serving({"/": named("page")}, limits) as (port, _):
        first = await trio.open_tcp_stream("127.0.0.1", port)
        second = await trio.open_tcp_stream("127.0.0.1", port)
        async with first, second:
            third = await trio.open_tcp_stream("127.0.0.1", port)
            async with third:
                assert await third.receive_some() == b""
            await first.send_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"200" in await first.receive_some()
        await trio.testing.wait_all_tasks_blocked()
        assert (await get(port, "/")).status_code == 200


async def test_oversized_headers_are_refused() -> None:
    async with (
        serving({"/": named("page")}) as (port, _),
        await trio.open_tcp_stream("127.0.0.1", port) as client,
    ):
        await client.send_all(b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000)
        assert b" 431 " in await client.receive_some()


async def test_http2_is_not_spoken() -> None:
    offer = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    settings = b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"
    async with serving({"/": named("page")}) as (port, _):
        for request, expected in ((offer + settings, b" 200 "), (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b" 4")):
            async with await trio.open_tcp_stream("127.0.0.1", port) as client:
                await client.send_all(request)
                assert expected in (await client.receive_some())[:16]
