"""Everything that can have happened, in the field order of `event.rs`; `KINDS` has the numbers."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, TypeAlias


class QueuedCause(IntEnum):
    """Why a contact stands in a queue (again)."""

    ARRIVAL = 0
    TRANSFER = 1
    OFFER_ENDED = 2
    CONNECT_FAILED = 3
    RESTART = 4


class BlockedCause(IntEnum):
    """Why a contact was blocked."""

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


class Configured(NamedTuple):
    """A configuration is in force."""

    at: int
    hash: bytes


class Restarted(NamedTuple):
    """The service has started again."""

    at: int


class Arrived(NamedTuple):
    """A contact exists from here on."""

    at: int
    contact: int
    channel: int
    key: bytes
    queue: int
    weight: int


class Queued(NamedTuple):
    """A contact waits; tier, `enqueued_at - head_start_us` and the order of queueing are its place."""

    at: int
    contact: int
    channel: int
    queue: int
    tier: int
    enqueued_at: int
    head_start_us: int
    cause: QueuedCause


class Blocked(NamedTuple):
    """There was no room; the contact is over."""

    at: int
    contact: int
    channel: int
    queue: int
    cause: BlockedCause


class OfferMade(NamedTuple):
    """A contact is proposed to an agent until `deadline`."""

    at: int
    offer: int
    contact: int
    channel: int
    queue: int
    agent: int
    deadline: int


class OfferAccepted(NamedTuple):
    """The agent took it."""

    at: int
    offer: int
    contact: int
    channel: int
    agent: int


class OfferDeclined(NamedTuple):
    """The agent refused it."""

    at: int
    offer: int
    contact: int
    channel: int
    agent: int
    reason: int


class OfferExpired(NamedTuple):
    """The agent did not answer (RONA)."""

    at: int
    offer: int
    contact: int
    channel: int
    agent: int


class OfferWithdrawn(NamedTuple):
    """The engine took it back."""

    at: int
    offer: int
    contact: int
    channel: int
    agent: int
    cause: WithdrawnCause


class Connecting(NamedTuple):
    """The channel is asked to connect customer and agent until `deadline`."""

    at: int
    contact: int
    channel: int
    agent: int
    deadline: int


class Engaged(NamedTuple):
    """Customer and agent are talking."""

    at: int
    contact: int
    channel: int
    agent: int


class ConnectFailed(NamedTuple):
    """They could not be connected."""

    at: int
    contact: int
    channel: int
    agent: int
    by: EndedBy


class Abandoned(NamedTuple):
    """The customer left before anyone was engaged; the contact is over."""

    at: int
    contact: int
    channel: int
    queue: int


class Ended(NamedTuple):
    """An engaged contact is over: served."""

    at: int
    contact: int
    channel: int
    queue: int
    agent: int
    by: EndedBy


class Transferred(NamedTuple):
    """An agent passed the contact on."""

    at: int
    contact: int
    channel: int
    agent: int
    from_queue: int
    to_queue: int


class AgentSignedIn(NamedTuple):
    """An agent has started work; `AgentReady` or `AgentNotReady` follows."""

    at: int
    agent: int


class AgentReady(NamedTuple):
    """The agent wants contacts."""

    at: int
    agent: int


class AgentNotReady(NamedTuple):
    """The agent wants none."""

    at: int
    agent: int
    reason: int


class AgentSigningOut(NamedTuple):
    """The agent leaves after what it has in hand."""

    at: int
    agent: int


class AgentSignedOut(NamedTuple):
    """The agent has left."""

    at: int
    agent: int


class AgentLocked(NamedTuple):
    """Too many offers in a row expired."""

    at: int
    agent: int
    misses: int


class AgentUnlocked(NamedTuple):
    """The lock was lifted."""

    at: int
    agent: int


class WrapUpStarted(NamedTuple):
    """After-contact work, until `deadline` or earlier."""

    at: int
    agent: int
    contact: int
    channel: int
    deadline: int


class WrapUpEnded(NamedTuple):
    """It is over."""

    at: int
    agent: int
    contact: int
    channel: int
    by: EndedBy


class Changed(NamedTuple):
    """A supervisor changed a waiting contact; the values are the new ones."""

    at: int
    contact: int
    channel: int
    queue: int
    head_start_us: int


class Withdrawn(NamedTuple):
    """A supervisor ended a contact before anyone was engaged."""

    at: int
    contact: int
    channel: int
    queue: int


Event: TypeAlias = (
    Configured
    | Restarted
    | Arrived
    | Queued
    | Blocked
    | OfferMade
    | OfferAccepted
    | OfferDeclined
    | OfferExpired
    | OfferWithdrawn
    | Connecting
    | Engaged
    | ConnectFailed
    | Abandoned
    | Ended
    | Transferred
    | AgentSignedIn
    | AgentReady
    | AgentNotReady
    | AgentSigningOut
    | AgentSignedOut
    | AgentLocked
    | AgentUnlocked
    | WrapUpStarted
    | WrapUpEnded
    | Changed
    | Withdrawn
)

KINDS: dict[type[Event], int] = {
    Configured: 64,
    Restarted: 65,
    Arrived: 66,
    Queued: 67,
    Blocked: 68,
    OfferMade: 69,
    OfferAccepted: 70,
    OfferDeclined: 71,
    OfferExpired: 72,
    OfferWithdrawn: 73,
    Connecting: 74,
    Engaged: 75,
    ConnectFailed: 76,
    Abandoned: 77,
    Ended: 78,
    Transferred: 79,
    AgentSignedIn: 80,
    AgentReady: 81,
    AgentNotReady: 82,
    AgentSigningOut: 83,
    AgentSignedOut: 84,
    AgentLocked: 85,
    AgentUnlocked: 86,
    WrapUpStarted: 87,
    WrapUpEnded: 88,
    Changed: 89,
    Withdrawn: 90,
}
