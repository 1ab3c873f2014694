"""Who gets whom: eligibility, choice, offers, and what makes a pair worth another look."""

from __future__ import annotations

from tests.oracle import events as ev
from tests.oracle.config import MAX_LEVEL, Limits, Order, Strategy
from tests.oracle.state import WORD, Agent, Contact, How, Offer, Presence, State, mix
from tests.oracle.world import Timer, World

Rank = tuple[int, ...]


class Matching(World):
    """All pairs are looked at, every time."""

    def __init__(self, limits: Limits | None = None) -> None:
        super().__init__(limits)
        self.dirty_agents: list[int] = []
        self.dirty_contacts: set[int] = set()

    # Eligibility

    def qualified(self, contact: Contact, agent: Agent) -> bool:
        """Return whether the agent is present and could ever hold the contact."""
        return (
            agent.available()
            and contact.weight <= agent.units.get(contact.channel, 0)
            and all(
                agent.levels.get(skill, 0) >= level for skill, level in self.queues[contact.queue].requires
            )
            and all(agent.levels.get(skill, 0) >= level for skill, level in contact.requires)
        )

    def fits(self, contact: Contact, agent: Agent) -> bool:
        """Return whether the contact fits beside what the agent has in hand."""
        in_hand = list(self.in_hand(agent))
        units = agent.units[contact.channel]
        if self.exclusive(contact.channel):
            return not in_hand and contact.weight <= units
        if any(self.exclusive(channel) for channel, _ in in_hand):
            return False
        held = sum(weight for channel, weight in in_hand if channel == contact.channel)
        return held + contact.weight <= units

    def exclusive(self, channel: int) -> bool:
        """Return whether a channel is exclusive now; one that is gone is not."""
        return channel in self.channels and self.channels[channel].exclusive

    def eligible(self, contact: Contact, agent: Agent) -> bool:
        """Return whether the contact may be offered to the agent now."""
        return (
            contact.state is State.WAITING
            and agent.id not in contact.attempted
            and self.qualified(contact, agent)
            and self.fits(contact, agent)
        )

    # Choice

    def rank(self, contact: Contact, agent: Agent) -> int:
        """Return the agent's level for the contact's queue."""
        return agent.levels.get(self.queues[contact.queue].rank_skill, 0)

    def agent_key(self, contact: Contact, agent: Agent) -> Rank:
        """Return what decides between agents for a contact, smaller first."""
        key = (*self.strategy_key(contact, agent), agent.idle_since, agent.position)
        return key if self.rules.order is Order.LONGEST else (-self.rank(contact, agent), *key)

    def strategy_key(self, contact: Contact, agent: Agent) -> Rank:
        """Return what the contact's queue looks at first."""
        done, held_total = agent.tally, sum(weight for _, weight in self.in_hand(agent))
        match self.queues[contact.queue].strategy:
            case Strategy.LONGEST_IDLE:
                return (held_total,)
            case Strategy.LEAST_OCCUPIED:
                return (held_total * 1000 // max(1, sum(agent.units.values())),)
            case Strategy.FEWEST_CONTACTS:
                return (done.accepted,)
            case Strategy.LEAST_TALK:
                return (done.talk_us,)
            case Strategy.LEAST_AVERAGE_TALK:
                return (done.talk_us // max(1, done.talks),)
            case Strategy.LONGEST_AVERAGE_IDLE:
                return (WORD - done.idle_us // max(1, done.idles),)
            case Strategy.BEST_SKILL:
                return (MAX_LEVEL - self.rank(contact, agent), held_total)
            case Strategy.ROUND_ROBIN:
                return (agent.last_offer,)
            case Strategy.TOP_DOWN:
                return (agent.position,)
            case Strategy.RANDOM:
                return (mix(self.rules.seed ^ (agent.id << 32) ^ agent.last_offer),)
            case Strategy.WEIGHTED:
                return (done.offers * 1_000_000 // agent.share,)

    def contact_key(self, contact: Contact, agent: Agent) -> Rank:
        """Return what decides between contacts for an agent, smaller first."""
        tier, since, sequence = contact.place()
        if self.rules.order is Order.LONGEST:
            return (tier, since, sequence)
        return (tier, -self.rank(contact, agent), since, sequence)

    def best_agent(self, contact: Contact) -> Agent | None:
        """Return the agent that the contact is to be offered to."""
        candidates = [agent for agent in self.agents.values() if self.eligible(contact, agent)]
        return min(candidates, key=lambda agent: self.agent_key(contact, agent), default=None)

    def best_contact(self, agent: Agent) -> Contact | None:
        """Return the contact that the agent is to be offered."""
        candidates = [contact for contact in self.contacts.values() if self.eligible(contact, agent)]
        return min(candidates, key=lambda contact: self.contact_key(contact, agent), default=None)

    # Retry pass and match

    def retry_pass(self) -> None:
        """Start the retry of every contact that nobody else is left for."""
        for contact in self.contacts.values():
            if contact.state is not State.WAITING or not contact.attempted or contact.retry_at is not None:
                continue
            others = (agent for agent in self.agents.values() if agent.id not in contact.attempted)
            if not any(self.qualified(contact, agent) for agent in others):
                contact.retry_at = self.now + self.rules.retry_after_us
                self.set_timer(Timer.RETRY, contact.id, contact.retry_at)

    def match(self) -> None:
        """Offer until nothing that was touched can be offered: agents first, then contacts."""
        for number in self.dirty_agents:
            agent = self.agents[number]
            while contact := self.best_contact(agent):
                self.make_offer(contact, agent)
        touched = [self.contacts[number] for number in self.dirty_contacts if number in self.contacts]
        for contact in sorted(touched, key=Contact.place):
            if best := self.best_agent(contact):
                self.make_offer(contact, best)
        self.forget_dirty()

    def forget_dirty(self) -> None:
        """Start a new list of what was touched."""
        self.dirty_agents.clear()
        self.dirty_contacts.clear()

    def settle(self) -> None:
        """Do what follows every mutation."""
        self.retry_pass()
        self.match()

    def touch_agent(self, agent: Agent) -> None:
        """Look at the agent in the next match."""
        if agent.id not in self.dirty_agents:
            self.dirty_agents.append(agent.id)

    def make_offer(self, contact: Contact, agent: Agent) -> None:
        """Propose a contact to an agent."""
        deadline = self.now + self.queues[contact.queue].offer_timeout_us
        offer = Offer(self.next_offer, contact.id, agent.id, deadline)
        self.next_offer += 1
        self.offers[offer.id] = offer
        self.set_timer(Timer.OFFER, offer.id, deadline)
        self.cancel_timer(Timer.RETRY, contact.id)
        contact.retry_at = None
        contact.state, contact.agent, contact.offer = State.OFFERED, agent.id, offer.id
        agent.contacts[contact.id] = contact
        agent.last_offer = offer.id
        agent.count(offers=1)
        self.emit(
            ev.OfferMade(self.now, offer.id, contact.id, contact.channel, contact.queue, agent.id, deadline)
        )

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
        """Take a contact out of its agent's hands, to wait or to end."""
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

    def withdraw(self, offer: Offer, cause: ev.WithdrawnCause) -> None:
        """Take an offer back; its contact is detached and must be queued or ended next."""
        contact = self.contacts[offer.contact]
        self.close_offer(offer, How.WITHDRAWN)
        self.detach(contact)
        self.emit(ev.OfferWithdrawn(self.now, offer.id, contact.id, contact.channel, offer.agent, cause))

    def withdraw_all(self, agent: Agent) -> None:
        """Take every offer to an agent back."""
        for offer in sorted(offer for offer in self.offers.values() if offer.agent == agent.id):
            self.withdraw(offer, ev.WithdrawnCause.AGENT_LEFT)
            self.queue_up(self.contacts[offer.contact], ev.QueuedCause.OFFER_ENDED)
