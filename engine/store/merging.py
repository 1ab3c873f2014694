"""Two customers that turn out to be one, and what it takes to part them again."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from engine.store.audit import Auditor
from engine.store.customers import CustomerConflict, NoSuchCustomer, live
from engine.store.database import Database
from engine.store.schema import conversations, customers, identities, merge_items, merges


class MergeStore(Database):
    """The part of the store that merges customers."""

    _auditor: Auditor

    async def merge(self, kept: int, merged: int, by: str) -> int:
        """Say that `merged` is the customer `kept`, whose identities and conversations they all become.

        Returns:
            The merge's number, for `unmerge`.

        Raises:
            NoSuchCustomer: one of them is not there.
            CustomerConflict: they are one already, or of two domains.
        """
        return await self._transact(_merge, self._auditor, by, kept, merged, self._now_ms(), once=True)

    async def unmerge(self, merge_id: int, by: str) -> None:
        """Undo a merge: what it moved and is still there goes back.

        Raises:
            NoSuchCustomer: there is no such merge, or it is undone.
            CustomerConflict: who was kept has been merged further; undo that first.
        """
        await self._transact(_unmerge, self._auditor, by, merge_id, self._now_ms(), once=True)


_MOVED: Final = {"identity": identities, "conversation": conversations}
"""What a customer has and another one gets, by what `merge_items` calls it."""


def _merge(connection: Connection, auditor: Auditor, by: str, kept: int, merged: int, now_ms: int) -> int:
    one, other = live(connection, kept), live(connection, merged)
    if kept == merged:
        raise CustomerConflict(f"customer {kept} is one already; name two")
    if one.domain != other.domain:
        domains = f'"{one.domain}" and "{other.domain}"'
        raise CustomerConflict(f"customers {kept} and {merged} are of two domains, {domains}")
    made = insert(merges).values(kept_id=kept, merged_id=merged, at_ms=now_ms)
    key = connection.execute(made).inserted_primary_key
    assert key is not None
    counts = {}
    for kind, table in _MOVED.items():
        items = connection.execute(select(table.c.id).where(table.c.customer_id == merged)).scalars().all()
        counts[kind] = len(items)
        if items:
            rows = [{"merge_id": key[0], "kind": kind, "item": item} for item in items]
            connection.execute(insert(merge_items), rows)
            connection.execute(update(table).where(table.c.customer_id == merged).values(customer_id=kept))
    connection.execute(update(customers).where(customers.c.id == merged).values(merged_into=kept))
    details = {"merged": merged, "merge": key[0], **counts}
    auditor.note(connection, now_ms, by, "customer.merge", f"customer:{kept}", **details)
    return int(key[0])


def _unmerge(connection: Connection, auditor: Auditor, by: str, merge_id: int, now_ms: int) -> None:
    found: Row[Any] | None = connection.execute(
        select(merges).where(merges.c.id == merge_id, merges.c.undone_at_ms.is_(None))
    ).one_or_none()
    if found is None:
        raise NoSuchCustomer(f"merge: there is no {merge_id} that could be undone")
    kept, merged = found.kept_id, found.merged_id
    further = connection.execute(
        select(merges.c.id).where(merges.c.merged_id == kept, merges.c.undone_at_ms.is_(None))
    ).scalar()
    if further is not None:
        raise CustomerConflict(f"customer {kept} was merged further; undo merge {further} first")
    for kind, table in _MOVED.items():
        items = select(merge_items.c.item).where(
            merge_items.c.merge_id == merge_id, merge_items.c.kind == kind
        )
        back = update(table).where(table.c.id.in_(items), table.c.customer_id == kept)
        connection.execute(back.values(customer_id=merged))
    connection.execute(update(customers).where(customers.c.id == merged).values(merged_into=None))
    connection.execute(update(merges).where(merges.c.id == merge_id).values(undone_at_ms=now_ms))
    details = {"merged": merged, "merge": merge_id}
    auditor.note(connection, now_ms, by, "customer.unmerge", f"customer:{kept}", **details)
