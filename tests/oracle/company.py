"""Several agents in one contact: inviting, joining, leaving, and who serves it then."""

from __future__ import annotations

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.refusal import Code, Refusal
from tests.oracle.state import Agent, Contact, How, Offer, Participant, Presence, Purpose, State
from tests.oracle.talk import Talk
from tests.oracle.world import Timer

MAX_COMPANY = 64
"""Participants and invitations of a contact, beside the agent who serves it."""


class Company(Talk):
    """What agents do in a contact that one of them serves."""

    def invite(self, command: cmd.Invite) -> int:
        """Ask another agent to join."""
        agent = self.known_agent(command.agent)
        contact = self._joined_by(agent, command.contact) or self._own(agent, command.contact)
        invitee = self.known_agent(command.invitee)
        self._check_domain(invitee, contact)
        if invitee.presence is Presence.SIGNED_OUT or invitee.signing_out:
            raise Refusal(Code.SIGNED_OUT, invitee.id)
        invitations = self.open_offers(contact, Purpose.JOIN)
        company = [*(one.agent for one in contact.participants), *(one.agent for one in invitations)]
        if invitee.id in (contact.agent, *company):
            raise Refusal(Code.WRONG_STATE, invitee.id)
        if len(company) >= MAX_COMPANY:
            raise Refusal(Code.TOO_MANY_PARTICIPANTS, MAX_COMPANY)
        self._send(agent, contact, invitee)
        return 0

    def _send(self, agent: Agent, contact: Contact, invitee: Agent) -> None:
        deadline = self.now + self.queues[contact.queue].offer_timeout_us
        offer = Offer(self.next_offer, contact.id, invitee.id, deadline, Purpose.JOIN)
        self.next_offer += 1
        self.offers[offer.id] = offer
        self.set_timer(Timer.OFFER, offer.id, deadline)
        place = (contact.id, contact.channel, contact.queue)
        self.emit(ev.Invited(self.now, offer.id, *place, agent.id, invitee.id, deadline))

    def _check_domain(self, agent: Agent, contact: Contact) -> None:
        if not self.may_use(agent.domain, contact.queue):
            raise Refusal(Code.OTHER_DOMAIN, contact.queue)

    def _joined_by(self, agent: Agent, contact_id: int) -> Contact | None:
        return agent.joined.get(contact_id)

    def leave_contact(self, command: cmd.Leave) -> int:
        """Leave a contact to the others who are in it."""
        agent = self.known_agent(command.agent)
        contact = self._joined_by(agent, command.contact)
        if contact is not None:
            self.part(contact, self.participant(contact, agent), ev.EndedBy.AGENT)
            return 0
        contact = self._own(agent, command.contact)
        if not contact.participants:
            raise Refusal(Code.WRONG_STATE, contact.id)
        self.hand_over(contact)
        return 0

    def hand_over(self, contact: Contact) -> None:
        """Leave a contact to who joined it first."""
        agent = self.agents[contact.agent]
        heir = self.agents[contact.participants[0].agent]
        place = (contact.id, contact.channel, contact.queue)
        self.emit(ev.HandedOver(self.now, *place, agent.id, heir.id))
        self.pass_to(contact, heir)

    def participant(self, contact: Contact, agent: Agent) -> Participant:
        """Return an agent's part in a contact."""
        return next(one for one in contact.participants if one.agent == agent.id)

    def take_over(self, command: cmd.TakeOver) -> int:
        """Serve a contact from now on that another has served."""
        agent = self.known_agent(command.agent)
        contact = self.engaged_contact(command.contact)
        self._check_domain(agent, contact)
        if agent.presence is Presence.SIGNED_OUT or agent.signing_out:
            raise Refusal(Code.SIGNED_OUT, agent.id)
        if contact.agent == agent.id:
            return 0
        place = (contact.id, contact.channel, contact.queue)
        self.emit(ev.TakenOver(self.now, *place, contact.agent, agent.id))
        for offer in self.open_offers(contact, Purpose.JOIN):
            if offer.agent == agent.id:
                self.end_invitation(offer, How.WITHDRAWN)
        self.pass_to(contact, agent)
        return 0

    def pass_to(self, contact: Contact, agent: Agent) -> None:
        """Put an engaged contact into another agent's hands; whoever served it wraps up."""
        assert contact.state is State.ENGAGED
        before = self.agents[contact.agent]
        self.count_talk(before, contact)
        del before.contacts[contact.id]
        contact.participants = [one for one in contact.participants if one.agent != agent.id]
        agent.joined.pop(contact.id, None)
        agent.contacts[contact.id] = contact
        contact.agent, contact.engaged_at = agent.id, self.now
        self.wrap_up(before, contact)
        contact.held, contact.parked, contact.unparked = False, False, True
