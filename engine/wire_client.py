"""A client of the gateway, for plugins, tools and tests in other processes.

It connects once: whoever wants to come back connects again, with `resume_seq`. Frames go out as
they are given; what comes in is decoded in batches, one per read of the socket.
"""

from __future__ import annotations

import re
import ssl
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
import trio

from engine.errors import Busy, Draining, Malformed, PaiduiError, refusal
from engine.model import (
    MAX_CONFIGURE_BYTES,
    SPOKEN_VERSIONS,
    Ack,
    Closing,
    Command,
    Events,
    Frame,
    Hello,
    MessageOut,
    MessageStored,
    Ping,
    Pong,
    Refusal,
    Typing,
    Welcome,
    decode_body,
    encode_frame,
)
from engine.returning import decode_returning
from engine.tls import Stream, TlsStream

RECEIVE_BYTES = 256 * 1024
INCOMING_LIMIT = 20_000
"""Frames that wait for `incoming`; then reading waits, and the server's own limit counts."""

CONNECT_WITHIN_S = 10.0
_LATER: Final = {"busy": Busy, "draining": Draining}
_LENGTH_BYTES = 4

Incoming: TypeAlias = Ack | Events | Refusal | MessageOut | MessageStored | Typing | Frame
"""What `Client.incoming` hands over."""


class Disconnected(PaiduiError):
    """The connection is over.

    Attributes:
        code: one of `engine.gateway_frames.CLOSING_CODES`; or "lost".
        seq: resume behind this batch.
    """

    def __init__(self, code: str, text: str, seq: int) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.seq = seq


class NotTaken(PaiduiError):
    """The gateway refused a request before the journal; `code` says why, the text names the field."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class Client:
    """A connection to a gateway. Made by `connect`.

    Attributes:
        welcome: what the server said first: site, names, a plugin's arrival key.
        seq: the last batch of which an event came; resume behind it.
    """

    def __init__(self, stream: Stream, *, listen: bool) -> None:
        self._stream = stream
        self._listen = listen
        self._sending = trio.Lock()
        self._next_request_no = 0
        self._requests: dict[int, _Answer] = {}
        self._waiting: deque[Frame] = deque()
        self._came = trio.Event()
        self._room = trio.Event()
        self._buffer = b""
        self._over: Disconnected | None = None
        self.welcome: Welcome
        self.seq = 0

    async def send(self, frames: bytes, count: int) -> int:
        """Send encoded command frames, pipelined: their acknowledgements come through `incoming`.

        Args:
            frames: command frames, one after the other.
            count: how many.

        Returns:
            The first one's request number; the others follow without a gap.
        """
        first_request_no = self._next_request_no
        self._next_request_no += count
        await self._send_all(frames)
        return first_request_no

    async def send_control(self, *messages: Frame) -> None:
        """Send control frames (attach, message, typing...); they have no request number."""
        await self._send_all(b"".join(encode_frame(message) for message in messages))

    async def request(self, command: Command) -> int:
        """Send one command and wait until it is durable.

        Returns:
            The contact's id for `Arrive`, else 0.

        Raises:
            Refused: the core's own refusal.
            Busy: not taken; try again after `retry_after_ms`; `Draining` when the site is about to stop.
            NotTaken: malformed, or not allowed on this connection.
            Disconnected: nobody knows whether it was taken; ask again after connecting again.
        """
        request_no = self._next_request_no
        answer = self._requests[request_no] = _Answer()
        try:
            await self.send(encode_frame(command), 1)
            await answer.ready.wait()
        finally:
            self._requests.pop(request_no, None)
        return answer.value()

    async def incoming(self) -> Sequence[Frame]:
        """Return what has come since the last call, in order; wait when it is nothing yet.

        Raises:
            Disconnected: nothing more will come.
        """
        await trio.lowlevel.checkpoint()
        while not self._waiting:
            if self._over is not None:
                raise self._over
            self._came = trio.Event()
            await self._came.wait()
        frames = list(self._waiting)
        self._waiting.clear()
        self._room.set()
        return frames

    async def hello(self, token: str, name: str, resume_seq: int | None) -> None:
        """Say who this is and wait for the welcome; `connect` does it."""
        hello = Hello(token=token, name=name, resume_seq=resume_seq, versions=SPOKEN_VERSIONS)
        await self._send_all(encode_frame(hello))
        while True:
            for message in await self._read():
                if isinstance(message, Closing):
                    raise Disconnected(message.code, message.text, message.seq)
                if isinstance(message, Welcome):
                    self.welcome = message
                    self.seq = message.seq if resume_seq is None else resume_seq
                elif not isinstance(message, Refusal):
                    self._waiting.append(message)
            if hasattr(self, "welcome"):
                return

    async def receive_loop(self) -> None:
        """Read until the connection is over; `connect` runs it."""
        try:
            while self._over is None:
                for message in await self._read():
                    await self._take(message)
                self._came.set()
                if len(self._waiting) >= INCOMING_LIMIT:
                    self._room = trio.Event()
                    await self._room.wait()
        except Disconnected as error:
            self._over = self._over or error
        self._came.set()
        for answer in self._requests.values():
            answer.fail(self._over)

    async def _take(self, message: Frame) -> None:
        if isinstance(message, Ping):
            await self.send_control(Pong(n=message.n))
        elif isinstance(message, Closing):
            self._over = Disconnected(message.code, message.text, message.seq)
        elif isinstance(message, Ack) and self._requests:
            self._answer(message)
        elif isinstance(message, Refusal) and message.request_no in self._requests:
            self._requests[message.request_no].refuse(message)
        elif not isinstance(message, Pong) and self._listen:
            if isinstance(message, Events):
                self.seq = message.seq
            self._waiting.append(message)

    def _answer(self, ack: Ack) -> None:
        others = []
        for result in ack.results:
            if (answer := self._requests.get(result[0])) is not None:
                answer.settle(result[2], result[3])
            else:
                others.append(result)
        if others and self._listen:
            self._waiting.append(Ack(seq=ack.seq, results=others))

    async def _send_all(self, data: bytes) -> None:
        if self._over is not None:
            raise self._over
        try:
            async with self._sending:
                await self._stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise self._over or Disconnected("lost", str(error), self.seq) from error

    async def _read(self) -> list[Frame]:
        """Read once and decode every whole frame."""
        try:
            data = await self._stream.receive_some(RECEIVE_BYTES)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise Disconnected("lost", str(error), self.seq) from error
        if not data:
            raise Disconnected("lost", "the server closed the connection", self.seq)
        messages, self._buffer = decode_frames(self._buffer + data)
        return messages


class _Answer:
    """What one request waits for."""

    def __init__(self) -> None:
        self.ready = trio.Event()
        self._value = 0
        self._error: Exception | None = None

    def settle(self, code: int, value: int) -> None:
        """Take the core's answer."""
        self._value = value
        self.fail(refusal(code, value) if code else None)

    def refuse(self, message: Refusal) -> None:
        """Take the gateway's refusal."""
        if (later := _LATER.get(message.code)) is not None:
            self.fail(later(message.retry_after_ms))
        else:
            self.fail(NotTaken(message.code, message.text))

    def fail(self, error: Exception | None) -> None:
        """Wake who waits."""
        self._error = error
        self.ready.set()

    def value(self) -> int:
        """Return the value or raise the error."""
        if self._error is not None:
            raise self._error
        return self._value


