"""One connection of the gateway: frames in, answers, events and notices out, in one order.

Everything that goes out passes one bounded queue, the subscriber's: a reader that does not keep up
is cut whole, and resumes by seq.
"""

from __future__ import annotations

import math
import os
from typing import NamedTuple

import structlog
import trio

from engine.arrival_keys import channel_secret
from engine.arrivals import head_start_limits
from engine.bus import Item, Scope, SlowReader, Subscriber, TooOld
from engine.errors import Malformed, PaiduiError, Refused
from engine.gateway_frames import contacts_frames, desks_frames, split_arrivals
from engine.model import (
    Attach,
    Closing,
    Control,
    Detach,
    Frame,
    Message,
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
from engine.notices import MessageNotice
from engine.router import Intake
from engine.service import Service

RECEIVE_BYTES = 32_000
"""At 8 bytes for the shortest frame never more than one batch's 4,096 commands."""

SEND_BYTES = 256 * 1024
PING_EVERY_S = 15.0
SILENT_FOR_S = 45.0
"""Three pings without an answer, or anything else: the other side is gone."""

LAST_WORD_S = 1.0
PENDING_MESSAGES = 256
"""Messages of one connection that wait for the store; then its reading waits."""

_log = structlog.get_logger(__name__)


class Peer(NamedTuple):
    """Who is at the other end.

    Attributes:
        kind: "plugin", "edge", "follower" or "admin".
        name: what it calls itself, for the log.
        channel: a plugin's channel, name and number.
        scope: the events that it gets.
    """

    kind: str
    name: str
    channel: tuple[str, int] | None
    scope: Scope


class Connection:
    """A connection that has shown its token."""

    def __init__(
        self, service: Service, stream: trio.SocketStream, peer: Peer, resume_seq: int | None
    ) -> None:
        self._service = service
        self._stream = stream
        self._peer = peer
        self._resume_seq = resume_seq
        self._intake = Intake(peer.kind, peer.channel[1] if peer.channel else None)  # type: ignore[arg-type]
        self._intake.limit_head_starts(head_start_limits(service.site, service.names))
        self._agents: set[int] = set()
        self._heard_at = trio.current_time()
        self._output = trio.Lock()
        self._half_out = False
        self._over = False
        self._fatal: str | None = None
        self._to_store, self._for_store = trio.open_memory_channel[Message](PENDING_MESSAGES)

    async def run(self, received: bytes) -> None:
        """Serve until either side closes.

        Args:
            received: what came behind the hello.
        """
        try:
            subscriber = self._service.bus.subscribe(self._peer.scope, self._resume_seq, notices=True)
        except TooOld as error:
            await self._last_word("too_old", str(error))
            return
        self._subscriber: Subscriber = subscriber
        self._source = self._service.add_source(subscriber.push_frame, urgent=self._peer.kind != "plugin")
        try:
            self._welcome()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write, nursery.cancel_scope)
                nursery.start_soon(self._cut_when_stuck, nursery.cancel_scope)
                nursery.start_soon(self._heartbeat, nursery.cancel_scope)
                nursery.start_soon(self._store_messages)
                await self._read(received)
                nursery.cancel_scope.cancel()
        finally:
            if trio.current_effective_deadline() == -math.inf:
                await self._last_word("draining", "the service stops")
            self._service.remove_source(self._source)
            subscriber.close()

    def _welcome(self) -> None:
        service, channel = self._service, self._peer.channel
        secret = service.conversations.secret if service.conversations is not None else None
        key = channel_secret(secret, channel[0]) if secret is not None and channel is not None else None
        targets = service.site.targets if channel is not None else {}
        self._push(
            Welcome(
                site=service.site.name,
                seq=service.seq,
                names=service.names.as_dict(),
                arrival_key=key,
                targets={name: (one.address, dict(one.options)) for name, one in targets.items()},
            )
        )
        if self._subscriber.live:
            self._now_live()
        else:
            self._subscriber.on_live = self._now_live

    def _now_live(self) -> None:
        """What was resumed is out: now the state as it is, and nothing earlier follows."""
        self._subscriber.answers(self._source)
        self._subscriber.send_now = self._send_now
        if self._peer.channel is not None:
            frames = contacts_frames(self._service.channel_contacts(self._peer.channel[1]))
        else:
            frames = desks_frames(self._service.router, sorted(self._agents))
        self._subscriber.push_state(frames)

    # ----- in ---------------------------------------------------------------------------------

    async def _read(self, data: bytes) -> None:
        while True:
            if data:
                runs, refusals, control, fatal = self._intake.feed(data)
                for first_request_no, frames, count in runs:
                    self._submit(first_request_no, frames, count)
                for request_no, code, text in refusals:
                    self._subscriber.push_frame(refusal_frame(request_no, code, text))
                for body in control:
                    await self._control(body)
                if fatal is not None:
                    self._fatal = fatal
                    self._subscriber.push_frame(b"")  # wakes the writer, who has the last word
                    await trio.sleep(2 * LAST_WORD_S)
                    return
            data = await self._receive(len(data))
            self._heard_at = trio.current_time()
            if not data:
                return

    async def _receive(self, before: int) -> bytes:
        """Read once: when something is there, and after the commit that is under way.

        Args:
            before: how much was read before; when it filled the buffer, more is there.
        """
        paced = 0 < before < RECEIVE_BYTES and await self._service.pace.wait()
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

    def _submit(self, first_request_no: int, frames: bytes, count: int) -> None:
        """Put a run into the inbox; when it is full, arrivals are refused before the rest."""
        service, may_arrive = self._service, self._peer.kind in {"plugin", "admin"}
        if service.submit(self._source, first_request_no, frames, count, arrivals=may_arrive):
            return
        for arrivals, request_no, part, commands in split_arrivals(first_request_no, frames):
            if not service.submit(self._source, request_no, part, commands, arrivals=arrivals):
                text, after_ms = "too much is waiting", service.retry_after_ms
                for number in range(request_no, request_no + commands):
                    self._subscriber.push_frame(refusal_frame(number, "busy", text, after_ms))

    async def _control(self, body: bytes) -> None:
        try:
            message = decode_body(body)
        except Malformed as error:
            self._subscriber.push_frame(refusal_frame(None, "malformed", str(error)))
            return
        if isinstance(message, Ping):
            self._push(Pong(n=message.n))
        elif isinstance(message, Attach | Detach) and self._peer.kind == "edge":
            self._attach(message)
        elif isinstance(message, Message) and self._peer.kind in {"plugin", "edge"}:
            await self._to_store.send(message)
        elif isinstance(message, Typing) and self._peer.kind in {"plugin", "edge"}:
            self._typing(message)
        elif not isinstance(message, Pong):
            text = f"{type(message).__name__.lower()}: not for a connection of type {self._peer.kind}"
            self._subscriber.push_frame(refusal_frame(None, "not_allowed", text))

    def _attach(self, message: Attach | Detach) -> None:
        agents = message.agents
        if isinstance(message, Detach):
            self._agents.difference_update(agents)
            self._subscriber.detach(agents)
            return
        self._agents.update(agents)
        self._subscriber.attach(agents)
        if self._subscriber.live:
            self._subscriber.push_state(desks_frames(self._service.router, agents))

    def _typing(self, message: Typing) -> None:
        conversations = self._service.conversations
        if conversations is None:
            return
        try:
            if self._peer.channel is not None:
                conversations.customer_types(self._peer.channel[0], message.contact, message.on)
            else:
                conversations.agent_types(self._agent_of(message.contact), message.contact, message.on)
        except Refused as error:
            self._subscriber.push_frame(refusal_frame(None, error.name, f"typing.contact: {error}"))

    async def _store_messages(self) -> None:
        """Store what was written, one after the other: the order is the sender's."""
        async for message in self._for_store:
            try:
                stored_id = await self._store(message)
            except (PaiduiError, ValueError) as error:
                code = error.name if isinstance(error, Refused) else "malformed"
                text = f"message {message.external_id!r}: {error}"
                self._subscriber.push_frame(refusal_frame(None, code, text))
            else:
                self._push(
                    MessageStored(
                        contact=message.contact, external_id=message.external_id, message_id=stored_id
                    )
                )

    async def _store(self, message: Message) -> int:
        conversations = self._service.conversations
        if conversations is None:
            raise Malformed("this site keeps no messages")
        contact, text, external_id = message.contact, message.text, message.external_id
        if self._peer.channel is not None:
            stored = await conversations.customer_says(self._peer.channel[0], contact, text, external_id)
        else:
            agent = self._agent_of(contact)
            stored = await conversations.agent_says(agent, contact, text, external_id)
        return stored.id

    def _agent_of(self, contact: int) -> int:
        """Who of this edge serves a contact, or is in it first; 0 is nobody and is refused later."""
        live = self._service.router.contact(contact)
        within = (live.agent, *live.participants) if live is not None else ()
        return next((agent for agent in within if agent in self._agents), 0)

    # ----- out --------------------------------------------------------------------------------

    def _push(self, message: Control) -> None:
        self._subscriber.push_frame(encode_frame(message))

    async def _write(self, scope: trio.CancelScope) -> None:
        try:
            while True:
                await self._send(await self._subscriber.receive())
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
            frame = item.body if isinstance(item.body, bytes) else await self._notice_frame(item)
            waiting.append(frame)
            size += len(frame)
            if size > SEND_BYTES:
                await self._send_all(b"".join(waiting))
                waiting, size = [], 0
        if size:
            await self._send_all(b"".join(waiting))

    async def _send_all(self, data: bytes) -> None:
        async with self._output:
            if self._over:
                return
            self._half_out = True
            await self._stream.send_all(data)
            self._half_out = False

    async def _notice_frame(self, item: Item) -> bytes:
        """Encode a notice for whom it is news; nothing for who wrote it."""
        notice, conversations = item.body, self._service.conversations
        assert not isinstance(notice, bytes)
        if conversations is None or notice.sender == ("customer" if self._peer.channel else "agent"):
            return b""
        frame: Frame = Typing(contact=notice.contact, on=True)
        if isinstance(notice, MessageNotice):
            if self._peer.channel is None or (message := await conversations.fetch(notice)) is None:
                return b""
            frame = MessageOut(contact=notice.contact, message_id=notice.message_id, text=message.text)
        else:
            frame = Typing(contact=notice.contact, on=notice.on)
        return encode_frame(frame)

    async def _cut_when_stuck(self, scope: trio.CancelScope) -> None:
        """End a connection that was cut while its socket takes nothing any more."""
        await self._subscriber.cut.wait()
        await trio.sleep(LAST_WORD_S)
        scope.cancel()

    async def _heartbeat(self, scope: trio.CancelScope) -> None:
        for number in range(1, 2**53):
            await trio.sleep(PING_EVERY_S)
            silent_s = trio.current_time() - self._heard_at
            if silent_s > SILENT_FOR_S:
                scope.cancel()
            elif silent_s >= PING_EVERY_S or math.isclose(silent_s, PING_EVERY_S):
                self._push(Ping(n=number))

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


def refusal_frame(request_no: int | None, code: str, text: str, retry_after_ms: int = 0) -> bytes:
    """Return an encoded `refused`."""
    return encode_frame(Refusal(request_no=request_no, code=code, text=text, retry_after_ms=retry_after_ms))


def closing(code: str, text: str, seq: int) -> bytes:
    """Return an encoded `closing`."""
    return encode_frame(Closing(code=code, text=text, seq=seq))
