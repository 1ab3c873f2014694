"""Customers: who they are and how they are recognised."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, and_, exists, insert, select, update

from engine.errors import PaiduiError
from engine.identities import IdentityKey
from engine.store.audit import Auditor
from engine.store.database import Database
from engine.store.fields import check_length
from engine.store.schema import conversations, customers, identities, merges

PUBLIC_ID_BYTES: Final = 16
MAX_NAME: Final = 200
MAX_NOTES: Final = 4_000
SHOWN: Final = 100
"""Of so many conversations, the newest, a customer's history tells."""


class NoSuchCustomer(PaiduiError):
    """There is no such customer, identity or merge; the text says which."""


class CustomerConflict(PaiduiError):
    """It is not possible as things are; the text says why and what to do."""


class Customer(msgspec.Struct, frozen=True):
    """A customer.

    Attributes:
        public_id: random; what the outside may see.
        domain: whose customer; "" = the site's own.
        merged_into: this row stands for that customer.
    """

    id: int
    public_id: str
    domain: str
    name: str | None
    notes: str
    created_at_ms: int
    merged_into: int | None


class Contacted(msgspec.Struct, frozen=True):
    """One of a customer's conversations."""

    conversation: int
    contact: int | None
    channel: str
    queue: str
    opened_at_ms: int
    closed_at_ms: int | None
    agent: str | None


class Merge(msgspec.Struct, frozen=True):
    """A customer that was found to be another one."""

    id: int
    kept: int
    merged: int
    at_ms: int


class History(msgspec.Struct, frozen=True):
    """What is known of a customer.

    Attributes:
        contacted: the newest conversations, newest first, at most `SHOWN`.
        merges: those that made this customer, and are not undone.
        also: names of those who were merged into this one.
    """

    customer: Customer
    identities: Sequence[IdentityKey]
    contacted: Sequence[Contacted]
    merges: Sequence[Merge]
    also: Sequence[str]


class CustomerStore(Database):
    """The part of the store that keeps customers."""

    _auditor: Auditor

    async def add_customer(
        self, by: str, *, domain: str = "", name: str | None = None, notes: str = ""
    ) -> Customer:
        """Add a customer who has not come yet.

        Raises:
            Malformed: a field is too long; the text names it.
        """
        _check(name, notes)
        return await self._transact(_add, self._auditor, by, domain, name, notes, self._now_ms(), once=True)

    async def customer(self, customer_id: int) -> Customer | None:
        """Return a customer."""
        return await self._transact(_customer, customers.c.id == customer_id)

    async def customer_by_public_id(self, public_id: str) -> Customer | None:
        """Return the customer of a public id."""
        return await self._transact(_customer, customers.c.public_id == public_id)

    async def customer_of(self, identity: IdentityKey, domain: str = "") -> Customer | None:
        """Return whose identity it is in a domain; `identity` is normalised."""
        return await self._transact(_customer_of, identity, domain)

    async def history(self, customer_id: int) -> History:
        """Return what is known of a customer.

        Raises:
            NoSuchCustomer: there is none.
        """
        return await self._transact(_history, customer_id)

    async def describe(
        self, customer_id: int, by: str, *, name: str | None = None, notes: str | None = None
    ) -> None:
        """Give a customer another name or notes; None leaves what is there.

        Raises:
            Malformed: a field is too long; the text names it.
            NoSuchCustomer: there is none.
        """
        _check(name, notes or "")
        given = {"name": name, "notes": notes}
        fields = {key: value for key, value in given.items() if value is not None}
        await self._transact(_describe, self._auditor, by, customer_id, fields, self._now_ms(), once=True)

    async def link(self, customer_id: int, identity: IdentityKey, by: str) -> None:
        """Say that an identity is this customer's; `identity` is normalised, a repeat changes nothing.

        Raises:
            NoSuchCustomer: there is none.
            CustomerConflict: it is another's, or the customer was merged into another.
        """
        await self._transact(_link, self._auditor, by, customer_id, identity, self._now_ms())

    async def unlink(self, identity: IdentityKey, by: str, domain: str = "") -> int:
        """Say that an identity is nobody's; return whose it was.

        Raises:
            NoSuchCustomer: it is nobody's already.
        """
        return await self._transact(_unlink, self._auditor, by, identity, domain, self._now_ms(), once=True)

    async def claim(self, domains: Mapping[str, str]) -> None:
        """Give the customers of channels to the channels' domains where they are the site's own still.

        Stores from before domains had customers do not say whose they are.

        Args:
            domains: channel -> domain.
        """
        await self._transact(_claim, {name: domain for name, domain in domains.items() if domain})


