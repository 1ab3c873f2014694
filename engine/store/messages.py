"""Messages: each conversation's, numbered without gaps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, func, insert, select

from engine.message_store import Attachment
from engine.store.attachments import attach, attached
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
        attachments: the files that came with it, in order.
    """

    id: int
    conversation: int
    position: int
    sender: str
    agent: str | None
    external_id: str
    text: str
    at: int
    attachments: tuple[Attachment, ...] = ()


class MessageStore(Database):
    """The part of the store that keeps messages."""

    async def add_message(
        self,
        conversation: int,
        sender: str,
        text: str,
        external_id: str,
        *,
        agent: str | None = None,
        attachments: Sequence[Attachment] = (),
        place_files: Callable[[], None] | None = None,
    ) -> Message:
        """Store a message at the conversation's next position, with what came with it: all of it or nothing.

        A repeat of the sender's `external_id` returns the message that is there, whatever its text and files.

        Args:
            conversation: its number.
            sender: "customer", "agent" or "system".
            text: as it was written; may be empty beside attachments.
            external_id: what the sender calls the message.
            agent: which one.
            attachments: the rows of its files; what they belong to is set here.
            place_files: puts the files where they belong; may be called several times.

        Raises:
            Malformed: a field is empty or too long, or there are too many attachments; the text names it.
        """
        if text or not attachments:
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
        if not attachments or place_files is None:
            return await self._transact(_add_message, self._backend, row)
        files = _Files(attachments, place_files)
        return await self._transact(_add_message, self._backend, row, files, alone=True)

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


class _Files(NamedTuple):
    """What comes with a message, and what puts it in its place."""

    rows: Sequence[Attachment]
    place: Callable[[], None]


def with_attachments(connection: Connection, found: Sequence[Message]) -> list[Message]:
    """Return messages with the files that came with them."""
    files = attached(connection, [one.id for one in found])
    if not files:
        return list(found)
    return [msgspec.structs.replace(one, attachments=files.get(one.id, ())) for one in found]


def _add_message(
    connection: Connection, backend: Backend, row: dict[str, Any], files: _Files | None = None
) -> Message:
    same = {name: row[name] for name in ("conversation", "sender", "external_id")}
    if (found := connection.execute(_same, same).one_or_none()) is not None:
        return with_attachments(connection, [Message(*found)])[0]
    # Channels go on behind the highest number that they have seen (`ConfirmationStore.messages_out`).
    backend.in_commit_order(connection)
    last = connection.execute(_last, {"conversation": row["conversation"]}).scalar_one()
    row["position"] = last + 1
    key = connection.execute(_insert, row).inserted_primary_key
    assert key is not None
    came_with: tuple[Attachment, ...] = ()
    if files is not None:
        came_with = attach(connection, row["conversation"], key[0], files.rows, files.place, row["at_ms"])
    return Message(
        key[0],
        row["conversation"],
        row["position"],
        row["sender"],
        row["agent"],
        row["external_id"],
        row["text"],
        row["at_ms"],
        came_with,
    )


def _messages(connection: Connection, conversation: int, after: int, most: int) -> list[Message]:
    rows = connection.execute(_behind, {"conversation": conversation, "after": after, "most": most})
    return with_attachments(connection, [Message(*row) for row in rows])
