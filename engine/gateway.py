"""The gateway: the socket server for plugins, edges, followers and tools in other processes."""

from __future__ import annotations

import os
import socket
import traceback
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import structlog
import trio

from engine.auth import BadToken
from engine.bus import ForAgents, ForAll, ForChannel, Scope
from engine.config import Address
from engine.errors import Malformed
from engine.gateway_connection import Connection, Peer, closing, refusal_frame
from engine.model import Hello, decode_body
from engine.service import Service
from engine.tls import ServerTls, Stream, accepted

HELLO_WITHIN_S = 5.0
HELLO_BYTES = 16 * 1024
"""A token has at most 4 KiB; who has not shown one gets no more of our memory."""

MAX_CONNECTIONS = 4_096
BACKLOG = 1_024
KINDS = ("plugin", "edge", "follower", "admin")

_log = structlog.get_logger(__name__)


class TokenVerifier(Protocol):
    """What the gateway needs of `engine.auth.Tokens`."""

    def verify(self, token: str, typ: str) -> Mapping[str, Any]:
        """Return the claims; raise `BadToken` if it is none of this purpose."""
        ...


class Ports(NamedTuple):
    """Where a gateway listens."""

    tcp: int
    socket: Path | None


class Gateway:
    """Accepts connections and gives each its own task.

    Args:
        service: the running service.
        tokens: who may come in, and as what.
    """

    def __init__(self, service: Service, tokens: TokenVerifier) -> None:
        self._service = service
        self._tokens = tokens
        self._connections = 0

    async def serve(
        self,
        bind: Address,
        socket_path: Path | None = None,
        *,
        tls: ServerTls | None = None,
        task_status: trio.TaskStatus[Ports] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve until cancelled.

        Args:
            bind: the TCP address; port 0 lets the system choose.
            socket_path: a Unix socket as well; only this user can reach it.
            tls: spoken over TCP; None = plain. The Unix socket is always plain.
            task_status: is told the ports once they are open.
        """
        listeners: list[trio.SocketListener] = list(
            await trio.open_tcp_listeners(bind.port, host=bind.host, backlog=BACKLOG)
        )
        port = listeners[0].socket.getsockname()[1]
        if socket_path is not None:
            listeners.append(_unix_listener(socket_path))
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(trio.serve_listeners, partial(self._accepted, tls), listeners)
                task_status.started(Ports(port, socket_path))
        finally:
            _remove(socket_path)

    async def _accepted(self, tls: ServerTls | None, plain: trio.SocketStream) -> None:
        """Serve one connection; whatever goes wrong with it ends it alone."""
        local = plain.socket.family == trio.socket.AF_UNIX
        async with plain:
            if self._connections >= MAX_CONNECTIONS:
                return
            self._connections += 1
            try:
                if (stream := await accepted(plain, None if local else tls)) is not None:
                    async with stream:
                        await self._greet(stream)
            except Exception as error:
                if not _hung_up(error):
                    # Not with its frames' locals: there are tokens among them.
                    _log.error("a gateway connection failed", error=repr(error), trace=traceback.format_exc())
            finally:
                self._connections -= 1

    async def _greet(self, stream: Stream) -> None:
        with trio.move_on_after(HELLO_WITHIN_S) as scope:
            hello, rest = await _read_hello(stream)
        if scope.cancelled_caught:
            await _refuse(stream, closing("protocol_error", "no hello within 5 s", self._service.seq))
            return
        if isinstance(hello, str):
            await _refuse(stream, closing("protocol_error", hello, self._service.seq))
            return
        if hello is None:
            return
        try:
            peer = self._peer(hello)
        except BadToken as error:
            text = f"hello.token: {error.reason}; issue one with `paidui token`"
            await _refuse(stream, refusal_frame(None, "bad_token", text), closing("bad_token", text, 0))
            return
        await Connection(self._service, stream, peer, hello.resume_seq).run(rest)

    def _peer(self, hello: Hello) -> Peer:
        for kind in KINDS:
            try:
                claims = self._tokens.verify(hello.token, kind)
            except BadToken as error:
                if error.reason == "wrong_purpose":
                    continue
                raise
            channel = self._channel(claims) if kind == "plugin" else None
            return Peer(kind, hello.name, channel, _scope(kind, channel))
        raise BadToken("wrong_purpose")

    def _channel(self, claims: Mapping[str, Any]) -> tuple[str, int]:
        name = claims.get("channel")
        if not isinstance(name, str) or name not in self._service.site.channels:
            raise BadToken("missing_claim")
        return name, self._service.names.id("channel", name)


def _hung_up(error: Exception) -> bool:
    """Whether the other side is just gone, which is how many a connection ends."""
    group = error if isinstance(error, ExceptionGroup) else ExceptionGroup("", [error])
    return group.split((trio.BrokenResourceError, trio.ClosedResourceError))[1] is None


def _scope(kind: str, channel: tuple[str, int] | None) -> Scope:
    if channel is not None:
        return ForChannel(channel[1])
    return ForAgents(()) if kind == "edge" else ForAll()


async def _read_hello(stream: Stream) -> tuple[Hello | str | None, bytes]:
    """Read the first frame.

    Returns:
        The hello, or what was wrong, or None when the other side has gone; and the bytes behind it.
    """
    data = b""
    while len(data) < (end := _frame_end(data)) <= HELLO_BYTES:
        received = await stream.receive_some(HELLO_BYTES)
        if not received:
            return None, b""
        data += received
    if end > HELLO_BYTES:
        return f"the first frame has {end - 4} bytes, too many for a hello", b""
    try:
        message = decode_body(data[4:end])
    except Malformed as error:
        return f"hello: {error}", b""
    if not isinstance(message, Hello):
        return f"the first frame has to be a hello, not {type(message).__name__}", b""
    return message, data[end:]


def _frame_end(data: bytes) -> int:
    """Where the first frame ends, as far as it can be known yet."""
    return 4 + int.from_bytes(data[:4], "big") if len(data) >= 4 else 4


async def _refuse(stream: Stream, *frames: bytes) -> None:
    """Say why, if the other side still listens; nobody waits for it."""
    with trio.move_on_after(1):
        await stream.send_all(b"".join(frames))


def _remove(path: Path | None) -> None:
    if path is not None:
        path.unlink(missing_ok=True)


def _unix_listener(path: Path) -> trio.SocketListener:
    """Listen on a Unix socket; one that a killed process has left behind is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove(path)
    raw = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        raw.bind(str(path))
    finally:
        os.umask(mask)
    raw.listen(BACKLOG)
    return trio.SocketListener(trio.socket.from_stdlib_socket(raw))
