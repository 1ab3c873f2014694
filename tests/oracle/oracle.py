"""The oracle: the rules of the router written a second time, naively, to be compared with."""

from __future__ import annotations

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.company import MAX_COMPANY
from tests.oracle.handlers import Handlers
from tests.oracle.refusal import Code, Refusal
from tests.oracle.state import MAX_HOPS, Contact, Purpose, State
from tests.oracle.world import Timer


class Oracle(Handlers):
    """The router's rules as one obviously right object; `events` holds the last call's events."""

    def apply(self, at: int, command: cmd.Command) -> int:
        """Carry a command out and return its value.

        Args:
            at: Unix time in microseconds, never before `now`.
            command: What is asked.

        Raises:
            Refusal: Nothing changed but the clock; `events` has what the clock did.
        """
        self.events = []
        if at < self.now:
            raise Refusal(Code.TIME_BACKWARDS, self.now)
        if isinstance(command, cmd.Restarted):
            self._restart(at)
            return 0
        self._pass_time(at)
        command_id: bytes | None = getattr(command, "command_id", None)
        if command_id is not None and command_id in self.seen:
            return 0
        if self.config is None and not isinstance(command, cmd.Configure):
            raise Refusal(Code.NOT_CONFIGURED)
        value = self.carry_out(command)
        self.settle()
        self.take_sample()
        if command_id is not None:
            self.remember_command(command_id)
        return value

    def advance(self, at: int) -> None:
        """Let time pass; an earlier time than `now` is nothing."""
        self.events = []
        if at >= self.now:
            self._pass_time(at)

    def _pass_time(self, at: int) -> None:
        while due := self.take_due(at):
            self._fire(*due)
            self.settle()
        self.now = at
        self.purge()

    def _fire(self, timer: Timer, number: int, deadline: int) -> None:
        self.now = deadline
        if timer is Timer.OFFER:
            self.expire_offer(self.offers[number])
        elif timer is Timer.CONNECTING:
            self.fail_connecting(self.contacts[number], ev.EndedBy.DEADLINE)
        elif timer is Timer.RETRY:
            contact = self.contacts[number]
            contact.attempted.clear()
            contact.retry_at = None
            self.dirty_contacts.add(number)
        elif timer is Timer.WAKE:
            self.wake(self.contacts[number])
        elif timer is Timer.SCHEDULED:
            self.begin(self.contacts[number])
        elif timer is Timer.CHOICE:
            self.conclude(self.choices[number], 0, ev.ChoiceCause.DEADLINE)
        else:
            agent, wrap_up = next(
                (agent, w) for agent in self.agents.values() for w in agent.wrap_ups if w.number == number
            )
            self.finish_wrap_up(agent, wrap_up, ev.EndedBy.DEADLINE)

    def _restart(self, at: int) -> None:
        """Withdraw offers, give connecting contacts their time again, then let time pass unmatched."""
        if self.config is not None:
            self.end_choices()
            for offer in sorted(self.offers.values()):
                self.take_back(offer, ev.WithdrawnCause.RESTART, ev.QueuedCause.RESTART)
            for contact in self.contacts.values():
                if contact.state is State.CONNECTING:
                    self.start_connecting(contact, at)
            for number in sorted(self.contacts):
                if self.contacts[number].preferred_until is not None:
                    self.start_preference(self.contacts[number], at)
                    self.set_wake(self.contacts[number])
            while due := self.take_due(at):
                self._fire(*due)
                self.preference_pass()
                self.retry_pass()
        self.now = at
        self.purge()
        self.emit(ev.Restarted(at))
        if self.config is not None:
            self.forget_dirty()
            self.dirty_contacts.update(contact.id for contact in self.waiting())
            self.settle()

    def check(self) -> None:
        """Assert that nobody waits for an agent that could be asked, and that no agent holds too much."""
        for contact in self.contacts.values():
            for agent in self.agents.values():
                assert not self.eligible(contact, agent), f"contact {contact.id}, agent {agent.id}"
        for agent in self.agents.values():
            ringing = {offer.contact for offer in self.offers_to(agent) if offer.purpose is Purpose.SERVE}
            served = {
                contact.id
                for contact in self.contacts.values()
                if contact.agent == agent.id and contact.state in (State.CONNECTING, State.ENGAGED)
            }
            assert agent.contacts.keys() == ringing | served, f"agent {agent.id}: {served}"
            joined = {
                contact.id
                for contact in self.contacts.values()
                if agent.id in [one.agent for one in contact.participants]
            }
            assert agent.joined.keys() == joined, f"agent {agent.id}: {joined}"
            assert not served & joined, f"agent {agent.id} serves what it has joined"
        for contact in self.contacts.values():
            self._check_contact(contact)
        assert self.hours.keys() <= self.queues.keys(), f"hours of {self.hours}"
        assert not self.got_in, f"not looked at: {self.got_in}"
        assert not self.agents_left, "not looked at: who may have lost their agents"
        kept = [contact for contact in self.contacts.values() if contact.reserved]
        for contact in kept:
            agent = self.agents[contact.reserved]
            assert contact.state is State.WAITING, f"agent {agent.id} is kept for contact {contact.id}"
            assert self.qualified(contact, agent), f"agent {agent.id} is kept for contact {contact.id}"
        assert len({contact.reserved for contact in kept}) == len(kept), f"kept twice: {kept}"
        running = {contact.choice: contact.id for contact in self.contacts.values() if contact.choice}
        assert running == {one.id: one.contact for one in self.choices.values()}, f"choices {running}"

    def _check_contact(self, contact: Contact) -> None:
        offers, invitations = self.open_offers(contact), self.open_offers(contact, Purpose.JOIN)
        assert (contact.state is State.OFFERED) == bool(offers), f"contact {contact.id}: {offers}"
        if offers:
            assert (contact.offer, contact.agent) == (offers[0].id, offers[0].agent)
        company = [*(one.agent for one in contact.participants), *(one.agent for one in invitations)]
        assert len({contact.agent, *company}) == 1 + len(company), f"contact {contact.id}: {company}"
        assert len(company) <= MAX_COMPANY, f"contact {contact.id}: {company}"
        in_hand = company or contact.held or contact.parked or contact.unparked
        assert contact.state is State.ENGAGED or not in_hand, f"contact {contact.id} is {contact.state}"
        assert not (contact.parked and contact.unparked), f"contact {contact.id}"
        assert contact.hops <= MAX_HOPS, f"contact {contact.id}: {contact.hops} overflows"
        assert contact.state is State.WAITING or not contact.choice, f"choice {contact.choice} runs"
        if contact.state is State.SCHEDULED:
            assert contact.deadline == contact.enqueued_at > self.now, f"contact {contact.id} is late"
            assert contact.sequence == contact.agent == contact.step == 0, f"contact {contact.id} has a place"
