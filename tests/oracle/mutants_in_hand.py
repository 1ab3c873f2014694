"""More planted bugs: in ringing all, auto-accept, interruptible media, and in what agents have in hand."""

from __future__ import annotations

from collections.abc import Iterator

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.config import QUEUE_WRAP_UP
from tests.oracle.oracle import Oracle
from tests.oracle.state import Agent, Contact, How, Offer, Participant, Purpose


class RingsAtOneTooMany(Oracle):
    """Ringing all goes one beyond its limit."""

    def rung(self, contact: Contact, first: Agent) -> list[Agent]:
        queue = self.queues[contact.queue]
        self.queues[contact.queue] = queue._replace(ring_limit=queue.ring_limit + 1)
        rung = super().rung(contact, first)
        self.queues[contact.queue] = queue
        return rung


class RingsByPosition(Oracle):
    """Ringing all asks the others in the order of the configuration."""

    def rung(self, contact: Contact, first: Agent) -> list[Agent]:
        return [first, *sorted(super().rung(contact, first)[1:], key=lambda agent: agent.position)]


class UnansweredRingIsAMiss(Oracle):
    """An offer that expires under ring_all counts as missed."""

    def expire_offer(self, offer: Offer) -> None:
        agent = self.agents[offer.agent]
        misses = agent.misses
        super().expire_offer(offer)
        if offer.purpose is Purpose.SERVE and agent.misses == misses:
            agent.misses += 1


class FirstDeclineEndsTheRing(Oracle):
    """The contact waits again as soon as one of those it rings at is gone."""

    def drop(self, offer: Offer, how: How) -> None:
        super().drop(offer, how)
        if how is How.DECLINED:
            for other in self.open_offers(self.contacts[offer.contact]):
                self.withdraw(other, ev.WithdrawnCause.TAKEN)


class LastOfferStandsForAll(Oracle):
    """A contact that rings at several names the offer that was made last."""

    def make_offer(self, contact: Contact, agent: Agent) -> Offer:
        offer = super().make_offer(contact, agent)
        contact.agent, contact.offer = agent.id, offer.id
        return offer


class TakenRestartsIdleTime(Oracle):
    """Whoever was too slow begins its idle time anew."""

    def withdraw(self, offer: Offer, cause: ev.WithdrawnCause) -> None:
        super().withdraw(offer, cause)
        if cause is ev.WithdrawnCause.TAKEN:
            self.agents[offer.agent].idle_since = self.now


class NobodyAcceptsByItself(Oracle):
    """auto_accept is not looked at."""

    def propose(self, contact: Contact, agent: Agent) -> None:
        for one in self.rung(contact, agent):
            self.make_offer(contact, one)


class NothingInterrupts(Oracle):
    """Interruptible channels keep exclusive contacts away."""

    def interruptible(self, channel: int) -> bool:
        return False


class InterruptsInterrupted(Oracle):
    """Interruptible contacts come while something exclusive is in hand."""

    def has_room(self, contact: Contact, agent: Agent) -> bool:
        if not self.interruptible(contact.channel):
            return super().has_room(contact, agent)
        held = sum(units for channel, units in self.in_hand(agent) if channel == contact.channel)
        return held + contact.weight <= agent.units[contact.channel]


class ParkingHolds(Oracle):
    """A parked contact holds its units."""

    def in_hand(self, agent: Agent) -> Iterator[tuple[int, int]]:
        yield from super().in_hand(agent)
        for contact in agent.contacts.values():
            if contact.parked:
                yield contact.channel, contact.weight


class ParkedWrapUpHolds(Oracle):
    """The wrap-up of a parked contact holds its units."""

    def wrap_up(self, agent: Agent, contact: Contact) -> None:
        contact.parked = False
        super().wrap_up(agent, contact)


class ParkedIsForgotten(Oracle):
    """An agent whose contacts are all parked may leave at once."""

    def release(self, agent: Agent, *, sets_idle: bool) -> None:
        kept = dict(agent.contacts)
        agent.contacts = {number: one for number, one in kept.items() if not one.parked}
        super().release(agent, sets_idle=sets_idle)
        agent.contacts = kept


class HoldOutlivesTheTakeOver(Oracle):
    """A customer on hold stays so for the next agent."""

    def pass_to(self, contact: Contact, agent: Agent) -> None:
        held = contact.held
        super().pass_to(contact, agent)
        contact.held = held


class GuestsHoldNothing(Oracle):
    """A participant's units are free."""

    def in_hand(self, agent: Agent) -> Iterator[tuple[int, int]]:
        joined, agent.joined = agent.joined, {}
        taken = list(super().in_hand(agent))
        agent.joined = joined
        return iter(taken)


