"""The auditor: holds a stream of events against itself, and against hardly anything of the configuration.

It proves what must hold in every contact centre: nobody serves what another serves, nobody is offered to an
agent who is not there, every contact is in exactly one state, and none is ever lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tests.oracle import events as ev
from tests.oracle.auditor_books import QUEUED_FROM, Person, Seen, Step
from tests.oracle.auditor_reserving import Reserving
from tests.oracle.auditor_tenants import Tenancy
from tests.oracle.config import QueueState

NEWLY_QUEUED = {ev.QueuedCause.ARRIVAL, ev.QueuedCause.TRANSFER, ev.QueuedCause.SCHEDULED}
GETTING_IN = {ev.QueuedCause.ARRIVAL, ev.QueuedCause.TRANSFER, ev.QueuedCause.OVERFLOW}


class Auditor(Tenancy, Reserving):
    """Takes batches of events in; a broken promise is an AssertionError that names the event."""

    def feed(self, events: Iterable[ev.Event]) -> None:
        """Take in what one command, or one passing of time, has caused."""
        for event in events:
            assert event.at >= self.at, f"time went backwards: {event}"
            self.at = event.at
            RULES[type(event)](self, event)
        self.settle()

    # Contacts

    def new(self, event: ev.Arrived) -> None:
        """Check a new contact: numbers go up by one."""
        self.arrived += 1
        assert event.contact == self.arrived, f"{event}: expected contact {self.arrived}"
        self.check_channel(event)
        self.open_contact(event.contact, Seen(event.channel, queue=event.queue))

    def queued(self, event: ev.Queued) -> None:
        """Check that a contact keeps its place, unless it has just come in or was passed on."""
        contact = self.move(event, {QUEUED_FROM[event.cause]}, Step.WAITING)
        if event.cause is ev.QueuedCause.LEASE_LOST:
            self.given_back(event, contact)
        place = (event.tier, event.enqueued_at, event.head_start_us)
        if event.cause in NEWLY_QUEUED or contact.place is None:
            self.starts(event, contact)
            contact.place, contact.relaxed, contact.open = place, 0, False
            contact.unanswered = contact.announced = 0
            self.last_line += 1
            contact.line = self.last_line
        if event.cause in GETTING_IN:
            self.check_entry(event)
        assert (contact.place, contact.queue) == (place, event.queue), f"{event}: place {contact.place}"

    def offer_made(self, event: ev.OfferMade) -> None:
        """Check that the contact waits, or begins to ring elsewhere just now, and the agent wants it."""
        ringing = self.contacts[event.contact].offers
        contact = self.move(event, {Step.OFFERED} if ringing else {Step.WAITING}, Step.OFFERED)
        agent = self.agents.get(event.agent, Person())
        assert event.agent not in ringing.values(), f"{event} while offered"
        assert not ringing or contact.rung_at == event.at, f"{event}: it rings since {contact.rung_at}"
        assert agent.ready, f"{event}: not ready"
        assert not agent.signing_out, f"{event}: signing out"
        assert not agent.locked, f"{event}: locked"
        assert contact.queue == event.queue, f"{event}: queue {contact.queue}"
        assert self.hours.get(event.queue) is not QueueState.CLOSED, f"{event}: the queue is closed"
        assert event.config == self.configurations, f"{event}: by {self.configurations}"
        assert not 0 < contact.reply_by < event.at, f"{event}: too late to reply"
        self.offered(event, contact)
        self.take_number(event)
        contact.offers[event.offer] = event.agent
        self.check_agent(event, event.agent)
        self.check_pace(event)
        contact.rung_at = event.at
        agent.contacts.add(event.contact)

    def offer_accepted(self, event: ev.OfferAccepted) -> None:
        """Check the answer against the open offers."""
        contact = self.move(event, {Step.OFFERED}, Step.ACCEPTED)
        self._close(contact, event)
        contact.agent = event.agent

    def offer_over(self, event: ev.OfferDeclined | ev.OfferExpired | ev.OfferWithdrawn) -> None:
        """Check the end of an offer that was not accepted."""
        taken = isinstance(event, ev.OfferWithdrawn) and event.cause is ev.WithdrawnCause.TAKEN
        last = len(self.contacts[event.contact].offers) == 1
        before = Step.ACCEPTED if taken else Step.OFFERED
        contact = self.move(event, {before}, Step.RETURNING if last and not taken else before)
        contact.unanswered += not isinstance(event, ev.OfferWithdrawn)
        self._close(contact, event)
        self.agents[event.agent].contacts.remove(event.contact)

    def _close(
        self, contact: Seen, event: ev.OfferAccepted | ev.OfferDeclined | ev.OfferExpired | ev.OfferWithdrawn
    ) -> None:
        agent = contact.offers.pop(event.offer, 0)
        assert agent, f"{event}: open is {contact.offers}"
        assert agent == event.agent, f"{event}: it has agent {agent}"

    def connecting(self, event: ev.Connecting) -> None:
        """Check that an accepted contact is being connected."""
        contact = self.of_agent(event, {Step.ACCEPTED}, Step.CONNECTING)
        assert not contact.offers, f"{event}: it still rings"
        assert event.deadline > event.at, f"{event}: no time to connect"

    def engaged(self, event: ev.Engaged) -> None:
        """Check that only who accepted is engaged."""
        contact = self.of_agent(event, {Step.ACCEPTED, Step.CONNECTING}, Step.ENGAGED)
        assert not contact.offers, f"{event}: it still rings"
        contact.reply_by = 0

    def estimate_scored(self, event: ev.EstimateScored) -> None:
        """Check that it was engaged just now, after the wait that it is said to have had."""
        contact = self.move(event, {Step.ENGAGED}, Step.ENGAGED)
        assert contact.queue == event.queue, f"{event}: queue {contact.queue}"
        assert contact.place is not None, f"{event}: it has no place"
        assert event.actual_us == event.at - contact.place[1], f"{event}: queued at {contact.place[1]}"

    def connect_failed(self, event: ev.ConnectFailed) -> None:
        """Check that it was being connected."""
        contact = self.of_agent(event, {Step.CONNECTING}, Step.UNCONNECTED)
        self.let_go(contact, event.contact)

    def abandoned(self, event: ev.Abandoned) -> None:
        """Check that nobody was engaged yet."""
        contact = self.leaves(event, Step.ABANDONED)
        assert contact.agent == event.agent, f"{event}: it has agent {contact.agent}"
        if contact.agent:
            self.let_go(contact, event.contact)

    def withdrawn(self, event: ev.Withdrawn) -> None:
        """Check that nobody was engaged yet."""
        self.by_whom(event)
        contact = self.leaves(event, Step.WITHDRAWN)
        assert contact.queue == event.queue, f"{event}: queue {contact.queue}"
        assert contact.agent == event.agent, f"{event}: it has agent {contact.agent}"
        if contact.agent:
            self.let_go(contact, event.contact)

    def changed(self, event: ev.Changed) -> None:
        """Check that a changed contact waits and goes on waiting since the same time."""
        contact = self.move(event, {Step.WAITING}, Step.WAITING)
        assert contact.place is not None, f"{event}: it has no place"
        tier, enqueued_at, _ = contact.place
        if contact.queue != event.queue:
            contact.relaxed = contact.unanswered = contact.announced = 0
            self.check_way(event, contact.queue, event.queue)
            self.check_entry(event)
        contact.queue, contact.place = event.queue, (tier, enqueued_at, event.head_start_us)
        contact.choice = 0

    def relaxed(self, event: ev.Relaxed) -> None:
        """Check that a waiting contact came to the next step, and was not put back."""
        contact = self.move(event, {Step.WAITING}, Step.WAITING)
        assert contact.place is not None, f"{event}: it has no place"
        tier, enqueued_at, head_start_us = contact.place
        assert contact.queue == event.queue, f"{event}: queue {contact.queue}"
        assert contact.relaxed in {None, event.step - 1}, f"{event}: step {contact.relaxed}"
        assert event.head_start_us >= head_start_us, f"{event}: head start {head_start_us}"
        contact.relaxed, contact.place = event.step, (tier, enqueued_at, event.head_start_us)

    def preference_over(self, event: ev.PreferenceOver) -> None:
        """Check that a waiting contact's preference ends, and only once."""
        contact = self.move(event, {Step.WAITING}, Step.WAITING)
        assert contact.queue == event.queue, f"{event}: queue {contact.queue}"
        assert not contact.open, f"{event}: it was over"
        contact.open = True

    def ended(self, event: ev.Ended) -> None:
        """Check that an engaged contact was served."""
        contact = self.of_agent(event, {Step.ENGAGED}, Step.SERVED)
        self.let_go(contact, event.contact)

    def transferred(self, event: ev.Transferred) -> None:
        """Check that an engaged contact was passed on, from where it was."""
        contact = self.of_agent(event, {Step.ENGAGED}, Step.PASSED_ON)
        assert event.by in {ev.EndedBy.AGENT, ev.EndedBy.SUPERVISOR}, f"{event}: by whom?"
        assert contact.queue == event.from_queue, f"{event}: queue {contact.queue}"
        self.check_way(event, event.from_queue, event.to_queue)
        contact.queue = event.to_queue
        self.let_go(contact, event.contact)

    # Agents

    def _at_work(self, event: Any) -> Person:
        agent = self.agents[event.agent]
        assert agent.present, f"{event}: not there"
        assert not agent.signing_out, f"{event}: on the way out"
        return agent

    def configured(self, event: ev.Configured) -> None:
        """Doubt the locks of who is out, who may be new, and the steps, which may be fewer."""
        self.configurations += 1
        assert event.number == self.configurations, f"{event}: expected {self.configurations}"
        for agent in self.agents.values():
            agent.locked = agent.locked if agent.present else None
        for contact in self.contacts.values():
            contact.relaxed = contact.announced = None
        self.doubt_hours()
        self.take_config()
        self.forget_choices()

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
        assert agent.busy(), f"{event}: nothing in hand"
        assert all(self.contacts[number].step is not Step.OFFERED for number in agent.contacts), event
        agent.signing_out = True

    def signed_out(self, event: ev.AgentSignedOut) -> None:
        """Check that nothing is left in hand."""
        agent = self.agents[event.agent]
        assert agent.present, f"{event}: not there"
        assert not agent.contacts, f"{event}: contacts in hand"
        assert not agent.joined, f"{event}: joined contacts in hand"
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
    ev.Restarted: lambda auditor, event: auditor.forget_choices(),
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
    ev.Relaxed: Auditor.relaxed,
    ev.PreferenceOver: Auditor.preference_over,
    ev.Held: Auditor.held,
    ev.Resumed: Auditor.held,
    ev.Parked: Auditor.parked,
    ev.Unparked: Auditor.parked,
    ev.Invited: Auditor.invited,
    ev.Joined: Auditor.joined,
    ev.InvitationOver: Auditor.invitation_over,
    ev.Left: Auditor.left,
    ev.HandedOver: Auditor.served_by_another,
    ev.TakenOver: Auditor.served_by_another,
    ev.TransferredOut: Auditor.transferred_out,
    ev.EstimateScored: Auditor.estimate_scored,
    ev.HoursChanged: Auditor.hours_changed,
    ev.Overflowed: Auditor.overflowed,
    ev.AnnouncementDue: Auditor.announcement_due,
    ev.Scheduled: Auditor.scheduled,
    ev.Lifted: Auditor.lifted,
    ev.Reserved: Auditor.reserved,
    ev.Unreserved: Auditor.unreserved,
    ev.ChoiceWanted: Auditor.choice_wanted,
    ev.ChoiceOver: Auditor.choice_over,
    ev.LeaseLost: Auditor.lease_lost,
}
