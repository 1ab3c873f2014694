"""hypercorn's denial-of-service faults, each over a real socket, with the guard and without.

The unguarded half proves that the attack works on this hypercorn; when one of them begins to fail
because hypercorn was repaired, the corresponding piece of the guard can go.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.trio.tcp_server import TCPServer

import engine.web
import engine.web_guard
from engine.config_types import Address
from engine.web import WebLimits, serve_web

LIMITS = WebLimits(graceful_s=0.1, send_timeout_s=0.3)
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Unguarded(TCPServer):
    """hypercorn as it comes."""

    def __init__(self, app: ASGIWrapper, config: Any, context: Any, stream: Any, _timeout: float) -> None:
        super().__init__(app, config, context, {}, stream)


EMPTY = [(b"content-length", b"0")]


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answer HTTP; refuse the WebSocket /ws, never answer /silent, leave /deaf, talk on in /flood."""
    if scope["type"] == "lifespan":
        return
    if scope["type"] == "http" and scope["path"] == "/refuse":
        await refuse(receive, send)
        return
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"alive"})
        return
    await receive()
    if scope["path"] == "/ws":
        await send({"type": "websocket.http.response.start", "status": 403, "headers": EMPTY})
        await send({"type": "websocket.http.response.body", "body": b""})
        await trio.sleep_forever()
    if scope["path"] == "/silent":
        await trio.sleep_forever()
    if scope["path"] == "/deaf":
        await send({"type": "websocket.accept"})
        await trio.sleep(0.1)  # reads nothing, then ends
        return
    await send({"type": "websocket.accept"})
    while True:
        await send({"type": "websocket.send", "bytes": b"x" * 65536})


async def refuse(receive: Any, send: Any) -> None:
    """Answer without the body, and end when it is said to be over, as Quart does."""
    async with trio.open_nursery() as nursery:

        async def listen() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            nursery.cancel_scope.cancel()

        nursery.start_soon(listen)
        await send({"type": "http.response.start", "status": 413, "headers": EMPTY})
        await send({"type": "http.response.body", "body": b""})


async def get(port: int) -> bytes:
    """Answer of a plain request."""
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    async with stream:
        await stream.send_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return b"".join([chunk async for chunk in stream])


@pytest.fixture(params=["guarded", "unguarded"])
def guarded(request: Any, monkeypatch: Any) -> bool:
    if request.param == "unguarded":
        monkeypatch.setattr(engine.web, "GuardedTCPServer", Unguarded)
    return request.param == "guarded"


