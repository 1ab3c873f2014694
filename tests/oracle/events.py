"""Everything that can have happened, in the field order of `event.rs`; `KINDS` has the numbers."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from tests.oracle.causes import (
    BlockedCause,
    ChoiceCause,
    EndedBy,
    InvitationEnd,
    PreferenceOverCause,
    QueuedCause,
    ReleasedBy,
    WithdrawnCause,
)
from tests.oracle.events_in_hand import (
    HandedOver,
    Held,
    InvitationOver,
    Invited,
    Joined,
    Left,
    Parked,
    Resumed,
    TakenOver,
    TransferredOut,
    Unparked,
)
from tests.oracle.events_of_agents import (
    AgentLocked,
    AgentNotReady,
    AgentReady,
    AgentSignedIn,
    AgentSignedOut,
    AgentSigningOut,
    AgentUnlocked,
    LeaseLost,
    WrapUpEnded,
    WrapUpStarted,
)
from tests.oracle.events_while_waiting import (
    AnnouncementDue,
    Changed,
    ChoiceOver,
    ChoiceWanted,
    EstimateScored,
    HoursChanged,
    Lifted,
    Overflowed,
    PreferenceOver,
    Relaxed,
    Reserved,
    Scheduled,
    Unreserved,
    Withdrawn,
)

__all__ = [
    "KINDS",
    "Abandoned",
    "AgentLocked",
    "AgentNotReady",
    "AgentReady",
    "AgentSignedIn",
    "AgentSignedOut",
    "AgentSigningOut",
    "AgentUnlocked",
    "AnnouncementDue",
    "Arrived",
    "Blocked",
    "BlockedCause",
    "Changed",
    "ChoiceCause",
    "ChoiceOver",
    "ChoiceWanted",
    "Configured",
    "ConnectFailed",
    "Connecting",
    "Ended",
    "EndedBy",
    "Engaged",
    "EstimateScored",
    "Event",
    "HandedOver",
    "Held",
    "HoursChanged",
    "InvitationEnd",
    "InvitationOver",
    "Invited",
    "Joined",
    "LeaseLost",
    "Left",
    "Lifted",
    "OfferAccepted",
    "OfferDeclined",
    "OfferExpired",
    "OfferMade",
    "OfferWithdrawn",
    "Overflowed",
    "Parked",
    "PreferenceOver",
    "PreferenceOverCause",
    "Queued",
    "QueuedCause",
    "Relaxed",
    "ReleasedBy",
    "Reserved",
    "Restarted",
    "Resumed",
    "Scheduled",
    "TakenOver",
    "Transferred",
    "TransferredOut",
    "Unparked",
    "Unreserved",
    "Withdrawn",
    "WithdrawnCause",
    "WrapUpEnded",
    "WrapUpStarted",
]


class Configured(NamedTuple):
    """A configuration is in force; `number` counts those that were accepted."""

    at: int
    hash: bytes
    number: int


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
    """A contact is proposed to an agent until `deadline`; `config` is the configuration's number."""

    at: int
    offer: int
    contact: int
    channel: int
    queue: int
    agent: int
    deadline: int
    config: int


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
    """The customer left before anyone was engaged; `agent` was connecting it, or 0."""

    at: int
    contact: int
    channel: int
    queue: int
    agent: int


class Ended(NamedTuple):
    """An engaged contact is over: served."""

    at: int
    contact: int
    channel: int
    queue: int
    agent: int
    by: EndedBy


class Transferred(NamedTuple):
    """The contact was passed on by its agent or by a supervisor."""

    at: int
    contact: int
    channel: int
    agent: int
    from_queue: int
    to_queue: int
    by: EndedBy


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
    | Relaxed
    | PreferenceOver
    | Held
    | Resumed
    | Parked
    | Unparked
    | Invited
    | Joined
    | InvitationOver
    | Left
    | HandedOver
    | TakenOver
    | TransferredOut
    | EstimateScored
    | HoursChanged
    | Overflowed
    | AnnouncementDue
    | Scheduled
    | Lifted
    | ChoiceWanted
    | ChoiceOver
    | Reserved
    | Unreserved
    | LeaseLost
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
    Relaxed: 91,
    PreferenceOver: 92,
    Held: 93,
    Resumed: 94,
    Parked: 95,
    Unparked: 96,
    Invited: 97,
    Joined: 98,
    InvitationOver: 99,
    Left: 100,
    HandedOver: 101,
    TakenOver: 102,
    TransferredOut: 103,
    EstimateScored: 104,
    HoursChanged: 105,
    Overflowed: 106,
    AnnouncementDue: 107,
    Reserved: 108,
    Unreserved: 109,
    Scheduled: 110,
    Lifted: 111,
    ChoiceWanted: 112,
    ChoiceOver: 113,
    LeaseLost: 114,
}
