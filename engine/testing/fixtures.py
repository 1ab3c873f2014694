"""Small sites, a store in memory, and a running service to test against."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import trio

from engine.clock import Clock, ManualClock
from engine.config import SiteConfig, read_site
from engine.identities import IdentityKey
from engine.message_store import Attachment, Confirmed, MessageStore
from engine.service import Service, open_service
from engine.terms import NO_TERMS, Terms
from engine.wishes import NO_WISHES, Wishes

SECRET = b"a secret for tests, 32 bytes long"

SMALL_SITE = """
[site]
name = "small"

[gateway]
bind = "127.0.0.1:0"

[journal]
reserve_bytes = 0

[routing]
retry_after_ms = 1000

[skills.cards]

[reasons.lunch]

[targets.head_office]
address = "+8657100000000"

[channels.chat]
plugin = "echo"
account = "web"

[channels.voice]
plugin = "socket"
account = "line"
exclusive = true
instant = false
connect_timeout_ms = 2000

[queues.cards]
skills = { cards = 1 }
offer_timeout_ms = 5000
wrap_up_ms = 0

[queues.loans]
offer_timeout_ms = 5000
wrap_up_ms = 3000

[agents.ann]
skills = { cards = 50 }
capacity = { chat = 2, voice = 1 }

[agents.bob]
capacity = { chat = 1, voice = 1 }
"""


def small_site(folder: Path, text: str = SMALL_SITE) -> SiteConfig:
    """Return a site of two channels, two queues and two agents whose data lies in `folder`."""
    return read_site(text, folder)


class MemoryConversation(msgspec.Struct):
    """A conversation of `MemoryStore`."""

    id: int
    public_id: str
    channel: str
    external_id: str
    queue: str
    head_start_ms: int
    requires: str | Mapping[str, int]
    weight: int = 1
    customer: str | None = None
    wishes: Wishes = NO_WISHES
    terms: Terms = NO_TERMS
    contact: int | None = None
    closed: bool = False
    agent: str | None = None


class MemoryMessage(msgspec.Struct, frozen=True):
    """A message of `MemoryStore`."""

    id: int
    conversation: int
    position: int
    sender: str
    agent: str | None
    external_id: str
    text: str
    at: int
    attachments: tuple[Attachment, ...] = ()


class MemoryStore:
    """A `MessageStore` that forgets everything with the process.

    Args:
        lose_contacts: conversations stay without a contact, as after a crash.
    """

    def __init__(self, *, lose_contacts: bool = False) -> None:
        self.lose_contacts = lose_contacts
        self.conversations: list[MemoryConversation] = []
        self.all_messages: list[MemoryMessage] = []
        self.loose_files: list[Attachment] = []
        self.confirmations: dict[str, Confirmed] = {}
        self.sign_ins: dict[str, str] = {}

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
    ) -> MemoryConversation:
        """Return the conversation, made when it is new."""
        if (there := await self.by_external_id(channel, external_id)) is not None:
            return there
        number = len(self.conversations) + 1
        public_id, asked = f"c{number:04}", requires if isinstance(requires, str) else dict(requires or {})
        made = MemoryConversation(
            number,
            public_id,
            channel,
            external_id,
            queue,
            head_start_ms,
            asked,
            weight,
            customer,
            wishes,
            terms,
        )
        self.conversations.append(made)
        return made

    async def by_external_id(self, channel: str, external_id: str) -> MemoryConversation | None:
        """Return the channel's conversation of that external id."""
        await trio.lowlevel.checkpoint()
        found = (
            one for one in self.conversations if (one.channel, one.external_id) == (channel, external_id)
        )
        return next(found, None)

    async def attach_contact(self, conversation: int, contact: int) -> None:
        """Remember the conversation's contact."""
        await trio.lowlevel.checkpoint()
        if not self.lose_contacts:
            self.conversations[conversation - 1].contact = contact

    async def close_conversation(self, contact: int, agent: str | None = None) -> None:
        """Note that the contact is over, and who has served it."""
        if (conversation := await self.by_contact(contact)) is not None:
            conversation.closed = True
            conversation.agent = agent

    async def last_agent(
        self, known_by: Sequence[IdentityKey], since_ms: int, domain: str = ""
    ) -> str | None:
        """Return who served the customer of a channel's own name last; here nothing is too long ago."""
        await trio.lowlevel.checkpoint()
        names = {(one.account, one.value) for one in known_by if one.kind == "channel"}
        theirs = [one for one in self.conversations if (one.channel, one.customer) in names]
        return next((one.agent for one in reversed(theirs) if one.agent is not None), None)

    async def by_contact(self, contact: int) -> MemoryConversation | None:
        """Return the conversation of a contact."""
        await trio.lowlevel.checkpoint()
        return next((one for one in self.conversations if one.contact == contact), None)

    async def claim(self, domains: Mapping[str, str]) -> None:
        """Nothing: it has no customers."""
        await trio.lowlevel.checkpoint()

    async def open_contacts(self) -> Sequence[int]:
        """Return the contacts whose conversations are not closed."""
        await trio.lowlevel.checkpoint()
        return [one.contact for one in self.conversations if one.contact is not None and not one.closed]

    async def without_contact(self) -> Sequence[MemoryConversation]:
        """Return the conversations whose arrival may not have been journaled."""
        await trio.lowlevel.checkpoint()
        return [one for one in self.conversations if one.contact is None]

    async def highest_contact(self) -> int:
        """Return the highest contact that has a conversation; 0 when none has."""
        await trio.lowlevel.checkpoint()
        return max((one.contact for one in self.conversations if one.contact is not None), default=0)

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
    ) -> MemoryMessage:
        """Store a message and what came with it; a repeat gives what is there."""
        await trio.lowlevel.checkpoint()
        of_conversation = [one for one in self.all_messages if one.conversation == conversation]
        for message in of_conversation:
            if (message.sender, message.external_id) == (sender, external_id):
                return message
        made = MemoryMessage(
            len(self.all_messages) + 1,
            conversation,
            len(of_conversation) + 1,
            sender,
            agent,
            external_id,
            text,
            0,
            tuple(
                msgspec.structs.replace(one, conversation=conversation, message=len(self.all_messages) + 1)
                for one in attachments
            ),
        )
        if place_files is not None:
            place_files()
        self.all_messages.append(made)
        return made

    async def add_attachment(self, new: Attachment, place_file: Callable[[], None]) -> Attachment:
        """Keep a file that came with no message."""
        await trio.lowlevel.checkpoint()
        place_file()
        self.loose_files.append(new)
        return new

    async def attachment(self, public_id: str) -> Attachment | None:
        """Return an attachment's row."""
        await trio.lowlevel.checkpoint()
        return next((one for one in self._files() if one.public_id == public_id), None)

    async def attached_files(self) -> set[str]:
        """Return the hash of every file that is spoken of."""
        await trio.lowlevel.checkpoint()
        return {one.sha256 for one in self._files()}

    async def remove_unattached(self, files: Collection[str], remove: Callable[[str], None]) -> int:
        """Remove those of these files that nothing speaks of; return how many."""
        gone = set(files) - await self.attached_files()
        for name in gone:
            remove(name)
        return len(gone)

    def _files(self) -> list[Attachment]:
        return [*self.loose_files, *(file for one in self.all_messages for file in one.attachments)]

    async def messages(self, conversation: int, after: int = 0) -> Sequence[MemoryMessage]:
        """Return the messages behind position `after`, in order."""
        await trio.lowlevel.checkpoint()
        return [one for one in self.all_messages if one.conversation == conversation and one.position > after]

    async def messages_out(
        self, channel: str, after: int, upto: int
    ) -> tuple[Sequence[tuple[int, MemoryMessage]], int]:
        """Return what was written to a channel's customers, by id, and the id up to which it is whole."""
        await trio.lowlevel.checkpoint()
        rows = []
        for message in self.all_messages:
            conversation = self.conversations[message.conversation - 1]
            ours = conversation.channel == channel and message.sender != "customer"
            if ours and after < message.id <= upto and conversation.contact is not None:
                rows.append((conversation.contact, message))
        return rows, min(upto, len(self.all_messages))

    async def confirmed(self, channel: str) -> Confirmed | None:
        """Return how far a channel has come; None when it was never here."""
        await trio.lowlevel.checkpoint()
        return self.confirmations.get(channel)

    async def confirm(self, channel: str, confirmed: Confirmed) -> None:
        """Remember how far a channel has come."""
        await trio.lowlevel.checkpoint()
        self.confirmations[channel] = confirmed

    async def agents_signed_in(self, sign_ins: Sequence[str]) -> dict[str, str]:
        """Return sign-in -> agent, of those that stand in `sign_ins`."""
        await trio.lowlevel.checkpoint()
        return {one: self.sign_ins[one] for one in sign_ins if one in self.sign_ins}


@asynccontextmanager
async def small_service(
    folder: Path, *, clock: Clock | None = None, store: MessageStore | None = None, text: str = SMALL_SITE
) -> AsyncIterator[Service]:
    """Run a service on a small site; its clock stands still unless another one is given."""
    async with open_service(
        small_site(folder, text), clock or ManualClock(), store=store or MemoryStore(), secret=SECRET
    ) as service:
        yield service
