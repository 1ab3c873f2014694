"""Oracles with one planted bug each in the hours of queues, and in the ways out of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.config import Goal, Overflow, QueueState, When
from tests.oracle.oracle import Oracle
from tests.oracle.state import MAX_HOPS, Agent, Contact, Offer, State


class ClosingServesNobody(Oracle):
    """A queue that closes after those who wait offers nobody any more."""

    def eligible(self, contact: Contact, agent: Agent) -> bool:
        closing = self.hours_of(contact.queue) is QueueState.CLOSING
        return not closing and super().eligible(contact, agent)


class ClosedServesOn(Oracle):
    """A closed queue's contacts are still offered."""

    def queue_serves(self, queue: int) -> bool:
        return not self.has_its_fill(queue)


class ClosingEmptiesOut(Oracle):
    """Who waits leaves as soon as a queue begins to close."""

    def change_hours(self, command: cmd.Hours) -> int:
        changed = self.hours_of(command.queue) is not command.state
        value = super().change_hours(command)
        if changed and command.state is QueueState.CLOSING:
            for contact in self.in_line(self.waiting()):
                if contact.queue == command.queue:
                    self.leave_by(contact, self.way_out(contact, lambda rule: rule.when is When.CLOSED))
        return value


class EmptiedByNumber(Oracle):
    """A queue that is closed lets go in the order of arrival, not of place."""

    def in_line(self, contacts: Iterable[Contact]) -> list[Contact]:
        return sorted(contacts, key=lambda contact: contact.id)


class OpeningIsNotSeen(Oracle):
    """Nobody looks at those who wait in a queue that opens."""

    def change_hours(self, command: cmd.Hours) -> int:
        dirty = set(self.dirty_contacts)
        value = super().change_hours(command)
        if command.state is not QueueState.CLOSED:
            self.dirty_contacts = dirty
        return value

    def check(self) -> None:
        pass


class ConfigureOpens(Oracle):
    """A new configuration opens every queue."""

    def configure(self, command: cmd.Configure) -> int:
        value = super().configure(command)
        self.hours.clear()
        return value


class ClosedTakesItsOwn(Oracle):
    """A contact may be transferred into a queue that serves out."""

    def check_target(self, queue: int, head_start_us: int, domain: int, *, into: bool = True) -> None:
        super().check_target(
            queue, head_start_us, domain, into=into and self.hours_of(queue) is QueueState.CLOSED
        )


class OverflowToTheClosed(Oracle):
    """Contacts overflow into queues that serve out."""

    def takes(self, contact: Contact, rule: Overflow) -> bool:
        closing = rule.to_kind is Goal.QUEUE and self.hours_of(rule.to) is QueueState.CLOSING
        return closing or super().takes(contact, rule)


class OverflowToTheFull(Oracle):
    """A queue takes one more than it has room for."""

    def takes(self, contact: Contact, rule: Overflow) -> bool:
        if rule.to_kind is Goal.TARGET or self.hours_of(rule.to) is not QueueState.OPEN:
            return super().takes(contact, rule)
        return sum(peer.queue == rule.to for peer in self.waiting()) <= self.queues[rule.to].max_waiting


class FirstRuleOrNone(Oracle):
    """If the first rule that holds leads nowhere, the others are not tried."""

    def way_out(self, contact: Contact, holds: Callable[[Overflow], bool]) -> Overflow | None:
        def first(rule: Overflow) -> bool:
            rules = self.queues[contact.queue].overflow
            return rule is next((one for one in rules if holds(one)), None)

        return super().way_out(contact, first)


class LastRuleWins(Oracle):
    """Of several rules that hold the last one wins."""

    def way_out(self, contact: Contact, holds: Callable[[Overflow], bool]) -> Overflow | None:
        if contact.hops >= MAX_HOPS:
            return None
        rules = self.queues[contact.queue].overflow[::-1]
        return next((rule for rule in rules if holds(rule) and self.takes(contact, rule)), None)


