"""The channel contract: all that a channel's author needs to know stands in this file.

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

ASGIApp: TypeAlias = Callable[..., Awaitable[None]]
"""An ASGI 3 application."""


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel can do; the engine and the desk ask for these, never for a channel's name.

    Attributes:
        typing: it can show that the agent is typing, and tell that the customer is.
        receipts: it can tell that a message was delivered.
        max_message_bytes: the longest message either way, in bytes of UTF-8.
    """

    typing: bool = False
    receipts: bool = False
    max_message_bytes: int = 16_384


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
        state: "waiting", "offered", "connecting" or "engaged".
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
    """

    id: int
    position: int
    sender: str
    external_id: str
    text: str
    at_ms: int


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a channel has to carry out.

    Attributes:
        effect_id: the same each time this effect comes: a repeat can be dropped by it.
        contact: whom it concerns.
    """

    effect_id: str
    contact: int


class Queued(Effect, frozen=True, kw_only=True):
    """The contact waits (again) in `queue`; `port.position` says where."""

    queue: str
    cause: str


class Offered(Effect, frozen=True, kw_only=True):
    """The contact is proposed to an agent."""


class Connect(Effect, frozen=True, kw_only=True):
    """Connect customer and agent now, then say `port.connected` or `port.connect_failed`.

    Attributes:
        agent: the agent's name in the configuration.
        deadline_ms: Unix milliseconds after which the contact goes back to its place.
    """

    agent: str
    deadline_ms: int


class Engaged(Effect, frozen=True, kw_only=True):
    """Customer and agent are talking."""

    agent: str


class MessageOut(Effect, frozen=True, kw_only=True):
    """The agent wrote."""

    message_id: int
    text: str


class Typing(Effect, frozen=True, kw_only=True):
    """The agent is typing, or has stopped; not repeated after a restart."""

    on: bool


class Ended(Effect, frozen=True, kw_only=True):
    """The contact is over; nothing follows for it.

    Attributes:
        outcome: "served", "abandoned", "blocked" or "withdrawn".
        by: "customer", "agent", "deadline", "supervisor" or "engine".
    """

    outcome: str
    by: str


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
        requires: Mapping[str, int] | None = None,
    ) -> Arrival:
        """Bring a contact in, exactly once per `external_id`.

        Args:
            external_id: what the outside calls this request; 1..200 characters.
            queue: the queue's name.
            customer_name: kept in the store, never in the journal.
            head_start_ms: how much earlier it counts as having come.
            requires: skill name -> lowest level, beyond what the queue asks for.

        Raises:
            Busy: not taken; try again after `retry_after_ms`.
            Refused: not possible, with the field that is at fault.
        """
        ...

    async def message(self, contact: int, text: str, external_id: str) -> StoredMessage:
        """Store what the customer wrote, once per `external_id`, and show it to the agent.

        Raises:
            UnknownContact: no such contact on this channel.
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

    def position(self, contact: int) -> int | None:
        """Return how many contacts stand before it in its queue; None unless it waits."""
        ...

    def state(self, contact: int) -> str | None:
        """Return "waiting", "offered", "connecting", "engaged", or the outcome of an ended contact.

        None = not this channel's, or too long ago.
        """
        ...

    async def contacts(self) -> Sequence[LiveContact]:
        """Return this channel's live contacts: what a channel finds again after a restart."""
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