def decode_frames(data: bytes) -> tuple[list[Frame], bytes]:
    """Decode every whole frame; return them and the bytes of one that is not all there.

    Kinds that this release does not know are skipped, and fields at the end: a newer server may say more.
    """
    messages: list[Frame] = []
    bodies, rest = split_bodies(data)
    for body in bodies:
        if (message := _decoded(body)) is not None:
            messages.append(message)
    return messages, rest


def split_bodies(data: bytes) -> tuple[list[memoryview], bytes]:
    """Return the body of every whole frame, and the bytes of one that is not all there.

    Raises:
        Malformed: a frame is longer than any server sends.
    """
    bodies = []
    at, end = 0, len(data)
    view = memoryview(data)
    while end - at >= _LENGTH_BYTES:
        start = at + _LENGTH_BYTES
        length = int.from_bytes(view[at:start], "big")
        if length > MAX_CONFIGURE_BYTES:
            raise Malformed(f"frame: expected at most {MAX_CONFIGURE_BYTES} bytes, got {length}")
        if end - start < length:
            break
        at = start + length
        bodies.append(view[start:at])
    return bodies, data[at:]


_UNKNOWN_KIND = re.compile(r"Invalid value \d+ - at `\$\[0\]`")
_MORE_FIELDS = re.compile(r"Expected `array` of at most length (\d+), got \d+")


def _decoded(body: memoryview) -> Frame | None:
    """A message as far as this release knows it; None = not even its kind."""
    try:
        return decode_returning(body) or decode_body(body)
    except Malformed as error:
        if (longer := _MORE_FIELDS.fullmatch(str(error))) is not None:
            known = 1 + int(longer[1])  # the kind is not counted
            return decode_body(msgspec.msgpack.encode(msgspec.msgpack.decode(body)[:known]))
        if _UNKNOWN_KIND.search(str(error)):
            return None
        raise


@asynccontextmanager
async def connect(
    address: str | Path,
    token: str,
    name: str,
    *,
    resume_seq: int | None = None,
    listen: bool = True,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Client]:
    """Connect to a gateway.

    Args:
        address: "host:port", or a Unix socket's path.
        token: a token of type plugin, edge, follower or admin.
        name: what the server's log calls this connection.
        resume_seq: get events from behind this batch on; None = from now on.
        listen: hand over what comes; without it only `request` is of use.
        tls: speak TLS, and trust whom this context trusts (`engine.tls.client_context`); not over a Unix
            socket.

    Raises:
        Disconnected: the server refused the token or the resumption; the code says which.
        OSError: nobody listens there.
        ssl.SSLError: the server does not speak TLS, or nobody trusted vouches for it.
    """
    with trio.fail_after(CONNECT_WITHIN_S):
        stream = await _open(address, tls)
    async with stream:
        client = Client(stream, listen=listen)
        with trio.fail_after(CONNECT_WITHIN_S):
            await client.hello(token, name, resume_seq)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.receive_loop)
            yield client
            nursery.cancel_scope.cancel()


async def _open(address: str | Path, tls: ssl.SSLContext | None) -> Stream:
    if isinstance(address, Path):
        return await trio.open_unix_socket(str(address))
    host, port = _host_port(address)
    stream = await trio.open_tcp_stream(host, port)
    stream.setsockopt(trio.socket.IPPROTO_TCP, trio.socket.TCP_NODELAY, 1)
    if tls is None:
        return stream
    secured = TlsStream(stream, tls, server_hostname=host)
    try:
        await secured.do_handshake()
    except trio.BrokenResourceError as error:
        await trio.aclose_forcefully(stream)
        if isinstance(error.__cause__, ssl.SSLError):
            raise error.__cause__ from error
        raise ConnectionError(f"{address}: the connection ended during the handshake") from error
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return secured


def _host_port(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal():
        raise ValueError(f"address: expected host:port, got {address!r}")
    return host.strip("[]"), int(port)
