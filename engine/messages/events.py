"""Everything that can have happened: `crates/router_core/src/event.rs` in Python.

Three events share their Rust name with a command and carry the suffix `Event` here:
`RestartedEvent`, `ConnectFailedEvent`, `LeaseLostEvent`.
"""

from __future__ import annotations

from engine.messages.event_base import (
    BlockedCause,
    EndedBy,
    Event,
    PreferenceOverCause,
    QueuedCause,
    WithdrawnCause,
)


class Configured(Event, tag=64, frozen=True, kw_only=True):
    """A configuration is in force; `number` counts those that were accepted, from 1."""

    hash: bytes
    number: int


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
    """A contact is proposed to an agent until `deadline`, as configuration number `config` has it."""

    offer: int
    contact: int
    channel: int
    queue: int
    agent: int
    deadline: int
    config: int


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
    """The customer left before anyone was engaged; the contact is over. `agent` was connecting it, or 0."""

    contact: int
    channel: int
    queue: int
    agent: int


class Ended(Event, tag=78, frozen=True, kw_only=True):
    """An engaged contact is over: served."""

    contact: int
    channel: int
    queue: int
    agent: int
    by: EndedBy


class Transferred(Event, tag=79, frozen=True, kw_only=True):
    """The contact was passed on, by its agent or by a supervisor; `agent` served it."""

    contact: int
    channel: int
    agent: int
    from_queue: int
    to_queue: int
    by: EndedBy


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
    """The contact is over before anyone was engaged; `agent` as in `Abandoned`.

    A supervisor released it, or the time was over by which it had to be answered.
    """

    contact: int
    channel: int
    queue: int
    agent: int
    by: EndedBy


class Relaxed(Event, tag=91, frozen=True, kw_only=True):
    """A waiting contact has come to a step of its queue (1, 2, …); the head start is the new one."""

    contact: int
    channel: int
    queue: int
    step: int
    head_start_us: int


class PreferenceOver(Event, tag=92, frozen=True, kw_only=True):
    """A waiting contact that preferred agents is open to everybody from here on."""

    contact: int
    channel: int
    queue: int
    cause: PreferenceOverCause


class EstimateScored(Event, tag=104, frozen=True, kw_only=True):
    """A contact that its queue's estimates are measured by is engaged.

    `estimate_us` and `p90_us` were estimated when it was queued, `actual_us` is what it waited.
    """

    contact: int
    channel: int
    queue: int
    estimate_us: int
    p90_us: int
    actual_us: int
