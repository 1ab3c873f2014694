"""Conversations: what is stored, told to the other side, and re-sent as arrivals after a crash.

A first contact is committed in the store, then journaled, then answered; so the store may know a
conversation whose contact never came to be. The reconciler sends those arrivals again: the same
key gives the same contact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import structlog

from engine.arrival_keys import arrival_key, channel_secret
from engine.errors import Refused, UnknownChannel, UnknownContact, UnknownQueue, UnknownSkill
from engine.journal import JournalError
from engine.model import Arrive, SkillLevel
from engine.names import Names, UnknownName
from engine.notices import MessageNotice, TypingNotice

if TYPE_CHECKING:
    from engine.service import Service

SOCKET_CONTACT = "contact-"
"""What a conversation is called whose contact came over a socket: the store never saw it arrive."""

_log = structlog.get_logger(__name__)


class Conversation(Protocol):
    """A conversation as the store gives it."""

    @property
    def id(self) -> int:
        """Its number in the store."""
        ...

    @property
    def public_id(self) -> str:
        """Random; what customers may see."""
        ...

    @property
    def contact(self) -> int | None:
        """The engine's contact; None until the arrival was journaled."""
        ...

    @property
    def channel(self) -> str:
        """The channel's name."""
        ...

    @property
    def external_id(self) -> str:
        """What the channel calls it."""
        ...

    @property
    def queue(self) -> str:
        """The name of the queue that it arrived in."""
        ...

    @property
    def head_start_ms(self) -> int:
        """The head start that it arrived with."""
        ...

    @property
    def requires(self) -> Mapping[str, int]:
        """What it asked for when it arrived."""
        ...


class Message(Protocol):
    """A message as the store gives it."""

    @property
    def id(self) -> int:
        """Grows over all conversations."""
        ...

    @property
    def conversation(self) -> int:
        """The conversation's number."""
        ...

    @property
    def position(self) -> int:
        """Its place in the conversation, from 1."""
        ...

    @property
    def sender(self) -> str:
        """Who wrote: "customer", "agent" or "system"."""
        ...

    @property
    def external_id(self) -> str:
        """What the sender called it."""
        ...

    @property
    def text(self) -> str:
        """As it was written."""
        ...

    @property
    def at(self) -> int:
        """When it was stored, Unix milliseconds."""
        ...


class MessageStore(Protocol):
    """What conversations need of the store."""

    async def conversation_for(
        self,
        channel: str,
        external_id: str,
        *,
        queue: str,
        customer_name: str | None = None,
        head_start_ms: int = 0,
        requires: Mapping[str, int] | None = None,
    ) -> Conversation:
        """Return the conversation, made when it is new."""
        ...

    async def attach_contact(self, conversation: int, contact: int) -> None:
        """Remember the conversation's contact."""
        ...

    async def close_conversation(self, contact: int) -> None:
        """Note that the contact is over."""
        ...

    async def by_contact(self, contact: int) -> Conversation | None:
        """Return the conversation of a contact."""
        ...

    async def without_contact(self) -> Sequence[Conversation]:
        """Return the conversations whose arrival may not have been journaled."""
        ...

    async def highest_contact(self) -> int:
        """Return the highest contact that has a conversation; 0 when none has."""
        ...

    async def add_message(
        self, conversation: int, sender: str, text: str, external_id: str, *, agent: str | None = None
    ) -> Message:
        """Store a message; a repeat of the sender's `external_id` gives the one that is there."""
        ...

    async def messages(self, conversation: int, after: int = 0) -> Sequence[Message]:
        """Return the messages behind position `after`, in order."""
        ...


def number_of(names: Names, kind: str, name: str) -> int | None:
    """Return a name's number, or None when the configuration does not know it."""
    try:
        return names.id(kind, name)
    except UnknownName:
        return None


def skill_levels(names: Names, requires: Mapping[str, int]) -> tuple[SkillLevel, ...]:
    """Return a requirement in the core's numbers.

    Raises:
        UnknownSkill: the configuration does not know one.
    """
    levels = []
    for skill, level in requires.items():
        if (number := number_of(names, "skill", skill)) is None:
            raise UnknownSkill(0)
        levels.append(SkillLevel(number, level))
    return tuple(sorted(levels, key=lambda one: one.skill))


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


