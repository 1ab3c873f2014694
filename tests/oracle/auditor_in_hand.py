"""The auditor's eye on what happens in the agents' hands: hold, parking, company, who serves."""

from __future__ import annotations

from tests.oracle import events as ev
from tests.oracle.auditor_books import Books, Person, Seen, Step

TALKING = {Step.ENGAGED}
ENDING = {Step.ENGAGED, Step.SERVED, Step.PASSED_ON}
MAX_COMPANY = 64


class InHand(Books):
    """Rules for an engaged contact."""

    def held(self, event: ev.Held | ev.Resumed) -> None:
        """Check that hold and resume take turns."""
        contact, begins = self.of_agent(event, TALKING, Step.ENGAGED), isinstance(event, ev.Held)
        assert contact.held is not begins, f"{event}: it was so"
        contact.held = begins

    def parked(self, event: ev.Parked | ev.Unparked) -> None:
        """Check that park and unpark take turns."""
        contact, begins = self.of_agent(event, TALKING, Step.ENGAGED), isinstance(event, ev.Parked)
        assert contact.parked is not begins, f"{event}: it was so"
        contact.parked = begins

    def invited(self, event: ev.Invited) -> None:
        """Check who asks whom."""
        contact = self.move(event, TALKING, Step.ENGAGED)
        company = [*contact.participants, *contact.invitations.values()]
        assert event.agent in (contact.agent, *contact.participants), f"{event}: a stranger asks"
        assert event.invitee not in (contact.agent, *company), f"{event}: asked already"
        assert len(company) < MAX_COMPANY, f"{event}: {len(company)} are in it"
        invitee = self.agents.get(event.invitee, Person())
        assert invitee.present, f"{event}: not there"
        assert not invitee.signing_out, f"{event}: signing out"
        assert contact.queue == event.queue, f"{event}: queue {contact.queue}"
        self.take_number(event)
        contact.invitations[event.offer] = event.invitee

    def joined(self, event: ev.Joined) -> None:
        """Check that only who was asked comes."""
        contact = self.move(event, TALKING, Step.ENGAGED)
        asked = [offer for offer, agent in contact.invitations.items() if agent == event.agent]
        assert len(asked) == 1, f"{event}: nobody has asked"
        del contact.invitations[asked[0]]
        contact.participants.append(event.agent)
        self.agents[event.agent].joined.add(event.contact)

    def invitation_over(self, event: ev.InvitationOver) -> None:
        """Check that there was one."""
        contact = self.move(event, ENDING, self.contacts[event.contact].step)
        assert contact.invitations.pop(event.offer, 0) == event.agent, f"{event}: there was none"
        assert contact.step is Step.ENGAGED or event.how is ev.InvitationEnd.WITHDRAWN, f"{event}: too late"

    def left(self, event: ev.Left) -> None:
        """Check that somebody who was in it leaves, and at its end all do in the order of joining."""
        contact = self.move(event, ENDING, self.contacts[event.contact].step)
        assert event.agent in contact.participants, f"{event}: was not in it"
        if contact.step is not Step.ENGAGED:
            assert contact.participants[0] == event.agent, f"{event}: {contact.participants} are in it"
            assert not contact.invitations, f"{event}: before {contact.invitations}"
        self._quit(contact, event.contact, event.agent)

    def _quit(self, contact: Seen, number: int, agent: int) -> None:
        contact.participants.remove(agent)
        self.agents[agent].joined.remove(number)

    def served_by_another(self, event: ev.HandedOver | ev.TakenOver) -> None:
        """Check that it goes from whoever serves it to somebody who may."""
        contact = self.move(event, TALKING, Step.ENGAGED)
        assert contact.agent == event.from_agent != event.to_agent, f"{event}: it has {contact.agent}"
        assert contact.queue == event.queue, f"{event}: queue {contact.queue}"
        heir = self.agents[event.to_agent]
        if isinstance(event, ev.HandedOver):
            assert contact.participants[:1] == [event.to_agent], f"{event}: {contact.participants} are in it"
        else:
            assert heir.present, f"{event}: not there"
            assert not heir.signing_out, f"{event}: signing out"
        if event.to_agent in contact.participants:
            self._quit(contact, event.contact, event.to_agent)
        self.let_go(contact, event.contact)
        contact.agent = event.to_agent
        heir.contacts.add(event.contact)

    def lease_lost(self, event: ev.LeaseLost) -> None:
        """Check that what goes back is engaged and has nobody else in it; the agent must leave."""
        agent = self.agents[event.agent]
        assert agent.present, f"{event}: not there"
        assert list(event.contacts) == sorted({*event.contacts}), f"{event}: not in order"
        for number in event.contacts:
            contact = self.contacts[number]
            assert contact.agent == event.agent, f"{event}: {number} has agent {contact.agent}"
            assert contact.step is Step.ENGAGED, f"{event}: {number} is {contact.step.value}"
            assert not contact.participants, f"{event}: {contact.participants} are in {number}"
        self.losing, self.going_back = event.agent, set(event.contacts)

    def given_back(self, event: ev.Queued, contact: Seen) -> None:
        """Check that a lost lease says so of it, and let it out of the agent's hands."""
        assert event.contact in self.going_back, f"{event}: nobody has said so"
        assert contact.agent == self.losing, f"{event}: it has agent {contact.agent}"
        assert not contact.invitations, f"{event}: before {contact.invitations}"
        self.going_back.remove(event.contact)
        contact.announced = 0
        self.let_go(contact, event.contact)

    def transferred_out(self, event: ev.TransferredOut) -> None:
        """Check that its agent passes it on; it must end in the same breath."""
        contact = self.of_agent(event, TALKING, Step.ENGAGED)
        assert contact.queue == event.queue, f"{event}: queue {contact.queue}"
        contact.going_out = True
