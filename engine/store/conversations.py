"""Conversations: which contact they belong to, and what a desk shows of them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, func, insert, select, update

from engine.identities import IdentityKey
from engine.store.customers import MAX_NAME, learn, new_customer, recognise
from engine.store.database import Database, execute
from engine.store.erasing import HIGHEST_CONTACT
from engine.store.fields import MAX_EXTERNAL_ID, check_length
from engine.store.schema import attachments, conversations, customers, marks, messages
from engine.terms import NO_TERMS, Terms
from engine.wishes import NO_WISHES, Wishes

PUBLIC_ID_BYTES: Final = 16
PREVIEW: Final = 200
"""Characters of a message that a desk's card shows."""


class Conversation(msgspec.Struct, frozen=True):
    """A conversation.

    Attributes:
        public_id: random; safe to show to the customer.
        contact: the engine's contact; None until its arrival was journaled.
        customer: the customer's name as given, or None.
        engaged_at_ms: when an agent last took it.
        agent: who has served it, once it is over.
    """

    id: int
    public_id: str
    contact: int | None
    channel: str
    external_id: str
    queue: str
    head_start_ms: int
    requires: str | Mapping[str, int]
    wishes: Wishes
    customer: str | None
    opened_at_ms: int
    engaged_at_ms: int | None
    closed_at_ms: int | None
    weight: int
    agent: str | None
    terms: Terms


class Preview(msgspec.Struct, frozen=True):
    """What a card on a desk shows of a conversation.

    Attributes:
        first: the customer's first message, cut to `PREVIEW` characters, or the name of the file that came
            without words; "" when he has not written yet.
        last_position: of its newest message; 0 when there is none.
    """

    conversation: Conversation
    first: str
    last_position: int


class ConversationStore(Database):
    """The part of the store that keeps conversations."""

    async def conversation_for(
        self,
        channel: str,
        external_id: str,
        *,
        queue: str,
        customer_name: str | None = None,
        head_start_ms: int = 0,
        requires: str | Mapping[str, int] | None = None,
        weight: int = 1,
        customer: str | None = None,
        identities: Sequence[IdentityKey] = (),
        domain: str = "",
        wishes: Wishes = NO_WISHES,
        terms: Terms = NO_TERMS,
    ) -> Conversation:
        """Return the channel's conversation of that external id; make it when it is new.

        Its customer is the one of the domain that the channel has called `customer` before, or who has the
        first of `identities` (normalised) that anybody has; without that a new one. What nobody has yet
        becomes theirs.

        Raises:
            Malformed: `external_id`, `customer_name` or `customer` is too long; the text names it.
        """
        check_length("external_id", external_id, 1, MAX_EXTERNAL_ID)
        check_length("customer_name", customer_name or "", 0, MAX_NAME)
        if customer is not None:
            check_length("customer", customer, 1, MAX_EXTERNAL_ID)
        asked = requires if isinstance(requires, str) else dict(requires or {})
        own = (IdentityKey("channel", customer, channel),) if customer is not None else ()
        known_by = (*own, *identities)
        new = _New(
            channel,
            external_id,
            queue,
            customer_name,
            head_start_ms,
            asked,
            weight,
            known_by,
            domain,
            wishes,
            terms,
        )
        return await self._transact(_conversation_for, new, self._now_ms())

    async def attach_contact(self, conversation: int, contact: int) -> None:
        """Remember the conversation's contact."""
        await self._transact(_attach_contact, conversation, contact)

    async def note_engaged(self, contact: int, at_ms: int) -> None:
        """Remember when an agent took a contact; a contact without conversation is fine."""
        change = update(conversations).where(conversations.c.contact == contact)
        await self._transact(execute, change.values(engaged_at_ms=at_ms), patient=True)

    async def close_conversation(self, contact: int, agent: str | None = None) -> None:
        """Note that a contact's conversation is over, and who has served it; a repeat changes nothing."""
        await self._transact(_close, contact, agent, self._now_ms(), patient=True)

    async def last_agent(
        self, known_by: Sequence[IdentityKey], since_ms: int, domain: str = ""
    ) -> str | None:
        """Return who served a customer last, if it was at `since_ms` or later.

        Args:
            known_by: what the customer is recognised by; the first that anybody has counts.
            since_ms: Unix milliseconds.
            domain: whose customer.
        """
        return await self._transact(_last_agent_of, known_by, since_ms, domain)

    async def by_external_id(self, channel: str, external_id: str) -> Conversation | None:
        """Return the channel's conversation of that external id."""
        there = (conversations.c.channel == channel) & (conversations.c.external_id == external_id)
        return await self._transact(_one, there)

    async def by_contact(self, contact: int) -> Conversation | None:
        """Return the conversation of a contact."""
        return await self._transact(_one, conversations.c.contact == contact)

    async def by_public_id(self, public_id: str) -> Conversation | None:
        """Return the conversation of a public id."""
        return await self._transact(_one, conversations.c.public_id == public_id)

    async def highest_contact(self) -> int:
        """Return the highest contact that has a conversation, or had one that was erased; 0 when none has."""
        return await self._transact(lambda c: max(one or 0 for one in c.execute(_highest_contact).scalars()))

    async def without_contact(self) -> Sequence[Conversation]:
        """Return the conversations whose arrival may not have been journaled, oldest first."""
        return await self._transact(_without_contact)

    async def open_contacts(self) -> Sequence[int]:
        """Return the contacts whose conversations are not closed."""
        return await self._transact(lambda c: list(c.execute(_open_contacts).scalars()))

    async def previews(self, contacts: Sequence[int]) -> dict[int, Preview]:
        """Return what desks show of these contacts; unknown ones are missing."""
        if not contacts:
            return {}
        return await self._transact(_previews, list(contacts))


