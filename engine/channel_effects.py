"""What a channel is asked to carry out; `engine.channel`, the contract, gives all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from engine.channel_attachments import AttachedFile


class Wait(msgspec.Struct, frozen=True):
    """How long a waiting contact will probably go on waiting: announce it as a range.

    Attributes:
        p50_us: half of such waits are shorter, microseconds.
        p90_us: nine in ten are.
    """

    p50_us: int
    p90_us: int


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


class Announcement(Effect, frozen=True, kw_only=True):
    """Tell the waiting customer where they stand; the queue says how often (`announce_s`).

    Attributes:
        position: 1 = next.
        wait: how long it will probably go on waiting; None = it cannot be told.
    """

    position: int
    wait: Wait | None


class Scheduled(Effect, frozen=True, kw_only=True):
    """The contact waits in `queue` from `until_ms` on, Unix milliseconds; `Queued` says so then."""

    queue: str
    until_ms: int


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


class Held(Effect, frozen=True, kw_only=True):
    """The agent lets the customer wait on the line, until `Resumed` or the end of the talk."""


class Resumed(Effect, frozen=True, kw_only=True):
    """The agent goes on with a customer on hold."""


class Joined(Effect, frozen=True, kw_only=True):
    """Another agent is in the talk, beside the one who serves the contact."""

    agent: str


class Left(Effect, frozen=True, kw_only=True):
    """An agent who was in it is so no more."""

    agent: str


class ServedBy(Effect, frozen=True, kw_only=True):
    """Another agent serves the contact from now on: it was handed over, or taken over."""

    agent: str


class TransferOut(Effect, frozen=True, kw_only=True):
    """Pass the customer on to a place outside; `Ended` follows.

    Attributes:
        target: the place's name in the configuration.
        address: what the configuration says it is reached by.
        options: whatever else the configuration says of it.
        cause: "" = an agent has passed it on; else the overflow rule that has: "size", "wait", "estimate",
            "no_agent", "closed" or "no_answer".
    """

    target: str
    address: str
    options: Mapping[str, object] = msgspec.field(default_factory=dict)
    cause: str = ""


class MessageOut(Effect, frozen=True, kw_only=True):
    """The agent wrote.

    Attributes:
        text: may be empty beside attachments.
        attachments: files that came with it; `port.attachment` has their bytes. A channel whose capabilities
            say that it takes none gets none.
    """

    message_id: int
    text: str
    attachments: Sequence[AttachedFile] = ()


class Typing(Effect, frozen=True, kw_only=True):
    """The agent is typing, or has stopped; not repeated after a restart."""

    on: bool


class Ended(Effect, frozen=True, kw_only=True):
    """The contact is over; nothing follows for it.

    Attributes:
        outcome: "served", "abandoned", "blocked", "withdrawn" or "overflowed".
        by: "customer", "agent", "deadline", "supervisor" or "engine".
        reason: why it was blocked: "queue_full", "site_full" or "closed"; the cause why it overflowed.
    """

    outcome: str
    by: str
    reason: str = ""
