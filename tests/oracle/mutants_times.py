"""Planted bugs in kept places, contacts for later and deadlines for a reply."""

from __future__ import annotations

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.oracle import Oracle
from tests.oracle.state import WAITING_TIER, Agent, Contact, Offer, Outcome, State
from tests.oracle.world import Timer


class PlacesAreNotUsedUp(Oracle):
    """A place may be taken again and again."""

    def use_place(self, number: int) -> None:
        return None


class BlockedUsesThePlace(Oracle):
    """Who was blocked on coming back has lost the place."""

    def check_times(self, command: cmd.Arrive) -> None:
        super().check_times(command)
        self._asked = command.place

    def end_contact(self, contact: Contact, outcome: Outcome, last_agent: int) -> None:
        super().end_contact(contact, outcome, last_agent)
        if outcome is Outcome.BLOCKED:
            self.use_place(self._asked)


class PlaceBeginsWithTheArrival(Oracle):
    """A place that is kept counts from when its contact arrived, not from when it was queued last."""

    def end_contact(self, contact: Contact, outcome: Outcome, last_agent: int) -> None:
        contact.enqueued_at = contact.arrived_at
        super().end_contact(contact, outcome, last_agent)


class PlacesMeasureTheQueue(Oracle):
    """A contact that comes back to its place may be its queue's sample."""

    def use_place(self, number: int) -> None:
        super().use_place(number)
        self._back = bool(number)

    def take_sample(self) -> None:
        if getattr(self, "_back", False):
            self.newly_queued = self.contacts.get(self.next_contact - 1)
        self._back = False
        super().take_sample()


class TheFutureIsAPlace(Oracle):
    """Who was scheduled and left may come before the time, to a place that is yet to be."""

    def _check_place(self, command: cmd.Arrive) -> None:
        now, left = self.now, self.ended.get(command.place)
        if left is not None and command.not_before <= now:
            self.now = max(now, left.enqueued_at)
        try:
            super()._check_place(command)
        finally:
            self.now = now


class ScheduledHasItsNumber(Oracle):
    """A contact for later draws its number in line when it arrives."""

    def schedule(self, contact: Contact, until: int) -> None:
        super().schedule(contact, until)
        super().take_place(contact)

    def take_place(self, contact: Contact) -> None:
        if not contact.sequence or contact.state is not State.WAITING:
            super().take_place(contact)


class ScheduledWaitsSinceItCame(Oracle):
    """A contact for later has waited since its arrival."""

    def begin(self, contact: Contact) -> None:
        contact.enqueued_at = contact.arrived_at
        super().begin(contact)


class ScheduledTakesRoom(Oracle):
    """Contacts for later count as waiting."""

    def _queue_or_block(self, contact: Contact, place: int) -> None:
        later = [one for one in self.contacts.values() if one.state is State.SCHEDULED]
        for one in later:
            one.state = State.WAITING
        super()._queue_or_block(contact, place)
        for one in later:
            one.state = State.SCHEDULED


class ScheduledPrefersFromItsArrival(Oracle):
    """The preference of a contact for later has run out long before."""

    def start_preference(self, contact: Contact, at: int) -> None:
        super().start_preference(contact, contact.arrived_at if contact.enqueued_at == self.now else at)


class NobodyIsLifted(Oracle):
    """A contact stays in its tier however little time is left."""

    def lift_time(self, contact: Contact) -> int | None:
        return None


class LiftedOnlyOnTime(Oracle):
    """A contact that was ringing when it was to be lifted is lifted no more."""

    def lift_time(self, contact: Contact) -> int | None:
        due = super().lift_time(contact)
        return due if due is not None and due >= self.now else None


class LiftedLosesItsTier(Oracle):
    """A lifted contact that comes back from an offer stands where it stood before."""

    def queue_up(self, contact: Contact, cause: ev.QueuedCause) -> None:
        if cause is ev.QueuedCause.OFFER_ENDED and contact.reply_by:
            contact.tier = WAITING_TIER
        super().queue_up(contact, cause)


class OfferedUntilItIsEnded(Oracle):
    """A contact that comes back too late to be replied to may be offered once more."""

    def queue_up(self, contact: Contact, cause: ev.QueuedCause) -> None:
        reply_by, contact.reply_by = contact.reply_by, 0
        super().queue_up(contact, cause)
        contact.reply_by = reply_by
        self.set_wake(contact)


class DeadlineOutlivesTheTalk(Oracle):
    """A contact that was answered in time, and is transferred later, is over."""

    def engage(self, contact: Contact) -> None:
        reply_by = contact.reply_by
        super().engage(contact)
        contact.reply_by = reply_by


class DeadlineEndsOffers(Oracle):
    """An open offer is taken back when it is too late to reply."""

    def make_offer(self, contact: Contact, agent: Agent) -> Offer:
        offer = super().make_offer(contact, agent)
        if contact.reply_by:
            late = offer._replace(deadline=min(offer.deadline, max(self.now + 1, contact.reply_by)))
            self.offers[offer.id] = late
            self.set_timer(Timer.OFFER, offer.id, late.deadline)
            return late
        return offer


MUTANTS_OF_TIMES: tuple[type[Oracle], ...] = (
    PlacesAreNotUsedUp,
    BlockedUsesThePlace,
    PlaceBeginsWithTheArrival,
    PlacesMeasureTheQueue,
    TheFutureIsAPlace,
    ScheduledHasItsNumber,
    ScheduledWaitsSinceItCame,
    ScheduledTakesRoom,
    ScheduledPrefersFromItsArrival,
    NobodyIsLifted,
    LiftedOnlyOnTime,
    LiftedLosesItsTier,
    OfferedUntilItIsEnded,
    DeadlineOutlivesTheTalk,
    DeadlineEndsOffers,
)
