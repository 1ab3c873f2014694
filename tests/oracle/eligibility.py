"""Who may serve whom: requirements and their relaxation, exclusions, preferred agents, stealth agents."""

from __future__ import annotations

from functools import lru_cache

from tests.oracle.config import NO_LIMIT, Contract, QueueState, RelaxStep, Requirement
from tests.oracle.state import Agent, Contact, State
from tests.oracle.world import World


@lru_cache(maxsize=1 << 12)
def relaxed(requires: Requirement, steps: tuple[RelaxStep, ...]) -> Requirement:
    """Return what steps leave of a requirement; what must not be is never relaxed."""
    dropped = {skill for step in steps for skill in step.drop}
    alternatives = []
    for needs in requires:
        left = []
        for need in needs:
            by = sum(lower.by for step in steps for lower in step.lower if lower.skill == need.skill)
            if need.negated:
                left.append(need)
            elif need.skill not in dropped and need.level > by:
                left.append(need._replace(level=need.level - by))
        alternatives.append(tuple(left))
    return tuple(alternatives)


class Eligibility(World):
    """One question a method, each asked anew every time."""

    # What is asked

    def applied_steps(self, contact: Contact) -> tuple[RelaxStep, ...]:
        """Return the steps of its queue that a contact has come to."""
        return self.queues[contact.queue].steps[: contact.step]

    def holds(self, requires: Requirement, agent: Agent) -> bool:
        """Return whether an agent meets a requirement."""
        return not requires or any(
            all((agent.levels.get(need.skill, 0) >= need.level) != need.negated for need in needs)
            for needs in requires
        )

    def meets(self, contact: Contact, agent: Agent) -> bool:
        """Return whether an agent may use the queue, and meets what is asked for the contact now."""
        if not self.may_use(agent.domain, contact.queue):
            return False
        steps = self.applied_steps(contact)
        if not steps:  # nothing to relax, and no other queue: most contacts, and the storms are long
            return self.holds(contact.demand.requires, agent) and self.holds(
                self.queues[contact.queue].requires, agent
            )
        widened = {queue for step in steps for queue in step.widen}
        queues = (contact.queue, *widened)
        return self.holds(relaxed(contact.demand.requires, steps), agent) and any(
            self.holds(relaxed(self.queues[queue].requires, steps), agent) for queue in queues
        )

    # Who may

    def may_use(self, domain: int, queue: int) -> bool:
        """Return whether agents and contacts of a domain may use a queue: their own, or by contract."""
        return domain == self.queues[queue].domain or Contract(queue, domain) in self.contracts

    def suits(self, contact: Contact, agent: Agent) -> bool:
        """Return whether the agent, there or not, could ever hold the contact."""
        return (
            contact.weight <= agent.units.get(contact.channel, 0)
            and agent.id not in contact.demand.excludes
            and self.meets(contact, agent)
        )

    def direct(self, contact: Contact, agent: Agent) -> bool:
        """Return whether the contact is for this agent now, whatever the agent has in hand."""
        wants = contact.demand.beyond_capacity and agent.id in contact.demand.preferred
        return wants and contact.preferred_until is not None

    def could_hold(self, contact: Contact, agent: Agent) -> bool:
        """Return whether the agent, there or not, could be offered the contact as things are."""
        if self.direct(contact, agent):
            return self.meets(contact, agent) and agent.id not in contact.demand.excludes
        return self.suits(contact, agent)

    def human_there(self, contact: Contact) -> bool:
        """Return whether somebody who is no stealth agent, and suits, is signed in."""
        return any(
            agent.signed_in() and not agent.stealth and self.suits(contact, agent)
            for agent in self.agents.values()
        )

    def qualified(self, contact: Contact, agent: Agent) -> bool:
        """Return whether the agent is present and may hold the contact, once its hands are free."""
        return (
            agent.available()
            and self.could_hold(contact, agent)
            and (contact.preferred_until is None or agent.id in contact.demand.preferred)
            and not (agent.stealth and self.human_there(contact))
        )

    def fits(self, contact: Contact, agent: Agent) -> bool:
        """Return whether the contact may come beside what the agent has in hand."""
        return self.direct(contact, agent) or self.has_room(contact, agent)

    def has_room(self, contact: Contact, agent: Agent) -> bool:
        """Return whether units and exclusive channels leave room for the contact."""
        held = [(channel, units) for channel, units in self.in_hand(agent) if units > 0]
        units = agent.units.get(contact.channel, 0)
        if self.exclusive(contact.channel):
            ringing = any(other.state is State.OFFERED for other in agent.contacts.values())
            free = all(self.interruptible(channel) for channel, _ in held)
            return free and not ringing and contact.weight <= units
        if any(self.exclusive(channel) for channel, _ in held):
            return False
        here = sum(weight for channel, weight in held if channel == contact.channel)
        return here + contact.weight <= units

    def exclusive(self, channel: int) -> bool:
        """Return whether a channel is exclusive now; one that is gone is not."""
        return channel in self.channels and self.channels[channel].exclusive

    def interruptible(self, channel: int) -> bool:
        """Return whether something exclusive may come beside this channel; one that is gone is not."""
        return channel in self.channels and self.channels[channel].interruptible

    def eligible(self, contact: Contact, agent: Agent) -> bool:
        """Return whether the contact may be offered to the agent now."""
        return (
            contact.state is State.WAITING
            and agent.id not in contact.attempted
            and agent.available()
            and self.fits(contact, agent)
            and self.qualified(contact, agent)
            and self.offerable(contact)
            and self.kept_for(agent) in {0, contact.id}
        )

    def offerable(self, contact: Contact) -> bool:
        """Return whether the contact may be offered at all, to whomever."""
        return contact.state is State.WAITING and not contact.choice and self.queue_serves(contact.queue)

    def queue_in_hand(self, queue: int) -> int:
        """Return how many of a queue's contacts are with agents: offered, connecting or engaged."""
        return sum(
            contact.queue == queue and contact.state in (State.OFFERED, State.CONNECTING, State.ENGAGED)
            for contact in self.contacts.values()
        )

    def queue_serves(self, queue: int) -> bool:
        """Return whether a queue's contacts may be offered now: it is not closed, and its pace allows it."""
        if self.hours_of(queue) is QueueState.CLOSED:
            return False
        return not self.has_its_fill(queue)

    def has_its_fill(self, queue: int) -> bool:
        """Return whether a queue has as many contacts in hand as it may."""
        limit = self.queues[queue].max_in_hand
        return limit != NO_LIMIT and self.queue_in_hand(queue) >= limit

    def kept_for(self, agent: Agent) -> int:
        """Return the contact that the agent is reserved for, or 0."""
        return next((one.id for one in self.contacts.values() if one.reserved == agent.id), 0)

    def anybody_left(self, contact: Contact) -> bool:
        """Return whether a qualified agent has not been asked yet."""
        return any(
            agent.id not in contact.attempted and self.qualified(contact, agent)
            for agent in self.agents.values()
        )
