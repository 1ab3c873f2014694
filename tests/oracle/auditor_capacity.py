"""The auditor's eye on room: whom an offer may be made to, by what is configured, asked and in hand.

It knows no rule but this one: an offer leaves room, or the contact is for its agent beyond the capacity.
What joins, is taken over or unparked may fill hands beyond it; then nothing is offered until it is gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.config import ChannelConfig, Config


@dataclass(slots=True)
class Piece:
    """Something in an agent's hands."""

    channel: int
    weight: int
    ringing: bool = False


@dataclass(slots=True)
class Asked:
    """What a contact takes, and who gets it beyond the capacity as things are."""

    weight: int
    direct: frozenset[int]
    wrapped: int = 0
    """What its wrap-up takes: as much as it did when it was let go."""


@dataclass(slots=True)
class Hands:
    """What an agent has: contacts that are offered or served, contacts joined, wrap-ups."""

    contacts: dict[int, Piece] = field(default_factory=dict)
    joined: dict[int, Piece] = field(default_factory=dict)
    wrap_ups: list[tuple[int, Piece]] = field(default_factory=list)

    def pieces(self) -> list[Piece]:
        """Return all of it that takes units."""
        all_of_it = (*self.contacts.values(), *self.joined.values(), *(one for _, one in self.wrap_ups))
        return [one for one in all_of_it if one.weight > 0]


class Capacity:
    """Takes what was asked and what came of it; an offer without room is an AssertionError."""

    def __init__(self) -> None:
        self.channels: dict[int, ChannelConfig] = {}
        self.units: dict[int, dict[int, int]] = {}
        self.contacts: dict[int, Asked] = {}
        self.hands: dict[int, Hands] = {}
        self.beyond = 0
        """Offers that left no room, each to somebody whom it was for."""

    def feed(self, command: cmd.Command | None, events: Iterable[ev.Event]) -> None:
        """Take in a command and its events; those of the deadlines before it are among them."""
        for event in events:
            contact = getattr(event, "contact", 0)
            if isinstance(event, ev.Configured):
                assert isinstance(command, cmd.Configure)
                self.configure(command.config)
            elif isinstance(event, ev.Arrived):
                self.contacts[contact] = Asked(event.weight, direct_of(command))
            elif isinstance(event, ev.OfferMade):
                self.offered(event)
            elif isinstance(event, ev.PreferenceOver | ev.Changed):
                self.contacts[contact].direct = frozenset()
            else:
                self.move(command, event)

    def configure(self, config: Config) -> None:
        """Take over what channels and agents are."""
        self.channels = {channel.id: channel for channel in config.channels}
        self.units = {one.id: {entry.channel: entry.units for entry in one.capacity} for one in config.agents}

    def of(self, agent: int) -> Hands:
        """Return an agent's hands."""
        return self.hands.setdefault(agent, Hands())

    def offered(self, event: ev.OfferMade) -> None:
        """Check that there is room, or need not be."""
        asked, hands = self.contacts[event.contact], self.of(event.agent)
        if not self.room(event.channel, asked.weight, event.agent):
            assert event.agent in asked.direct, f"{event}: no room beside {hands.pieces()}"
            self.beyond += 1
        hands.contacts[event.contact] = Piece(event.channel, asked.weight, ringing=True)

    def room(self, channel: int, weight: int, agent: int) -> bool:
        """Return whether the contact fits beside what the agent has."""
        pieces, units = self.of(agent).pieces(), self.units[agent].get(channel, 0)
        if self.is_so("exclusive", channel):
            calm = all(self.is_so("interruptible", one.channel) and not one.ringing for one in pieces)
            return calm and weight <= units
        shut = any(self.is_so("exclusive", one.channel) for one in pieces)
        return not shut and weight + sum(one.weight for one in pieces if one.channel == channel) <= units

    def is_so(self, flag: str, channel: int) -> bool:
        """Return a channel's flag; one that is configured no more has none."""
        return channel in self.channels and bool(getattr(self.channels[channel], flag))

    def move(self, command: cmd.Command | None, event: Any) -> None:
        """Put things into hands and take them out."""
        match event:
            case ev.OfferAccepted():
                self.of(event.agent).contacts[event.contact].ringing = False
            case ev.Engaged():
                self.contacts[event.contact].direct = frozenset()
            case ev.OfferDeclined() | ev.OfferExpired() | ev.OfferWithdrawn() | ev.ConnectFailed():
                del self.of(event.agent).contacts[event.contact]
            case ev.LeaseLost():
                for contact in event.contacts:
                    del self.of(event.agent).contacts[contact]
            case ev.Abandoned() | ev.Withdrawn() if event.agent:
                del self.of(event.agent).contacts[event.contact]
            case ev.Ended() | ev.Transferred():
                asked = self.contacts[event.contact]
                asked.wrapped = self.of(event.agent).contacts.pop(event.contact).weight
                asked.direct = direct_of(command) if isinstance(event, ev.Transferred) else frozenset()
            case ev.Parked() | ev.Unparked():
                weight = 0 if isinstance(event, ev.Parked) else self.contacts[event.contact].weight
                self.of(event.agent).contacts[event.contact].weight = weight
            case ev.Joined():
                weight = self.contacts[event.contact].weight
                self.of(event.agent).joined[event.contact] = Piece(event.channel, weight)
            case ev.Left():
                del self.of(event.agent).joined[event.contact]
            case ev.HandedOver() | ev.TakenOver():
                asked, heir = self.contacts[event.contact], self.of(event.to_agent)
                asked.wrapped = self.of(event.from_agent).contacts.pop(event.contact).weight
                heir.joined.pop(event.contact, None)
                heir.contacts[event.contact] = Piece(event.channel, asked.weight)
            case ev.WrapUpStarted():
                piece = Piece(event.channel, self.contacts[event.contact].wrapped)
                self.of(event.agent).wrap_ups.append((event.contact, piece))
            case ev.WrapUpEnded():
                ended = next(one for one in self.of(event.agent).wrap_ups if one[0] == event.contact)
                self.of(event.agent).wrap_ups.remove(ended)


def direct_of(command: cmd.Command | None) -> frozenset[int]:
    """Return whom a contact is for beyond the capacity, by the command that says what it asks for."""
    if isinstance(command, cmd.Arrive | cmd.Transfer) and command.beyond_capacity:
        return frozenset(command.preferred)
    return frozenset()