class TransferResetsHops(Oracle):
    """A transfer gives a contact its overflows back."""

    def queue_up(self, contact: Contact, cause: ev.QueuedCause) -> None:
        if cause is ev.QueuedCause.TRANSFER:
            contact.hops = 0
        super().queue_up(contact, cause)


class OneHopMore(Oracle):
    """A contact overflows once more than it may."""

    def way_out(self, contact: Contact, holds: Callable[[Overflow], bool]) -> Overflow | None:
        if contact.hops != MAX_HOPS:
            return super().way_out(contact, holds)
        contact.hops -= 1
        found = super().way_out(contact, holds)
        contact.hops += 1
        return found

    def check(self) -> None:
        pass


class WaitsSinceItsArrival(Oracle):
    """A wait is counted from the arrival."""

    def wait_ends(self, contact: Contact, rule: Overflow) -> int:
        return contact.arrived_at + rule.threshold


class WaitsSinceItsEntry(Oracle):
    """A wait is counted from getting into this queue."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[int, int] = {}

    def get_in(self, contact: Contact) -> None:
        self.entries[contact.id] = self.now
        super().get_in(contact)

    def wait_ends(self, contact: Contact, rule: Overflow) -> int:
        return self.entries[contact.id] + rule.threshold


class WaitIsLookedAtAgain(Oracle):
    """A rule about the wait is looked at anew with every wake."""

    def look_at_waits(self, contact: Contact) -> bool:
        contact.looked_at = 0
        return super().look_at_waits(contact)


class WaitsWhileItRings(Oracle):
    """A wait that ends while the contact rings is over and done with."""

    def queue_up(self, contact: Contact, cause: ev.QueuedCause) -> None:
        if cause is ev.QueuedCause.OFFER_ENDED:
            contact.looked_at = self.now
        super().queue_up(contact, cause)


class SizeWithoutItself(Oracle):
    """A contact does not count itself."""

    def look_on_entry(self, contact: Contact) -> bool:
        queue = self.queues[contact.queue]
        rules = tuple(
            rule._replace(threshold=rule.threshold + 1) if rule.when is When.SIZE else rule
            for rule in queue.overflow
        )
        self.queues[contact.queue] = queue._replace(overflow=rules)
        try:
            return super().look_on_entry(contact)
        finally:
            self.queues[queue.id] = queue


class EntryBeforeTheMatch(Oracle):
    """Rules are looked at before anybody is asked."""

    def match(self) -> None:
        self.overflow_pass()
        super().match()


class NobodyReadyIsNobody(Oracle):
    """Agents who are not ready are no agents."""

    def lacks_agents(self, contact: Contact) -> Callable[[Overflow], bool]:
        return lambda rule: (
            rule.when is When.NO_AGENT
            and not any(one.available() and self.suits(contact, one) for one in self.agents.values())
        )


class AnyAgentWillDo(Oracle):
    """Agents who could never take the contact are agents."""

    def lacks_agents(self, contact: Contact) -> Callable[[Overflow], bool]:
        return lambda rule: (
            rule.when is When.NO_AGENT and not any(one.signed_in() for one in self.agents.values())
        )


class LeavingIsNotSeen(Oracle):
    """Nobody looks who still has agents when one leaves."""

    def sign_out(self, command: cmd.SignOut) -> int:
        value = super().sign_out(command)
        self.agents_left = False
        return value


class ReconfiguredIsNotSeen(Oracle):
    """Nobody looks who still has agents after a new configuration."""

    def configure(self, command: cmd.Configure) -> int:
        value = super().configure(command)
        self.agents_left = False
        return value


class WithdrawnIsUnanswered(Oracle):
    """An offer that is taken back counts as not answered."""

    def withdraw(self, offer: Offer, cause: ev.WithdrawnCause) -> None:
        super().withdraw(offer, cause)
        self.contacts[offer.contact].unanswered += 1


class EngagedIsAnswered(Oracle):
    """Being engaged forgets what was not answered."""

    def engage(self, contact: Contact) -> None:
        super().engage(contact)
        contact.unanswered = 0


class RingCountsTwice(Oracle):
    """An offer that nobody answers counts twice while others ring."""

    def expire_offer(self, offer: Offer) -> None:
        super().expire_offer(offer)
        contact = self.contacts.get(offer.contact)
        if contact is not None and contact.state is State.OFFERED:
            contact.unanswered += 1


class OverflowIsATransfer(Oracle):
    """A contact that overflows goes to the front."""

    def queue_up(self, contact: Contact, cause: ev.QueuedCause) -> None:
        if cause is ev.QueuedCause.OVERFLOW:
            contact.tier = 1
        super().queue_up(contact, cause)


class OverflowForgetsAttempts(Oracle):
    """A contact that overflows may go to those again who have let it pass."""

    def leave_by(self, contact: Contact, rule: Overflow | None) -> bool:
        moved = super().leave_by(contact, rule)
        if moved:
            contact.attempted.clear()
        return moved


class OverflowKeepsItsSteps(Oracle):
    """A contact is as far in the other queue's steps as it was in its own."""

    def leave_by(self, contact: Contact, rule: Overflow | None) -> bool:
        step = contact.step
        moved = super().leave_by(contact, rule)
        if moved and contact.id in self.contacts:
            contact.step = min(step, len(self.queues[contact.queue].steps))
            self.set_wake(contact)
        return moved


