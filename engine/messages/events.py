"""Everything that can have happened: `crates/router_core/src/event.rs` in Python.

Two events share their Rust name with a command and carry the suffix `Event` here:
`RestartedEvent`, `ConnectFailedEvent`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Union

from engine.messages.frame import Frame


class QueuedCause(IntEnum):
    """Why a contact stands in a queue (again)."""

    ARRIVAL = 0
    TRANSFER = 1
    OFFER_ENDED = 2
    CONNECT_FAILED = 3
    RESTART = 4


class BlockedCause(IntEnum):
    """Which limit was reached when a contact was blocked."""

    QUEUE_FULL = 0
    SITE_FULL = 1


class WithdrawnCause(IntEnum):
    """Why an offer was withdrawn."""

    ABANDONED = 0
    AGENT_LEFT = 1
    RESTART = 2
    RELEASED = 3


class EndedBy(IntEnum):
    """Who or what ended something."""

    CUSTOMER = 0
    AGENT = 1
    DEADLINE = 2
    SUPERVISOR = 3


class Event(Frame, frozen=True, kw_only=True):
    """One fact; `at` is the deadline's own time for what a timer did."""

    at: int


class Configured(Event, tag=64, frozen=True, kw_only=True):
    """A configuration is in force."""

    hash: bytes


class RestartedEvent(Event, tag=65, frozen=True, kw_only=True):
    """The service has started again."""


class Arrived(Event, tag=66, frozen=True, kw_only=True):
    """A contact exists from here on."""

    contact: int
    channel: int
    key: bytes
    queue: int
    weight: int


class Queued(Event, tag=67, frozen=True, kw_only=True):
    """A contact waits, ordered by tier, then `enqueued_at - head_start_us`."""

    contact: int
    channel: int
    queue: int
    tier: int
    enqueued_at: int
    head_start_us: int
    cause: QueuedCause


class Blocked(Event, tag=68, frozen=True, kw_only=True):
    """There was no room; the contact is over."""

    contact: int
    channel: int
    queue: int
    cause: BlockedCause


class OfferMade(Event, tag=69, frozen=True, kw_only=True):
    """A contact is proposed to an agent until `deadline`."""

    offer: int
    contact: int
    channel: int
    queue: int
    agent: int
    deadline: int


class OfferAccepted(Event, tag=70, frozen=True, kw_only=True):
    """The agent took it."""

    offer: int
    contact: int
    channel: int
    agent: int


class OfferDeclined(Event, tag=71, frozen=True, kw_only=True):
    """The agent refused it."""

    offer: int
    contact: int
    channel: int
    agent: int
    reason: int


class OfferExpired(Event, tag=72, frozen=True, kw_only=True):
    """The agent did not answer (RONA)."""

    offer: int
    contact: int
    channel: int
    agent: int


class OfferWithdrawn(Event, tag=73, frozen=True, kw_only=True):
    """The engine took it back."""

    offer: int
    contact: int
    channel: int
    agent: int
    cause: WithdrawnCause


class Connecting(Event, tag=74, frozen=True, kw_only=True):
    """The channel is asked to connect customer and agent until `deadline`."""

    contact: int
    channel: int
    agent: int
    deadline: int


class Engaged(Event, tag=75, frozen=True, kw_only=True):
    """Customer and agent are talking."""

    contact: int
    channel: int
    agent: int


class ConnectFailedEvent(Event, tag=76, frozen=True, kw_only=True):
    """They could not be connected."""

    contact: int
    channel: int
    agent: int
    by: EndedBy


class Abandoned(Event, tag=77, frozen=True, kw_only=True):
    """The customer left before anyone was engaged; the contact is over."""

    contact: int
    channel: int
    queue: int


class Ended(Event, tag=78, frozen=True, kw_only=True):
    """An engaged contact is over: served."""

    contact: int
    channel: int
    queue: int
    agent: int
    by: EndedBy


class Transferred(Event, tag=79, frozen=True, kw_only=True):
    """An agent passed the contact on."""

    contact: int
    channel: int
    agent: int
    from_queue: int
    to_queue: int


class AgentSignedIn(Event, tag=80, frozen=True, kw_only=True):
    """An agent has started work; `AgentReady` or `AgentNotReady` follows."""

    agent: int


class AgentReady(Event, tag=81, frozen=True, kw_only=True):
    """The agent wants contacts."""

    agent: int


class AgentNotReady(Event, tag=82, frozen=True, kw_only=True):
    """The agent wants none; reason 0 = not said."""

    agent: int
    reason: int


class AgentSigningOut(Event, tag=83, frozen=True, kw_only=True):
    """The agent leaves after what it has in hand."""

    agent: int


class AgentSignedOut(Event, tag=84, frozen=True, kw_only=True):
    """The agent has left."""

    agent: int


class AgentLocked(Event, tag=85, frozen=True, kw_only=True):
    """Too many offers in a row expired."""

    agent: int
    misses: int


class AgentUnlocked(Event, tag=86, frozen=True, kw_only=True):
    """The lock was lifted."""

    agent: int


class WrapUpStarted(Event, tag=87, frozen=True, kw_only=True):
    """After-contact work, until `deadline` or earlier."""

    agent: int
    contact: int
    channel: int
    deadline: int


class WrapUpEnded(Event, tag=88, frozen=True, kw_only=True):
    """After-contact work is over."""

    agent: int
    contact: int
    channel: int
    by: EndedBy


class Changed(Event, tag=89, frozen=True, kw_only=True):
    """A waiting contact was given another queue, head start or requirement; these are the new ones."""

    contact: int
    channel: int
    queue: int
    head_start_us: int


class Withdrawn(Event, tag=90, frozen=True, kw_only=True):
    """A supervisor released the contact before anyone was engaged; it is over."""

    contact: int
    channel: int
    queue: int


# What a decoder needs is the union of the classes above; what a reader and mypy need is their base.
if TYPE_CHECKING:
    AnyEvent = Event
else:
    AnyEvent = Union[tuple(Event.__subclasses__())]  # noqa: UP007
