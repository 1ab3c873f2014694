"""The rows of attachments; their bytes are files beside the store, see `engine.attachments`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, bindparam, func, insert, select

from engine.errors import Malformed
from engine.message_store import Attachment
from engine.store.database import Database
from engine.store.schema import attachments, conversations, messages

IN_CONVERSATION: Final = 200
"""The most attachments of one conversation: who sends more fills somebody's disk."""


class AttachmentStore(Database):
    """The part of the store that keeps attachments' rows."""

    async def add_attachment(self, new: Attachment, place_file: Callable[[], None]) -> Attachment:
        """Put the file in its place and add the row, while nobody removes files.

        A repeat of the public id returns the row that is there.

        Args:
            new: the row; `at_ms` is set here.
            place_file: puts the file where it belongs; may be called several times.

        Raises:
            Malformed: there is no such conversation or message.
        """
        row = msgspec.structs.replace(new, at_ms=self._now_ms())
        return await self._transact(_add, row, place_file, alone=True)

    async def attachment(self, public_id: str) -> Attachment | None:
        """Return an attachment's row."""
        return await self._transact(_attachment, public_id)

    async def attachments(self, conversation: int) -> list[Attachment]:
        """Return a conversation's attachments, in order."""
        return await self._transact(_of_conversation, conversation)

    async def attached_files(self) -> set[str]:
        """Return the hash of every file that a row speaks of."""
        return await self._transact(lambda c: set(c.execute(select(attachments.c.sha256)).scalars()))

    async def remove_unattached(self, files: Collection[str], remove: Callable[[str], None]) -> int:
        """Remove those of these files that no row speaks of, while nobody adds one; return how many.

        Args:
            files: their hashes, some hundreds at most.
            remove: removes one; it may be gone already.
        """
        return await self._transact(_remove_unattached, list(files), remove, alone=True)


_columns: Final = (
    attachments.c.public_id,
    attachments.c.conversation,
    attachments.c.message,
    attachments.c.sha256,
    attachments.c.size_bytes,
    attachments.c.media_type,
    attachments.c.file_name,
    attachments.c.at_ms,
)

# Built once: putting a statement together costs more than running it.
_of_messages: Final = (
    select(*_columns)
    .where(attachments.c.message.in_(bindparam("messages", expanding=True)))
    .order_by(attachments.c.id)
)
_count: Final = select(func.count()).where(attachments.c.conversation == bindparam("conversation"))


def _add(connection: Connection, row: Attachment, place_file: Callable[[], None]) -> Attachment:
    if (there := _attachment(connection, row.public_id)) is not None:
        return there
    of = select(conversations.c.id).where(conversations.c.id == row.conversation)
    if connection.execute(of).first() is None:
        raise Malformed(f"conversation: there is no {row.conversation}")
    if row.message is not None:
        said = select(messages.c.conversation).where(messages.c.id == row.message)
        if connection.execute(said).scalar() != row.conversation:
            raise Malformed(f"message: there is no {row.message} in conversation {row.conversation}")
    place_file()
    connection.execute(insert(attachments).values(msgspec.structs.asdict(row)))
    return row


def attach(
    connection: Connection,
    conversation: int,
    message: int,
    news: Sequence[Attachment],
    place_files: Callable[[], None],
    now_ms: int,
) -> tuple[Attachment, ...]:
    """Put the files of a new message in their place and add their rows, while nobody removes files.

    Raises:
        Malformed: the conversation has too many.
    """
    there = connection.execute(_count, {"conversation": conversation}).scalar_one()
    if there + len(news) > IN_CONVERSATION:
        raise Malformed(f"attachments: expected at most {IN_CONVERSATION} in a conversation")
    own = {"conversation": conversation, "message": message, "at_ms": now_ms}
    rows = tuple(msgspec.structs.replace(one, **own) for one in news)
    place_files()
    connection.execute(insert(attachments), [msgspec.structs.asdict(one) for one in rows])
    return rows


def attached(connection: Connection, of: Sequence[int]) -> Mapping[int, tuple[Attachment, ...]]:
    """Return the attachments of messages, in order, by message; a message without any is not there."""
    found: defaultdict[int, tuple[Attachment, ...]] = defaultdict(tuple)
    if of:
        for row in connection.execute(_of_messages, {"messages": of}):
            one = Attachment(*row)
            assert one.message is not None
            found[one.message] += (one,)
    return found


def _attachment(connection: Connection, public_id: str) -> Attachment | None:
    row = connection.execute(select(*_columns).where(attachments.c.public_id == public_id)).one_or_none()
    return None if row is None else Attachment(*row)


def _of_conversation(connection: Connection, conversation: int) -> list[Attachment]:
    rows = select(*_columns).where(attachments.c.conversation == conversation).order_by(attachments.c.id)
    return [Attachment(*row) for row in connection.execute(rows)]


def _remove_unattached(connection: Connection, files: list[str], remove: Callable[[str], None]) -> int:
    there = select(attachments.c.sha256).where(attachments.c.sha256.in_(files))
    gone = set(files) - set(connection.execute(there).scalars())
    for name in gone:
        remove(name)
    return len(gone)
