"""The auditor's eye on choices from outside."""

from __future__ import annotations

from tests.oracle import events as ev
from tests.oracle.auditor_books import Person, Seen, Step
from tests.oracle.auditor_for_later import ForLater

MAX_CANDIDATES = 64


class Choices(ForLater):
    """Rules for the time in which somebody is chosen."""

    def choice_wanted(self, event: ev.ChoiceWanted) -> None:
        """Check that a waiting contact has no choice yet, and that whoever is named could have it."""
        contact = self.move(event, {Step.WAITING}, Step.WAITING)
        assert event.choice == self.last_choice + 1, f"{event}: after choice {self.last_choice}"
        assert not contact.choice, f"{event}: choice {contact.choice} runs"
        assert contact.queue == event.queue, f"{event}: queue {contact.queue}"
        assert event.deadline > event.at, f"{event}: no time to choose"
        assert 1 <= len(event.agents) <= MAX_CANDIDATES, f"{event}: {len(event.agents)} agents"
        assert len(set(event.agents)) == len(event.agents), f"{event}: named twice"
        for number in event.agents:
            agent = self.agents.get(number, Person())
            assert agent.ready, f"{event}: {number} is not ready"
            assert not agent.signing_out, f"{event}: {number} leaves"
            assert not agent.locked, f"{event}: {number} is locked"
        self.last_choice = contact.choice = event.choice
        contact.choice_deadline = event.deadline

    def choice_over(self, event: ev.ChoiceOver) -> None:
        """Check that it runs, and how it ended."""
        contact = self.move(event, {Step.WAITING}, Step.WAITING)
        assert contact.choice == event.choice, f"{event}: choice {contact.choice} runs"
        late = event.cause is ev.ChoiceCause.DEADLINE
        assert event.at == contact.choice_deadline if late else event.at <= contact.choice_deadline, event
        assert event.agent or event.cause is not ev.ChoiceCause.CHOSEN, f"{event}: nobody was chosen"
        contact.choice, contact.chosen = 0, event.agent

    def offered(self, event: ev.OfferMade, contact: Seen) -> None:
        """Check that nobody is being chosen, and that who was chosen is offered it."""
        assert not contact.choice, f"{event}: choice {contact.choice} runs"
        assert contact.chosen in {0, event.agent}, f"{event}: {contact.chosen} was chosen"
        contact.chosen = 0

    def forget_choices(self) -> None:
        """Take note that every choice has ended without a word."""
        for contact in self.contacts.values():
            contact.choice = 0