class Conversations:
    """Ties the store to the running service.

    Args:
        service: the running service.
        store: where conversations and messages are kept.
        secret: the site's key for arrival keys.
    """

    def __init__(self, service: Service, store: MessageStore, secret: bytes) -> None:
        self.store = store
        self.secret = secret
        self._service = service

    async def arrive(
        self,
        channel: str,
        external_id: str,
        *,
        queue: str,
        customer_name: str | None = None,
        head_start_ms: int = 0,
        requires: Mapping[str, int] | None = None,
    ) -> tuple[int, Conversation]:
        """Bring a contact in, exactly once: first the store, then the journal.

        Returns:
            The contact and its conversation.
        """
        if not 1 <= len(external_id) <= 200:
            raise ValueError(f"external_id: expected 1..200 characters, got {len(external_id)}")
        self._command(channel, external_id, queue, head_start_ms, requires or {})
        conversation = await self.store.conversation_for(
            channel,
            external_id,
            queue=queue,
            customer_name=customer_name,
            head_start_ms=head_start_ms,
            requires=dict(requires or {}),
        )
        if conversation.contact is not None:
            return conversation.contact, conversation
        return await self._journal(conversation), conversation

    async def reconcile(self) -> int:
        """Send the arrivals again whose contact the store does not know; return how many."""
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

    async def customer_says(self, channel: str, contact: int, text: str, external_id: str) -> Message:
        """Store what a customer of `channel` wrote, and tell the agent.

        Raises:
            UnknownContact: no such contact on this channel.
        """
        conversation = await self._of(channel, contact)
        message = await self.store.add_message(conversation.id, "customer", text, external_id)
        self._tell(contact, message)
        return message

    async def agent_says(self, agent: int, contact: int, text: str, external_id: str) -> Message:
        """Store what an agent wrote, and tell the channel.

        Raises:
            UnknownContact: the agent is not engaged with it.
        """
        state = self._engaged(agent, contact)
        conversation = await self._of(state[0], contact)
        message = await self.store.add_message(conversation.id, "agent", text, external_id, agent=state[1])
        self._tell(contact, message)
        return message

    def agent_types(self, agent: int, contact: int, on: bool) -> None:
        """Tell the channel that an agent is typing."""
        self._engaged(agent, contact)
        self._types(contact, "agent", on)

    def customer_types(self, channel: str, contact: int, on: bool) -> None:
        """Tell the agent that a customer of `channel` is typing."""
        state = self._service.contact_state(contact)
        if state is None or state.channel != channel:
            raise UnknownContact(contact)
        self._types(contact, "customer", on)

    async def history(self, channel: str, contact: int, after: int) -> Sequence[Message]:
        """Return the messages of a channel's contact behind position `after`."""
        conversation = await self._of(channel, contact)
        return await self.store.messages(conversation.id, after)

    async def fetch(self, notice: MessageNotice) -> Message | None:
        """Return the message that a notice speaks of."""
        found = await self.store.messages(notice.conversation, notice.position - 1)
        return found[0] if found and found[0].id == notice.message_id else None

    async def _journal(self, conversation: Conversation) -> int:
        command = self._command(
            conversation.channel,
            conversation.external_id,
            conversation.queue,
            conversation.head_start_ms,
            conversation.requires,
        )
        contact = await self._service.command(command)
        await self.store.attach_contact(conversation.id, contact)
        return contact

    def _command(
        self, channel: str, external_id: str, queue: str, head_start_ms: int, requires: Mapping[str, int]
    ) -> Arrive:
        names = self._service.names
        section = self._service.site.channels.get(channel)
        channel_number, queue_number = number_of(names, "channel", channel), number_of(names, "queue", queue)
        if section is None or channel_number is None:
            raise UnknownChannel(channel_number or 0)
        if queue_number is None:
            raise UnknownQueue(0)
        return Arrive(
            channel=channel_number,
            key=arrival_key(channel_secret(self.secret, channel), section.account, external_id),
            queue=queue_number,
            head_start_us=head_start_ms * 1_000,
            requires=skill_levels(names, requires),
        )

    async def _of(self, channel: str, contact: int) -> Conversation:
        """The conversation of a channel's contact; a contact that came over a socket gets one."""
        conversation = await self.store.by_contact(contact)
        if conversation is None:
            state = self._service.contact_state(contact)
            if state is None or state.channel != channel or state.queue is None:
                raise UnknownContact(contact)
            name = f"{SOCKET_CONTACT}{contact}"
            conversation = await self.store.conversation_for(channel, name, queue=state.queue)
            await self.store.attach_contact(conversation.id, contact)
        if conversation.channel != channel:
            raise UnknownContact(contact)
        return conversation

    def _socket_contact(self, conversation: Conversation) -> int | None:
        """The contact of a conversation that was made for a contact, not the other way round."""
        section = self._service.site.channels.get(conversation.channel)
        name = conversation.external_id
        if section is None or section.plugin != "socket" or not name.startswith(SOCKET_CONTACT):
            return None
        return int(name.removeprefix(SOCKET_CONTACT))

    def _engaged(self, agent: int, contact: int) -> tuple[str, str]:
        state = self._service.contact_state(contact)
        name = self._service.names.name("agent", agent)
        if state is None or state.state != "engaged" or state.agent != name:
            raise UnknownContact(contact)
        return state.channel, name

    def _tell(self, contact: int, message: Message) -> None:
        channel, agent = self._where(contact)
        self._service.bus.notify(
            MessageNotice(
                self._service.seq,
                contact,
                channel,
                agent,
                message.sender,
                message.conversation,
                message.id,
                message.position,
            )
        )

    def _types(self, contact: int, sender: str, on: bool) -> None:
        channel, agent = self._where(contact)
        self._service.bus.notify(TypingNotice(contact, channel, agent, sender, on))

    def _where(self, contact: int) -> tuple[int, int]:
        if (live := self._service.router.contact(contact)) is not None:
            return live[0], live[3]
        ended = self._service.router.ended(contact)
        return (ended[0], ended[2]) if ended is not None else (0, 0)
