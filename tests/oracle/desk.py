"""The agent's side: signing in and out, ready and not ready, answering offers."""

from __future__ import annotations

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.config import Strategy
from tests.oracle.refusal import Code, Refusal
from tests.oracle.reserving import Reserving
from tests.oracle.state import Agent, Contact, How, Offer, Participant, Presence, Purpose, State, Tally
from tests.oracle.world import Timer

CLOSED_CODES = {
    How.ACCEPTED: Code.OFFER_ACCEPTED,
    How.DECLINED: Code.OFFER_DECLINED,
    How.EXPIRED: Code.OFFER_EXPIRED,
    How.WITHDRAWN: Code.OFFER_WITHDRAWN,
}


class Desk(Reserving):
    """What agents do, and what their deadlines do."""

    def known_agent(self, number: int) -> Agent:
        """Return a configured agent or refuse."""
        if number not in self.agents:
            raise Refusal(Code.UNKNOWN_AGENT, number)
        return self.agents[number]

    # Presence

    def sign_in(self, command: cmd.SignIn) -> int:
        """Start work, or take a sign-out back."""
        agent = self.known_agent(command.agent)
        if agent.presence is not Presence.SIGNED_OUT and not agent.signing_out:
            return 0
        if agent.presence is Presence.SIGNED_OUT:
            agent.tally = Tally()
        agent.signing_out, agent.reason, agent.idle_since = False, 0, self.now
        agent.presence = Presence.READY if command.ready else Presence.NOT_READY
        self.emit(ev.AgentSignedIn(self.now, agent.id))
        if command.ready:
            self.emit(ev.AgentReady(self.now, agent.id))
        else:
            self.emit(ev.AgentNotReady(self.now, agent.id, 0))
        self.touch_agent(agent)
        return 0

    def sign_out(self, command: cmd.SignOut) -> int:
        """Leave, after what is in hand."""
        agent = self.known_agent(command.agent)
        if agent.presence is Presence.SIGNED_OUT or agent.signing_out:
            return 0
        self.ask_no_more(agent)
        self.go_out(agent)
        return 0

    def ask_no_more(self, agent: Agent) -> None:
        """Take back what an agent was offered and invited to."""
        for offer in self.offers_to(agent):
            self.take_back(offer, ev.WithdrawnCause.AGENT_LEFT, ev.QueuedCause.OFFER_ENDED)

    def go_out(self, agent: Agent) -> None:
        """Let an agent leave, now or after what is in hand."""
        if any(True for _ in self.in_hand(agent)):
            agent.signing_out = True
            self.emit(ev.AgentSigningOut(self.now, agent.id))
        else:
            self.leave(agent)
        self.agents_left = True
        if not agent.stealth:
            self.touch_stealth()

    def _refuse_signed_out(self, agent: Agent) -> None:
        if agent.presence is Presence.SIGNED_OUT or agent.signing_out:
            raise Refusal(Code.SIGNED_OUT, agent.id)

    def ready(self, command: cmd.Ready) -> int:
        """Want contacts."""
        agent = self.known_agent(command.agent)
        self._refuse_signed_out(agent)
        if agent.presence is Presence.READY:
            return 0
        agent.presence, agent.reason, agent.idle_since = Presence.READY, 0, self.now
        self.emit(ev.AgentReady(self.now, agent.id))
        self.touch_agent(agent)
        return 0

    def not_ready(self, command: cmd.NotReady) -> int:
        """Want none for now; open offers are taken back."""
        agent = self.known_agent(command.agent)
        self._check_reason(command.reason)
        self._refuse_signed_out(agent)
        if agent.presence is Presence.NOT_READY and agent.reason == command.reason:
            return 0
        agent.presence, agent.reason = Presence.NOT_READY, command.reason
        self.emit(ev.AgentNotReady(self.now, agent.id, command.reason))
        for offer in self.offers_to(agent):
            if offer.purpose is Purpose.SERVE:
                self.take_back(offer, ev.WithdrawnCause.AGENT_LEFT, ev.QueuedCause.OFFER_ENDED)
        return 0

    def _check_reason(self, reason: int) -> None:
        if reason != 0 and reason not in self.rules.reasons:
            raise Refusal(Code.UNKNOWN_REASON, reason)

    def unlock(self, command: cmd.Unlock) -> int:
        """Lift a lock."""
        agent = self.known_agent(command.agent)
        if agent.locked:
            agent.locked, agent.misses = False, 0
            self.emit(ev.AgentUnlocked(self.now, agent.id))
            self.touch_agent(agent)
        return 0

    # Offers

    def _open_offer(self, agent: Agent, number: int, repeat: How) -> Offer | None:
        """Return the agent's open offer, None if it was answered so before, or refuse."""
        offer = self.offers.get(number)
        if offer is not None and offer.agent == agent.id:
            return offer
        closed = self.closed.get(number)
        if closed is None or closed.agent != agent.id:
            raise Refusal(Code.UNKNOWN_OFFER, number)
        if closed.how is not repeat:
            raise Refusal(CLOSED_CODES[closed.how], number)
        return None

    def accept(self, command: cmd.Accept) -> int:
        """Take an offer."""
        agent = self.known_agent(command.agent)
        offer = self._open_offer(agent, command.offer, How.ACCEPTED)
        if offer is None:
            return 0
        if offer.purpose is Purpose.JOIN:
            self.join(offer)
        else:
            self.take(offer)
        return 0

    def take(self, offer: Offer) -> None:
        """Give the contact to whom it was offered; whoever else it rang at is asked no more."""
        agent, contact = self.agents[offer.agent], self.contacts[offer.contact]
        self.close_offer(offer, How.ACCEPTED)
        agent.misses = 0
        agent.count(accepted=1)
        if len(list(self.in_hand(agent))) == 1:
            agent.count(idle_us=self.now - agent.idle_since, idles=1)
        self.emit(ev.OfferAccepted(self.now, offer.id, contact.id, contact.channel, agent.id))
        # Something exclusive may come now, if what was taken can be interrupted.
        self.touch_agent(agent)
        for other in self.open_offers(contact):
            self.withdraw(other, ev.WithdrawnCause.TAKEN)
            self.release(self.agents[other.agent], sets_idle=False)
        contact.state, contact.agent, contact.offer = State.CONNECTING, agent.id, 0
        if self.channels[contact.channel].instant:
            self.engage(contact)
            return
        self.start_connecting(contact, self.now)
        self.emit(ev.Connecting(self.now, contact.id, contact.channel, agent.id, contact.deadline))

    def join(self, offer: Offer) -> None:
        """Let an agent into a contact; its units are held beyond the capacity if need be."""
        agent, contact = self.agents[offer.agent], self.contacts[offer.contact]
        self.close_offer(offer, How.ACCEPTED)
        contact.participants.append(Participant(agent.id, self.now))
        agent.joined[contact.id] = contact
        self.emit(ev.Joined(self.now, contact.id, contact.channel, agent.id))

    def start_connecting(self, contact: Contact, at: int) -> None:
        """Set the deadline of connecting."""
        contact.deadline = at + self.channels[contact.channel].connect_timeout_us
        self.set_timer(Timer.CONNECTING, contact.id, contact.deadline)

    def engage(self, contact: Contact) -> None:
        """Let customer and agent talk."""
        self.cancel_timer(Timer.CONNECTING, contact.id)
        contact.state, contact.deadline, contact.engaged_at = State.ENGAGED, 0, self.now
        contact.attempted.clear()
        contact.preferred_until = None
        contact.unconnected = False
        contact.announce_at = contact.announced = 0
        contact.reply_by = 0  # from here on the channel alone knows
        self.emit(ev.Engaged(self.now, contact.id, contact.channel, contact.agent))
        self.end_wait(contact)

    def decline(self, command: cmd.Decline) -> int:
        """Refuse an offer."""
        agent = self.known_agent(command.agent)
        self._check_reason(command.reason)
        offer = self._open_offer(agent, command.offer, How.DECLINED)
        if offer is None:
            return 0
        if offer.purpose is Purpose.JOIN:
            self.end_invitation(offer, How.DECLINED)
            return 0
        channel = self.contacts[offer.contact].channel
        self.emit(ev.OfferDeclined(self.now, offer.id, offer.contact, channel, agent.id, command.reason))
        agent.idle_since = self.now
        self._pass_by(offer, How.DECLINED)
        return 0

    def expire_offer(self, offer: Offer) -> None:
        """End an offer that nobody answered; it is missed unless others were asked as well."""
        if offer.purpose is Purpose.JOIN:
            self.end_invitation(offer, How.EXPIRED)
            return
        agent, contact = self.agents[offer.agent], self.contacts[offer.contact]
        self.emit(ev.OfferExpired(self.now, offer.id, contact.id, contact.channel, agent.id))
        ring_all = self.queues[contact.queue].strategy is Strategy.RING_ALL
        if not ring_all and len(self.open_offers(contact)) == 1:
            self._miss(agent)
        self._pass_by(offer, How.EXPIRED)

    def _miss(self, agent: Agent) -> None:
        """Count an offer that an agent did not answer, and lock the agent at the limit."""
        agent.idle_since = self.now
        agent.misses += 1
        limit = self.rules.miss_limit
        if limit > 0 and agent.misses >= limit and not agent.locked:
            agent.locked = True
            self.emit(ev.AgentLocked(self.now, agent.id, agent.misses))

    def _pass_by(self, offer: Offer, how: How) -> None:
        """Send a contact on from an agent that did not take it, unless it still rings elsewhere."""
        agent, contact = self.agents[offer.agent], self.contacts[offer.contact]
        contact.attempted.add(agent.id)
        contact.unanswered += 1
        self.drop(offer, how)
        self.release(agent, sets_idle=False)
        if contact.state is State.WAITING:
            self.queue_up(contact, ev.QueuedCause.OFFER_ENDED)
            if contact.id in self.contacts:
                self.look_at_answers(contact)

    def fail_connecting(self, contact: Contact, by: ev.EndedBy) -> None:
        """Put a contact that could not be connected back at its place."""
        agent = self.agents[contact.agent]
        self.emit(ev.ConnectFailed(self.now, contact.id, contact.channel, agent.id, by))
        if by is not ev.EndedBy.ENGINE:
            contact.attempted.add(agent.id)
        contact.unconnected = True
        self.detach(contact)
        self.release(agent, sets_idle=False)
        self.queue_up(contact, ev.QueuedCause.CONNECT_FAILED)
