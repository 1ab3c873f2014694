"""What is said over a connection of the gateway: messages to the store, typing, notices to frames."""

from __future__ import annotations

from collections.abc import Callable

import structlog
import trio

from engine.errors import Malformed, PaiduiError, Refused
from engine.gateway_frames import refusal_frame
from engine.model import Frame, Message, MessageOut, MessageStored, Typing, encode_frame
from engine.notices import MessageNotice, Notice
from engine.service import Service

_log = structlog.get_logger(__name__)

PENDING_MESSAGES = 256
"""Messages of one connection that wait for the store; then its reading waits."""


class Talk:
    """One connection's messages.

    Args:
        service: the running service.
        channel: a plugin's channel name; None for an edge.
        agents: an edge's agents, as they are attached.
        push: queues a frame for the other end; it must not block.
    """

    def __init__(
        self, service: Service, channel: str | None, agents: set[int], push: Callable[[bytes], None]
    ) -> None:
        self._service = service
        self._channel = channel
        self._agents = agents
        self._push = push
        self._in: trio.MemorySendChannel[Message] | None = None

    async def say(self, message: Message, nursery: trio.Nursery) -> None:
        """Hand a message to the task that stores them; the first one starts it."""
        if self._in is None:
            self._in, waiting = trio.open_memory_channel[Message](PENDING_MESSAGES)
            nursery.start_soon(self._store_all, waiting)
        await self._in.send(message)

    def types(self, message: Typing) -> None:
        """Tell the other side of the contact."""
        conversations = self._service.conversations
        if conversations is None:
            return
        try:
            if self._channel is not None:
                conversations.customer_types(self._channel, message.contact, message.on)
            else:
                conversations.agent_types(self._agent_of(message.contact), message.contact, message.on)
        except Refused as error:
            self._push(refusal_frame(None, error.name, f"typing.contact: {error}"))

    async def notice_frame(self, notice: Notice) -> bytes:
        """Encode a notice for whom it is news; nothing for who wrote it."""
        conversations = self._service.conversations
        if conversations is None or notice.sender == ("customer" if self._channel else "agent"):
            return b""
        frame: Frame
        if isinstance(notice, MessageNotice):
            if self._channel is None or (message := await conversations.fetch(notice)) is None:
                return b""
            frame = MessageOut(contact=notice.contact, message_id=notice.message_id, text=message.text)
        else:
            frame = Typing(contact=notice.contact, on=notice.on)
        return encode_frame(frame)

    async def _store_all(self, waiting: trio.MemoryReceiveChannel[Message]) -> None:
        """Store what was written, one after the other: the order is the sender's."""
        async for message in waiting:
            try:
                stored_id = await self._store(message)
            except (PaiduiError, ValueError) as error:
                code = error.name if isinstance(error, Refused) else "malformed"
                self._push(refusal_frame(None, code, f"message {message.external_id!r}: {error}"))
            except Exception as error:
                # The connection ends, and its log line does not know whose message it was.
                seq, name = self._service.seq, type(error).__name__
                _log.error("a message was not stored", contact=message.contact, seq=seq, error=name)
                raise
            else:
                stored = MessageStored(
                    contact=message.contact, external_id=message.external_id, message_id=stored_id
                )
                self._push(encode_frame(stored))

    async def _store(self, message: Message) -> int:
        conversations = self._service.conversations
        if conversations is None:
            raise Malformed("this site keeps no messages")
        contact, text, external_id = message.contact, message.text, message.external_id
        if self._channel is not None:
            stored = await conversations.customer_says(self._channel, contact, text, external_id)
        else:
            agent = self._agent_of(contact)
            stored = await conversations.agent_says(agent, contact, text, external_id)
        return stored.id

    def _agent_of(self, contact: int) -> int:
        """Who of this edge serves a contact, or is in it first; 0 is nobody and is refused later."""
        live = self._service.router.contact(contact)
        within = (live.agent, *live.participants) if live is not None else ()
        return next((agent for agent in within if agent in self._agents), 0)
