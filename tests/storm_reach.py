"""What of a command's fields says something: which of them random commands have reached."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from itertools import product
from typing import Any

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.config import (
    AgentConfig,
    ChannelConfig,
    Contract,
    DomainConfig,
    Goal,
    Lower,
    Need,
    Order,
    QueueConfig,
    QueueState,
    RelaxStep,
    SkillWeight,
    When,
)
from tests.oracle.oracle import Oracle
from tests.oracle.state import Agent, Contact, Offer, State

DIRECT = ("units", "channel", "shut", "shuts", "rings", "beside")
"""What does not keep a contact from an agent that it is for beyond its capacity: too few units free, none
at all, something exclusive in hand, being exclusive itself, another offer, another of the same kind."""

OPTIONAL: tuple[type[Any], ...] = (
    cmd.Arrive,
    cmd.Transfer,
    cmd.Change,
    cmd.Hours,
    cmd.Release,
    QueueConfig,
    RelaxStep,
    ChannelConfig,
    AgentConfig,
    DomainConfig,
    Need,
)
"""Whose fields have defaults, every one of which must be left at some time."""


NAMED = (Need, Lower, SkillWeight, Contract)
"""What must stand somewhere, whatever it says."""


def told(value: Any) -> Iterator[str]:
    """Yield `Type.field` for every field, all the way down, that is not at its default; orders by name."""
    if isinstance(value, Order):
        yield f"Order.{value.name}"
    if not isinstance(value, tuple):
        return
    defaults: dict[str, Any] = getattr(value, "_field_defaults", {})
    for name, default in defaults.items():
        if getattr(value, name) != default:
            yield f"{type(value).__name__}.{name}"
    if isinstance(value, NAMED):
        yield type(value).__name__
    for item in value:
        yield from told(item)


ENUMS: dict[type[Any], tuple[type[IntEnum], ...]] = {
    ev.Queued: (ev.QueuedCause,),
    ev.Blocked: (ev.BlockedCause,),
    ev.OfferWithdrawn: (ev.WithdrawnCause,),
    ev.PreferenceOver: (ev.PreferenceOverCause,),
    ev.HoursChanged: (QueueState,),
    ev.Overflowed: (When, Goal),
    ev.ChoiceOver: (ev.ChoiceCause,),
}
"""Events whose causes must all be reached, those of one event in every combination."""


def ways(event: ev.Event) -> Iterator[str]:
    """Yield what an event says of why it has happened."""
    if type(event) in ENUMS:
        values = [value for value in event if isinstance(value, IntEnum)]
        yield _way(type(event), *values)


def _way(kind: type[Any], *values: IntEnum) -> str:
    return " ".join((kind.__name__, *(value.name.lower() for value in values)))


def all_ways() -> set[str]:
    """Return everything that `ways` can yield and a storm must reach."""
    return {_way(kind, *values) for kind, enums in ENUMS.items() for values in product(*enums)}


def all_fields() -> set[str]:
    """Return everything that `told` can yield and a storm must reach."""
    fields = {f"{kind.__name__}.{name}" for kind in OPTIONAL for name in kind._field_defaults}
    return fields | {f"Order.{order.name}" for order in Order} | {kind.__name__ for kind in NAMED}


class Reaching(Oracle):
    """An oracle that notes what was offered beyond an agent's capacity, and in spite of what."""

    def __init__(self, reached: set[str]) -> None:
        super().__init__()
        self.reached = reached

    def make_offer(self, contact: Contact, agent: Agent) -> Offer:
        """Note what would have been in the way."""
        if not self.has_room(contact, agent):
            self.reached.update(self._in_the_way(contact, agent))
        return super().make_offer(contact, agent)

    def _in_the_way(self, contact: Contact, agent: Agent) -> Iterator[str]:
        held = [(channel, units) for channel, units in self.in_hand(agent) if units > 0]
        here = sum(units for channel, units in held if channel == contact.channel)
        most = agent.units.get(contact.channel, 0)
        if not most:
            yield "channel"
        elif here + contact.weight > most:
            yield "units"
        if any(self.exclusive(channel) for channel, _ in held):
            yield "shut"
        if held and self.exclusive(contact.channel):
            yield "shuts"
        for other in agent.contacts.values():
            if other.state is State.OFFERED:
                yield "rings"
                if self.direct(other, agent):
                    yield "beside"