def recognise(connection: Connection, known_by: Sequence[IdentityKey], domain: str) -> int | None:
    """Return the customer of the first identity that anybody has."""
    for identity in known_by:
        if (found := connection.execute(_whose(identity, domain)).scalar()) is not None:
            return int(found)
    return None


def learn(
    connection: Connection, customer_id: int, known_by: Sequence[IdentityKey], domain: str, now_ms: int
) -> None:
    """Note the identities that nobody has yet as this customer's."""
    for identity in known_by:
        if connection.execute(_whose(identity, domain)).scalar() is None:
            _insert_identity(connection, customer_id, identity, domain, now_ms)


def new_customer(connection: Connection, domain: str, name: str | None, notes: str, now_ms: int) -> int:
    """Add a customer and return the number."""
    made = insert(customers).values(
        public_id=secrets.token_urlsafe(PUBLIC_ID_BYTES),
        domain=domain,
        name=name,
        notes=notes,
        created_at_ms=now_ms,
    )
    key = connection.execute(made).inserted_primary_key
    assert key is not None
    return int(key[0])


_columns: Final = (
    customers.c.id,
    customers.c.public_id,
    customers.c.domain,
    customers.c.name,
    customers.c.notes,
    customers.c.created_at_ms,
    customers.c.merged_into,
)


def _check(name: str | None, notes: str) -> None:
    check_length("name", name or "", 0, MAX_NAME)
    check_length("notes", notes, 0, MAX_NOTES)


def _is(identity: IdentityKey, domain: str) -> Any:
    return and_(
        identities.c.domain == domain,
        identities.c.kind == identity.kind,
        identities.c.account == identity.account,
        identities.c.value == identity.value,
    )


def _whose(identity: IdentityKey, domain: str) -> Any:
    return select(identities.c.customer_id).where(_is(identity, domain))


def _insert_identity(
    connection: Connection, customer_id: int, identity: IdentityKey, domain: str, now_ms: int
) -> int:
    row = msgspec.structs.asdict(identity)
    made = insert(identities).values(**row, domain=domain, customer_id=customer_id, created_at_ms=now_ms)
    key = connection.execute(made).inserted_primary_key
    assert key is not None
    return int(key[0])


def _customer(connection: Connection, where: Any) -> Customer | None:
    row = connection.execute(select(*_columns).where(where)).one_or_none()
    return None if row is None else Customer(*row)


def _customer_of(connection: Connection, identity: IdentityKey, domain: str) -> Customer | None:
    found = connection.execute(_whose(identity, domain)).scalar()
    return None if found is None else _customer(connection, customers.c.id == found)


def existing(connection: Connection, customer_id: int) -> Customer:
    """Return a customer.

    Raises:
        NoSuchCustomer: there is none.
    """
    found = _customer(connection, customers.c.id == customer_id)
    if found is None:
        raise NoSuchCustomer(f"customer: there is no {customer_id}")
    return found


def live(connection: Connection, customer_id: int) -> Customer:
    """Return a customer that was not merged into another.

    Raises:
        NoSuchCustomer: there is none.
        CustomerConflict: it was merged.
    """
    found = existing(connection, customer_id)
    if found.merged_into is not None:
        raise CustomerConflict(f"customer {customer_id} was merged into {found.merged_into}; name that one")
    return found


