"""Erasing customers: every row that speaks of them goes, in one transaction; the audit log keeps numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, or_, select, update

from engine.store.audit import Auditor
from engine.store.customers import CustomerConflict, live
from engine.store.database import Database
from engine.store.schema import (
    attachments,
    conversations,
    customers,
    identities,
    marks,
    merge_items,
    merges,
    messages,
)

HIGHEST_CONTACT: Final = "highest_contact"
ARRIVING_MS: Final = 600_000
"""A conversation without contact may still be on its way into the journal for so long."""
NAMED: Final = 20
"""Of so many contacts that have not ended an error tells the numbers."""


class CustomerIsLive(CustomerConflict):
    """A contact of a customer has not ended; nothing was erased."""


class Erased(msgspec.Struct, frozen=True):
    """What was erased.

    Attributes:
        customers: their numbers, with those that were merged into them.
        files: hashes of the attachments' files; another customer may have the same.
    """

    customers: Sequence[int]
    identities: int
    conversations: int
    messages: int
    attachments: int
    files: Sequence[str]


class ErasingStore(Database):
    """The part of the store that erases; `engine.erasure` does the rest."""

    _auditor: Auditor

    async def erase(self, customer_ids: Sequence[int], by: str) -> Erased:
        """Delete every row of these customers: all of them, or none.

        What is deleted may still be on the disk: see `forget`.

        Raises:
            NoSuchCustomer: one of them is not there.
            CustomerConflict: one was merged into another; name that one.
            CustomerIsLive: a contact has not ended.
        """
        return await self._transact(_erase, self._auditor, by, list(customer_ids), self._now_ms(), once=True)

    async def forget(self) -> None:
        """Leave nothing of deleted rows on the disk; whoever writes waits meanwhile.

        Raises:
            StoreError: another process has read for so long that it could not be done; do it again.
        """
        await self._forget()


def _erase(connection: Connection, auditor: Auditor, by: str, customer_ids: list[int], now_ms: int) -> Erased:
    everybody = _with_merged(connection, customer_ids)
    theirs = conversations.c.customer_id.in_(everybody)
    _refuse_live(connection, theirs, now_ms)
    of_them = select(conversations.c.id).where(theirs)
    _mark_highest(connection, theirs)
    files = connection.execute(
        select(attachments.c.sha256).distinct().where(attachments.c.conversation.in_(of_them))
    )
    hashes = list(files.scalars())
    attached = _delete(connection, attachments, attachments.c.conversation.in_(of_them))
    written = _delete(connection, messages, messages.c.conversation.in_(of_them))
    talks = _delete(connection, conversations, theirs)
    known_by = _delete(connection, identities, identities.c.customer_id.in_(everybody))
    made = or_(merges.c.kept_id.in_(everybody), merges.c.merged_id.in_(everybody))
    _delete(connection, merge_items, merge_items.c.merge_id.in_(select(merges.c.id).where(made)))
    _delete(connection, merges, made)
    _delete(connection, customers, customers.c.id.in_(everybody))
    erased = Erased(everybody, known_by, talks, written, attached, hashes)
    counts = {
        name: getattr(erased, name) for name in ("identities", "conversations", "messages", "attachments")
    }
    subject = "customer:" + ",".join(map(str, customer_ids))
    auditor.note(connection, now_ms, by, "customer.erase", subject, customers=everybody, **counts)
    return erased


def _with_merged(connection: Connection, customer_ids: list[int]) -> list[int]:
    """These customers, and those who were found to be one of them."""
    everybody = {live(connection, one).id for one in customer_ids}
    newest = everybody
    while newest:
        into = select(customers.c.id).where(customers.c.merged_into.in_(newest))
        newest = set(connection.execute(into).scalars()) - everybody
        everybody = everybody | newest
    return sorted(everybody)


def _refuse_live(connection: Connection, theirs: ColumnElement[bool], now_ms: int) -> None:
    arriving = conversations.c.contact.is_(None) & (conversations.c.opened_at_ms > now_ms - ARRIVING_MS)
    going_on = conversations.c.closed_at_ms.is_(None) & (conversations.c.contact.is_not(None) | arriving)
    found = connection.execute(
        select(conversations.c.customer_id, conversations.c.contact)
        .where(theirs, going_on)
        .order_by(conversations.c.id)
        .limit(NAMED)
    ).all()
    if found:
        named = ", ".join(
            f"customer {one.customer_id}: "
            + (f"contact {one.contact}" if one.contact else "one that arrives")
            for one in found
        )
        raise CustomerIsLive(
            f"nothing was erased, these contacts have not ended: {named}; end them, wait a minute, try again"
        )


def _mark_highest(connection: Connection, theirs: ColumnElement[bool]) -> None:
    """Remember up to which contact there were conversations: a journal that is older is still refused."""
    highest = connection.execute(select(func.max(conversations.c.contact)).where(theirs)).scalar()
    if highest is None:
        return
    before = connection.execute(select(marks.c.value).where(marks.c.name == HIGHEST_CONTACT)).scalar()
    if before is None:
        connection.execute(insert(marks).values(name=HIGHEST_CONTACT, value=highest))
    elif before < highest:
        connection.execute(update(marks).where(marks.c.name == HIGHEST_CONTACT).values(value=highest))


def _delete(connection: Connection, table: Table, where: Any) -> int:
    return int(connection.execute(delete(table).where(where)).rowcount)
