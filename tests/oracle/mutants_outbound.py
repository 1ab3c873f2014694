"""Oracles with one planted bug each in outbound queues, announcements and the configuration's number."""

from __future__ import annotations

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.config import Overflow
from tests.oracle.oracle import Oracle
from tests.oracle.state import Agent, Contact, Offer, State


class OutboundIsInbound(Oracle):
    """Every arrival stands in the same tier."""

    def queue_up(self, contact: Contact, cause: ev.QueuedCause) -> None:
        if cause is ev.QueuedCause.ARRIVAL:
            contact.tier = 2
        super().queue_up(contact, cause)


class TierOfWhereItGoes(Oracle):
    """An arrival at a closed queue has the tier of the queue that it goes on to."""

    def queue_up(self, contact: Contact, cause: ev.QueuedCause) -> None:
        if cause is ev.QueuedCause.OVERFLOW and contact.arrived_at == self.now:
            contact.tier = self.queues[contact.queue].tier
        super().queue_up(contact, cause)


class TierOfTheOtherQueue(Oracle):
    """A contact that overflows takes the other queue's tier."""

    def leave_by(self, contact: Contact, rule: Overflow | None) -> bool:
        moved = super().leave_by(contact, rule)
        if moved and contact.id in self.contacts:
            contact.tier = self.queues[contact.queue].tier
        return moved


class OneInHandMore(Oracle):
    """A queue has one more in hand than it may."""

    def queue_in_hand(self, queue: int) -> int:
        return max(0, super().queue_in_hand(queue) - 1)


class OffersAreNotInHand(Oracle):
    """What rings is not counted yet."""

    def queue_in_hand(self, queue: int) -> int:
        here = [contact for contact in self.contacts.values() if contact.queue == queue]
        return sum(contact.state in {State.CONNECTING, State.ENGAGED} for contact in here)


class ParkedIsNotInHand(Oracle):
    """What is parked counts nothing."""

    def queue_in_hand(self, queue: int) -> int:
        here = [contact for contact in self.contacts.values() if contact.queue == queue]
        return sum(contact.state is not State.WAITING and not contact.parked for contact in here)


class PaceIsNotLookedAt(Oracle):
    """When one leaves, nobody looks at those who wait for it."""

    def touch_paced(self) -> None:
        pass

    def check(self) -> None:
        pass


class PaceMakesAbsent(Oracle):
    """For a queue that has enough in hand nobody is there."""

    def qualified(self, contact: Contact, agent: Agent) -> bool:
        paced = self.queue_in_hand(contact.queue) >= self.queues[contact.queue].max_in_hand
        return not paced and super().qualified(contact, agent)


class AnnouncedByTheOffer(Oracle):
    """An offer begins the announcements anew."""

    def make_offer(self, contact: Contact, agent: Agent) -> Offer:
        offer = super().make_offer(contact, agent)
        self.announce_from_now(contact)
        return offer


class AnnouncedFromZero(Oracle):
    """The next one in line is at position 0."""

    def emit(self, event: ev.Event) -> None:
        if isinstance(event, ev.AnnouncementDue):
            event = event._replace(position=event.position - 1)
        super().emit(event)


class AnnouncedAgain(Oracle):
    """A position that has not changed is told again."""

    def announce(self, contact: Contact) -> None:
        contact.announced += contact.announced > 0
        super().announce(contact)
        contact.announced -= contact.announced > (self.position(contact.id) or 0) + 1


class AnnouncedWhenWorse(Oracle):
    """Who has fallen back is told."""

    def announce(self, contact: Contact) -> None:
        contact.announced = 0
        super().announce(contact)


class AnnouncedBeforeTheSteps(Oracle):
    """What is announced does not know of the steps of the same moment."""

    def wake(self, contact: Contact) -> None:
        self.announce(contact)
        super().wake(contact)


class AnnouncedInTheOldQueue(Oracle):
    """A change of queue goes on with the announcements as they were."""

    def change(self, command: cmd.Change) -> int:
        contact = self.contacts.get(command.contact)
        before = (contact.announce_at, contact.announced) if contact else (0, 0)
        value = super().change(command)
        if contact is not None and self.queues[contact.queue].announce_us and before[0]:
            contact.announce_at, contact.announced = before
            self.set_wake(contact)
        return value


class AnnouncedFromTheLast(Oracle):
    """After a time in somebody's hands the next announcement is one interval from now."""

    def announce(self, contact: Contact) -> None:
        late = 0 < contact.announce_at < self.now
        super().announce(contact)
        if late:
            contact.announce_at = self.now + self.queues[contact.queue].announce_us


class ReconfiguredBeginsAnew(Oracle):
    """A new configuration begins all announcements anew."""

    def configure(self, command: cmd.Configure) -> int:
        value = super().configure(command)
        for contact in self.waiting():
            self.announce_from_now(contact)
            self.set_wake(contact)
        return value


class RefusedIsCounted(Oracle):
    """A configuration that is refused has a number, too."""

    def configure(self, command: cmd.Configure) -> int:
        self.configurations += 1
        value = super().configure(command)
        self.configurations -= 1
        return value


class OffersByTheFirst(Oracle):
    """Offers tell the first configuration's number."""

    def emit(self, event: ev.Event) -> None:
        super().emit(event._replace(config=1) if isinstance(event, ev.OfferMade) else event)


OUTBOUND_MUTANTS: tuple[type[Oracle], ...] = (
    OutboundIsInbound,
    TierOfWhereItGoes,
    TierOfTheOtherQueue,
    OneInHandMore,
    OffersAreNotInHand,
    ParkedIsNotInHand,
    PaceIsNotLookedAt,
    PaceMakesAbsent,
    AnnouncedByTheOffer,
    AnnouncedFromZero,
    AnnouncedAgain,
    AnnouncedWhenWorse,
    AnnouncedBeforeTheSteps,
    AnnouncedInTheOldQueue,
    AnnouncedFromTheLast,
    ReconfiguredBeginsAnew,
    RefusedIsCounted,
    OffersByTheFirst,
)
