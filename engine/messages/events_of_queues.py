"""What happens to queues, and to contacts that leave one for another place."""

from __future__ import annotations

from engine.messages.config import HoursState, OverflowTo, OverflowWhen
from engine.messages.event_base import Event


class HoursChanged(Event, tag=105, frozen=True, kw_only=True):
    """A queue opens, stops taking contacts in, or closes."""

    queue: int
    state: HoursState


class AnnouncementDue(Event, tag=107, frozen=True, kw_only=True):
    """A waiting contact may be told its position (1 = next) and estimated wait; times 0 = no estimate."""

    contact: int
    channel: int
    queue: int
    position: int
    p50_us: int
    p90_us: int


class Overflowed(Event, tag=106, frozen=True, kw_only=True):
    """A rule of `queue` sends the contact on: `Queued` follows, or it is over and its channel has it."""

    contact: int
    channel: int
    queue: int
    cause: OverflowWhen
    to_kind: OverflowTo
    to: int
