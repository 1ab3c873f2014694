"""The auditor's eye on agents who are kept for contacts."""

from __future__ import annotations

from tests.oracle import events as ev
from tests.oracle.auditor_books import Person, Seen, Step
from tests.oracle.auditor_choices import Choices


class Reserving(Choices):
    """One agent for a contact, one contact for an agent."""

    def reserved(self, event: ev.Reserved) -> None:
        """Check that a waiting contact and an agent who is there have nobody else."""
        contact = self.move(event, {Step.WAITING}, Step.WAITING)
        agent = self.agents.get(event.agent, Person())
        assert agent.ready, f"{event}: not ready"
        assert not contact.kept, f"{event}: {contact.kept} is kept for it"
        assert not agent.kept_for, f"{event}: it is kept for {agent.kept_for}"
        contact.kept, agent.kept_for = event.agent, event.contact

    def unreserved(self, event: ev.Unreserved) -> None:
        """Check that it was kept."""
        contact = self.move(event, {Step.WAITING}, Step.WAITING)
        assert contact.kept == event.agent, f"{event}: {contact.kept} is kept for it"
        self.agents[event.agent].kept_for = contact.kept = 0

    def offered(self, event: ev.OfferMade, contact: Seen) -> None:
        """Check that an agent who is kept for a contact is offered no other."""
        super().offered(event, contact)
        kept_for = self.agents[event.agent].kept_for
        assert not kept_for, f"{event}: it is kept for {kept_for}"
