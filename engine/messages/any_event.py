"""All events together: importing this enters every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Union

from engine.messages import events, events_in_hand, events_of_queues, events_waiting
from engine.messages.event_base import Event

__all__ = ["AnyEvent", "events", "events_in_hand", "events_of_queues", "events_waiting"]

# What a decoder needs is the union of the classes above; what a reader and mypy need is their base.
if TYPE_CHECKING:
    AnyEvent = Event
else:
    AnyEvent = Union[tuple(Event.__subclasses__())]  # noqa: UP007
