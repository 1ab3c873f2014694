"""What customers and agents say to each other: stored, with the files that come with it, then told.

A message is durable when its call returns, and so is everything that came with it. A notice of ids goes
over the bus; whoever shows the message fetches it from the store.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import trio

from engine.attachments import NO_FILES, Attachments, Drafts
from engine.channel_attachments import NewAttachment, NoSuchAttachment
from engine.errors import Busy, UnknownContact
from engine.message_store import Attachment, Conversation, Message, MessageStore
from engine.notices import MessageNotice, TypingNotice

if TYPE_CHECKING:
    from engine.facade import Facade


class Talking(ABC):
    """The part of conversations that goes on while people talk.

    Args:
        service: the running service.
        store: where conversations and messages are kept.

    Attributes:
        attachments: the files that come with messages.
        takes: hosted channel -> the largest file that it takes to its customers, in bytes; not there = none.
    """

    def __init__(self, service: Facade, store: MessageStore) -> None:
        self.store = store
        self.attachments = Attachments(
            service.site.data / "attachments", store, max_bytes=service.site.store.attachment_bytes
        )
        self.takes: dict[str, int] = {}
        self._service = service

    @abstractmethod
    async def _of(self, channel: str, contact: int) -> Conversation:
        """The conversation of a channel's contact.

        Raises:
            UnknownContact: no such contact on this channel.
        """

    async def customer_says(
        self, channel: str, contact: int, text: str, external_id: str, files: Drafts = NO_FILES
    ) -> Message:
        """Store what a customer of `channel` wrote, and tell the agents who are in the conversation.

        Args:
            channel: the channel's name.
            contact: the contact.
            text: what was written; may be empty beside files.
            external_id: what the channel calls the message; a repeat changes nothing.
            files: what came with it, see `Attachments.drafted`.

        Raises:
            UnknownContact: no such contact on this channel.
        """
        conversation = await self._of(channel, contact)
        message = await self.store.add_message(
            conversation.id, "customer", text, external_id, attachments=files.rows, place_files=files.place
        )
        self._tell(contact, message)
        return message

    async def agent_says(
        self,
        agent: int,
        contact: int,
        text: str,
        external_id: str,
        attachments: Sequence[NewAttachment] = (),
    ) -> Message:
        """Store what an agent wrote, and tell the channel and whoever else is in the conversation.

        Raises:
            UnknownContact: the agent neither serves it nor is in it.
            Malformed: the channel cannot carry so much, or takes no such attachments; or a field is wrong,
                which is named.
        """
        channel, _ = self._engaged(agent, contact)
        self._service.check_length(channel, text)
        most = self.takes_bytes(channel)
        async with self.attachments.drafted(attachments, most) as files:
            state = self._engaged(agent, contact)  # again: a large file takes its time
            conversation = await self._of(state[0], contact)
            message = await self.store.add_message(
                conversation.id,
                "agent",
                text,
                external_id,
                agent=state[1],
                attachments=files.rows,
                place_files=files.place,
            )
        self._tell(contact, message)
        return message

    def takes_bytes(self, channel: str) -> int:
        """Return how large a file may be that an agent sends to a channel's customer; 0 = it takes none."""
        return min(self.takes.get(channel, 0), self.attachments.max_bytes)

    async def attachment(
        self, contact: int, public_id: str, channel: str | None = None
    ) -> tuple[Attachment, AsyncIterator[bytes]]:
        """Return a file of a contact's conversation, for who may read that.

        Args:
            contact: the contact.
            public_id: the attachment's.
            channel: who asks for a customer: only that channel's contacts.

        Raises:
            NoSuchAttachment: the conversation has none of this id.
            AttachmentDamaged: its file is gone, or is other than it was.
        """
        conversation = await self.store.by_contact(contact)
        if conversation is None or channel not in (None, conversation.channel):
            raise NoSuchAttachment
        number = conversation.id

        async def may_read(of: int) -> bool:
            await trio.lowlevel.checkpoint()
            return of == number

        return await self.attachments.get(public_id, may_read)

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
        while True:
            try:
                found = await self.store.messages(notice.conversation, notice.position - 1)
                break
            except Busy as busy:  # nobody hears an answer; the notice does not come again
                await trio.sleep(busy.retry_after_ms / 1_000)
        return found[0] if found and found[0].id == notice.message_id else None

    def _engaged(self, agent: int, contact: int) -> tuple[str, str]:
        state = self._service.contact_state(contact)
        name = self._service.names.name("agent", agent)
        if state is None or state.state != "engaged" or not state.has(name):
            raise UnknownContact(contact)
        return state.channel, name

    def _tell(self, contact: int, message: Message) -> None:
        channel, agents = self._where(contact)
        self._service.bus.notify(
            MessageNotice(
                self._service.seq,
                contact,
                channel,
                agents,
                message.sender,
                message.conversation,
                message.id,
                message.position,
            )
        )

    def _types(self, contact: int, sender: str, on: bool) -> None:
        channel, agents = self._where(contact)
        self._service.bus.notify(TypingNotice(contact, channel, agents, sender, on))

    def _where(self, contact: int) -> tuple[int, tuple[int, ...]]:
        """A contact's channel, and the agents whom it concerns: who serves it first."""
        if (live := self._service.router.contact(contact)) is not None:
            return live.channel, (live.agent, *live.participants) if live.agent else ()
        ended = self._service.router.ended(contact)
        if ended is None:
            return 0, ()
        return ended.channel, (ended.last_agent,) if ended.last_agent else ()