class EstimateIsTheLongest(Oracle):
    """The wait that nine of ten stay within is held against the rule."""

    def look_on_entry(self, contact: Contact) -> bool:
        self._pessimistic = True
        try:
            return super().look_on_entry(contact)
        finally:
            self._pessimistic = False

    _pessimistic = False

    def estimate(self, contact_id: int):  # type: ignore[no-untyped-def]
        found = super().estimate(contact_id)
        return found._replace(mean_us=found.p90_us) if found and self._pessimistic else found


class RestartOverflows(Oracle):
    """A restart looks at the rules at the times of the deadlines that it makes good."""

    def retry_pass(self) -> None:
        super().retry_pass()
        if self._restarting:
            self.overflow_pass()

    _restarting = False

    def _restart(self, at: int) -> None:
        self._restarting = True
        try:
            super()._restart(at)
        finally:
            self._restarting = False


class LeftIsAbandoned(Oracle):
    """Who leaves for a place outside counts as having abandoned."""

    def leave_by(self, contact: Contact, rule: Overflow | None) -> bool:
        if rule is not None and rule.to_kind is Goal.TARGET:
            self.calibrations[contact.queue].abandoned += 1
        return super().leave_by(contact, rule)


OVERFLOW_MUTANTS: tuple[type[Oracle], ...] = (
    ClosingServesNobody,
    ClosedServesOn,
    ClosingEmptiesOut,
    EmptiedByNumber,
    OpeningIsNotSeen,
    ConfigureOpens,
    ClosedTakesItsOwn,
    OverflowToTheClosed,
    OverflowToTheFull,
    FirstRuleOrNone,
    LastRuleWins,
    TransferResetsHops,
    OneHopMore,
    WaitsSinceItsArrival,
    WaitsSinceItsEntry,
    WaitIsLookedAtAgain,
    WaitsWhileItRings,
    SizeWithoutItself,
    EntryBeforeTheMatch,
    NobodyReadyIsNobody,
    AnyAgentWillDo,
    LeavingIsNotSeen,
    ReconfiguredIsNotSeen,
    WithdrawnIsUnanswered,
    EngagedIsAnswered,
    RingCountsTwice,
    OverflowIsATransfer,
    OverflowForgetsAttempts,
    OverflowKeepsItsSteps,
    EstimateIsTheLongest,
    RestartOverflows,
    LeftIsAbandoned,
)
