"""The gateway: the socket server for plugins, edges, followers and tools in other processes."""

from __future__ import annotations

import os
import socket
import traceback
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import structlog
import trio

from engine.auth import BadToken
from engine.bus import ForAgents, ForAll, ForChannel, Scope
from engine.config import Address
from engine.errors import Malformed
from engine.gateway_connection import LAST_WORD_S, Connection
from engine.gateway_frames import closing, refusal_frame
from engine.gateway_limits import RESERVED_FILES, TurnedAway, room_for_sockets
from engine.gateway_peer import Peer
from engine.gateway_sign_ins import SignIns
from engine.gateway_submit import PeerKind
from engine.gateway_versions import BadVersions, agreed_version
from engine.model import Hello, decode_body
from engine.service import Service
from engine.tls import ServerTls, Stream, accepted

HELLO_WITHIN_S = 5.0
HELLO_BYTES = 16 * 1024
"""A token has at most 4 KiB; who has not shown one gets no more of our memory."""

BACKLOG = 1_024
LINGERING = 64
"""Refused connections that are given time to hear why; beyond them the word is sent and the socket closed."""
KERNEL_BYTES = 128 * 1024
"""What the system may keep to be sent on one socket (Linux doubles it); by itself it would be megabytes."""
KINDS: tuple[PeerKind, ...] = ("plugin", "edge", "follower", "admin")

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


class ConnectionLine(NamedTuple):
    """A connection as an operator sees it.

    Attributes:
        kind: "plugin", "edge", "follower" or "admin".
        name: what it calls itself.
        channel: a plugin's.
        address: where it comes from; None over a Unix socket.
        commands: of its commands, how many are unanswered.
        size: their bytes.
        held: how often it was not read because its credit was used up.
        held_s: for how long, in all.
        busy: commands refused with `busy`.
    """

    kind: PeerKind
    name: str
    channel: str | None
    address: str | None
    commands: int
    size: int
    held: int
    held_s: float
    busy: int


class Gateway:
    """Accepts connections and gives each its own task.

    Args:
        service: the running service.
        tokens: who may come in, and as what.

    Attributes:
        doors: how many connections are open, and how many were turned away.
    """

    def __init__(self, service: Service, tokens: TokenVerifier) -> None:
        self._service = service
        self._tokens = tokens
        self.doors = service.doors
        self._open: dict[Connection, Peer] = {}
        self._lingering = 0

    def lines(self) -> list[ConnectionLine]:
        """Return every connection that has shown its token."""
        return [
            ConnectionLine(
                peer.kind,
                peer.name,
                peer.channel[0] if peer.channel else None,
                peer.address,
                one.submitter.commands,
                one.submitter.size,
                one.submitter.held,
                one.submitter.held_s,
                one.submitter.busy,
            )
            for one, peer in self._open.items()
        ]

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
        self._make_room()
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

    def _make_room(self) -> None:
        wanted = self.doors.most
        self.doors.most = room_for_sockets(wanted)
        if self.doors.most < wanted:
            _log.error(
                "gateway.max_connections: this process may not open so many files; fewer are held",
                max_connections=wanted,
                held=self.doors.most,
                hard_limit_of_open_files_needed=wanted + RESERVED_FILES,
            )

    async def _accepted(self, tls: ServerTls | None, plain: trio.SocketStream) -> None:
        """Serve one connection; whatever goes wrong with it ends it alone."""
        local = plain.socket.family == trio.socket.AF_UNIX
        async with plain:
            try:
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
                address = _address(plain)
            except OSError:
                return  # it has gone already
            turned_away = self.doors.enter(address)
            if turned_away is not None and tls is not None and self._lingering >= LINGERING:
                return  # a handshake for each of a crowd that is turned away would cost more than the crowd
            try:
                if (stream := await accepted(plain, None if local else tls)) is not None:
                    async with stream:
                        if turned_away is not None:
                            await self._turn_away(stream, turned_away)
                        else:
                            await self._greet(stream, address)
            except Exception as error:
                if not _hung_up(error):
                    # Not with its frames' locals: there are tokens among them.
                    _log.error("a gateway connection failed", error=repr(error), trace=traceback.format_exc())
            finally:
                if turned_away is None:
                    self.doors.leave(address)

    async def _turn_away(self, stream: Stream, why: TurnedAway) -> None:
        linger = self._lingering < LINGERING
        self._lingering += linger
        try:
            await _refuse(stream, closing(why.code, why.text, self._service.seq), linger=linger)
        finally:
            self._lingering -= linger

    async def _greet(self, stream: Stream, address: str | None) -> None:
        with trio.move_on_after(HELLO_WITHIN_S) as scope:
            hello, rest = await _read_hello(stream)
        if scope.cancelled_caught:
            hello = "no hello within 5 s"
        if isinstance(hello, str):
            self.doors.turned_away["protocol_error"] += 1
            await _refuse(stream, closing("protocol_error", hello, self._service.seq))
            return
        if hello is None:
            return
        try:
            agreed = agreed_version(hello.versions)
            peer = self._peer(hello, address)
        except BadVersions as error:
            self.doors.turned_away[error.code] += 1
            await _refuse(stream, closing(error.code, str(error), self._service.seq))
            return
        except BadToken as error:
            self.doors.turned_away["bad_token"] += 1
            text = f"hello.token: {error.reason}; issue one with `paidui token`"
            await _refuse(stream, refusal_frame(None, "bad_token", text), closing("bad_token", text, 0))
            return
        connection = Connection(
            self._service,
            stream,
            peer,
            hello.resume_seq,
            agreed=None if hello.versions is None else agreed,
            sign_ins=None if peer.any_agent else SignIns(self._service, self._tokens),
        )
        await self._serve_one(connection, peer, rest)

    async def _serve_one(self, connection: Connection, peer: Peer, rest: bytes) -> None:
        try:
            await connection.run(rest, partial(self._open.__setitem__, connection, peer))
        finally:
            self._open.pop(connection, None)

    def _peer(self, hello: Hello, address: str | None) -> Peer:
        for kind in KINDS:
            try:
                claims = self._tokens.verify(hello.token, kind)
            except BadToken as error:
                if error.reason == "wrong_purpose":
                    continue
                raise
            channel = self._channel(claims) if kind == "plugin" else None
            any_agent = kind != "edge" or claims.get("any_agent") is True
            return Peer(kind, hello.name, channel, _scope(kind, channel), address, any_agent)
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


async def _refuse(stream: Stream, *frames: bytes, linger: bool = True) -> None:
    """Say why, if the other side still listens; nobody waits for it longer than a moment.

    To close a socket with unread bytes would make the other side lose the word; who may linger is read out.
    """
    with trio.move_on_after(LAST_WORD_S), suppress(trio.BrokenResourceError):
        await stream.send_all(b"".join(frames))
        if linger:
            await stream.send_eof()
            while await stream.receive_some(HELLO_BYTES):
                pass


def _address(stream: trio.SocketStream) -> str | None:
    if stream.socket.family == socket.AF_UNIX:
        return None
    return str(stream.socket.getpeername()[0])


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
