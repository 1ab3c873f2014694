"""The channel contract: what a channel's author needs to know.

Some of it stands in `engine.channel_effects` and `engine.channel_attachments`; it all can be had from here.

A channel brings contacts in and carries what agents say back. It is a factory, `create(options)`,
named in the entry-point group `paidui.channels`, that returns a `Channel`; its `run` is called
with a `Port` and does everything through it. `channels/echo` is the template to copy, and
`engine.testing.channel_kit.check_channel` proves the result right.

Promises to a channel:

* Intake is exactly once. `arrive` with the same `external_id` gives the same contact, however
  often and whenever it is repeated; a repeated `message` is stored once.
* What returned is durable. What raised `Busy` was not taken: try again after `retry_after_ms`.
* Effects come in order and at least once: one that was not finished when `run` ended comes again,
  with the same `effect_id`. An effect is finished when the next one is asked for.
* Cancellation is the stop signal. A crash is logged, and `run` is started again with a growing
  delay on a new `Channel`; no other channel notices.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import msgspec
import trio

from engine.channel_attachments import AttachedFile, AttachmentDamaged, NewAttachment, NoSuchAttachment
from engine.channel_effects import (
    Announcement,
    Connect,
    Effect,
    Ended,
    Engaged,
    Held,
    Joined,
    Left,
    MessageOut,
    Offered,
    Queued,
    Resumed,
    Scheduled,
    ServedBy,
    TransferOut,
    Typing,
    Wait,
)
from engine.file_types import headers as file_headers
from engine.identities import IdentityKey
from engine.wishes import NO_WISHES, Wishes

__all__ = [
    "ASGIApp",
    "Announcement",
    "Arrival",
    "AttachedFile",
    "AttachmentDamaged",
    "Capabilities",
    "Channel",
    "ChannelFactory",
    "Connect",
    "Effect",
    "Ended",
    "Engaged",
    "Held",
    "Joined",
    "Known",
    "Left",
    "LiveContact",
    "MessageOut",
    "NewAttachment",
    "NoSuchAttachment",
    "Offered",
    "Port",
    "Queued",
    "Resumed",
    "Scheduled",
    "ServedBy",
    "StoredMessage",
    "TransferOut",
    "Typing",
    "Wait",
    "Wishes",
    "file_headers",
]

ASGIApp: TypeAlias = Callable[..., Awaitable[None]]
"""An ASGI 3 application."""


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel can do; the engine and the desk ask for these, never for a channel's name.

    Attributes:
        typing: it can show that the agent is typing, and tell that the customer is.
        receipts: it can tell that a message was delivered.
        max_message_bytes: the longest message either way, in bytes of UTF-8.
        max_attachment_bytes: the largest file that comes with a message, either way; 0 = it takes none. The
            site may take less.
    """

    typing: bool = False
    receipts: bool = False
    max_message_bytes: int = 16_384
    max_attachment_bytes: int = 0


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel knows of an arrival; the site's routing points go by it. Nothing of it is kept.

    Attributes:
        caller: who calls, as the medium writes it: a number, an address.
        dialled: what was called; the channel's account when it is empty.
        language: as "zh" or "zh-CN".
        regions: where the customer is, from large to small: province and city, say.
        attributes: whatever else may be a condition of a routing point: `page`, `tier`.
    """

    caller: str = ""
    dialled: str = ""
    language: str = ""
    regions: Sequence[str] = ()
    attributes: Mapping[str, str] = msgspec.field(default_factory=dict)


class Arrival(msgspec.Struct, frozen=True):
    """A contact that exists from now on.

    Attributes:
        contact: the engine's number; never show it to a customer.
        conversation: the conversation's public id, random; safe to show.
    """

    contact: int
    conversation: str


class LiveContact(msgspec.Struct, frozen=True):
    """A contact of the channel that is not over.

    Attributes:
        external_id: what the channel called it when it arrived.
        state: "waiting", "offered", "connecting", "engaged" or "scheduled".
    """

    contact: int
    external_id: str
    state: str


class StoredMessage(msgspec.Struct, frozen=True):
    """A message in the store.

    Attributes:
        id: grows from message to message over all conversations.
        position: its place in the conversation, from 1.
        sender: "customer", "agent" or "system".
        external_id: what the sender called it, unique in the conversation.
        at_ms: when it was stored, Unix milliseconds.
        attachments: the files that came with it, in order; beside them the text may be empty.
    """

    id: int
    position: int
    sender: str
    external_id: str
    text: str
    at_ms: int
    attachments: Sequence[AttachedFile] = ()


class Port(Protocol):
    """What a channel is given: the way into the engine and back out of it."""

    @property
    def channel(self) -> str:
        """The channel's name in the configuration."""
        ...

    def queues(self) -> list[tuple[str, Mapping[str, str]]]:
        """Return the queues' names and titles by language ("en", "zh")."""
        ...

    async def arrive(
        self,
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
        place: str | None = None,
        not_before_ms: int | None = None,
        reply_by_ms: int | None = None,
    ) -> Arrival:
        """Bring a contact in, exactly once per `external_id`; a repeat changes nothing of it.

        Args:
            external_id: what the outside calls this request; 1..200 characters.
            queue: the queue's name.
            customer_name: kept in the store, never in the journal.
            head_start_ms: how much earlier it counts as having come.
            requires: beyond what the queue asks for: skill name -> lowest level, or a text as in
                the configuration, `"loans >= 50 and not trainee >= 1 or english >= 80"`.
            customer: what the outside calls the customer, the same in each of their contacts;
                1..200 characters.
            identities: what else the medium itself proves of the customer, a number or an address, the
                surest first: it is the customer who has the first that anybody has. Not what was typed.
            known: what the site's routing points may go by; they may give it another queue.
            wishes: preferred skills and agents, whether those get it beyond their capacity, and agents
                who must not have it.
            place: a `place_ticket`: it stands where that contact stood, however long ago it left.
            not_before_ms: it does not wait earlier, Unix milliseconds, at most 400 days ahead: a call
                back at an agreed time. Not together with `place`.
            reply_by_ms: until when the medium allows a reply, Unix milliseconds: some time before it
                goes before others, and from then on it is offered to nobody any more.

        Raises:
            Busy: not taken; try again after `retry_after_ms`.
            BadTicket: `place` is forged, expired or another site's; `reason` says which.
            BadPlace: the contact of that ticket has left no place: it is live, was served or blocked.
            PlaceUsed: another contact has taken that place.
            Malformed: a time is too early or too far ahead, or something cannot be so; it is named.
            NotAdmitted: the site's routing points refuse it; `outcome` is their word for why.
            Refused: not possible, with the field that is at fault.
        """
        ...

    @property
    def place_s(self) -> int:
        """For how many seconds a `place_ticket` is good; 0 = this site keeps no places."""
        ...

    def place_ticket(self, contact: int) -> str:
        """Return the ticket by which a customer who leaves keeps the place; good once, for `place_s`.

        Give it before or right after `abandon`; it is text that a customer's page or a note can keep.

        Raises:
            UnknownContact: no such contact on this channel.
            BadPlace: it has none: an agent has it, it is scheduled or ended otherwise, or none are kept.
            PlaceUsed: the place has been taken.
        """
        ...

    async def message(
        self,
        contact: int,
        text: str,
        external_id: str,
        *,
        attachments: Sequence[NewAttachment] = (),
    ) -> StoredMessage:
        """Store what the customer wrote, once per `external_id`, and show it to the agent.

        Args:
            contact: whose.
            text: what was written; may be empty beside attachments.
            external_id: what the channel calls the message.
            attachments: files that come with it, read to their ends before anything is stored. Words and
                files are durable together when this returns, or not there.

        Raises:
            UnknownContact: no such contact on this channel.
            Malformed: a field is wrong, too long or too large; the text names it.
        """
        ...

    @property
    def max_attachment_bytes(self) -> int:
        """The largest file that `message` takes, by the channel's limit and the site's; 0 = none."""
        ...

    async def attachment(self, contact: int, attachment_id: str) -> tuple[AttachedFile, AsyncIterator[bytes]]:
        """Return a file of the contact's conversation, and its bytes in pieces.

        Who stops reading early closes the iterator (`contextlib.aclosing`).

        Raises:
            NoSuchAttachment: the contact is not this channel's, or its conversation has none of this id.
            AttachmentDamaged: its file is gone or, from the iterator, other than it was.
        """
        ...

    async def abandon(self, contact: int) -> None:
        """Say that the customer has left; a repeat does nothing."""
        ...

    async def connected(self, contact: int) -> None:
        """Answer `Connect`: they are talking."""
        ...

    async def connect_failed(self, contact: int) -> None:
        """Answer `Connect`: it could not be done."""
        ...

    async def closed(self, contact: int) -> None:
        """Say that the channel has lost the customer; the same as `abandon`."""
        ...

    def is_open(self, queue: str) -> bool:
        """Return whether a queue takes contacts in now, or sends them on to one that does."""
        ...

    def position(self, contact: int) -> int | None:
        """Return how many contacts stand before it in its queue; None unless it waits."""
        ...

    def wait(self, contact: int) -> Wait | None:
        """Return how long it will go on waiting; None unless it waits and can be served."""
        ...

    def state(self, contact: int) -> str | None:
        """Return "waiting", "offered", "connecting", "engaged", or the outcome of an ended contact.

        None = not this channel's, or too long ago.
        """
        ...

    async def contacts(self) -> Sequence[LiveContact]:
        """Return this channel's live contacts: what a channel finds again after a restart."""
        ...

    async def external_id(self, contact: int) -> str | None:
        """Return what this channel called a contact when it arrived, also when it is over.

        None = not this channel's, or it has no conversation.
        """
        ...

    def effects(self) -> AsyncIterator[Effect]:
        """Yield what is to be carried out for this channel's contacts, in order.

        A channel that does not read them for a minute is taken to hang, and is started again.
        """
        ...

    async def history(self, contact: int, after: int = 0) -> Sequence[StoredMessage]:
        """Return the conversation's messages behind position `after`."""
        ...

    async def typing(self, contact: int, on: bool) -> None:
        """Tell the agent that the customer is typing; never stored."""
        ...

    def mount(self, app: ASGIApp, prefix: str) -> None:
        """Serve an ASGI application under `prefix` (as "/chat") of the site's one web server."""
        ...

    def token(self, subject: str, ttl_s: int = 86_400) -> str:
        """Return a token by which a customer can come back as `subject`."""
        ...

    def verify(self, token: str) -> str:
        """Return the subject of a token that this channel issued.

        Raises:
            BadToken: forged, expired, or another channel's.
        """
        ...


class Channel(Protocol):
    """A channel plugin."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do; a class attribute will do."""
        ...

    async def run(self, port: Port, *, task_status: trio.TaskStatus[None]) -> None:
        """Serve until cancelled; `task_status.started()` says that the channel is open."""
        ...


ChannelFactory: TypeAlias = Callable[[Mapping[str, Any]], Channel]
"""`create(options)`; a wrong option is a `ConfigError` that names it."""
