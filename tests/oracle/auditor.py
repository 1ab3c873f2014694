"""The auditor: holds a stream of events against itself, without knowing any configuration.

It proves what must hold in every contact centre: nobody is offered to two agents, nobody is offered to an
agent who is not there, every contact is in exactly one state, and none is ever lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.oracle import events as ev


class Step(Enum):
    """Where a contact stands; those after `WITHDRAWN` last only within one batch of events."""

    WAITING = "waiting"
    OFFERED = "offered"
    CONNECTING = "connecting"
    ENGAGED = "engaged"
    SERVED = "served"
    ABANDONED = "abandoned"
    BLOCKED = "blocked"
    WITHDRAWN = "withdrawn"
    NEW = "new"
    RETURNING = "returning"
    ACCEPTED = "accepted"
    UNCONNECTED = "unconnected"
    PASSED_ON = "passed on"


LASTING = tuple(Step)[:8]
OVER = {Step.SERVED, Step.ABANDONED, Step.BLOCKED, Step.WITHDRAWN}
QUEUED_FROM = {
    ev.QueuedCause.ARRIVAL: Step.NEW,
    ev.QueuedCause.TRANSFER: Step.PASSED_ON,
    ev.QueuedCause.OFFER_ENDED: Step.RETURNING,
    ev.QueuedCause.CONNECT_FAILED: Step.UNCONNECTED,
    ev.QueuedCause.RESTART: Step.RETURNING,
}


@dataclass(slots=True)
class Seen:
    """A contact as its events tell of it."""

    channel: int
    step: Step = Step.NEW
    queue: int = 0
    agent: int = 0
    offer: int = 0
    place: tuple[int, int, int] | None = None


@dataclass(slots=True)
class Person:
    """An agent as its events tell of it."""

    present: bool = False
    ready: bool = False
    signing_out: bool = False
    locked: bool | None = False
    """None: a configuration came while the agent was out, and may have made it new."""
    contacts: set[int] = field(default_factory=set)
    wrap_ups: Counter[int] = field(default_factory=Counter)


class Auditor:
    """Takes batches of events in; a broken promise is an AssertionError that names the event."""

    def __init__(self) -> None:
        self.contacts: dict[int, Seen] = {}
        self.agents: dict[int, Person] = {}
        self.totals: Counter[Step] = Counter()
        self.arrived = 0
        self.last_offer = 0
        self.at = 0
        self._unsettled: set[int] = set()

    def feed(self, events: Iterable[ev.Event]) -> None:
        """Take in what one command, or one passing of time, has caused."""
        for event in events:
            assert event.at >= self.at, f"time went backwards: {event}"
            self.at = event.at
            RULES[type(event)](self, event)
        self._settle()

    def counts(self) -> dict[str, int]:
        """Return how many contacts stand in each lasting state."""
        return {step.value: self.totals[step] for step in LASTING}

    def _settle(self) -> None:
        for number in self._unsettled:
            step = self.contacts[number].step
            assert step in LASTING, f"contact {number} was left {step.value}"
            if step in OVER:
                del self.contacts[number]
        self._unsettled.clear()
        assert self.arrived == sum(self.totals[step] for step in LASTING), f"lost: {self.counts()}"
        for number, agent in self.agents.items():
            held = agent.contacts or agent.wrap_ups
            assert held or not agent.signing_out, f"agent {number} should have left"
            assert agent.present or not held, f"agent {number} left with something in hand"

    def _move(self, event: Any, sources: set[Step], target: Step) -> Seen:
        contact = self.contacts[event.contact]
        assert contact.step in sources, f"{event} while {contact.step.value}"
        assert contact.channel == event.channel, f"{event}: channel {contact.channel}"
        self.totals[contact.step] -= 1
        self.totals[target] += 1
        contact.step = target
        self._unsettled.add(event.contact)
        return contact

    def _of_agent(self, event: Any, sources: set[Step], target: Step) -> Seen:
        contact = self._move(event, sources, target)
        assert contact.agent == event.agent, f"{event}: it has agent {contact.agent}"
        return contact

    def _let_go(self, contact: Seen, number: int) -> None:
        self.agents[contact.agent].contacts.remove(number)
        contact.agent, contact.offer = 0, 0

    # Contacts

    def new(self, event: ev.Arrived) -> None:
        """Check a new contact: numbers go up by one."""
        self.arrived += 1
        assert event.contact == self.arrived, f"{event}: expected contact {self.arrived}"
        self.contacts[event.contact] = Seen(event.channel, queue=event.queue)
        self.totals[Step.NEW] += 1
        self._unsettled.add(event.contact)

    def queued(self, event: ev.Queued) -> None:
        """Check that a contact keeps its place, unless it has just come in or was passed on."""
        contact = self._move(event, {QUEUED_FROM[event.cause]}, Step.WAITING)
        place = (event.tier, event.enqueued_at, event.head_start_us)
        if event.cause in {ev.QueuedCause.ARRIVAL, ev.QueuedCause.TRANSFER}:
            assert event.enqueued_at == event.at, f"{event}: not queued now"
            contact.place = place
        assert (contact.place, contact.queue) == (place, event.queue), f"{event}: place {contact.place}"

    def blocked(self, event: ev.Blocked) -> None:
        """Check that only an arrival is blocked."""
        self._move(event, {Step.NEW}, Step.BLOCKED)

    def offer_made(self, event: ev.OfferMade) -> None:
        """Check that the contact waits and the agent wants it."""
        contact = self._move(event, {Step.WAITING}, Step.OFFERED)
        agent = self.agents.get(event.agent, Person())
        assert agent.ready, f"{event}: not ready"
        assert not agent.signing_out, f"{event}: signing out"
        assert not agent.locked, f"{event}: locked"
        assert event.offer == self.last_offer + 1, f"{event}: after offer {self.last_offer}"
        assert event.deadline > event.at, f"{event}: no time to answer"
        assert contact.queue == event.queue, f"{event}: queue {contact.queue}"
        self.last_offer = event.offer
        contact.agent, contact.offer = event.agent, event.offer
        agent.contacts.add(event.contact)

    def offer_accepted(self, event: ev.OfferAccepted) -> None:
        """Check the answer against the open offer."""
        contact = self._of_agent(event, {Step.OFFERED}, Step.ACCEPTED)
        assert contact.offer == event.offer, f"{event}: open is {contact.offer}"

    def offer_over(self, event: ev.OfferDeclined | ev.OfferExpired | ev.OfferWithdrawn) -> None:
        """Check the end of an offer that was not accepted."""
        contact = self._of_agent(event, {Step.OFFERED}, Step.RETURNING)
        assert contact.offer == event.offer, f"{event}: open is {contact.offer}"
        self._let_go(contact, event.contact)

    def connecting(self, event: ev.Connecting) -> None:
        """Check that an accepted contact is being connected."""
        self._of_agent(event, {Step.ACCEPTED}, Step.CONNECTING)
        assert event.deadline > event.at, f"{event}: no time to connect"

    def engaged(self, event: ev.Engaged) -> None:
        """Check that only who accepted is engaged."""
        self._of_agent(event, {Step.ACCEPTED, Step.CONNECTING}, Step.ENGAGED)

    def connect_failed(self, event: ev.ConnectFailed) -> None:
        """Check that it was being connected."""
        contact = self._of_agent(event, {Step.CONNECTING}, Step.UNCONNECTED)
        self._let_go(contact, event.contact)

    def abandoned(self, event: ev.Abandoned) -> None:
        """Check that nobody was engaged yet."""
        contact = self._move(event, {Step.WAITING, Step.RETURNING, Step.CONNECTING}, Step.ABANDONED)
        if contact.agent:
            self._let_go(contact, event.contact)

    def withdrawn(self, event: ev.Withdrawn) -> None:
        """Check that nobody was engaged yet."""
        contact = self._move(event, {Step.WAITING, Step.RETURNING, Step.CONNECTING}, Step.WITHDRAWN)
        assert contact.queue == event.queue, f"{event}: queue {contact.queue}"
        if contact.agent:
            self._let_go(contact, event.contact)

    def changed(self, event: ev.Changed) -> None:
        """Check that a changed contact waits and goes on waiting since the same time."""
        contact = self._move(event, {Step.WAITING}, Step.WAITING)
        assert contact.place is not None, f"{event}: it has no place"
        tier, enqueued_at, _ = contact.place
        contact.queue, contact.place = event.queue, (tier, enqueued_at, event.head_start_us)

    def ended(self, event: ev.Ended) -> None:
        """Check that an engaged contact was served."""
        contact = self._of_agent(event, {Step.ENGAGED}, Step.SERVED)
        self._let_go(contact, event.contact)

    def transferred(self, event: ev.Transferred) -> None:
        """Check that an engaged contact was passed on, from where it was."""
        contact = self._of_agent(event, {Step.ENGAGED}, Step.PASSED_ON)
        assert contact.queue == event.from_queue, f"{event}: queue {contact.queue}"
        contact.queue = event.to_queue
        self._let_go(contact, event.contact)

    # Agents

    def _at_work(self, event: Any) -> Person:
        agent = self.agents[event.agent]
        assert agent.present, f"{event}: not there"
        assert not agent.signing_out, f"{event}: on the way out"
        return agent

    def configured(self, event: ev.Configured) -> None:
        """Doubt the locks of who is out: an agent may have been left out and come back new."""
        for agent in self.agents.values():
            agent.locked = agent.locked if agent.present else None

    def signed_in(self, event: ev.AgentSignedIn) -> None:
        """Check that the agent was out, or on the way out."""
        agent = self.agents.setdefault(event.agent, Person())
        assert not agent.present or agent.signing_out, f"{event}: was there already"
        agent.present, agent.signing_out = True, False

    def ready(self, event: ev.AgentReady) -> None:
        """Check that the agent is there."""
        agent = self._at_work(event)
        agent.ready = True

    def not_ready(self, event: ev.AgentNotReady) -> None:
        """Check that the agent is there."""
        agent = self._at_work(event)
        agent.ready = False

    def signing_out(self, event: ev.AgentSigningOut) -> None:
        """Check that there is something left to do, and no open offer."""
        agent = self._at_work(event)
        assert agent.contacts or agent.wrap_ups, f"{event}: nothing in hand"
        assert all(self.contacts[number].step is not Step.OFFERED for number in agent.contacts), event
        agent.signing_out = True

    def signed_out(self, event: ev.AgentSignedOut) -> None:
        """Check that nothing is left in hand."""
        agent = self.agents[event.agent]
        assert agent.present, f"{event}: not there"
        assert not agent.contacts, f"{event}: contacts in hand"
        assert not agent.wrap_ups, f"{event}: wrap-ups in hand"
        agent.present = agent.ready = agent.signing_out = False

    def locked(self, event: ev.AgentLocked) -> None:
        """Check that the agent was not locked."""
        agent = self.agents[event.agent]
        assert agent.locked is not True, f"{event}: locked twice"
        assert event.misses > 0, f"{event}: nothing missed"
        agent.locked = True

    def unlocked(self, event: ev.AgentUnlocked) -> None:
        """Check that the agent was locked."""
        agent = self.agents[event.agent]
        assert agent.locked is not False, f"{event}: was not locked"
        agent.locked = False

    def wrap_up_started(self, event: ev.WrapUpStarted) -> None:
        """Count a wrap-up."""
        assert event.deadline > event.at, f"{event}: no time"
        self.agents[event.agent].wrap_ups[event.contact] += 1

    def wrap_up_ended(self, event: ev.WrapUpEnded) -> None:
        """Check that it had begun."""
        wrap_ups = self.agents[event.agent].wrap_ups
        assert wrap_ups[event.contact] > 0, f"{event}: there was none"
        wrap_ups[event.contact] -= 1
        if not wrap_ups[event.contact]:
            del wrap_ups[event.contact]


RULES: dict[type[ev.Event], Callable[[Auditor, Any], None]] = {
    ev.Configured: Auditor.configured,
    ev.Restarted: lambda auditor, event: None,
    ev.Arrived: Auditor.new,
    ev.Queued: Auditor.queued,
    ev.Blocked: Auditor.blocked,
    ev.OfferMade: Auditor.offer_made,
    ev.OfferAccepted: Auditor.offer_accepted,
    ev.OfferDeclined: Auditor.offer_over,
    ev.OfferExpired: Auditor.offer_over,
    ev.OfferWithdrawn: Auditor.offer_over,
    ev.Connecting: Auditor.connecting,
    ev.Engaged: Auditor.engaged,
    ev.ConnectFailed: Auditor.connect_failed,
    ev.Abandoned: Auditor.abandoned,
    ev.Ended: Auditor.ended,
    ev.Transferred: Auditor.transferred,
    ev.AgentSignedIn: Auditor.signed_in,
    ev.AgentReady: Auditor.ready,
    ev.AgentNotReady: Auditor.not_ready,
    ev.AgentSigningOut: Auditor.signing_out,
    ev.AgentSignedOut: Auditor.signed_out,
    ev.AgentLocked: Auditor.locked,
    ev.AgentUnlocked: Auditor.unlocked,
    ev.WrapUpStarted: Auditor.wrap_up_started,
    ev.WrapUpEnded: Auditor.wrap_up_ended,
    ev.Changed: Auditor.changed,
    ev.Withdrawn: Auditor.withdrawn,
}
