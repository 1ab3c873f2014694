"""What the service shows of its state: typed, with names instead of numbers."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

PRESENCES = ("signed_out", "not_ready", "ready")
CONTACT_STATES = ("waiting", "offered", "connecting", "engaged")
OUTCOMES = ("served", "abandoned", "blocked", "withdrawn")


class QueueOverview(msgspec.Struct, frozen=True):
    """A queue now; `oldest_enqueued_at_us` is None when nobody waits."""

    name: str
    waiting: int
    oldest_enqueued_at_us: int | None


class AgentOverview(msgspec.Struct, frozen=True):
    """An agent now; `presence` is one of `PRESENCES`, the counts are what is in hand."""

    name: str
    presence: str
    reason: str | None
    signing_out: bool
    locked: bool
    offers: int
    connecting: int
    engaged: int
    wrap_ups: int
    idle_since_us: int


class ContactCounts(msgspec.Struct, frozen=True):
    """Live contacts by state."""

    waiting: int
    offered: int
    connecting: int
    engaged: int


class Overview(msgspec.Struct, frozen=True):
    """The site after batch `seq`."""

    seq: int
    at_us: int
    queues: list[QueueOverview]
    agents: list[AgentOverview]
    contacts: ContactCounts


class DeskOffer(msgspec.Struct, frozen=True):
    """An offer that waits for the agent's answer."""

    offer: int
    contact: int
    channel: str
    queue: str
    deadline_us: int
    enqueued_at_us: int


class DeskContact(msgspec.Struct, frozen=True):
    """A contact in hand: "connecting" (until `deadline_us`) or "engaged"."""

    contact: int
    channel: str
    queue: str
    state: str
    deadline_us: int | None
    arrived_at_us: int


class DeskWrapUp(msgspec.Struct, frozen=True):
    """After-contact work."""

    contact: int
    channel: str
    deadline_us: int


class DeskState(msgspec.Struct, frozen=True):
    """An agent's desk after batch `seq`."""

    seq: int
    agent: str
    presence: str
    reason: str | None
    signing_out: bool
    locked: bool
    misses: int
    idle_since_us: int
    offers: list[DeskOffer]
    contacts: list[DeskContact]
    wrap_ups: list[DeskWrapUp]


class ContactState(msgspec.Struct, frozen=True):
    """A contact, live (`CONTACT_STATES`) or ended (`OUTCOMES`).

    Attributes:
        agent: who has it, or had it last.
        queue: None for an ended one, as are `arrived_at_us` and `enqueued_at_us`.
        ended_at_us: None for a live one.
    """

    contact: int
    channel: str
    state: str
    agent: str | None
    queue: str | None = None
    arrived_at_us: int | None = None
    enqueued_at_us: int | None = None
    ended_at_us: int | None = None


class Naming(Protocol):
    """Number to name, as `engine.names.Names` does it."""

    def name(self, kind: str, number: int) -> str:
        """Return the name of a number."""
        ...


def overview(names: Naming, seq: int, at_us: int, raw: tuple[Any, Any, Any]) -> Overview:
    """Make the site's overview from `Router.overview()`."""
    queues, agents, contacts = raw
    return Overview(
        seq,
        at_us,
        [QueueOverview(names.name("queue", one), waiting, oldest or None) for one, waiting, oldest in queues],
        [
            AgentOverview(names.name("agent", one), PRESENCES[presence], _reason(names, reason), *rest)
            for one, presence, reason, *rest in agents
        ],
        ContactCounts(*contacts),
    )


def desk_state(names: Naming, seq: int, agent: str, raw: tuple[Any, ...]) -> DeskState:
    """Make a desk's state from `Router.desk()`."""
    presence, reason, signing_out, locked, misses, idle_since, offers, contacts, wrap_ups = raw
    return DeskState(
        seq,
        agent,
        PRESENCES[presence],
        _reason(names, reason),
        signing_out,
        locked,
        misses,
        idle_since,
        [
            DeskOffer(offer, contact, names.name("channel", channel), names.name("queue", queue), *times)
            for offer, contact, channel, queue, *times in offers
        ],
        [
            DeskContact(
                contact,
                names.name("channel", channel),
                names.name("queue", queue),
                CONTACT_STATES[state],
                deadline or None,
                arrived,
            )
            for contact, channel, queue, state, deadline, arrived in contacts
        ],
        [
            DeskWrapUp(contact, names.name("channel", channel), deadline)
            for contact, channel, deadline in wrap_ups
        ],
    )


def live_contact(names: Naming, contact: int, raw: tuple[int, ...]) -> ContactState:
    """Make a live contact's state from `Router.contact()`."""
    channel, queue, state, agent, arrived, enqueued = raw
    return ContactState(
        contact,
        names.name("channel", channel),
        CONTACT_STATES[state],
        names.name("agent", agent) or None,
        names.name("queue", queue),
        arrived,
        enqueued,
    )


def ended_contact(names: Naming, contact: int, raw: tuple[int, ...]) -> ContactState:
    """Make an ended contact's state from `Router.ended()`."""
    channel, outcome, last_agent, ended_at = raw
    return ContactState(
        contact,
        names.name("channel", channel),
        OUTCOMES[outcome],
        names.name("agent", last_agent) or None,
        ended_at_us=ended_at,
    )


def _reason(names: Naming, reason: int) -> str | None:
    return names.name("reason", reason) or None
