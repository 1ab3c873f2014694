"""Domains: who may use which queue, and whose turn it is with the agents that several of them share."""

from __future__ import annotations

from tests.oracle import events as ev
from tests.oracle.overflow import Overflowing
from tests.oracle.state import Agent, Contact, Offer

TURN = 1_000_000
"""What a domain of share 1 is given with one offer."""


class Tenants(Overflowing):
    """Counts what each domain has been given, in offers to shared agents."""

    def shared(self, agent: Agent) -> bool:
        """Return whether an agent may serve queues of more than one domain, whatever its skills."""
        return len({q.domain for q in self.queues.values() if self.may_use(agent.domain, q.id)}) > 1

    def best_contact(self, agent: Agent) -> Contact | None:
        """Return the contact that the agent is to be offered: a shared one serves domains in turn."""
        candidates = [contact for contact in self.contacts.values() if self.eligible(contact, agent)]
        if not self.shared(agent):
            return super().best_contact(agent)
        return min(
            candidates,
            key=lambda contact: (self.tenant_turn(contact), self.contact_key(contact, agent)),
            default=None,
        )

    def tenant_turn(self, contact: Contact) -> tuple[int, int]:
        """Return what decides between the contacts of different domains, smaller first."""
        domain = self.queues[contact.queue].domain
        return self.given.get(domain, 0), domain

    def make_offer(self, contact: Contact, agent: Agent) -> Offer:
        """Propose a contact to an agent; to a shared one it is a turn of its queue's domain."""
        if self.shared(agent):
            domain = self.queues[contact.queue].domain
            self.given[domain] = self.given.get(domain, 0) + TURN // self.shares[domain]
        return super().make_offer(contact, agent)

    def queue_up(self, contact: Contact, cause: ev.QueuedCause) -> None:
        """Say where a contact waits."""
        self.enter_domain(contact)
        super().queue_up(contact, cause)

    def enter_domain(self, contact: Contact) -> None:
        """Let a domain without waiting contacts forgo the turns that it has not used, now that it has one."""
        domain = self.queues[contact.queue].domain
        waiting = {self.queues[peer.queue].domain for peer in self.waiting() if peer is not contact}
        if domain not in waiting:
            least = min((self.given.get(other, 0) for other in waiting), default=0)
            self.given[domain] = max(self.given.get(domain, 0), least)