class InvitationsCount(Oracle):
    """An invitation that nobody answered counts as missed."""

    def end_invitation(self, offer: Offer, how: How) -> None:
        super().end_invitation(offer, how)
        self.agents[offer.agent].misses += how is How.EXPIRED


class NotReadyEndsInvitations(Oracle):
    """Who is not ready is not invited any more."""

    def not_ready(self, command: cmd.NotReady) -> int:
        events = len(self.events)
        value = super().not_ready(command)
        for offer in self.offers_to(self.agents[command.agent]) if len(self.events) > events else ():
            self.end_invitation(offer, How.WITHDRAWN)
        return value


class LastGuestInherits(Oracle):
    """Who joined last serves it when its agent leaves."""

    def leave_contact(self, command: cmd.Leave) -> int:
        contact = self.contacts.get(command.contact)
        if contact is not None and contact.agent == command.agent:
            contact.participants.reverse()
        return super().leave_contact(command)


class LeftHasNoIdleTime(Oracle):
    """Who leaves a contact goes on with its old idle time."""

    def part(self, contact: Contact, participant: Participant, by: ev.EndedBy) -> None:
        agent = self.agents[participant.agent]
        since = agent.idle_since
        super().part(contact, participant, by)
        agent.idle_since = since


class TakenOverTwice(Oracle):
    """A participant who takes the contact over stays invited to it."""

    def take_over(self, command: cmd.TakeOver) -> int:
        contact = self.contacts.get(command.contact)
        if contact is None:
            return super().take_over(command)
        invited = [offer for offer in self.open_offers(contact, Purpose.JOIN) if offer.agent == command.agent]
        for offer in invited:
            del self.offers[offer.id]
        value = super().take_over(command)
        self.offers.update({offer.id: offer for offer in invited})
        return value


class TalkIsTheLastAgents(Oracle):
    """After a take-over the whole conversation counts for whoever has it then."""

    def pass_to(self, contact: Contact, agent: Agent) -> None:
        engaged_at = contact.engaged_at
        super().pass_to(contact, agent)
        contact.engaged_at = engaged_at


class MoveIsATransfer(Oracle):
    """A forced transfer counts as the agent's own."""

    def move(self, command: cmd.Move) -> int:
        agent = self.contacts[command.contact].agent if command.contact in self.contacts else 0
        value = super().move(command)
        self.contacts[command.contact].passed_on_by = agent
        return value


class TransferIsNotRepeated(Oracle):
    """A repeated transfer is refused."""

    def _has_passed_on(self, agent: Agent, number: int) -> bool:
        return False


class QueueWrapsUp(Oracle):
    """An agent's own wrap-up is not looked at."""

    def wrap_up(self, agent: Agent, contact: Contact) -> None:
        own, agent.wrap_up_us = agent.wrap_up_us, QUEUE_WRAP_UP
        super().wrap_up(agent, contact)
        agent.wrap_up_us = own


class AbandonedByNobody(Oracle):
    """Whoever was connecting is not named when the customer leaves."""

    def emit(self, event: ev.Event) -> None:
        super().emit(event._replace(agent=0) if isinstance(event, ev.Abandoned) else event)


class FailureIsForgotten(Oracle):
    """A repeated connect_failed is refused."""

    def fail_connecting(self, contact: Contact, by: ev.EndedBy) -> None:
        super().fail_connecting(contact, by)
        contact.unconnected = False


class AcceptSeesNobody(Oracle):
    """An accept does not look whether something exclusive can come."""

    def accept(self, command: cmd.Accept) -> int:
        value = super().accept(command)
        if command.agent in self.dirty_agents:
            self.dirty_agents.remove(command.agent)
        return value


MUTANTS_IN_HAND: tuple[type[Oracle], ...] = (
    RingsAtOneTooMany,
    RingsByPosition,
    UnansweredRingIsAMiss,
    FirstDeclineEndsTheRing,
    LastOfferStandsForAll,
    TakenRestartsIdleTime,
    NobodyAcceptsByItself,
    NothingInterrupts,
    InterruptsInterrupted,
    ParkingHolds,
    ParkedWrapUpHolds,
    ParkedIsForgotten,
    HoldOutlivesTheTakeOver,
    GuestsHoldNothing,
    InvitationsCount,
    NotReadyEndsInvitations,
    LastGuestInherits,
    LeftHasNoIdleTime,
    TakenOverTwice,
    TalkIsTheLastAgents,
    MoveIsATransfer,
    TransferIsNotRepeated,
    QueueWrapsUp,
    AbandonedByNobody,
    FailureIsForgotten,
    AcceptSeesNobody,
)
