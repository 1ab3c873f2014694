"""What the service shows of its state: typed, with names instead of numbers."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

PRESENCES = ("signed_out", "not_ready", "ready")
CONTACT_STATES = ("waiting", "offered", "connecting", "engaged", "scheduled")
OUTCOMES = ("served", "abandoned", "blocked", "withdrawn", "overflowed")
HOURS = ("open", "closing", "closed")
CHANNEL_STATES = ("starting", "open", "failed", "connected", "gone")


class QueueOverview(msgspec.Struct, frozen=True):
    """A queue now; `oldest_enqueued_at_us` is None when nobody waits, `hours` is one of `HOURS`."""

    name: str
    waiting: int
    oldest_enqueued_at_us: int | None
    hours: str = HOURS[0]


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
    joined: int = 0


class ChannelOverview(msgspec.Struct, frozen=True):
    """A channel now; times in Unix microseconds.

    Attributes:
        state: one of `CHANNEL_STATES`; the last two are those of another process's plugin.
        reason: why a hosted one ended last; empty = it never has.
        failures: how often it has.
        gone_since_us: since when nobody has been there for its customers; None = somebody is.
        kept_until_us: until when its contacts are kept meanwhile; None = for ever, or nobody is gone.
    """

    name: str
    state: str
    reason: str = ""
    failures: int = 0
    gone_since_us: int | None = None
    kept_until_us: int | None = None


class ContactCounts(msgspec.Struct, frozen=True):
    """Live contacts by state."""

    waiting: int
    offered: int
    connecting: int
    engaged: int
    scheduled: int = 0


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
    """A contact in hand: "connecting" (until `deadline_us`) or "engaged".

    Attributes:
        on_hold: the customer waits on the line.
        parked: it takes no units for now.
        participants: the agents who are in it beside this one, in the order of joining.
    """

    contact: int
    channel: str
    queue: str
    state: str
    deadline_us: int | None
    arrived_at_us: int
    on_hold: bool
    parked: bool
    participants: list[str]


class DeskWrapUp(msgspec.Struct, frozen=True):
    """After-contact work."""

    contact: int
    channel: str
    deadline_us: int


class DeskInvitation(msgspec.Struct, frozen=True):
    """An invitation into a contact that `agent` serves; accept or decline `offer`."""

    offer: int
    contact: int
    channel: str
    queue: str
    agent: str
    deadline_us: int


class DeskJoined(msgspec.Struct, frozen=True):
    """A contact that the agent is in, and that `agent` serves."""

    contact: int
    channel: str
    queue: str
    agent: str
    joined_at_us: int
    arrived_at_us: int


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
    invitations: list[DeskInvitation]
    joined: list[DeskJoined]


class ContactState(msgspec.Struct, frozen=True):
    """A contact, live (`CONTACT_STATES`) or ended (`OUTCOMES`).

    Attributes:
        agent: who has it, or had it last.
        queue: None for an ended one, as is `arrived_at_us`.
        enqueued_at_us: since when it waits, or waited; of a scheduled one the time before which it does not.
        participants: who is in it beside the agent, in the order of joining.
        ended_at_us: None for a live one.
        place_used: another contact has taken the place that it had.
    """

    contact: int
    channel: str
    state: str
    agent: str | None
    queue: str | None = None
    arrived_at_us: int | None = None
    enqueued_at_us: int | None = None
    ended_at_us: int | None = None
    on_hold: bool = False
    parked: bool = False
    participants: tuple[str, ...] = ()
    place_used: bool = False

    def has(self, agent: str) -> bool:
        """Return whether an agent serves it, or is in it."""
        return self.agent == agent or agent in self.participants


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
        [
            QueueOverview(names.name("queue", one), waiting, oldest or None, HOURS[hours])
            for one, waiting, oldest, hours in queues
        ],
        [
            AgentOverview(names.name("agent", one), PRESENCES[presence], _reason(names, reason), *rest)
            for one, presence, reason, *rest in agents
        ],
        ContactCounts(*contacts),
    )


def desk_state(names: Naming, seq: int, agent: str, raw: tuple[Any, ...]) -> DeskState:
    """Make a desk's state from `Router.desk()`."""
    presence, reason, signing_out, locked, misses, idle_since, *lists = raw
    offers, contacts, wrap_ups, invitations, joined = lists
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
                on_hold,
                parked,
                [names.name("agent", one) for one in participants],
            )
            for contact, channel, queue, state, deadline, arrived, on_hold, parked, participants in contacts
        ],
        [
            DeskWrapUp(contact, names.name("channel", channel), deadline)
            for contact, channel, deadline in wrap_ups
        ],
        [DeskInvitation(offer, *_served(names, *what), until) for offer, *what, until in invitations],
        [DeskJoined(*_served(names, *what), since, arrived) for *what, since, arrived in joined],
    )


def _served(names: Naming, contact: int, channel: int, queue: int, agent: int) -> tuple[int, str, str, str]:
    return contact, names.name("channel", channel), names.name("queue", queue), names.name("agent", agent)


def live_contact(names: Naming, contact: int, raw: tuple[Any, ...]) -> ContactState:
    """Make a live contact's state from `Router.contact()`."""
    channel, queue, state, agent, arrived, enqueued, on_hold, parked, participants = raw
    return ContactState(
        contact,
        names.name("channel", channel),
        CONTACT_STATES[state],
        names.name("agent", agent) or None,
        names.name("queue", queue),
        arrived,
        enqueued,
        on_hold=on_hold,
        parked=parked,
        participants=tuple(names.name("agent", one) for one in participants),
    )


def ended_contact(names: Naming, contact: int, raw: tuple[int, ...]) -> ContactState:
    """Make an ended contact's state from `Router.ended()`."""
    channel, outcome, last_agent, ended_at, enqueued_at, place_used = raw
    return ContactState(
        contact,
        names.name("channel", channel),
        OUTCOMES[outcome],
        names.name("agent", last_agent) or None,
        enqueued_at_us=enqueued_at,
        ended_at_us=ended_at,
        place_used=bool(place_used),
    )


def _reason(names: Naming, reason: int) -> str | None:
    return names.name("reason", reason) or None
