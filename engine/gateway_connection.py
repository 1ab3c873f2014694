"""One connection of the gateway: frames in, answers, events and notices out, in one order.

Everything that goes out passes one bounded queue, the subscriber's: a reader that does not keep up
is cut whole, and resumes by seq.
"""

from __future__ import annotations

import math
import os
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog
import trio

from engine.arrival_keys import channel_secret
from engine.arrivals import head_start_limits
from engine.bus import Item, SlowReader, Subscriber, TooOld
from engine.errors import Malformed
from engine.gateway_frames import closing, contacts_frames, desks_frames, refusal_frame, welcome_frame
from engine.gateway_peer import Peer
from engine.gateway_sign_ins import SignIns
from engine.gateway_submit import CREDIT_BYTES, CREDIT_COMMANDS, Submitter
from engine.gateway_talk import Talk
from engine.model import (
    Attach,
    Control,
    Detach,
    Detached,
    Message,
    Ping,
    Pong,
    Typing,
    Welcome,
    decode_body,
    encode_frame,
)
from engine.notices import Notice
from engine.router import Intake
from engine.service import Service
from engine.tls import Stream

RECEIVE_BYTES = 28_000
"""At 7 bytes for the shortest frame never more than one batch's 4,096 commands."""

SEND_BYTES = 256 * 1024
PING_EVERY_S = 15.0
SILENT_FOR_S = 45.0
"""Two pings without an answer, or anything else: the other side is gone."""

LAST_WORD_S = 1.0
STATE_BYTES = 8 * 1024 * 1024
"""State of attached agents that waits for the other side; then the next `attach` is not read."""
MAX_ATTACHED = 200_000
"""Agents of one edge: as many as a site can have."""

_log = structlog.get_logger(__name__)


