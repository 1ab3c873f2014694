"""What goes out to channels, and how far each has carried it out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, select

from engine.message_store import Confirmed
from engine.store.database import Database
from engine.store.messages import Message, with_attachments
from engine.store.schema import confirmations, conversations, messages

OUT_PAGE: Final = 256
"""The most messages that one call returns."""


class ConfirmationStore(Database):
    """The part of the store that knows what channels have carried out."""

    async def messages_out(
        self, channel: str, after: int, upto: int
    ) -> tuple[Sequence[tuple[int, Message]], int]:
        """Return a page of what was written to a channel's customers, by id: (contact, message).

        Ids grow in the order of commits: one transaction writes at a time.

        Args:
            channel: the channel's name.
            after: only messages with a higher id.
            upto: and none with a higher id than this.

        Returns:
            The page, and the id up to which nothing is missing.
        """
        return await self._transact(_messages_out, {"channel": channel, "after": after, "upto": upto})

    async def confirmed(self, channel: str) -> Confirmed | None:
        """Return how far a channel has come; None when it was never here."""
        return await self._transact(_confirmed, channel)

    async def confirm(self, channel: str, confirmed: Confirmed) -> None:
        """Remember how far a channel has come; it is on the disk when this returns."""
        await self._transact(_confirm, channel, confirmed)


_highest: Final = select(func.coalesce(func.max(messages.c.id), 0))
_out: Final = (
    select(conversations.c.contact, messages)
    .join(conversations, conversations.c.id == messages.c.conversation)
    .where(
        messages.c.id > bindparam("after"),
        messages.c.id <= bindparam("upto"),
        messages.c.sender != "customer",
        conversations.c.channel == bindparam("channel"),
        conversations.c.contact.is_not(None),
    )
    .order_by(messages.c.id)
    .limit(OUT_PAGE)
)


def _messages_out(connection: Connection, asked: dict[str, Any]) -> tuple[Sequence[tuple[int, Message]], int]:
    highest = connection.execute(_highest).scalar_one()
    rows = connection.execute(_out, asked).all()
    found = with_attachments(connection, [Message(*row[1:]) for row in rows])
    complete = found[-1].id if len(found) == OUT_PAGE else min(asked["upto"], highest)
    return [(row[0], message) for row, message in zip(rows, found, strict=True)], complete


def _confirmed(connection: Connection, channel: str) -> Confirmed | None:
    where = confirmations.c.channel == channel
    found = connection.execute(select(confirmations.c.confirmed).where(where)).scalar_one_or_none()
    return None if found is None else msgspec.convert(found, Confirmed, strict=False)


def _confirm(connection: Connection, channel: str, confirmed: Confirmed) -> None:
    connection.execute(delete(confirmations).where(confirmations.c.channel == channel))
    row = {"channel": channel, "confirmed": msgspec.to_builtins(confirmed, str_keys=True)}
    connection.execute(insert(confirmations).values(row))
