"""Conversations: how they begin and end; what is said in them stands in `engine.talking`.

A first contact is committed in the store, then journaled, then answered; so the store may know a
conversation whose contact never came to be. The reconciler sends those arrivals again: the same
key gives the same contact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
import structlog
import trio

from engine.arrival_keys import arrival_key, channel_secret
from engine.arrivals import Demand, admit
from engine.channel import Known
from engine.demand import demand_fields
from engine.errors import (
    Busy,
    Draining,
    Malformed,
    NotAdmitted,
    Refused,
    UnknownChannel,
    UnknownContact,
    UnknownQueue,
)
from engine.identities import IdentityKey, normalised
from engine.journal import JournalError
from engine.message_store import Conversation, MessageStore
from engine.model import Arrive
from engine.names import Names, UnknownName
from engine.places import check_place
from engine.talking import Talking
from engine.terms import NO_TERMS, Terms, check_terms
from engine.wishes import NO_WISHES, Wishes

if TYPE_CHECKING:
    from engine.facade import Facade

SOCKET_CONTACT = "contact-"
"""What a conversation is called whose contact came over a socket: the store never saw it arrive."""

DAY_MS = 86_400_000
CLOSE_EVERY_S = 60.0
"""Nobody waits for it; what is open cannot be erased."""

_log = structlog.get_logger(__name__)


def number_of(names: Names, kind: str, name: str) -> int | None:
    """Return a name's number, or None when the configuration does not know it."""
    try:
        return names.id(kind, name)
    except UnknownName:
        return None


async def check_same_moment(last_contact: int, store: MessageStore) -> None:
    """Refuse a journal that is older than the store: its next contacts would get others' conversations.

    Args:
        last_contact: the last contact that the journal knows.
        store: where conversations are kept.

    Raises:
        JournalError: naming both ends.
    """
    highest = await store.highest_contact()
    if highest > last_contact:
        raise JournalError(
            f"the journal ends with contact {last_contact}, but the store has conversations up to contact "
            f"{highest}: they are not of the same moment; restore both from one copy"
        )


