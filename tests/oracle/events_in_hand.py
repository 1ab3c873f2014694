"""What happens to a contact in an agent's hands, in the field order of `event.rs`."""

from __future__ import annotations

from typing import NamedTuple

from tests.oracle.causes import EndedBy, InvitationEnd


class Held(NamedTuple):
    """The customer waits on the line."""

    at: int
    contact: int
    channel: int
    agent: int


class Resumed(NamedTuple):
    """The agent goes on with a customer on hold."""

    at: int
    contact: int
    channel: int
    agent: int


class Parked(NamedTuple):
    """The contact takes no units for now."""

    at: int
    contact: int
    channel: int
    agent: int


class Unparked(NamedTuple):
    """It takes its units again."""

    at: int
    contact: int
    channel: int
    agent: int


class Invited(NamedTuple):
    """An agent is asked to join a contact until `deadline`."""

    at: int
    offer: int
    contact: int
    channel: int
    queue: int
    agent: int
    invitee: int
    deadline: int


class Joined(NamedTuple):
    """An agent is in the contact beside the one who serves it."""

    at: int
    contact: int
    channel: int
    agent: int


class InvitationOver(NamedTuple):
    """The agent who was asked has not joined."""

    at: int
    offer: int
    contact: int
    channel: int
    agent: int
    how: InvitationEnd


class Left(NamedTuple):
    """An agent is in the contact no more."""

    at: int
    contact: int
    channel: int
    agent: int
    by: EndedBy


class HandedOver(NamedTuple):
    """The agent who served it has left it to another who is in it."""

    at: int
    contact: int
    channel: int
    queue: int
    from_agent: int
    to_agent: int


class TakenOver(NamedTuple):
    """A supervisor has taken it."""

    at: int
    contact: int
    channel: int
    queue: int
    from_agent: int
    to_agent: int


class TransferredOut(NamedTuple):
    """The agent has passed it on to a place outside; it ends with this."""

    at: int
    contact: int
    channel: int
    queue: int
    agent: int
    target: int