class Connection:
    """A connection that has shown its token.

    Args:
        service: the running service.
        stream: the socket, behind the hello.
        peer: who is at the other end.
        resume_seq: the batch behind which it wants events; None = from now on.
        agreed: the version that was agreed on; None when the client has said none.
        sign_ins: those of an edge's agents; None where none are needed.
    """

    def __init__(
        self,
        service: Service,
        stream: Stream,
        peer: Peer,
        resume_seq: int | None,
        *,
        agreed: int | None = None,
        sign_ins: SignIns | None = None,
    ) -> None:
        self._service = service
        self._stream = stream
        self._plain = isinstance(stream, trio.SocketStream)
        self._peer = peer
        self._resume_seq = resume_seq
        self._agreed = agreed
        self._sign_ins = sign_ins
        self._intake = Intake(
            "admin" if peer.kind == "part" else peer.kind, peer.channel[1] if peer.channel else None
        )
        if peer.kind not in {"follower", "part"}:
            self._intake.limit_head_starts(head_start_limits(service.site, service.names))
        if sign_ins is not None:
            self._intake.check_attaches()
        self._agents: set[int] = set()
        self._reads = False
        self._heard_at = trio.current_time()
        self._state_bytes = 0
        self._written = trio.Event()
        self._output = trio.Lock()
        self._half_out = False
        self._over = False
        self._fatal: str | None = None

    async def run(self, received: bytes, opened: Callable[[], None]) -> None:
        """Serve until either side closes.

        Args:
            received: what came behind the hello.
            opened: called once the other side is welcome.
        """
        try:
            subscriber = self._service.bus.subscribe(self._peer.scope, self._resume_seq, notices=True)
        except TooOld as error:
            await self._last_word("too_old", str(error))
            return
        self._subscriber: Subscriber = subscriber
        channel = self._peer.channel[0] if self._peer.channel else None
        push = subscriber.push_frame
        self.submitter = Submitter(self._service, self._peer.kind, channel, push)
        self._talk = Talk(self._service, channel, self._agents, push)
        channels = [] if self._peer.channel is None else [self._peer.channel[1]]
        self._service.leases.channels.take(channels)
        try:
            self._welcome()
            opened()
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                nursery.start_soon(self._write, nursery.cancel_scope)
                nursery.start_soon(self._watch, nursery.cancel_scope)
                nursery.start_soon(self._tell_drain)
                for task in self._tasks():
                    nursery.start_soon(task)
                await self._read(received)
                nursery.cancel_scope.cancel()
        finally:
            if trio.current_effective_deadline() == -math.inf:
                self._service.leases.stop()
                await self._last_word("draining", "the service stops")
            self._service.leases.agents.drop(self._agents)
            self._service.leases.channels.drop(channels)
            self.submitter.close()
            subscriber.close()

    def _tasks(self) -> Sequence[Callable[[], Awaitable[None]]]:
        """What else runs while it is open."""
        return () if self._sign_ins is None else (partial(self._sign_ins.look_after, self._tell_detached),)

    def _welcome(self) -> None:
        service, channel = self._service, self._peer.channel
        secret = service.conversations.secret if service.conversations is not None else None
        key = channel_secret(secret, channel[0]) if secret is not None and channel is not None else None
        targets = service.site.targets if channel is not None else {}
        welcome = Welcome(
            site=service.site.name,
            seq=service.seq,
            names=service.names.as_dict(),
            arrival_key=key,
            targets={name: (one.address, dict(one.options)) for name, one in targets.items()},
            credit_commands=CREDIT_COMMANDS,
            credit_bytes=CREDIT_BYTES,
            agreed=self._agreed,
        )
        self._subscriber.push_frame(welcome_frame(welcome))
        if self._subscriber.live:
            self._now_live()
        else:
            self._subscriber.on_live = self._now_live

    def _now_live(self) -> None:
        """What was resumed is out: now the state as it is, and nothing earlier follows."""
        self._subscriber.answers(self.submitter.source)
        if self._plain:
            self._subscriber.send_now = self._send_now
        if self._peer.channel is not None:
            frames = contacts_frames(self._service.channel_contacts(self._peer.channel[1]))
        else:
            frames = desks_frames(self._service.router, sorted(self._agents))
        self._push_state(frames)

    def _push_state(self, frames: list[bytes]) -> None:
        self._state_bytes += sum(map(len, frames))
        self._subscriber.push_state(frames)

    # ----- in ---------------------------------------------------------------------------------

    async def _read(self, data: bytes) -> None:
        while True:
            runs, refusals, control, fatal = self._intake.feed(data)
            self.submitter.submit(runs)
            for request_no, code, text in refusals:
                self._subscriber.push_frame(refusal_frame(request_no, code, text))
            for body in control:
                await self._control(body)
            if (fatal := fatal or self._fatal) is not None:
                self._fatal = fatal
                self._subscriber.push_frame(b"")  # wakes the writer, who has the last word
                await trio.sleep(2 * LAST_WORD_S)
                return
            if control and self._sign_ins is not None:
                data = b""  # behind an `attach` the reader has stopped, until its agents were looked at
                continue
            await self.submitter.credit()
            # After the commit that is under way, unless the buffer was full: then more is there.
            paced = self._plain and 0 < len(data) < RECEIVE_BYTES and await self._service.pace.wait()
            # While nothing was read nobody can have been silent.
            self._reads, self._heard_at = True, trio.current_time()
            data = await self._receive(paced=paced)
            self._reads = False
            if not data:
                return

    async def _receive(self, *, paced: bool) -> bytes:
        """Read once; who was `paced` looks first whether something is there already."""
        if not self._plain:
            return bytes(await self._stream.receive_some(RECEIVE_BYTES))
        while True:
            if not paced:
                await trio.lowlevel.wait_readable(self._stream.socket)
            paced = False
            try:
                return os.read(self._stream.socket.fileno(), RECEIVE_BYTES)
            except BlockingIOError:
                continue
            except OSError as error:
                raise trio.BrokenResourceError from error

    async def _tell_drain(self) -> None:
        """Say once that arrivals are refused from now on; what is in hand goes on."""
        service = self._service
        await service.drain.told.wait()
        code, text = service.why_full(arrivals=True)
        self._subscriber.push_frame(refusal_frame(None, code, text, service.retry_after_ms))

    async def _control(self, body: bytes) -> None:
        try:
            message = decode_body(body)
        except Malformed as error:
            self._subscriber.push_frame(refusal_frame(None, "malformed", str(error)))
            return
        if isinstance(message, Ping):
            self._push(Pong(n=message.n))
        elif isinstance(message, Attach | Detach) and self._peer.kind == "edge":
            await self._attach(message)
        elif isinstance(message, Message) and self._peer.kind in {"plugin", "edge"}:
            await self._talk.say(message, self._nursery)
        elif isinstance(message, Typing) and self._peer.kind in {"plugin", "edge"}:
            self._talk.types(message)
        elif not isinstance(message, Pong):
            text = f"{type(message).__name__.lower()}: not for a connection of type {self._peer.kind}"
            self._subscriber.push_frame(refusal_frame(None, "not_allowed", text))

    async def _attach(self, message: Attach | Detach) -> None:
        agents = message.agents
        if isinstance(message, Detach):
            self._drop(agents)
            return
        while self._state_bytes > STATE_BYTES:
            await self._written.wait()
        if self._sign_ins is not None:
            agents, refused = await self._sign_ins.admit(message)
            self._tell_detached(refused)
            self._intake.attach(agents)
        new = set(agents) - self._agents
        if len(self._agents) + len(new) > MAX_ATTACHED:
            self._fatal = f"attach.agents: more than {MAX_ATTACHED} are attached; detach some first"
            return
        self._service.leases.agents.take(new)
        self._agents.update(new)
        self._subscriber.attach(agents)
        if self._subscriber.live:
            self._push_state(desks_frames(self._service.router, agents))

    def _tell_detached(self, detached: Sequence[Detached]) -> None:
        for one in detached:
            self._drop(one.agents)
            self._push(one)
            _log.info("an edge has lost agents", edge=self._peer.name, agents=one.agents, code=one.code)

    def _drop(self, agents: Sequence[int]) -> None:
        self._service.leases.agents.drop(self._agents.intersection(agents))
        self._agents.difference_update(agents)
        self._subscriber.detach(agents)
        if self._sign_ins is not None:
            self._sign_ins.forget(agents)
            self._intake.detach(agents)  # by itself it knows only of those in the stream, and earlier

    # ----- out --------------------------------------------------------------------------------

    def _push(self, message: Control) -> None:
        self._subscriber.push_frame(encode_frame(message))

    async def _write(self, scope: trio.CancelScope) -> None:
        try:
            while True:
                items = await self._subscriber.receive()
                state_bytes = self._state_bytes  # all of it is among the items
                await self._send(items)
                self._state_bytes -= state_bytes
                written, self._written = self._written, trio.Event()
                written.set()
                if self._fatal is not None:
                    await self._last_word("protocol_error", self._fatal)
                    break
        except SlowReader as error:
            await self._last_word("slow_reader", str(error), error.seq)
        except TooOld as error:
            await self._last_word("too_old", str(error))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # it has gone; reading ends, too
        scope.cancel()

    def _send_now(self, data: bytes) -> bytes | None:
        """Send what the socket takes at once, while the writer has nothing in hand; the rest is the writer's.

        It meets errors, too: what could not be sent is given back whole.
        """
        if self._over or self._half_out or self._fatal is not None:
            return data
        try:
            sent = os.write(self._stream.socket.fileno(), data)
        except OSError:
            return data
        if sent == len(data):
            return None
        self._half_out = True
        return data[sent:]

    async def _send(self, items: list[Item]) -> None:
        waiting: list[bytes] = []
        size = 0
        for item in items:
            frame = item.body if isinstance(item.body, bytes) else await self._frame_of(item.body)
            waiting.append(frame)
            size += len(frame)
            if size > SEND_BYTES:
                await self._send_all(b"".join(waiting))
                waiting, size = [], 0
        if size:
            await self._send_all(b"".join(waiting))

    async def _frame_of(self, notice: Notice) -> bytes:
        """What the other end is told of a notice; nothing if it is no news there."""
        return await self._talk.notice_frame(notice)

    async def _send_all(self, data: bytes) -> None:
        async with self._output:
            if self._over:
                return
            self._half_out = True
            await self._stream.send_all(data)
            self._half_out = False

    async def _watch(self, scope: trio.CancelScope) -> None:
        """Ask who is silent whether it is there; end who stays so, and who was cut and takes nothing more."""
        for number in range(1, 2**53):
            with trio.move_on_after(PING_EVERY_S):
                await self._subscriber.cut.wait()
                break
            silent_s = trio.current_time() - self._heard_at if self._reads else 0.0
            if silent_s >= SILENT_FOR_S or math.isclose(silent_s, SILENT_FOR_S):
                await self._last_word("silent", f"nothing was heard for {SILENT_FOR_S:.0f} s")
                scope.cancel()
            elif silent_s >= PING_EVERY_S or math.isclose(silent_s, PING_EVERY_S):
                self._push(Ping(n=number))
        await trio.sleep(LAST_WORD_S)
        scope.cancel()

    async def _last_word(self, code: str, text: str, seq: int | None = None) -> None:
        """Say why it ends and nothing after it; not when another frame is half out.

        What still comes in is read and thrown away for a moment: closing a socket with unread bytes
        would make the other side lose the word.
        """
        frame = closing(code, text, self._service.seq if seq is None else seq)
        with trio.move_on_after(LAST_WORD_S, shield=True):
            try:
                async with self._output:
                    if self._over or self._half_out:
                        return
                    self._over = True
                    await self._stream.send_all(frame)
                    await self._stream.send_eof()
                while await self._stream.receive_some(RECEIVE_BYTES):
                    pass
            except (trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError):
                return
