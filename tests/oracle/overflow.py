"""Hours of queues, and the rules by which contacts leave a queue for elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.config import Goal, Overflow, QueueState, When
from tests.oracle.estimate import Estimating
from tests.oracle.refusal import Code, Refusal
from tests.oracle.state import MAX_HOPS, Contact, Outcome, State


class Overflowing(Estimating):
    """Every rule is asked anew, of every contact that it may concern."""

    def settle(self) -> None:
        """Do what follows every mutation, until no contact leaves its queue any more."""
        while True:
            self.preference_pass()
            self.retry_pass()
            self.reserve_pass()
            self.match()
            if not self.overflow_pass():
                return

    # Getting in

    def get_in(self, contact: Contact) -> None:
        """Begin anew in a queue, which is looked at in the next overflow pass."""
        contact.step, contact.unanswered, contact.looked_at = 0, 0, 0
        self.announce_from_now(contact)
        if contact.id in self.got_in:
            self.got_in.remove(contact.id)
        self.got_in.append(contact.id)

    def takes(self, contact: Contact, rule: Overflow) -> bool:
        """Return whether the place that a rule names would have the contact now."""
        if rule.to_kind is Goal.TARGET:
            return True
        if not self.may_use(self.queues[contact.queue].domain, rule.to):
            return False
        in_queue = sum(peer.queue == rule.to for peer in self.waiting())
        return self.hours_of(rule.to) is QueueState.OPEN and in_queue < self.queues[rule.to].max_waiting

    # Getting out

    def way_out(self, contact: Contact, holds: Callable[[Overflow], bool]) -> Overflow | None:
        """Return the first rule of its queue that holds and takes it, or None."""
        if contact.hops >= MAX_HOPS:
            return None
        rules = self.queues[contact.queue].overflow
        return next((rule for rule in rules if holds(rule) and self.takes(contact, rule)), None)

    def leave_by(self, contact: Contact, rule: Overflow | None) -> bool:
        """Let a waiting contact go where a rule says, if there is one."""
        if rule is None:
            return False
        self.tell_overflow(contact, rule)
        if rule.to_kind is Goal.TARGET:
            self.leave_wait(contact, abandoned=False)
            self.end_contact(contact, Outcome.OVERFLOWED, 0)
            return True
        self.forget_sample(contact)
        contact.queue = rule.to
        contact.hops += 1
        self.get_in(contact)
        self.queue_up(contact, ev.QueuedCause.OVERFLOW)
        return True

    def tell_overflow(self, contact: Contact, rule: Overflow) -> None:
        """Say that a contact leaves its queue."""
        where = (self.now, contact.id, contact.channel, contact.queue)
        self.emit(ev.Overflowed(*where, rule.when, rule.to_kind, rule.to))

    def in_line(self, contacts: Iterable[Contact]) -> list[Contact]:
        """Return contacts in the order in which they leave."""
        return sorted(contacts, key=Contact.place)

    # When rules are looked at

    def overflow_pass(self) -> bool:
        """Look at who has got into a queue, and at who may be without agents; return whether anybody left."""
        got_in, self.got_in = self.got_in, []
        agents_left, self.agents_left = self.agents_left, False
        moved = [self.look_on_entry(self.contacts[number]) for number in got_in if number in self.contacts]
        if agents_left:
            moved += [
                self.leave_by(contact, self.way_out(contact, self.lacks_agents(contact)))
                for contact in self.in_line(self.waiting())
            ]
        return any(moved)

    def look_on_entry(self, contact: Contact) -> bool:
        """Look at the rules that a contact can meet as soon as it waits."""
        if contact.state is not State.WAITING:
            return False
        due = [rule for rule in self.pending_waits(contact) if self.wait_ends(contact, rule) <= self.now]
        lacks_agents = self.lacks_agents(contact)

        def holds(rule: Overflow) -> bool:
            if rule.when is When.SIZE:
                return sum(peer.queue == contact.queue for peer in self.waiting()) > rule.threshold
            if rule.when is When.ESTIMATE:
                estimate = self.estimate(contact.id)
                return estimate is not None and estimate.mean_us > rule.threshold
            return rule in due or lacks_agents(rule)

        if self.leave_by(contact, self.way_out(contact, holds)):
            return True
        if due:
            contact.looked_at = self.now
            self.set_wake(contact)
        return False

    def lacks_agents(self, contact: Contact) -> Callable[[Overflow], bool]:
        """Return whether a rule asks for agents, and nobody is there who could ever hold the contact."""

        def holds(rule: Overflow) -> bool:
            there = (agent for agent in self.agents.values() if agent.signed_in())
            return rule.when is When.NO_AGENT and not any(self.suits(contact, agent) for agent in there)

        return holds

    def look_at_waits(self, contact: Contact) -> bool:
        """Look at the waits that have ended by now, once each."""
        due = [rule for rule in self.pending_waits(contact) if self.wait_ends(contact, rule) <= self.now]
        rule = self.way_out(contact, due.__contains__)
        if due:
            contact.looked_at = self.now
        return self.leave_by(contact, rule)

    def look_at_answers(self, contact: Contact) -> None:
        """Look at how often a contact that has come back was not answered."""
        self.leave_by(
            contact,
            self.way_out(
                contact,
                lambda rule: rule.when is When.NO_ANSWER and contact.unanswered >= rule.threshold,
            ),
        )

    # Hours

    def change_hours(self, command: cmd.Hours) -> int:
        """Open a queue, close it, or let it serve out."""
        if command.queue not in self.queues:
            raise Refusal(Code.UNKNOWN_QUEUE, command.queue)
        if command.state is self.hours_of(command.queue):
            return 0
        self.hours[command.queue] = command.state
        if command.state is QueueState.OPEN:
            del self.hours[command.queue]
        self.emit(ev.HoursChanged(self.now, command.queue, command.state))
        inside = [contact for contact in self.waiting() if contact.queue == command.queue]
        self.dirty_contacts.update(contact.id for contact in inside)
        if command.state is QueueState.CLOSED:
            for contact in self.in_line(inside):
                self.leave_by(contact, self.way_out(contact, lambda rule: rule.when is When.CLOSED))
        return 0
