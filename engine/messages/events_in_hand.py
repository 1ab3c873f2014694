"""What happens to a contact in an agent's hands: `crates/router_core/src/event.rs` in Python."""

from __future__ import annotations

from engine.messages.event_base import EndedBy, Event, InvitationEnd


class Held(Event, tag=93, frozen=True, kw_only=True):
    """The customer waits on the line."""

    contact: int
    channel: int
    agent: int


class Resumed(Event, tag=94, frozen=True, kw_only=True):
    """The agent goes on with a customer on hold."""

    contact: int
    channel: int
    agent: int


class Parked(Event, tag=95, frozen=True, kw_only=True):
    """The contact takes no units for now; it stays in its agent's hands."""

    contact: int
    channel: int
    agent: int


class Unparked(Event, tag=96, frozen=True, kw_only=True):
    """It takes its units again."""

    contact: int
    channel: int
    agent: int


class Invited(Event, tag=97, frozen=True, kw_only=True):
    """An agent is asked to join a contact until `deadline`; `offer` is what it answers."""

    offer: int
    contact: int
    channel: int
    queue: int
    agent: int
    invitee: int
    deadline: int


class Joined(Event, tag=98, frozen=True, kw_only=True):
    """An agent is in the contact beside the one who serves it."""

    contact: int
    channel: int
    agent: int


class InvitationOver(Event, tag=99, frozen=True, kw_only=True):
    """The agent who was asked has not joined."""

    offer: int
    contact: int
    channel: int
    agent: int
    how: InvitationEnd


class Left(Event, tag=100, frozen=True, kw_only=True):
    """An agent is in the contact no more."""

    contact: int
    channel: int
    agent: int
    by: EndedBy


class HandedOver(Event, tag=101, frozen=True, kw_only=True):
    """The agent who served it has left it to another who is in it."""

    contact: int
    channel: int
    queue: int
    from_agent: int
    to_agent: int


class TakenOver(Event, tag=102, frozen=True, kw_only=True):
    """A supervisor has taken it."""

    contact: int
    channel: int
    queue: int
    from_agent: int
    to_agent: int


class TransferredOut(Event, tag=103, frozen=True, kw_only=True):
    """The agent has passed it on to a place outside; `Ended` follows."""

    contact: int
    channel: int
    queue: int
    agent: int
    target: int


class LeaseLostEvent(Event, tag=114, frozen=True, kw_only=True):
    """An agent's lease was lost; `contacts` are the engaged ones that go back to their places.

    What else it had in hand is told by what follows, which concerns each contact's channel.
    """

    agent: int
    contacts: tuple[int, ...]