class _New(NamedTuple):
    channel: str
    external_id: str
    queue: str
    customer_name: str | None
    head_start_ms: int
    requires: str | dict[str, int]
    weight: int
    known_by: Sequence[IdentityKey]
    domain: str
    wishes: Wishes
    terms: Terms


_conversation_columns: Final = (
    conversations.c.id,
    conversations.c.public_id,
    conversations.c.contact,
    conversations.c.channel,
    conversations.c.external_id,
    conversations.c.queue,
    conversations.c.head_start_ms,
    conversations.c.requires,
    conversations.c.wishes,
    customers.c.name.label("customer"),
    conversations.c.opened_at_ms,
    conversations.c.engaged_at_ms,
    conversations.c.closed_at_ms,
    conversations.c.weight,
    conversations.c.agent,
    conversations.c.terms,
)
WISHES: Final = _conversation_columns.index(conversations.c.wishes)
TERMS: Final = _conversation_columns.index(conversations.c.terms)
_conversations: Final = select(*_conversation_columns).join_from(conversations, customers)


_highest_contact: Final = select(func.max(conversations.c.contact)).union_all(
    select(marks.c.value).where(marks.c.name == HIGHEST_CONTACT)
)
_open_contacts: Final = select(conversations.c.contact).where(
    conversations.c.closed_at_ms.is_(None), conversations.c.contact.is_not(None)
)
_last_agent: Final = (
    select(conversations.c.agent)
    .where(
        conversations.c.customer_id == bindparam("customer"),
        conversations.c.agent.is_not(None),
        conversations.c.closed_at_ms >= bindparam("since_ms"),
    )
    .order_by(conversations.c.closed_at_ms.desc(), conversations.c.id.desc())
    .limit(1)
)


def _conversation(row: Any) -> Conversation:
    fields = list(row)
    fields[WISHES] = msgspec.convert(fields[WISHES], Wishes)
    fields[TERMS] = msgspec.convert(fields[TERMS], Terms)
    return Conversation(*fields)


