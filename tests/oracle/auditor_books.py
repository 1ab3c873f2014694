"""The auditor's books: contacts and agents as events tell of them, and the sums that must come out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.oracle import events as ev
from tests.oracle.config import QueueState


class Step(Enum):
    """Where a contact stands; those after `OVERFLOWED` last only within one batch of events."""

    WAITING = "waiting"
    OFFERED = "offered"
    CONNECTING = "connecting"
    ENGAGED = "engaged"
    SCHEDULED = "scheduled"
    SERVED = "served"
    ABANDONED = "abandoned"
    BLOCKED = "blocked"
    WITHDRAWN = "withdrawn"
    OVERFLOWED = "overflowed"
    NEW = "new"
    RETURNING = "returning"
    ACCEPTED = "accepted"
    UNCONNECTED = "unconnected"
    PASSED_ON = "passed on"
    OVERFLOWING = "overflowing"


LASTING = tuple(Step)[:10]
OVER = {Step.SERVED, Step.ABANDONED, Step.BLOCKED, Step.WITHDRAWN, Step.OVERFLOWED}
QUEUED_FROM = {
    ev.QueuedCause.ARRIVAL: Step.NEW,
    ev.QueuedCause.TRANSFER: Step.PASSED_ON,
    ev.QueuedCause.OFFER_ENDED: Step.RETURNING,
    ev.QueuedCause.CONNECT_FAILED: Step.UNCONNECTED,
    ev.QueuedCause.RESTART: Step.RETURNING,
    ev.QueuedCause.OVERFLOW: Step.OVERFLOWING,
    ev.QueuedCause.SCHEDULED: Step.SCHEDULED,
    ev.QueuedCause.LEASE_LOST: Step.ENGAGED,
}


@dataclass(slots=True)
class Seen:
    """A contact as its events tell of it."""

    channel: int
    step: Step = Step.NEW
    queue: int = 0
    agent: int = 0
    offers: dict[int, int] = field(default_factory=dict)
    """Open offer -> agent."""
    rung_at: int = 0
    invitations: dict[int, int] = field(default_factory=dict)
    participants: list[int] = field(default_factory=list)
    held: bool = False
    parked: bool = False
    going_out: bool = False
    place: tuple[int, int, int] | None = None
    relaxed: int | None = 0
    """None: a configuration came, and may have taken steps away."""
    open: bool = False
    """Its preference is over, so it cannot end again."""
    hops: int = 0
    unanswered: int = 0
    line: int = 0
    """Who got into a queue first, among equals."""
    announced: int | None = 0
    """None: a configuration came, and may have begun the announcements anew."""
    choice: int = 0
    """The choice that runs for it."""
    choice_deadline: int = 0
    chosen: int = 0
    """Who is to be offered it next, since a choice is over."""
    kept: int = 0
    """The agent that is kept for it."""
    until: int = 0
    """When a contact for later is to wait."""
    reply_by: int = 0
    """As far as an event has said it: until when the contact may be offered."""

    def stands(self) -> tuple[int, int, int]:
        """Return what it is ordered by in its queue."""
        assert self.place is not None
        tier, enqueued_at, head_start_us = self.place
        return tier, enqueued_at - head_start_us, self.line


@dataclass(slots=True)
class Person:
    """An agent as its events tell of it."""

    present: bool = False
    ready: bool = False
    signing_out: bool = False
    locked: bool | None = False
    """None: a configuration came while the agent was out, and may have made it new."""
    contacts: set[int] = field(default_factory=set)
    joined: set[int] = field(default_factory=set)
    kept_for: int = 0
    """The contact that it is kept for."""
    wrap_ups: Counter[int] = field(default_factory=Counter)

    def busy(self) -> bool:
        """Return whether something is in hand."""
        return bool(self.contacts or self.joined or self.wrap_ups)


class Books:
    """What has been seen so far."""

    def __init__(self) -> None:
        self.contacts: dict[int, Seen] = {}
        self.agents: dict[int, Person] = {}
        self.hours: dict[int, QueueState | None] = {}
        """None: a configuration came, and may have made the queue new."""
        self.totals: Counter[Step] = Counter()
        self.arrived = 0
        self.last_offer = 0
        self.last_line = 0
        self.configurations = 0
        self.last_choice = 0
        self.left: Counter[int] = Counter()
        """Since when those have waited who left, and whose places are free."""
        self.at = 0
        self.losing = 0
        """Whose lease was lost just now."""
        self.going_back: set[int] = set()
        """The contacts that it said would go back to their places."""
        self._unsettled: set[int] = set()

    def counts(self) -> dict[str, int]:
        """Return how many contacts stand in each lasting state."""
        return {step.value: self.totals[step] for step in LASTING}

    def open_contact(self, number: int, contact: Seen) -> None:
        """Enter a new contact."""
        self.contacts[number] = contact
        self.totals[Step.NEW] += 1
        self._unsettled.add(number)

    def move(self, event: Any, sources: set[Step], target: Step) -> Seen:
        """Let a contact go from one of these steps to another."""
        contact = self.contacts[event.contact]
        assert contact.step in sources, f"{event} while {contact.step.value}"
        assert contact.channel == event.channel, f"{event}: channel {contact.channel}"
        self.totals[contact.step] -= 1
        self.totals[target] += 1
        contact.step = target
        if contact.kept and target not in {Step.WAITING, Step.OVERFLOWING}:
            self.agents[contact.kept].kept_for = contact.kept = 0
        self._unsettled.add(event.contact)
        return contact

    def of_agent(self, event: Any, sources: set[Step], target: Step) -> Seen:
        """Do that with a contact that is this agent's."""
        contact = self.move(event, sources, target)
        assert contact.agent == event.agent, f"{event}: it has agent {contact.agent}"
        return contact

    def let_go(self, contact: Seen, number: int) -> None:
        """Take a contact out of its agent's hands."""
        self.agents[contact.agent].contacts.remove(number)
        contact.agent, contact.held, contact.parked = 0, False, False

    def take_number(self, event: ev.OfferMade | ev.Invited) -> None:
        """Check that offers and invitations are counted in one row."""
        assert event.offer == self.last_offer + 1, f"{event}: after offer {self.last_offer}"
        assert event.deadline > event.at, f"{event}: no time to answer"
        self.last_offer = event.offer

    def settle(self) -> None:
        """Check what must hold when nothing is under way."""
        for number in self._unsettled:
            contact = self.contacts[number]
            assert contact.step in LASTING, f"contact {number} was left {contact.step.value}"
            assert (contact.step is Step.OFFERED) == bool(contact.offers), f"{number}: {contact.offers}"
            assert contact.step is Step.ENGAGED or not (contact.invitations or contact.participants), (
                f"contact {number} has company while {contact.step.value}"
            )
            assert not contact.going_out or contact.step is Step.SERVED, f"contact {number} went nowhere"
            assert not contact.chosen, f"contact {number} was not offered to agent {contact.chosen}"
            if contact.step in OVER:
                del self.contacts[number]
        self._unsettled.clear()
        assert not self.going_back, f"contacts {self.going_back} have not gone back"
        assert self.arrived == sum(self.totals[step] for step in LASTING), f"lost: {self.counts()}"
        for number, agent in self.agents.items():
            held = agent.busy()
            assert held or not agent.signing_out, f"agent {number} should have left"
            assert agent.present or not held, f"agent {number} left with something in hand"
            there = agent.ready and not agent.signing_out and agent.locked is not True
            assert there or not agent.kept_for, f"agent {number} is kept for {agent.kept_for}"
