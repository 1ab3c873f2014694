"""Reserving for heavy contacts: others go first for a while, then an agent is kept for the heavy one."""

from __future__ import annotations

from tests.oracle import events as ev
from tests.oracle.choices import Choosing
from tests.oracle.state import Agent, Contact, Offer, Outcome, State


class Reserving(Choosing):
    """At most one agent is kept for a contact, and one contact for an agent."""

    # Being passed

    def make_offer(self, contact: Contact, agent: Agent) -> Offer:
        """Propose a contact to an agent; who is passed by that is noted first."""
        self.note_passed(contact, agent)
        if contact.state is State.WAITING:
            self.leave_line(contact)
        return super().make_offer(contact, agent)

    def note_passed(self, lighter: Contact, agent: Agent) -> None:
        """Note who has stood before a contact that is offered now, and did not fit."""
        if not self.rules.reserve_after_us:
            return
        passed = [contact for contact in self.waiting() if self.is_passed(contact, lighter, agent)]
        first = min(passed, key=lambda contact: self.contact_key(contact, agent), default=None)
        if first is not None and not first.passed_at:
            first.passed_at = self.now
            self.set_wake(first)

    def is_passed(self, contact: Contact, lighter: Contact, agent: Agent) -> bool:
        """Return whether another contact takes what this one, before it in turn, would need of an agent."""
        return (
            contact is not lighter
            and self.queue_serves(contact.queue)
            and agent.id not in contact.attempted
            and self.qualified(contact, agent)
            and not self.fits(contact, agent)
            and self.contact_key(contact, agent) < self.contact_key(lighter, agent)
            and self.takes_from(contact, lighter)
        )

    def takes_from(self, contact: Contact, lighter: Contact) -> bool:
        """Return whether a lighter contact holds up another one in an agent's hands."""
        if self.exclusive(lighter.channel):
            return False  # hands that are empty for one such contact are empty for any
        if contact.channel == lighter.channel:
            return contact.weight > lighter.weight
        return self.exclusive(contact.channel) and not self.interruptible(lighter.channel)

    # Being kept

    def wants_agent(self, contact: Contact) -> bool:
        """Return whether a contact was passed long enough, and could be offered if somebody had room."""
        due = self.reserve_time(contact)
        return due is not None and due <= self.now and self.queue_serves(contact.queue)

    def reserve_pass(self) -> None:
        """Let go who can no longer be kept, then keep an agent for everybody who wants one."""
        line = sorted(self.waiting(), key=Contact.place)
        for contact in line:
            agent = self.agents.get(contact.reserved)
            if agent is None or (self.queue_serves(contact.queue) and self.qualified(contact, agent)):
                continue
            self.emit(ev.Unreserved(self.now, contact.id, contact.channel, agent.id))
            contact.reserved = 0
            self.touch_agent(agent)
        for contact in line:
            if self.wants_agent(contact) and not contact.reserved:
                self.reserve(contact)

    def reserve(self, contact: Contact) -> None:
        """Keep the best agent for a contact, if there is one."""
        able = [
            agent
            for agent in self.agents.values()
            if agent.id not in contact.attempted
            and self.qualified(contact, agent)
            and not self.kept_for(agent)
        ]
        best = min(able, key=lambda agent: self.agent_key(contact, agent), default=None)
        if best is not None:
            contact.reserved = best.id
            self.emit(ev.Reserved(self.now, contact.id, contact.channel, best.id))

    def leave_line(self, contact: Contact) -> None:
        """Forget that a contact was passed, and let go who was kept for it."""
        contact.passed_at = 0
        if contact.reserved:
            agent, contact.reserved = self.agents[contact.reserved], 0
            self.touch_agent(agent)

    def end_contact(self, contact: Contact, outcome: Outcome, last_agent: int) -> None:
        """Turn a live contact into a record."""
        self.leave_line(contact)
        super().end_contact(contact, outcome, last_agent)