def _one(connection: Connection, where: Any) -> Conversation | None:
    row = connection.execute(_conversations.where(where)).one_or_none()
    return None if row is None else _conversation(row)


def _conversation_for(connection: Connection, new: _New, now_ms: int) -> Conversation:
    there = (conversations.c.channel == new.channel) & (conversations.c.external_id == new.external_id)
    if (found := _one(connection, there)) is not None:
        return found
    customer_id = _customer(connection, new, now_ms)
    connection.execute(
        insert(conversations).values(
            public_id=_public_id(),
            channel=new.channel,
            external_id=new.external_id,
            queue=new.queue,
            head_start_ms=new.head_start_ms,
            requires=new.requires,
            wishes=msgspec.to_builtins(new.wishes),
            terms=msgspec.to_builtins(new.terms),
            weight=new.weight,
            customer_id=customer_id,
            opened_at_ms=now_ms,
        )
    )
    made = _one(connection, there)
    assert made is not None
    return made


def _customer(connection: Connection, new: _New, now_ms: int) -> int:
    """The customer whom the channel means; the name that was given last is theirs."""
    known = recognise(connection, new.known_by, new.domain)
    if known is None:
        known = new_customer(connection, new.domain, new.customer_name, "", now_ms)
    elif new.customer_name is not None:
        renamed = update(customers).where(customers.c.id == known)
        connection.execute(renamed.values(name=new.customer_name))
    learn(connection, known, new.known_by, new.domain, now_ms)
    return known


def _last_agent_of(
    connection: Connection, known_by: Sequence[IdentityKey], since_ms: int, domain: str
) -> str | None:
    customer = recognise(connection, known_by, domain)
    if customer is None:
        return None
    asked = {"customer": customer, "since_ms": since_ms}
    agent: str | None = connection.execute(_last_agent, asked).scalar()
    return agent


def _without_contact(connection: Connection) -> list[Conversation]:
    rows = connection.execute(
        _conversations.where(conversations.c.contact.is_(None)).order_by(conversations.c.id)
    )
    return [_conversation(row) for row in rows]


def _attach_contact(connection: Connection, conversation: int, contact: int) -> None:
    connection.execute(
        update(conversations).where(conversations.c.id == conversation).values(contact=contact)
    )


def _close(connection: Connection, contact: int, agent: str | None, now_ms: int) -> None:
    connection.execute(
        update(conversations)
        .where(conversations.c.contact == contact, conversations.c.closed_at_ms.is_(None))
        .values(closed_at_ms=now_ms, agent=agent)
    )


_file_name: Final = (
    select(attachments.c.file_name)
    .where(attachments.c.message == messages.c.id)
    .order_by(attachments.c.id)
    .limit(1)
    .scalar_subquery()
)
_first: Final = (
    select(func.coalesce(func.nullif(func.substr(messages.c.text, 1, PREVIEW), ""), _file_name))
    .where(messages.c.conversation == conversations.c.id, messages.c.sender == "customer")
    .order_by(messages.c.position)
    .limit(1)
    .scalar_subquery()
)
_last: Final = (
    select(func.max(messages.c.position))
    .where(messages.c.conversation == conversations.c.id)
    .scalar_subquery()
)
_desk: Final = _conversations.add_columns(func.coalesce(_first, ""), func.coalesce(_last, 0)).where(
    conversations.c.contact.in_(bindparam("contacts", expanding=True))
)


def _previews(connection: Connection, contacts: list[int]) -> dict[int, Preview]:
    previews = {}
    for *columns, first, position in connection.execute(_desk, {"contacts": contacts}):
        conversation = _conversation(columns)
        assert conversation.contact is not None
        previews[conversation.contact] = Preview(conversation, first, position)
    return previews


def _public_id() -> str:
    return secrets.token_urlsafe(PUBLIC_ID_BYTES)
