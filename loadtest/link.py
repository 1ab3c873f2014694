"""One connection to a site's gateway, lean enough for a flood and stubborn enough for a restart.

What was sent and not yet acknowledged is kept, and sent again after a reconnect: arrivals carry a
key, answers name an offer or a contact, so a repeat does no harm. Events resume behind the last
batch that was seen.
"""

import errno
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, cast

import msgspec
import trio

from engine.router import CODES
from loadtest.errors import FloodError
from loadtest.people import Sent
from loadtest.protocol import ARRIVE, COMMAND_NAMES, Body, Message
from loadtest.secured import Tls, Wire, secured

HELLO, WELCOME, ACK, REFUSED, EVENTS, CLOSING, PING, PONG, ATTACH = range(128, 137)
DESKS, CONTACTS = 142, 143
RECEIVE_BYTES = 256 * 1024
MAX_FRAME_BYTES = 16 * 1024 * 1024
ATTACH_AGENTS = 4_000
HANDSHAKE_S = 10
BACK_OFF_S = (0.05, 0.1, 0.2, 0.5, 1.0)
CODE_NAMES = dict(CODES)

Rows = list[list[object]]
HearState = Callable[[int, Rows], None]


class Listener(Protocol):
    """Who wants to know what a link hears; implemented by the crowd."""

    def hear_ack(self, now_us: int, sent: Sent, code: int, value: int, code_name: str) -> None:
        """Takes an acknowledgement."""

    def hear_refusal(self, sent: Sent, code_name: str) -> None:
        """Takes a refusal before the journal."""

    def after(self, due_us: int, action: Callable[..., None], *arguments: object) -> None:
        """Calls back later."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a gateway listens, loopback only; and how TLS is spoken there, None = it is not."""

    host: str
    port: int
    tls: Tls | None = None

    @classmethod
    def parse(cls, text: str, tls: Tls | None = None) -> "Address":
        """Reads `host:port`; anything but loopback is refused, a flood is no toy to aim at others."""
        host, colon, port = text.rpartition(":")
        host = host.strip("[]")
        if not (colon and port.isdecimal() and 0 < int(port) < 65_536):
            raise FloodError(f"--target: expected host:port such as 127.0.0.1:8701, got {text!r}")
        if host not in {"127.0.0.1", "localhost", "::1"}:
            raise FloodError(
                f"--target: expected a loopback address (127.0.0.1, ::1, localhost), got {host!r}"
            )
        return cls(host, int(port), tls)


@dataclass(slots=True)
class Welcome:
    """What the site said about itself."""

    site: str
    seq: int
    names: dict[str, dict[str, int]]