class Conversations(Talking):
    """Ties the store to the running service.

    Args:
        service: the running service.
        store: where conversations and messages are kept.
        secret: the site's key for arrival keys.
    """

    def __init__(self, service: Facade, store: MessageStore, secret: bytes) -> None:
        super().__init__(service, store)
        self.secret = secret

    async def arrive(
        self,
        channel: str,
        external_id: str,
        *,
        queue: str,
        customer_name: str | None = None,
        head_start_ms: int = 0,
        requires: str | Mapping[str, int] | None = None,
        customer: str | None = None,
        identities: Sequence[IdentityKey] = (),
        known: Known | None = None,
        wishes: Wishes = NO_WISHES,
        terms: Terms = NO_TERMS,
    ) -> tuple[int, Conversation]:
        """Bring a contact in, exactly once: first the store, then the journal.

        Routing points decide where it goes when it comes for the first time; a repeat stays where it is.

        Returns:
            The contact and its conversation.
        """
        if not 1 <= len(external_id) <= 200:
            raise ValueError(f"external_id: expected 1..200 characters, got {len(external_id)}")
        asked = Demand(queue, head_start_ms, requires or {})
        try:
            demand = admit(self._service.site, channel, asked, known or Known(), self._service.clock.now_us())
            self._service.check_intake()
            theirs = self._known_by(channel, customer, identities)
            wishes = await self._with_last_agent(channel, theirs, demand.queue, wishes)
            self._command(channel, external_id, demand, wishes, terms)
            self._check(terms)
            self._service.admission.check(channel)
        except (NotAdmitted, Refused, Malformed, Busy, Draining):
            conversation = await self.store.by_external_id(channel, external_id)
            if conversation is None:
                raise
        else:
            conversation = await self.store.conversation_for(
                channel,
                external_id,
                queue=demand.queue,
                customer_name=customer_name,
                head_start_ms=demand.head_start_ms,
                requires=demand.requires,
                weight=demand.weight,
                customer=customer,
                identities=[one for one in theirs if one.kind != "channel"],
                domain=self._domain(channel),
                wishes=wishes,
                terms=terms,
            )
        if conversation.contact is not None:
            return conversation.contact, conversation
        return await self._journal(conversation), conversation

    def _domain(self, channel: str) -> str:
        """Whose customers a channel brings."""
        section = self._service.site.channels.get(channel)
        return (section.domain if section is not None else None) or ""

    def _known_by(
        self, channel: str, customer: str | None, identities: Sequence[IdentityKey] = ()
    ) -> list[IdentityKey]:
        """What a customer is recognised by, what the channel calls them first."""
        region = self._service.site.store.phone_region
        own = [] if customer is None else [IdentityKey("channel", customer, channel)]
        return own + [normalised(one, region) for one in identities]

    def _check(self, terms: Terms) -> None:
        """Refuse what the core would refuse before the store has it; for what is repeated it is too late."""
        now_us = self._service.clock.now_us()
        check_terms(terms, now_us)
        if terms.place:
            check_place(self._service.contact_state(terms.place), terms.place, now_us)

    async def _with_last_agent(
        self, channel: str, known_by: Sequence[IdentityKey], queue: str, wishes: Wishes
    ) -> Wishes:
        """The wishes, with whoever served the customer last where the channel names nobody itself."""
        if not known_by or wishes.preferred or wishes.beyond_capacity:
            return wishes
        last = await self._last_agent(channel, known_by, queue)
        if last is None or last[0] in wishes.excludes:
            return wishes
        agent, wait_s = last
        return msgspec.structs.replace(wishes, preferred=(agent,), preferred_wait_ms=wait_s * 1_000)

    async def last_agent(self, channel: str, customer: str, queue: str) -> tuple[str, int] | None:
        """Return whom a customer's contact should wait for, because they served this customer last.

        Args:
            channel: the channel's name.
            customer: what the channel calls the customer.
            queue: where the contact is to wait.

        Returns:
            The agent's name and for how many seconds; None where nobody served within
            `last_agent_days`, the agent is configured no more, or the queue waits for nobody.
        """
        return await self._last_agent(channel, self._known_by(channel, customer), queue)

    async def _last_agent(
        self, channel: str, known_by: Sequence[IdentityKey], queue: str
    ) -> tuple[str, int] | None:
        site = self._service.site
        section = site.queues.get(queue)
        if section is None or not section.last_agent_wait_s or not site.routing.last_agent_days:
            return None
        since_ms = self._service.clock.now_us() // 1_000 - site.routing.last_agent_days * DAY_MS
        agent = await self.store.last_agent(known_by, since_ms, self._domain(channel))
        return None if agent is None or agent not in site.agents else (agent, section.last_agent_wait_s)

    async def reconcile(self) -> int:
        """Send the arrivals again whose contact the store does not know; return how many."""
        await self.store.claim({name: self._domain(name) for name in self._service.site.channels})
        await self.close_ended()
        lost = await self.store.without_contact()
        for conversation in lost:
            try:
                if (contact := self._socket_contact(conversation)) is not None:
                    await self.store.attach_contact(conversation.id, contact)
                else:
                    await self._journal(conversation)
            except Refused as error:
                _log.error("a conversation has no contact", conversation=conversation.id, error=str(error))
        return len(lost)

    async def keep_closing(self) -> None:
        """Close what no channel of this process closes: contacts of sockets, and what a crash has left."""
        while True:
            await trio.sleep(CLOSE_EVERY_S)
            try:
                await self.close_ended()
            except Busy as busy:
                _log.warning("conversations could not be closed", why=str(busy))

    async def close_ended(self) -> None:
        """Close the conversations whose contacts have ended."""
        for contact in await self.store.open_contacts():
            if self._service.router.contact(contact) is None:
                ended = self._service.router.ended(contact)
                agent = ended.last_agent if ended is not None else 0
                name = self._service.names.name("agent", agent) if agent else None
                await self.store.close_conversation(contact, name)

    async def _journal(self, conversation: Conversation) -> int:
        demand = Demand(
            conversation.queue, conversation.head_start_ms, conversation.requires, conversation.weight
        )
        where, who = conversation.channel, conversation.external_id
        command = self._command(where, who, demand, conversation.wishes, conversation.terms)
        contact = await self._service.command(command)
        await self.store.attach_contact(conversation.id, contact)
        return contact

    def _command(
        self, channel: str, external_id: str, demand: Demand, wishes: Wishes, terms: Terms
    ) -> Arrive:
        names = self._service.names
        section = self._service.site.channels.get(channel)
        channel_number = number_of(names, "channel", channel)
        queue_number = number_of(names, "queue", demand.queue)
        if section is None or channel_number is None:
            raise UnknownChannel(channel_number or 0)
        if queue_number is None:
            raise UnknownQueue(0)
        return Arrive(
            channel=channel_number,
            key=arrival_key(channel_secret(self.secret, channel), section.account, external_id),
            queue=queue_number,
            head_start_us=demand.head_start_ms * 1_000,
            weight=demand.weight,
            place=terms.place,
            not_before=terms.not_before_ms * 1_000,
            reply_by=terms.reply_by_ms * 1_000,
            **demand_fields(names, demand.requires, wishes),
        )

    async def _of(self, channel: str, contact: int) -> Conversation:
        """The conversation of a channel's contact; a contact that came over a socket gets one."""
        conversation = await self.store.by_contact(contact)
        if conversation is None:
            # Only a live one has none, or has it not yet; another's was erased, and stays so.
            state = self._service.contact_state(contact)
            live = self._service.router.contact(contact) is not None
            if not live or state is None or state.channel != channel or state.queue is None:
                raise UnknownContact(contact)
            if not self._comes_over_a_socket(channel):
                return await self._attached(contact)
            name = f"{SOCKET_CONTACT}{contact}"
            conversation = await self.store.conversation_for(
                channel, name, queue=state.queue, domain=self._domain(channel)
            )
            await self.store.attach_contact(conversation.id, contact)
        if conversation.channel != channel:
            raise UnknownContact(contact)
        return conversation

    def _comes_over_a_socket(self, channel: str) -> bool:
        section = self._service.site.channels.get(channel)
        return section is not None and section.plugin == "socket"

    async def _attached(self, contact: int) -> Conversation:
        """The conversation of a hosted channel's contact whose arrival was cut off behind the journal.

        A conversation of its own would hide the one that the customer is in.
        """
        await self.reconcile()
        if (conversation := await self.store.by_contact(contact)) is None:
            raise UnknownContact(contact)
        return conversation

    def _socket_contact(self, conversation: Conversation) -> int | None:
        """The contact of a conversation that was made for a contact, not the other way round."""
        name = conversation.external_id
        if not self._comes_over_a_socket(conversation.channel) or not name.startswith(SOCKET_CONTACT):
            return None
        return int(name.removeprefix(SOCKET_CONTACT))