async def test_stray_byte_after_upgrade_ends_one_connection_only(guarded: bool) -> None:
    shutdown = trio.Event()
    error: BaseException | None = None

    async def serve(task_status: Any) -> None:
        nonlocal error
        try:
            await serve_web(
                {"/": application}, Address("127.0.0.1", 0), shutdown, limits=LIMITS, task_status=task_status
            )
        except BaseExceptionGroup as group:
            error = group

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            port = await nursery.start(serve)
            attacker = await trio.open_tcp_stream("127.0.0.1", port)
            async with attacker:
                await attacker.send_all(UPGRADE)
                assert b"403" in await attacker.receive_some()
                await attacker.send_all(b"X")
                assert not [chunk async for chunk in attacker]
            if guarded:
                assert b"alive" in await get(port)
                shutdown.set()
    assert (error is None) == guarded


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_who_is_refused_before_the_end_of_a_body_may_ask_again(guarded: bool, framing: str) -> None:
    size = 1 << 20
    how = f"Content-Length: {size}" if framing == "length" else "Transfer-Encoding: chunked"
    before, after = (b"", b"") if framing == "length" else (f"{size:x}\r\n".encode(), b"\r\n0\r\n\r\n")
    post = f"POST /refuse HTTP/1.1\r\nHost: localhost\r\n{how}\r\n\r\n".encode() + before
    shutdown = trio.Event()
    answer = b""
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            serve = partial(serve_web, {"/": application}, Address("127.0.0.1", 0), shutdown, limits=LIMITS)
            port = await nursery.start(serve)
            async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
                with suppress(trio.BrokenResourceError), trio.move_on_after(10 if guarded else 0.5):
                    for _ in range(3):
                        await stream.send_all(post + bytes(size // 4))
                        assert b"413" in await stream.receive_some()
                        await stream.send_all(bytes(size - size // 4) + after)
                    await stream.send_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    answer = b"".join([chunk async for chunk in stream])
            shutdown.set()
    assert (b"alive" in answer) == guarded


async def test_a_body_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.web_guard, "UNREAD_BYTES", 1 << 20)
    shutdown = trio.Event()
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            serve = partial(serve_web, {"/": application}, Address("127.0.0.1", 0), shutdown, limits=LIMITS)
            port = await nursery.start(serve)
            async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
                head = b"POST /refuse HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                await stream.send_all(head)
                sent = 0
                with suppress(trio.BrokenResourceError):
                    while sent < 1 << 28:
                        await stream.send_all(b"10000\r\n" + bytes(1 << 16) + b"\r\n")
                        sent += 1 << 16
                assert sent < 1 << 28
            shutdown.set()


async def leave_no_task_behind(attack: bytes, expected: bytes, rest: bytes = b"") -> bool:
    """Attack, go away, and say whether the connection is over soon afterwards."""
    shutdown, ended = trio.Event(), trio.Event()
    served = engine.web.GuardedTCPServer

    class Watched(served):  # type: ignore[misc,valid-type]
        async def run(self) -> None:
            try:
                await super().run()
            finally:
                ended.set()

    with pytest.MonkeyPatch.context() as patch, trio.fail_after(10):
        patch.setattr(engine.web, "GuardedTCPServer", Watched)
        async with trio.open_nursery() as nursery:
            serve = partial(serve_web, {"/": application}, Address("127.0.0.1", 0), shutdown, limits=LIMITS)
            port = await nursery.start(serve)
            async with await trio.open_tcp_stream("127.0.0.1", port) as attacker:
                await attacker.send_all(attack)
                assert expected in await attacker.receive_some()
                with trio.move_on_after(0.2), suppress(trio.BrokenResourceError):
                    await attacker.send_all(rest)
            with trio.move_on_after(LIMITS.send_timeout_s + 0.5):
                await ended.wait()
            in_time = ended.is_set()
            shutdown.set()
    return in_time


@pytest.mark.slow  # waits for the send timeout of a real socket
async def test_byte_before_the_handshake_leaves_no_task_behind(guarded: bool) -> None:
    attack = UPGRADE.replace(b"/ws", b"/silent") + b"X"
    assert await leave_no_task_behind(attack, b"400") == guarded


@pytest.mark.slow  # waits for the send timeout of a real socket
async def test_sender_who_outlives_the_handler_leaves_no_task_behind(guarded: bool) -> None:
    frame = b"\x81\x81\x00\x00\x00\x00x"  # a masked text message of one letter
    attack = UPGRADE.replace(b"/ws", b"/deaf")
    assert await leave_no_task_behind(attack, b"101", frame * 100_000) == guarded


@pytest.mark.slow  # waits for the send timeout of a real socket
async def test_client_that_stops_reading_does_not_hold_up_the_stop(guarded: bool) -> None:
    shutdown, stopped = trio.Event(), trio.Event()

    async def serve(task_status: Any) -> None:
        await serve_web(
            {"/": application}, Address("127.0.0.1", 0), shutdown, limits=LIMITS, task_status=task_status
        )
        stopped.set()

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            port = await nursery.start(serve)
            client = trio.socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            await client.connect(("127.0.0.1", port))
            await client.send(UPGRADE.replace(b"/ws", b"/flood"))
            await client.recv(100)  # and never again
            await trio.sleep(0.05)  # the server's send buffer fills
            shutdown.set()
            with trio.move_on_after(LIMITS.graceful_s + LIMITS.send_timeout_s + 1.0):
                await stopped.wait()
            in_time = stopped.is_set()
            client.close()  # frees the unguarded server
    assert in_time == guarded


@pytest.mark.slow  # waits for the send timeout of a real socket
async def test_slow_reader_is_cut_while_the_server_runs() -> None:
    shutdown = trio.Event()
    ended = trio.Event()

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        try:
            await application(scope, receive, send)
        finally:
            if scope["type"] == "websocket":
                ended.set()

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            serve = partial(serve_web, {"/": watched}, Address("127.0.0.1", 0), shutdown, limits=LIMITS)
            port = await nursery.start(serve)
            client = trio.socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            await client.connect(("127.0.0.1", port))
            await client.send(UPGRADE.replace(b"/ws", b"/flood"))
            data = await client.recv(100)
            with pytest.raises((ConnectionError, EOFError)):  # noqa: PT012
                await trio.sleep(LIMITS.send_timeout_s + 0.3)
                while data:
                    data = await client.recv(1 << 20)
                raise EOFError
            assert b"alive" in await get(port)
            shutdown.set()
            client.close()
