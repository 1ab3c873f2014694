"""What happens to contacts while they wait, and to the queues they wait in."""

from __future__ import annotations

from typing import NamedTuple

from tests.oracle.causes import ChoiceCause, EndedBy, PreferenceOverCause
from tests.oracle.config import Goal, QueueState, When


class Changed(NamedTuple):
    """A supervisor changed a waiting contact; the values are the new ones."""

    at: int
    contact: int
    channel: int
    queue: int
    head_start_us: int


class Withdrawn(NamedTuple):
    """A contact was ended before anyone was engaged; `agent` was connecting it, or 0."""

    at: int
    contact: int
    channel: int
    queue: int
    agent: int
    by: EndedBy


class Relaxed(NamedTuple):
    """A waiting contact has come to its queue's next step; the head start is the new one."""

    at: int
    contact: int
    channel: int
    queue: int
    step: int
    head_start_us: int


class PreferenceOver(NamedTuple):
    """A waiting contact may go to any agent from here on."""

    at: int
    contact: int
    channel: int
    queue: int
    cause: PreferenceOverCause


class EstimateScored(NamedTuple):
    """Its queue's estimates are measured by this contact, which is engaged now."""

    at: int
    contact: int
    channel: int
    queue: int
    estimate_us: int
    p90_us: int
    actual_us: int


class HoursChanged(NamedTuple):
    """A queue opens, closes or serves out."""

    at: int
    queue: int
    state: QueueState


class Overflowed(NamedTuple):
    """A contact leaves its queue by one of its rules: for another one, or for a place outside."""

    at: int
    contact: int
    channel: int
    queue: int
    cause: When
    to_kind: Goal
    to: int


class AnnouncementDue(NamedTuple):
    """A waiting contact may be told its position (1 is the next) and how long it will wait."""

    at: int
    contact: int
    channel: int
    queue: int
    position: int
    p50_us: int
    p90_us: int


class Scheduled(NamedTuple):
    """A contact is for later: it waits from `until` on."""

    at: int
    contact: int
    channel: int
    queue: int
    until: int


class Lifted(NamedTuple):
    """A waiting contact stands in a better tier, since there is little time left to reply."""

    at: int
    contact: int
    channel: int
    queue: int
    tier: int
    reply_by: int


class ChoiceWanted(NamedTuple):
    """A strategy from outside is asked, until `deadline`, which of these agents is to have a contact."""

    at: int
    choice: int
    contact: int
    channel: int
    queue: int
    deadline: int
    agents: tuple[int, ...]


class ChoiceOver(NamedTuple):
    """The choice is over: the contact is offered to `agent`, or to nobody (0)."""

    at: int
    choice: int
    contact: int
    channel: int
    agent: int
    cause: ChoiceCause


class Reserved(NamedTuple):
    """An agent is kept for a contact that lighter ones have passed for long."""

    at: int
    contact: int
    channel: int
    agent: int


class Unreserved(NamedTuple):
    """The agent may not have it any more, and is not kept for it."""

    at: int
    contact: int
    channel: int
    agent: int
