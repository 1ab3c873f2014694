"""Planted bugs in choices from outside."""

from __future__ import annotations

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.calibration import Sample
from tests.oracle.config import Strategy
from tests.oracle.oracle import Oracle
from tests.oracle.state import Agent, Choice, Contact


class NobodyIsAsked(Oracle):
    """The fallback decides without a question."""

    def propose(self, contact: Contact, agent: Agent) -> None:
        self.queues[contact.queue], queue = (
            self.queues[contact.queue]._replace(strategy=self.chooses_by(contact)),
            self.queues[contact.queue],
        )
        super().propose(contact, agent)
        self.queues[contact.queue] = queue


class AChoiceKeepsAgents(Oracle):
    """Who may be chosen is offered nothing else meanwhile."""

    def eligible(self, contact: Contact, agent: Agent) -> bool:
        named = any(contact.id != one.contact for one in self.choices.values())
        return super().eligible(contact, agent) and not named


class ChosenIsChosen(Oracle):
    """Who was chosen gets it, whether there is still room or not."""

    def conclude(self, choice: Choice, wanted: int, left: ev.ChoiceCause) -> None:
        agent = self.agents.get(wanted)
        units = dict(agent.units) if agent is not None else {}
        if agent is not None:
            agent.units = dict.fromkeys(units, 1000)
        super().conclude(choice, wanted, left)
        if agent is not None:
            agent.units = units


class FallbackIsAsOfTheQuestion(Oracle):
    """At the deadline the first who was named gets it, if that may be."""

    def conclude(self, choice: Choice, wanted: int, left: ev.ChoiceCause) -> None:
        first = self._first.get(choice.id, 0)
        super().conclude(choice, wanted or first, left)
        if not wanted and isinstance(over := self.events[-1], ev.ChoiceOver):
            self.events[-1] = over._replace(cause=left)

    def ask_outside(self, contact: Contact) -> None:
        super().ask_outside(contact)
        asked = self.events[-1]
        if isinstance(asked, ev.ChoiceWanted):
            self._first[asked.choice] = asked.agents[0]

    def __init__(self) -> None:
        super().__init__()
        self._first: dict[int, int] = {}


class FallbackIsLongestIdle(Oracle):
    """Which strategy a queue falls back on is not looked at."""

    def chooses_by(self, contact: Contact) -> Strategy:
        strategy = self.queues[contact.queue].strategy
        return Strategy.LONGEST_IDLE if strategy is Strategy.OUTSIDE else strategy


class ChangeKeepsTheChoice(Oracle):
    """A change leaves the choice that runs."""

    def change(self, command: cmd.Change) -> int:
        self._changing = True
        try:
            return super().change(command)
        finally:
            self._changing = False

    _changing = False

    def end_choice(self, contact: Contact) -> None:
        if not self._changing:
            super().end_choice(contact)


class ChoicesOutliveConfigurations(Oracle):
    """A new configuration, and a restart, leave the choices that run."""

    def end_choices(self) -> None:
        return None


class DeadlinesAreSilent(Oracle):
    """An answer that does not come is not told, only acted on."""

    def emit(self, event: ev.Event) -> None:
        if not (isinstance(event, ev.ChoiceOver) and event.cause is ev.ChoiceCause.DEADLINE):
            super().emit(event)


class ReturnIsNotAskedAgain(Oracle):
    """A contact that comes back from an offer goes to the fallback's best agent at once."""

    def ask_outside(self, contact: Contact) -> None:
        super().ask_outside(contact)
        if contact.attempted:
            self.conclude(self.choices[contact.choice], 0, ev.ChoiceCause.LEFT_TO_FALLBACK)


class ChosenDoesNotAcceptByItself(Oracle):
    """An agent who accepts by itself is rung at when it was chosen outside."""

    def conclude(self, choice: Choice, wanted: int, left: ev.ChoiceCause) -> None:
        accepting = [agent for agent in self.agents.values() if agent.auto_accept]
        for agent in accepting:
            agent.auto_accept = False
        super().conclude(choice, wanted, left)
        for agent in accepting:
            agent.auto_accept = True


class ChosenForGoFirst(Oracle):
    """Contacts for which somebody is being chosen count among those who go first in estimates."""

    def _sample(self, contact: Contact) -> tuple[int, Sample] | None:
        chosen_for = {one.id: one.choice for one in self.contacts.values() if one.choice}
        for number in chosen_for:
            self.contacts[number].choice = 0
        sample = super()._sample(contact)
        for number, choice in chosen_for.items():
            self.contacts[number].choice = choice
        return sample


MUTANTS_OF_CHOICES: tuple[type[Oracle], ...] = (
    NobodyIsAsked,
    AChoiceKeepsAgents,
    ChosenIsChosen,
    FallbackIsAsOfTheQuestion,
    FallbackIsLongestIdle,
    ChangeKeepsTheChoice,
    ChoicesOutliveConfigurations,
    DeadlinesAreSilent,
    ReturnIsNotAskedAgain,
    ChosenDoesNotAcceptByItself,
    ChosenForGoFirst,
)
