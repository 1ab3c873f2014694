"""Strategies from outside: the engine asks who is to have a contact, and waits for the answer a while."""

from __future__ import annotations

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.config import MAX_CANDIDATES, Overflow, Strategy
from tests.oracle.for_later import ForLater
from tests.oracle.refusal import Code, Refusal
from tests.oracle.state import Agent, Choice, Contact, Outcome
from tests.oracle.world import Timer


class Choosing(ForLater):
    """Nothing is kept for a choice: when it is over, everything is looked at anew."""

    def propose(self, contact: Contact, agent: Agent) -> None:
        """Offer a contact, or have somebody chosen for it outside."""
        if self.queues[contact.queue].strategy is Strategy.OUTSIDE:
            self.ask_outside(contact)
        else:
            super().propose(contact, agent)

    def ask_outside(self, contact: Contact) -> None:
        """Start a choice among all who could have a contact now."""
        able = [agent for agent in self.agents.values() if self.eligible(contact, agent)]
        able.sort(key=lambda agent: self.agent_key(contact, agent))
        agents = tuple(agent.id for agent in able[:MAX_CANDIDATES])
        deadline = self.now + self.queues[contact.queue].choice_timeout_us
        choice = Choice(self.next_choice, contact.id, deadline)
        self.next_choice += 1
        self.choices[choice.id] = choice
        contact.choice = choice.id
        self.set_timer(Timer.CHOICE, choice.id, deadline)
        where = (contact.id, contact.channel, contact.queue)
        self.emit(ev.ChoiceWanted(self.now, choice.id, *where, deadline, agents))

    def choose(self, command: cmd.Choose) -> int:
        """Take an answer from outside."""
        choice = self.choices.get(command.choice)
        if choice is None:
            raise Refusal(Code.UNKNOWN_CHOICE, command.choice)
        left = ev.ChoiceCause.NOT_ELIGIBLE if command.agent else ev.ChoiceCause.LEFT_TO_FALLBACK
        self.conclude(choice, command.agent, left)
        return 0

    def conclude(self, choice: Choice, wanted: int, left: ev.ChoiceCause) -> None:
        """Offer a contact to who was chosen; if that cannot be, to the fallback's best agent, if any.

        Args:
            choice: What is over with this.
            wanted: Who was chosen, or 0.
            left: What is said if that agent may not have it.
        """
        contact = self.contacts[choice.contact]
        self.end_choice(contact)
        agent, cause = self.agents.get(wanted), ev.ChoiceCause.CHOSEN
        if agent is None or not self.eligible(contact, agent):
            agent, cause = self.best_agent(contact), left
        where = (choice.id, contact.id, contact.channel)
        self.emit(ev.ChoiceOver(self.now, *where, 0 if agent is None else agent.id, cause))
        if agent is not None:
            super().propose(contact, agent)

    # The end without an answer

    def leave_by(self, contact: Contact, rule: Overflow | None) -> bool:
        """Let a waiting contact go where a rule says, if there is one."""
        if rule is not None:
            self.end_choice(contact)
        return super().leave_by(contact, rule)

    def end_choice(self, contact: Contact) -> None:
        """Forget the choice that runs for a contact, if one does."""
        if contact.choice:
            self.cancel_timer(Timer.CHOICE, contact.choice)
            del self.choices[contact.choice]
            contact.choice = 0

    def end_choices(self) -> None:
        """Forget every choice."""
        for contact in self.contacts.values():
            self.end_choice(contact)

    def end_contact(self, contact: Contact, outcome: Outcome, last_agent: int) -> None:
        """Turn a live contact into a record."""
        self.end_choice(contact)
        super().end_contact(contact, outcome, last_agent)