def _add(
    connection: Connection, auditor: Auditor, by: str, domain: str, name: str | None, notes: str, now_ms: int
) -> Customer:
    made = new_customer(connection, domain, name, notes, now_ms)
    auditor.note(connection, now_ms, by, "customer.add", f"customer:{made}")
    return existing(connection, made)


def _describe(
    connection: Connection, auditor: Auditor, by: str, customer_id: int, fields: dict[str, str], now_ms: int
) -> None:
    live(connection, customer_id)
    if fields:
        connection.execute(update(customers).where(customers.c.id == customer_id).values(fields))
        what = sorted(fields)
        auditor.note(connection, now_ms, by, "customer.describe", f"customer:{customer_id}", fields=what)


def _link(
    connection: Connection, auditor: Auditor, by: str, customer_id: int, identity: IdentityKey, now_ms: int
) -> None:
    customer = live(connection, customer_id)
    owner = connection.execute(_whose(identity, customer.domain)).scalar()
    if owner == customer_id:
        return
    if owner is not None:
        raise CustomerConflict(f"{identity} is customer {owner}'s; unlink it there, or merge the two")
    made = _insert_identity(connection, customer_id, identity, customer.domain, now_ms)
    subject = f"customer:{customer_id}"
    auditor.note(connection, now_ms, by, "customer.link", subject, identity=made, kind=identity.kind)


def _unlink(
    connection: Connection, auditor: Auditor, by: str, identity: IdentityKey, domain: str, now_ms: int
) -> int:
    there = select(identities.c.id, identities.c.customer_id).where(_is(identity, domain))
    row = connection.execute(there).one_or_none()
    if row is None:
        raise NoSuchCustomer(f"identity: {identity} is nobody's")
    connection.execute(identities.delete().where(identities.c.id == row.id))
    subject = f"customer:{row.customer_id}"
    auditor.note(connection, now_ms, by, "customer.unlink", subject, identity=row.id, kind=identity.kind)
    return int(row.customer_id)


def _history(connection: Connection, customer_id: int) -> History:
    customer = existing(connection, customer_id)
    known_by = select(identities.c.kind, identities.c.value, identities.c.account)
    contacted = (
        select(
            conversations.c.id,
            conversations.c.contact,
            conversations.c.channel,
            conversations.c.queue,
            conversations.c.opened_at_ms,
            conversations.c.closed_at_ms,
            conversations.c.agent,
        )
        .where(conversations.c.customer_id == customer_id)
        .order_by(conversations.c.opened_at_ms.desc(), conversations.c.id.desc())
        .limit(SHOWN)
    )
    made_of = select(merges.c.id, merges.c.kept_id, merges.c.merged_id, merges.c.at_ms).where(
        merges.c.kept_id == customer_id, merges.c.undone_at_ms.is_(None)
    )
    names = select(customers.c.name).where(
        customers.c.merged_into == customer_id, customers.c.name.is_not(None)
    )
    return History(
        customer,
        [
            IdentityKey(*row)
            for row in connection.execute(
                known_by.where(identities.c.customer_id == customer_id).order_by(identities.c.id)
            )
        ],
        [Contacted(*row) for row in connection.execute(contacted)],
        [Merge(*row) for row in connection.execute(made_of.order_by(merges.c.id))],
        list(connection.execute(names.order_by(customers.c.id)).scalars()),
    )


def _claim(connection: Connection, domains: Mapping[str, str]) -> None:
    other = identities.alias()
    for channel, domain in domains.items():
        theirs = exists().where(
            conversations.c.customer_id == customers.c.id, conversations.c.channel == channel
        )
        mine = (customers.c.domain == "") & theirs
        found = connection.execute(select(customers.c.id).where(mine)).scalars().all()
        for customer_id in found:
            connection.execute(update(customers).where(customers.c.id == customer_id).values(domain=domain))
            taken = exists().where(
                other.c.domain == domain,
                other.c.kind == identities.c.kind,
                other.c.account == identities.c.account,
                other.c.value == identities.c.value,
            )
            free = (identities.c.customer_id == customer_id) & ~taken
            connection.execute(update(identities).where(free).values(domain=domain))
