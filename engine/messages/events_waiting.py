"""What happens to a contact while it waits, or before: `crates/router_core/src/event.rs` in Python."""

from __future__ import annotations

from engine.messages.event_base import ChoiceCause, Event


class Reserved(Event, tag=108, frozen=True, kw_only=True):
    """An agent is kept for a contact that lighter ones have passed for too long."""

    contact: int
    channel: int
    agent: int


class Unreserved(Event, tag=109, frozen=True, kw_only=True):
    """The agent is kept no more, because it could not serve the contact any more."""

    contact: int
    channel: int
    agent: int


class Scheduled(Event, tag=110, frozen=True, kw_only=True):
    """A contact has arrived that is not to wait before `until`."""

    contact: int
    channel: int
    queue: int
    until: int


class Lifted(Event, tag=111, frozen=True, kw_only=True):
    """A waiting contact goes before the others of its queue, because it has to be answered by `reply_by`."""

    contact: int
    channel: int
    queue: int
    tier: int
    reply_by: int


class ChoiceWanted(Event, tag=112, frozen=True, kw_only=True):
    """Somebody outside is asked until `deadline` whom of these it goes to, the fallback's first one first."""

    choice: int
    contact: int
    channel: int
    queue: int
    deadline: int
    agents: tuple[int, ...]


class ChoiceOver(Event, tag=113, frozen=True, kw_only=True):
    """It is decided whom the contact is offered to; agent 0 = nobody can have it just now."""

    choice: int
    contact: int
    channel: int
    agent: int
    cause: ChoiceCause
