"""Messages: each conversation's, numbered without gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, func, insert, select

from engine.store.database import Database
from engine.store.fields import MAX_EXTERNAL_ID, check_length, check_text
from engine.store.schema import messages

PAGE: Final = 500
"""The most messages that one call returns."""


class Message(msgspec.Struct, frozen=True):
    """A message.

    Attributes:
        id: grows over all conversations.
        position: 1, 2, 3... in the conversation.
        sender: "customer", "agent" or "system".
        external_id: what the sender calls it.
        text: as it was written.
        at: when it was stored, Unix milliseconds.
    """

    id: int
    conversation: int
    position: int
    sender: str
    agent: str | None
    external_id: str
    text: str
    at: int


class MessageStore(Database):
    """The part of the store that keeps messages."""

    async def add_message(
        self, conversation: int, sender: str, text: str, external_id: str, *, agent: str | None = None
    ) -> Message:
        """Store a message at the conversation's next position.

        A repeat of the sender's `external_id` returns the message that is there, whatever its text.

        Raises:
            Malformed: a field is empty or too long; the text names it.
        """
        check_text(text)
        check_length("external_id", external_id, 1, MAX_EXTERNAL_ID)
        return await self._transact(
            _add_message, conversation, sender, agent, external_id, text, self._now_ms()
        )

    async def messages(self, conversation: int, after: int = 0, limit: int = PAGE) -> Sequence[Message]:
        """Return the messages behind position `after`, in order, at most `limit`."""
        return await self._transact(_messages, conversation, after, min(limit, PAGE))


def _message(row: Any) -> Message:
    return Message(*row)


def _add_message(
    connection: Connection,
    conversation: int,
    sender: str,
    agent: str | None,
    external_id: str,
    text: str,
    now_ms: int,
) -> Message:
    same = (
        (messages.c.conversation == conversation)
        & (messages.c.sender == sender)
        & (messages.c.external_id == external_id)
    )
    found = connection.execute(select(messages).where(same)).one_or_none()
    if found is not None:
        return _message(found)
    last = connection.execute(
        select(func.max(messages.c.position)).where(messages.c.conversation == conversation)
    ).scalar_one()
    connection.execute(
        insert(messages).values(
            conversation=conversation,
            position=(last or 0) + 1,
            sender=sender,
            agent=agent,
            external_id=external_id,
            text=text,
            at_ms=now_ms,
        )
    )
    return _message(connection.execute(select(messages).where(same)).one())


def _messages(connection: Connection, conversation: int, after: int, limit: int) -> list[Message]:
    rows = connection.execute(
        select(messages)
        .where(messages.c.conversation == conversation, messages.c.position > after)
        .order_by(messages.c.position)
        .limit(limit)
    )
    return [_message(row) for row in rows]