@dataclass(slots=True)
class Link:
    """A connection of one kind: a plugin for its channel, or an edge for its agents.

    Args:
        address: the gateway.
        token: the hello token; its claims say which kind of connection this is.
        name: what the site's log calls this connection.
        hear: takes `(now_us, event body)`.
        clock: the run's time in microseconds.
        agents: an edge's agents, by the server's numbers.
        stubborn: reconnects when the site goes away; otherwise that is an error.
    """

    address: Address
    token: str
    name: str
    hear: Callable[[int, Body], None]
    clock: Callable[[], int]
    listener: Listener | None = None
    agents: list[int] = field(default_factory=list)
    stubborn: bool = False
    resume_seq: int | None = None
    welcome: Welcome | None = None
    connected: bool = False
    after_input: Callable[[], None] = lambda: None
    _hear_state: HearState | None = None
    _early_states: list[tuple[int, Rows]] = field(default_factory=list)
    _socket: Wire | None = None
    _out: bytearray = field(default_factory=bytearray)
    _in: bytearray = field(default_factory=bytearray)
    _unanswered: dict[int, tuple[Sent, bytes]] = field(default_factory=dict)
    _next_no: int = 0
    _writable: trio.Event = field(default_factory=trio.Event)
    _encode: Callable[[object], bytes] = msgspec.msgpack.Encoder().encode
    _decode: Callable[[bytes], list[object]] = msgspec.msgpack.Decoder(list[object]).decode

    @property
    def unanswered(self) -> int:
        """How many commands are not acknowledged yet."""
        return len(self._unanswered)

    # Sending

    def send(self, message: Message, sent: Sent) -> None:
        """Queues a command; `flush` sends it."""
        self._send_frame(_frame(self._encode(message)), sent)

    def _send_frame(self, frame: bytes, sent: Sent) -> None:
        self._unanswered[self._next_no] = (sent, frame)
        self._next_no += 1
        if self.connected:
            self._out += frame

    def flush(self) -> None:
        """Sends what is queued, as far as the socket takes it now."""
        if not self._out or self._socket is None:
            return
        try:
            del self._out[: self._socket.send(self._out)]
        except BlockingIOError:
            pass
        except OSError:
            return  # the reader notices and reconnects
        if self._out:
            self._writable.set()

    async def _write_rest(self, sock: Wire) -> None:
        """Sends what `flush` could not."""
        while True:
            await self._writable.wait()
            self._writable = trio.Event()
            while self._out and self._socket is sock:
                await trio.lowlevel.wait_writable(sock)
                try:
                    del self._out[: sock.send(self._out)]
                except BlockingIOError:
                    continue
                except OSError:
                    return

    # The connection's life

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Connects and listens until cancelled.

        Raises:
            FloodError: the site refused the link, or went away from a link that is not stubborn.
        """
        attempt = 0
        while True:
            try:
                sock = await self._connect()
            except ssl.SSLCertVerificationError as error:
                why = f"the gateway's certificate is not trusted ({error.verify_message})"
                hint = "--tls-ca says who vouches for it, --tls-name whose name stands in it"
                raise FloodError(f"{self.name}: {why}; {hint}") from error
            except (OSError, EOFError, trio.TooSlowError) as error:
                if not self.stubborn:
                    where = f"{self.address.host}:{self.address.port}"
                    reason = str(error) or f"no welcome within {HANDSHAKE_S} s"
                    raise FloodError(f"{self.name}: no gateway at {where}: {reason}") from error
                await trio.sleep(BACK_OFF_S[min(attempt, len(BACK_OFF_S) - 1)])
                attempt += 1
                continue
            attempt = 0
            task_status.started()
            task_status = trio.TASK_STATUS_IGNORED
            try:
                reason = await self._listen(sock)
            finally:
                self.connected = False
                self._socket = None
                sock.close()
            if not self.stubborn:
                raise FloodError(f"{self.name}: the site closed the connection: {reason}")
            await trio.sleep(BACK_OFF_S[0])

    async def _connect(self) -> Wire:
        family = socket.AF_INET6 if ":" in self.address.host else socket.AF_INET
        plain = socket.socket(family, socket.SOCK_STREAM)
        plain.setblocking(False)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock: Wire = plain
        try:
            with trio.fail_after(HANDSHAKE_S):
                code = plain.connect_ex((self.address.host, self.address.port))
                if code == errno.EINPROGRESS:
                    await trio.lowlevel.wait_writable(plain)
                    code = plain.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code:
                    raise OSError(code, "cannot connect")
                if self.address.tls is not None:
                    sock = await secured(plain, self.address.tls, self.address.host)
                await self._greet(sock)
        except BaseException:
            sock.close()
            raise
        return sock

    async def _greet(self, sock: Wire) -> None:
        """Says hello, learns the site's names, attaches the agents, repeats what was not answered."""
        self._in.clear()
        self._out.clear()
        sock.send(_frame(self._encode((HELLO, 1, self.token, self.name, self.resume_seq))))
        while not (bodies := list(self._bodies(await self._received_first(sock)))):
            pass
        first = bodies[0]
        if first[0] != WELCOME:
            self._not_welcome(first)
            raise FloodError(f"{self.name}: the site refused the link: {' '.join(map(str, first[2:]))}")
        self.welcome = Welcome(
            cast(str, first[2]), cast(int, first[3]), cast(dict[str, dict[str, int]], first[4])
        )
        if self.resume_seq is None:
            self.resume_seq = self.welcome.seq
        self._socket = sock
        self.connected = True
        again = list(self._unanswered.values())
        self._unanswered.clear()
        self._next_no = 0
        self._queue_attach(self.agents)
        for sent, frame in again:
            self._send_frame(frame, sent)
        self.flush()
        for body in bodies[1:]:
            self._take(self.clock(), body)

    async def _received_first(self, sock: Wire) -> bytes:
        try:
            return await _receive(sock)
        except (EOFError, ConnectionError) as error:
            # A gateway with a certificate takes a plain hello for a broken handshake, and says nothing.
            hint = "" if self.address.tls else "; if it has a certificate, speak TLS (--tls, --tls-ca)"
            raise EOFError(f"the other side closed the connection before its welcome{hint}") from error

    def _not_welcome(self, body: list[object]) -> None:
        """Tells a refusal that a reconnect can mend from one that it cannot."""
        code = body[3] if body[0] == REFUSED else body[2]
        if code == "too_old":
            self.resume_seq = None
        if self.stubborn and code in {"too_old", "busy", "draining"}:
            raise EOFError(str(code))

    def attach(self, agents: list[int]) -> None:
        """Says whom an edge acts for, now and after every reconnect."""
        self.agents = agents
        self._queue_attach(agents)

    def _queue_attach(self, agents: list[int]) -> None:
        for start in range(0, len(agents), ATTACH_AGENTS):
            self._out += _frame(self._encode((ATTACH, 1, agents[start : start + ATTACH_AGENTS])))

    async def _listen(self, sock: Wire) -> str:
        """Hears until the connection ends; returns why."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write_rest, sock)
            try:
                while True:
                    data = await _receive(sock)
                    now_us = self.clock()
                    for body in self._bodies(data):
                        self._take(now_us, body)
                    self.after_input()
            except (OSError, EOFError) as error:
                reason = str(error)
            nursery.cancel_scope.cancel()
        return reason

    # Hearing

    def _bodies(self, data: bytes) -> list[list[object]]:
        """Cuts what was received into decoded bodies; keeps the rest."""
        buffer = self._in
        buffer += data
        bodies, at, size = [], 0, len(buffer)
        while size - at >= 4:
            end = at + 4 + int.from_bytes(buffer[at : at + 4], "big")
            if end - at > MAX_FRAME_BYTES:
                raise FloodError(f"{self.name}: the site sent a frame of {end - at} bytes")
            if end > size:
                break
            bodies.append(self._decode(bytes(buffer[at + 4 : end])))
            at = end
        del buffer[:at]
        return bodies

    def _take(self, now_us: int, body: list[object]) -> None:
        kind = body[0]
        if kind == EVENTS:
            self.resume_seq = cast(int, body[2])
            for _, event in cast(list[tuple[int, Body]], body[4]):
                self.hear(now_us, event)
        elif kind == ACK:
            for request_no, _, code, value in cast(list[tuple[int, int, int, int]], body[3]):
                sent, _frame_again = self._unanswered.pop(request_no)
                if self.listener is not None:
                    self.listener.hear_ack(now_us, sent, code, value, CODE_NAMES.get(code, str(code)))
        elif kind == REFUSED:
            self._take_refusal(now_us, body)
        elif kind in {DESKS, CONTACTS}:
            self._take_state(now_us, cast(Rows, body[2]))
        elif kind == PING:
            self._out += _frame(self._encode((PONG, 1, body[2])))
        elif kind == CLOSING:
            if body[2] == "too_old":
                self.resume_seq = None
            if not self.stubborn:
                raise FloodError(f"{self.name}: the site closes the connection: {body[2]}: {body[3]}")

    def hear_state(self, hear: HearState) -> None:
        """Sets who is told what is in hand after a connect, and tells what has come already."""
        self._hear_state = hear
        for now_us, rows in self._early_states:
            hear(now_us, rows)
        self._early_states.clear()

    def _take_state(self, now_us: int, rows: Rows) -> None:
        if self._hear_state is None:
            self._early_states.append((now_us, rows))
        else:
            self._hear_state(now_us, rows)

    def _take_refusal(self, now_us: int, body: list[object]) -> None:
        request_no, code = cast(int | None, body[2]), cast(str, body[3])
        if request_no is None:
            raise FloodError(f"{self.name}: the site refused the link: {code}: {body[4]}")
        sent, frame = self._unanswered.pop(request_no)
        if self.listener is None:
            return
        if code == "busy" and sent.kind != ARRIVE:
            retry_after_ms = cast(int, body[5]) if len(body) > 5 else 100
            self.listener.after(now_us + retry_after_ms * 1_000, self._send_again, frame, sent)
        elif code in {"busy"}:
            self.listener.hear_refusal(sent, code)
        else:
            raise FloodError(f"{self.name}: the site refused {COMMAND_NAMES[sent.kind]}: {code}: {body[4]}")

    def _send_again(self, due_us: int, frame: bytes, sent: Sent) -> None:
        self._send_frame(frame, sent)


def _frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


async def _receive(sock: Wire) -> bytes:
    while True:
        await trio.lowlevel.wait_readable(sock)
        try:
            data = sock.recv(RECEIVE_BYTES)
        except BlockingIOError:
            continue
        if not data:
            raise EOFError("the other side closed the connection")
        return data
