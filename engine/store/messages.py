"""Messages: each conversation's, numbered without gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, func, insert, select

from engine.store.backends import Backend
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
        row = {
            "conversation": conversation,
            "sender": sender,
            "agent": agent,
            "external_id": external_id,
            "text": text,
            "at_ms": self._now_ms(),
        }
        return await self._transact(_add_message, self._backend, row)

    async def messages(self, conversation: int, after: int = 0, limit: int = PAGE) -> Sequence[Message]:
        """Return the messages behind position `after`, in order, at most `limit`."""
        return await self._transact(_messages, conversation, after, min(limit, PAGE))


# Built once: putting a statement together costs more than running it.
_same: Final = select(messages).where(
    messages.c.conversation == bindparam("conversation"),
    messages.c.sender == bindparam("sender"),
    messages.c.external_id == bindparam("external_id"),
)
_last: Final = select(func.coalesce(func.max(messages.c.position), 0)).where(
    messages.c.conversation == bindparam("conversation")
)
_behind: Final = (
    select(messages)
    .where(messages.c.conversation == bindparam("conversation"), messages.c.position > bindparam("after"))
    .order_by(messages.c.position)
    .limit(bindparam("most"))
)
_insert: Final = insert(messages)


def _message(row: Any) -> Message:
    return Message(*row)


def _add_message(connection: Connection, backend: Backend, row: dict[str, Any]) -> Message:
    same = {name: row[name] for name in ("conversation", "sender", "external_id")}
    if (found := connection.execute(_same, same).one_or_none()) is not None:
        return _message(found)
    # Channels go on behind the highest number that they have seen (`ConfirmationStore.messages_out`).
    backend.in_commit_order(connection)
    last = connection.execute(_last, {"conversation": row["conversation"]}).scalar_one()
    row["position"] = last + 1
    key = connection.execute(_insert, row).inserted_primary_key
    assert key is not None
    return Message(
        key[0],
        row["conversation"],
        row["position"],
        row["sender"],
        row["agent"],
        row["external_id"],
        row["text"],
        row["at_ms"],
    )


def _messages(connection: Connection, conversation: int, after: int, most: int) -> list[Message]:
    rows = connection.execute(_behind, {"conversation": conversation, "after": after, "most": most})
    return [_message(row) for row in rows]
