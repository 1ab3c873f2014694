"""Who gets whom: choice, offers, and what makes a pair worth another look."""

from __future__ import annotations

from tests.oracle import events as ev
from tests.oracle.config import MAX_LEVEL, Order, QueueConfig, Strategy
from tests.oracle.state import WORD, Agent, Contact, How, Offer, Presence, Purpose, State, mix
from tests.oracle.waiting import Waiting
from tests.oracle.world import Timer

Rank = tuple[int, ...]


class Matching(Waiting):
    """All pairs are looked at, every time."""

    # Choice

    def rank(self, contact: Contact, agent: Agent) -> int:
        """Return the agent's level for the contact's queue."""
        return agent.levels.get(self.queues[contact.queue].rank_skill, 0)

    def score(self, contact: Contact, agent: Agent) -> int:
        """Return how much the agent has of what the contact prefers."""
        return sum(weight * agent.levels.get(skill, 0) for skill, weight in contact.demand.prefers)

    def chooses_by(self, contact: Contact) -> Strategy:
        """Return the strategy that orders agents for a contact."""
        queue = self.queues[contact.queue]
        return queue.fallback if queue.strategy is Strategy.OUTSIDE else queue.strategy

    def agent_key(self, contact: Contact, agent: Agent) -> Rank:
        """Return what decides between agents for a contact, smaller first."""
        by_level = self.rules.order is Order.AGENT_LEVEL
        best_skill = self.chooses_by(contact) is Strategy.BEST_SKILL
        return (
            -self.rank(contact, agent) if by_level else 0,
            MAX_LEVEL - self.rank(contact, agent) if best_skill else 0,
            -self.score(contact, agent),
            self.strategy_key(contact, agent),
            *(agent.idle_since, agent.position),
        )

    def strategy_key(self, contact: Contact, agent: Agent) -> int:
        """Return the number that the contact's queue goes by."""
        done, held_total = agent.tally, sum(weight for _, weight in self.in_hand(agent))
        match self.chooses_by(contact):
            case Strategy.LONGEST_IDLE | Strategy.BEST_SKILL | Strategy.RING_ALL:
                return held_total
            case Strategy.LEAST_OCCUPIED:
                return held_total * 1000 // max(1, sum(agent.units.values()))
            case Strategy.FEWEST_CONTACTS:
                return done.accepted
            case Strategy.LEAST_TALK:
                return done.talk_us
            case Strategy.LEAST_AVERAGE_TALK:
                return done.talk_us // max(1, done.talks)
            case Strategy.LONGEST_AVERAGE_IDLE:
                return WORD - done.idle_us // max(1, done.idles)
            case Strategy.ROUND_ROBIN:
                return agent.last_offer
            case Strategy.TOP_DOWN:
                return agent.position
            case Strategy.RANDOM:
                return mix(self.rules.seed ^ (agent.id << 32) ^ agent.last_offer)
            case Strategy.WEIGHTED:
                return done.offers * 1_000_000 // agent.share
            case Strategy.OUTSIDE:
                raise ValueError("a fallback that is outside")

    def contact_key(self, contact: Contact, agent: Agent) -> Rank:
        """Return what decides between contacts for an agent, smaller first."""
        rank = self.rank(contact, agent) if self.rules.order is Order.AGENT_LEVEL else 0
        return self.turn(contact, -rank)

    def turn(self, contact: Contact, rank: int = 0) -> Rank:
        """Return what decides between contacts, smaller first; `rank` says what an agent adds to it."""
        queue, (tier, since, sequence) = self.queues[contact.queue], contact.place()
        if self.rules.order is Order.RATIO:
            rank = -self.arrears(queue)
        if self.rules.order is Order.DEADLINE:
            since += queue.service_level_us
        return (tier, queue.priority, rank, since, sequence)

    def arrears(self, queue: QueueConfig) -> int:
        """Return how far the queue's part of those who wait is above the part that it is to have."""
        waiting = [contact.queue for contact in self.waiting()]
        ratios = sum(other.ratio for other in self.queues.values())
        return waiting.count(queue.id) * ratios - queue.ratio * len(waiting)

    def best_agent(self, contact: Contact) -> Agent | None:
        """Return the agent that the contact is to be offered to."""
        if not self.offerable(contact):
            return None
        candidates = [agent for agent in self.agents.values() if self.eligible(contact, agent)]
        return min(candidates, key=lambda agent: self.agent_key(contact, agent), default=None)

    def best_contact(self, agent: Agent) -> Contact | None:
        """Return the contact that the agent is to be offered."""
        candidates = [contact for contact in self.contacts.values() if self.eligible(contact, agent)]
        return min(candidates, key=lambda contact: self.contact_key(contact, agent), default=None)

    # Match

    def match(self) -> None:
        """Offer until nothing that was touched can be offered: agents first, then contacts, then agents
        that are no longer kept for a contact.
        """
        again = True
        while again:
            while self.dirty_agents:
                agent = self.agents[self.dirty_agents.pop(0)]
                while contact := self.best_contact(agent):
                    self.propose(contact, agent)
            self.touch_paced()
            touched = [self.contacts[number] for number in self.dirty_contacts if number in self.contacts]
            self.dirty_contacts.clear()
            for contact in sorted(touched, key=self.turn):
                if best := self.best_agent(contact):
                    self.propose(contact, best)
            again = bool(self.dirty_agents)
        self.full_queues = {number for number in self.queues if self.has_its_fill(number)}

    def forget_dirty(self) -> None:
        """Start a new list of what was touched."""
        self.dirty_agents.clear()
        self.dirty_contacts.clear()

    def touch_agent(self, agent: Agent) -> None:
        """Look at the agent in the next match."""
        if agent.id not in self.dirty_agents:
            self.dirty_agents.append(agent.id)

    def touch_stealth(self) -> None:
        """Look at the stealth agents, who may be allowed now what they were not before."""
        for agent in self.agents.values():
            if agent.stealth and agent.available():
                self.touch_agent(agent)

    def touch_paced(self) -> None:
        """Look at who waits in queues that had as many in hand as they may, and no longer have."""
        full = self.full_queues & self.queues.keys()
        left = {number for number in full if not self.has_its_fill(number)}
        self.dirty_contacts.update(contact.id for contact in self.waiting() if contact.queue in left)

    def propose(self, contact: Contact, agent: Agent) -> None:
        """Offer a contact to an agent, and under ring_all to others; who accepts by itself has it at once."""
        for one in self.rung(contact, agent):
            offer = self.make_offer(contact, one)
            if one.auto_accept:
                self.take(offer)
                return

    def rung(self, contact: Contact, first: Agent) -> list[Agent]:
        """Return whom a contact is offered to, in this order."""
        queue = self.queues[contact.queue]
        if queue.strategy is not Strategy.RING_ALL:
            return [first]
        able = [agent for agent in self.agents.values() if self.eligible(contact, agent)]
        able.remove(first)
        return [first, *sorted(able, key=lambda agent: self.agent_key(contact, agent))][: queue.ring_limit]

    def take(self, offer: Offer) -> None:
        """Accept an offer."""
        raise NotImplementedError

    def make_offer(self, contact: Contact, agent: Agent) -> Offer:
        """Propose a contact to an agent; of several offers the first stands for all."""
        deadline = self.now + self.queues[contact.queue].offer_timeout_us
        offer = Offer(self.next_offer, contact.id, agent.id, deadline)
        self.next_offer += 1
        self.offers[offer.id] = offer
        self.set_timer(Timer.OFFER, offer.id, deadline)
        self.cancel_timer(Timer.RETRY, contact.id)
        contact.retry_at = None
        self.cancel_timer(Timer.WAKE, contact.id)
        contact.wake_at = None
        if contact.state is State.WAITING:
            contact.state, contact.agent, contact.offer = State.OFFERED, agent.id, offer.id
        agent.contacts[contact.id] = contact
        agent.last_offer = offer.id
        agent.count(offers=1)
        place = (contact.id, contact.channel, contact.queue)
        self.emit(ev.OfferMade(self.now, offer.id, *place, agent.id, deadline, self.configurations))
        return offer

    # What the handlers and the timers share

    def release(self, agent: Agent, *, sets_idle: bool) -> None:
        """Account for units that came free: an agent with nothing in hand is idle, or leaves."""
        if not any(True for _ in self.in_hand(agent)):
            if sets_idle:
                agent.idle_since = self.now
            if agent.signing_out:
                self.leave(agent)
                return
        self.touch_agent(agent)

    def leave(self, agent: Agent) -> None:
        """Sign an agent out."""
        agent.presence, agent.reason, agent.signing_out = Presence.SIGNED_OUT, 0, False
        self.emit(ev.AgentSignedOut(self.now, agent.id))

    def detach(self, contact: Contact) -> None:
        """Take a connecting or engaged contact out of its agent's hands, to wait or to end."""
        self.cancel_timer(Timer.CONNECTING, contact.id)
        if contact.agent:
            del self.agents[contact.agent].contacts[contact.id]
        contact.state, contact.agent, contact.offer = State.WAITING, 0, 0
        contact.deadline, contact.engaged_at = 0, 0

    def queue_up(self, contact: Contact, cause: ev.QueuedCause) -> None:
        """Say where a contact waits, and look at it in the next match."""
        self.dirty_contacts.add(contact.id)
        self.emit(
            ev.Queued(
                *(self.now, contact.id, contact.channel, contact.queue, contact.tier),
                *(contact.enqueued_at, contact.head_start_us, cause),
            )
        )
        self.set_wake(contact)

    def drop(self, offer: Offer, how: How) -> None:
        """Close an offer to serve; with the last one its contact waits, and must be queued or ended next."""
        contact = self.contacts[offer.contact]
        self.close_offer(offer, how)
        del self.agents[offer.agent].contacts[contact.id]
        still_open = self.open_offers(contact)
        if still_open:
            contact.agent, contact.offer = still_open[0].agent, still_open[0].id
        else:
            contact.state, contact.agent, contact.offer = State.WAITING, 0, 0

    def withdraw(self, offer: Offer, cause: ev.WithdrawnCause) -> None:
        """Take an offer to serve back."""
        self.drop(offer, How.WITHDRAWN)
        channel = self.contacts[offer.contact].channel
        self.emit(ev.OfferWithdrawn(self.now, offer.id, offer.contact, channel, offer.agent, cause))

    def end_invitation(self, offer: Offer, how: How) -> None:
        """Close an invitation that nobody has followed."""
        self.close_offer(offer, how)
        channel, end = self.contacts[offer.contact].channel, ev.InvitationEnd(how)
        self.emit(ev.InvitationOver(self.now, offer.id, offer.contact, channel, offer.agent, end))

    def take_back(self, offer: Offer, cause: ev.WithdrawnCause, queued: ev.QueuedCause) -> None:
        """Take any offer back; a contact without another one waits again."""
        if offer.purpose is Purpose.JOIN:
            self.end_invitation(offer, How.WITHDRAWN)
            return
        self.withdraw(offer, cause)
        contact = self.contacts[offer.contact]
        if contact.state is State.WAITING:
            self.queue_up(contact, queued)

    def offers_to(self, agent: Agent) -> list[Offer]:
        """Return an agent's open offers by id."""
        return sorted(offer for offer in self.offers.values() if offer.agent == agent.id)
