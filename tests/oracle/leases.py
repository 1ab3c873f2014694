"""An agent whose lease is lost: what goes back, what goes on, and that it leaves."""

from __future__ import annotations

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.company import Company
from tests.oracle.state import Agent, Contact, How, Presence, Purpose, State
from tests.oracle.world import Timer


class Leases(Company):
    """Nobody stands behind a desk."""

    def lose_lease(self, command: cmd.LeaseLost) -> int:
        """Take everything out of an agent's hands that needs a desk."""
        agent = self.known_agent(command.agent)
        if agent.presence is Presence.SIGNED_OUT:
            return 0
        leaves_already = agent.signing_out
        mine = [
            contact for _, contact in sorted(agent.contacts.items()) if contact.state is not State.OFFERED
        ]
        taken = [contact for contact in mine if self.needs_a_desk(contact)]
        if leaves_already and not taken and not agent.joined:
            return 0
        going = [contact.id for contact in taken if self.goes_back(contact)]
        self.emit(ev.LeaseLost(self.now, agent.id, tuple(going)))
        self.ask_no_more(agent)
        for contact in taken:
            if contact.state is State.CONNECTING:
                self.cancel_timer(Timer.CONNECTING, contact.id)
                self.fail_connecting(contact, ev.EndedBy.ENGINE)
            elif contact.id in going:
                self.give_back(agent, contact)
            else:
                self.hand_over(contact)
        for _, contact in sorted(agent.joined.items()):
            self.part(contact, self.participant(contact, agent), ev.EndedBy.ENGINE)
        if not leaves_already:
            self.go_out(agent)
        return 0

    def needs_a_desk(self, contact: Contact) -> bool:
        """Return whether a contact in hand cannot go on without somebody at the desk."""
        return contact.state is State.CONNECTING or self.channels[contact.channel].instant

    def goes_back(self, contact: Contact) -> bool:
        """Return whether a contact that needs a desk waits again: it is engaged with nobody else in it."""
        return contact.state is State.ENGAGED and not contact.participants

    def give_back(self, agent: Agent, contact: Contact) -> None:
        """Let an engaged contact wait where it stood before; nobody wraps up."""
        agent.count(talk_us=self.now - contact.engaged_at, talks=1)
        self.learn_handling(contact, 0)
        for offer in self.open_offers(contact, Purpose.JOIN):
            self.end_invitation(offer, How.WITHDRAWN)
        self.detach(contact)
        contact.held = contact.parked = contact.unparked = False
        contact.passed_on_by = 0
        self.announce_from_now(contact)
        self.queue_up(contact, ev.QueuedCause.LEASE_LOST)
        self.release(agent, sets_idle=True)
