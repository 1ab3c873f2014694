"""Planted bugs in reserving for heavy contacts."""

from __future__ import annotations

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.config import QueueState
from tests.oracle.oracle import Oracle
from tests.oracle.state import Agent, Contact, Offer


class LighterOnesPassForever(Oracle):
    """Nobody is ever kept for a contact."""

    def wants_agent(self, contact: Contact) -> bool:
        return False


class KeptAgentsTakeOthers(Oracle):
    """An agent who is kept for a contact is offered others."""

    def kept_for(self, agent: Agent) -> int:
        return 0


class PassedByAnything(Oracle):
    """Whatever is offered before a contact that does not fit passes it, on any channel."""

    def takes_from(self, contact: Contact, lighter: Contact) -> bool:
        return True


class EverybodyIsPassed(Oracle):
    """All who stand before a contact and do not fit are passed, not the first of them alone."""

    def note_passed(self, lighter: Contact, agent: Agent) -> None:
        for contact in self.waiting():
            if (
                self.rules.reserve_after_us
                and self.is_passed(contact, lighter, agent)
                and not contact.passed_at
            ):
                contact.passed_at = self.now
                self.set_wake(contact)


class PassedAnewEachTime(Oracle):
    """Every contact that goes first starts the time anew."""

    def note_passed(self, lighter: Contact, agent: Agent) -> None:
        before = {contact.id: contact.passed_at for contact in self.waiting()}
        passed = [contact for contact in self.waiting() if self.is_passed(contact, lighter, agent)]
        super().note_passed(lighter, agent)
        for contact in passed:
            if before[contact.id] and not self.wants_agent(contact):
                contact.passed_at = self.now
                self.set_wake(contact)


class PassedSinceItWaits(Oracle):
    """The time that a contact was passed for counts from when it was queued."""

    def reserve_time(self, contact: Contact) -> int | None:
        due = super().reserve_time(contact)
        return due if due is None else contact.enqueued_at + self.rules.reserve_after_us


class OfferedIsPassedStill(Oracle):
    """A contact that comes back from an offer has been passed as long as before."""

    def leave_line(self, contact: Contact) -> None:
        passed_at = contact.passed_at
        super().leave_line(contact)
        contact.passed_at = passed_at


class WhoWasAskedIsKept(Oracle):
    """An agent who has declined a contact may be kept for it."""

    def reserve(self, contact: Contact) -> None:
        attempted, contact.attempted = contact.attempted, set()
        super().reserve(contact)
        contact.attempted = attempted


class NobodyFollowsWhoLeft(Oracle):
    """When an agent who was kept leaves, the next one is kept a decision later."""

    def reserve(self, contact: Contact) -> None:
        if not any(isinstance(one, ev.Unreserved) and one.contact == contact.id for one in self.events):
            super().reserve(contact)


class KeptUntilTheEnd(Oracle):
    """An agent who was kept for a contact that is offered to another is not looked at."""

    def leave_line(self, contact: Contact) -> None:
        dirty = list(self.dirty_agents)
        super().leave_line(contact)
        self.dirty_agents = dirty


class LongestIdleIsKept(Oracle):
    """Whoever has been idle longest is kept, whatever the queue goes by."""

    def reserve(self, contact: Contact) -> None:
        self._reserving = True
        super().reserve(contact)
        self._reserving = False

    _reserving = False

    def strategy_key(self, contact: Contact, agent: Agent) -> int:
        return 0 if self._reserving else super().strategy_key(contact, agent)


class NeverMeansAtOnce(Oracle):
    """A site that never keeps agents notes who is passed."""

    def note_passed(self, lighter: Contact, agent: Agent) -> None:
        if not self.rules.reserve_after_us:
            self.config = self.rules._replace(reserve_after_us=1)
            super().note_passed(lighter, agent)
            self.config = self.rules._replace(reserve_after_us=0)
        else:
            super().note_passed(lighter, agent)


class ConfigurationsForgetWhoIsKept(Oracle):
    """A new configuration sets every agent free who was kept."""

    def configure(self, command: cmd.Configure) -> int:
        value = super().configure(command)
        for contact in self.contacts.values():
            contact.reserved = 0
        return value


class PassedByTheChosen(Oracle):
    """An offer that was chosen from outside passes nobody."""

    def make_offer(self, contact: Contact, agent: Agent) -> Offer:
        self._chosen = bool(self.events) and isinstance(self.events[-1], ev.ChoiceOver)
        return super().make_offer(contact, agent)

    _chosen = False

    def note_passed(self, lighter: Contact, agent: Agent) -> None:
        if not self._chosen:
            super().note_passed(lighter, agent)


class PaceKeepsAgents(Oracle):
    """An agent is kept for a contact whose queue has as much in hand as it may."""

    def queue_serves(self, queue: int) -> bool:
        return self.hours_of(queue) is not QueueState.CLOSED

    def eligible(self, contact: Contact, agent: Agent) -> bool:
        return super().queue_serves(contact.queue) and super().eligible(contact, agent)


MUTANTS_OF_RESERVING: tuple[type[Oracle], ...] = (
    LighterOnesPassForever,
    KeptAgentsTakeOthers,
    PassedByAnything,
    EverybodyIsPassed,
    PassedAnewEachTime,
    PassedSinceItWaits,
    OfferedIsPassedStill,
    WhoWasAskedIsKept,
    NobodyFollowsWhoLeft,
    KeptUntilTheEnd,
    LongestIdleIsKept,
    NeverMeansAtOnce,
    ConfigurationsForgetWhoIsKept,
    PassedByTheChosen,
    PaceKeepsAgents,
)
