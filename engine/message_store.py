"""What the service needs of the store; `engine.store` and the tests' stand-in both give it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from engine.identities import IdentityKey
from engine.terms import NO_TERMS, Terms
from engine.wishes import NO_WISHES, Wishes


class Confirmed(msgspec.Struct, frozen=True, kw_only=True):
    """How far a hosted channel has carried out its effects.

    Attributes:
        seq: all of the batches up to this one.
        part_seq: the batch of which a part is done; 0 = none.
        part_count: how many of its effects.
        message: all messages up to this id.
        connects: contact -> effect id of each `Connect` that was finished and is not answered.
    """

    seq: int
    part_seq: int = 0
    part_count: int = 0
    message: int = 0
    connects: Mapping[int, str] = msgspec.field(default_factory=dict)


class Attachment(msgspec.Struct, frozen=True):
    """An attachment of a conversation.

    Attributes:
        public_id: random; what the outside may see.
        conversation: its number in the store; 0 = it has none yet.
        message: the message that it came with, or None.
        sha256: of its bytes, in hexadecimal; the name of its file.
        media_type: by its content where that tells, else what its sender declares: see `engine.file_types`.
        file_name: what the sender calls it; to be shown, never to be opened.
    """

    public_id: str
    conversation: int
    message: int | None
    sha256: str
    size_bytes: int
    media_type: str
    file_name: str
    at_ms: int


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
    def requires(self) -> str | Mapping[str, int]:
        """What it asked for when it arrived."""
        ...

    @property
    def wishes(self) -> Wishes:
        """Whom it wished for when it arrived."""
        ...

    @property
    def weight(self) -> int:
        """The weight that it arrived with."""
        ...

    @property
    def terms(self) -> Terms:
        """The terms on which it arrived."""
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

    @property
    def attachments(self) -> Sequence[Attachment]:
        """The files that came with it, in order."""
        ...


class AttachmentRows(Protocol):
    """What `engine.attachments` needs of the store."""

    async def add_attachment(self, new: Attachment, place_file: Callable[[], None]) -> Attachment:
        """Put the file in its place and add the row, while nobody removes files."""
        ...

    async def attachment(self, public_id: str) -> Attachment | None:
        """Return an attachment's row."""
        ...

    async def attached_files(self) -> set[str]:
        """Return the hash of every file that a row speaks of."""
        ...

    async def remove_unattached(self, files: Collection[str], remove: Callable[[str], None]) -> int:
        """Remove those of these files that no row speaks of, while nobody adds one; return how many."""
        ...


class MessageStore(AttachmentRows, Protocol):
    """What conversations need of the store."""

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
        """Return the conversation, made when it is new, of the customer whom the rest speaks of."""
        ...

    async def by_external_id(self, channel: str, external_id: str) -> Conversation | None:
        """Return the channel's conversation of that external id."""
        ...

    async def attach_contact(self, conversation: int, contact: int) -> None:
        """Remember the conversation's contact."""
        ...

    async def close_conversation(self, contact: int, agent: str | None = None) -> None:
        """Note that the contact is over, and who has served it."""
        ...

    async def last_agent(
        self, known_by: Sequence[IdentityKey], since_ms: int, domain: str = ""
    ) -> str | None:
        """Return who served a customer last, if it was at `since_ms` or later."""
        ...

    async def claim(self, domains: Mapping[str, str]) -> None:
        """Give customers of before there were domains to their channels' domains."""
        ...

    async def open_contacts(self) -> Sequence[int]:
        """Return the contacts whose conversations are not closed."""
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
        self,
        conversation: int,
        sender: str,
        text: str,
        external_id: str,
        *,
        agent: str | None = None,
        attachments: Sequence[Attachment] = (),
        place_files: Callable[[], None] | None = None,
    ) -> Message:
        """Store a message with its files; a repeat of the sender's `external_id` gives what is there."""
        ...

    async def messages(self, conversation: int, after: int = 0) -> Sequence[Message]:
        """Return the messages behind position `after`, in order."""
        ...

    async def messages_out(
        self, channel: str, after: int, upto: int
    ) -> tuple[Sequence[tuple[int, Message]], int]:
        """Return a page of what was written to a channel's customers, by id: (contact, message).

        Args:
            channel: the channel's name.
            after: only messages with a higher id.
            upto: and none with a higher id than this.

        Returns:
            The page, and the id up to which nothing is missing.
        """
        ...

    async def confirmed(self, channel: str) -> Confirmed | None:
        """Return how far a channel has come; None when it was never here."""
        ...

    async def confirm(self, channel: str, confirmed: Confirmed) -> None:
        """Remember how far a channel has come; it is on the disk when this returns."""
        ...

    async def agents_signed_in(self, sign_ins: Sequence[str]) -> Mapping[str, str]:
        """Return sign-in -> agent, of those that are not over and whose person has an agent's desk."""
        ...
