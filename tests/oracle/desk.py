"""The agent's side: signing in and out, ready and not ready, answering offers, wrap-up."""

from __future__ import annotations

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.matching import Matching
from tests.oracle.refusal import Code, Refusal
from tests.oracle.state import Agent, Contact, How, Offer, Outcome, Presence, State, Tally, WrapUp
from tests.oracle.world import Timer

CLOSED_CODES = {
    How.ACCEPTED: Code.OFFER_ACCEPTED,
    How.DECLINED: Code.OFFER_DECLINED,
    How.EXPIRED: Code.OFFER_EXPIRED,
    How.WITHDRAWN: Code.OFFER_WITHDRAWN,
}


class Desk(Matching):
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
        self.withdraw_all(agent)
        if any(True for _ in self.in_hand(agent)):
            agent.signing_out = True
            self.emit(ev.AgentSigningOut(self.now, agent.id))
        else:
            self.leave(agent)
        return 0

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
        self.withdraw_all(agent)
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
        contact = self.contacts[offer.contact]
        self.close_offer(offer, How.ACCEPTED)
        agent.misses = 0
        agent.count(accepted=1)
        if len(list(self.in_hand(agent))) == 1:
            agent.count(idle_us=self.now - agent.idle_since, idles=1)
        contact.offer = 0
        self.emit(ev.OfferAccepted(self.now, offer.id, contact.id, contact.channel, agent.id))
        if self.channels[contact.channel].instant:
            self.engage(contact)
            return 0
        contact.state = State.CONNECTING
        self.start_connecting(contact, self.now)
        self.emit(ev.Connecting(self.now, contact.id, contact.channel, agent.id, contact.deadline))
        return 0

    def start_connecting(self, contact: Contact, at: int) -> None:
        """Set the deadline of connecting."""
        contact.deadline = at + self.channels[contact.channel].connect_timeout_us
        self.set_timer(Timer.CONNECTING, contact.id, contact.deadline)

    def engage(self, contact: Contact) -> None:
        """Let customer and agent talk."""
        self.cancel_timer(Timer.CONNECTING, contact.id)
        contact.state, contact.deadline, contact.engaged_at = State.ENGAGED, 0, self.now
        contact.attempted.clear()
        self.emit(ev.Engaged(self.now, contact.id, contact.channel, contact.agent))

    def decline(self, command: cmd.Decline) -> int:
        """Refuse an offer."""
        agent = self.known_agent(command.agent)
        self._check_reason(command.reason)
        offer = self._open_offer(agent, command.offer, How.DECLINED)
        if offer is None:
            return 0
        contact = self.contacts[offer.contact]
        self.close_offer(offer, How.DECLINED)
        self.emit(ev.OfferDeclined(self.now, offer.id, contact.id, contact.channel, agent.id, command.reason))
        self._give_up(contact, agent)
        return 0

    def expire_offer(self, offer: Offer) -> None:
        """Count an offer that nobody answered, and lock the agent at the limit."""
        agent, contact = self.agents[offer.agent], self.contacts[offer.contact]
        self.close_offer(offer, How.EXPIRED)
        self.emit(ev.OfferExpired(self.now, offer.id, contact.id, contact.channel, agent.id))
        agent.misses += 1
        limit = self.rules.miss_limit
        if limit > 0 and agent.misses >= limit and not agent.locked:
            agent.locked = True
            self.emit(ev.AgentLocked(self.now, agent.id, agent.misses))
        self._give_up(contact, agent)

    def _give_up(self, contact: Contact, agent: Agent) -> None:
        """Send a contact on from an agent that did not take it, whose idle time starts anew."""
        contact.attempted.add(agent.id)
        agent.idle_since = self.now
        self.detach(contact)
        self.release(agent, sets_idle=False)
        self.queue_up(contact, ev.QueuedCause.OFFER_ENDED)

    def fail_connecting(self, contact: Contact, by: ev.EndedBy) -> None:
        """Put a contact that could not be connected back at its place."""
        agent = self.agents[contact.agent]
        self.emit(ev.ConnectFailed(self.now, contact.id, contact.channel, agent.id, by))
        contact.attempted.add(agent.id)
        self.detach(contact)
        self.release(agent, sets_idle=False)
        self.queue_up(contact, ev.QueuedCause.CONNECT_FAILED)

    # The end of a contact

    def serve_out(self, contact: Contact, by: ev.EndedBy) -> None:
        """End an engaged contact: it was served."""
        agent = self.agents[contact.agent]
        self.emit(ev.Ended(self.now, contact.id, contact.channel, contact.queue, agent.id, by))
        self.finish_talk(agent, contact)
        self.end_contact(contact, Outcome.SERVED, agent.id)
        self.wrap_up(agent, contact)

    def finish_talk(self, agent: Agent, contact: Contact) -> None:
        """Take an engaged contact out of its agent's hands, and count how long they talked."""
        agent.count(talk_us=self.now - contact.engaged_at, talks=1)
        self.detach(contact)

    def wrap_up(self, agent: Agent, contact: Contact) -> None:
        """Start after-contact work by the contact's queue, or set the agent free."""
        duration = self.queues[contact.queue].wrap_up_us
        if duration == 0:
            self.release(agent, sets_idle=True)
            return
        deadline = self.now + duration
        wrap_up = WrapUp(self.next_wrap_up_number(), contact.id, contact.channel, contact.weight, deadline)
        agent.wrap_ups.append(wrap_up)
        self.set_timer(Timer.WRAP_UP, wrap_up.number, deadline)
        self.emit(ev.WrapUpStarted(self.now, agent.id, contact.id, contact.channel, deadline))

    def finish_wrap_up(self, agent: Agent, wrap_up: WrapUp, by: ev.EndedBy) -> None:
        """End after-contact work."""
        agent.wrap_ups.remove(wrap_up)
        self.emit(ev.WrapUpEnded(self.now, agent.id, wrap_up.contact, wrap_up.channel, by))
        self.release(agent, sets_idle=True)
