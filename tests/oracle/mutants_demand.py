"""Oracles with one planted bug each in what contacts ask for, and whom they want."""

from __future__ import annotations

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.config import Need, Requirement
from tests.oracle.matching import Rank
from tests.oracle.oracle import Oracle
from tests.oracle.state import Agent, Contact, State


class OnlyTheFirstAlternative(Oracle):
    """The first alternative of a requirement is the only one."""

    def holds(self, requires: Requirement, agent: Agent) -> bool:
        return super().holds(requires[:1], agent)


class NotIsForgotten(Oracle):
    """What an agent must not have is not looked at."""

    def holds(self, requires: Requirement, agent: Agent) -> bool:
        positive = tuple(tuple(need for need in needs if not need.negated) for needs in requires)
        return super().holds(positive, agent)


class WhoLacksASkillIsNoNot(Oracle):
    """NOT holds only for agents who have something of the skill."""

    def holds(self, requires: Requirement, agent: Agent) -> bool:
        extra = tuple(
            (*needs, *(Need(need.skill, 1) for need in needs if need.negated)) for needs in requires
        )
        return super().holds(extra, agent)


class ExclusionEndsWithTheOffer(Oracle):
    """An excluded agent may have a contact that comes back."""

    def queue_up(self, contact: Contact, cause: ev.QueuedCause) -> None:
        if cause is ev.QueuedCause.OFFER_ENDED:
            contact.demand = contact.demand._replace(excludes=())
        super().queue_up(contact, cause)


class WeightsAreEqual(Oracle):
    """The levels of preferred skills are added without their weights."""

    def score(self, contact: Contact, agent: Agent) -> int:
        return sum(agent.levels.get(skill, 0) for skill, _ in contact.demand.prefers)


class StrategyBeforeScore(Oracle):
    """The strategy decides before the preferred skills do."""

    def agent_key(self, contact: Contact, agent: Agent) -> Rank:
        rank, level, score, number, *rest = super().agent_key(contact, agent)
        return (rank, level, number, score, *rest)


class TheAbsentAreWaitedFor(Oracle):
    """A preference ends at its deadline only, whoever is there."""

    def preference_pass(self) -> None:
        return None


class LockedIsPresent(Oracle):
    """A contact waits for a preferred agent who is locked."""

    def preference_pass(self) -> None:
        locked = [agent for agent in self.agents.values() if agent.locked]
        for agent in locked:
            agent.locked = False
        super().preference_pass()
        for agent in locked:
            agent.locked = True


class PreferenceStartsAgain(Oracle):
    """A contact that comes back is kept for its preferred agents once more."""

    def queue_up(self, contact: Contact, cause: ev.QueuedCause) -> None:
        if cause is ev.QueuedCause.OFFER_ENDED:
            self.start_preference(contact, self.now)
        super().queue_up(contact, cause)


class PreferenceOutlivesTheTalk(Oracle):
    """Being engaged does not end a preference."""

    def engage(self, contact: Contact) -> None:
        until = contact.preferred_until
        super().engage(contact)
        contact.preferred_until = until


class RestartKeepsPreferences(Oracle):
    """A preference that ran before a restart is not started anew."""

    def start_preference(self, contact: Contact, at: int) -> None:
        if contact.preferred_until is None:
            super().start_preference(contact, at)


class StepsWhileItRings(Oracle):
    """The steps of a contact in somebody's hands go on, to be seen when it comes back."""

    def set_wake(self, contact: Contact) -> None:
        steps = self.queues[contact.queue].steps
        while (
            contact.state is State.WAITING
            and contact.step < len(steps)
            and contact.enqueued_at + steps[contact.step].after_us < self.now
        ):
            self.take_step(contact)
        super().set_wake(contact)


class OneStepAWake(Oracle):
    """Of several steps that are due at once all but the first go untold, and give no head start."""

    def take_step(self, contact: Contact) -> None:
        if not any(
            isinstance(event, ev.Relaxed) and (event.at, event.contact) == (self.now, contact.id)
            for event in self.events
        ):
            super().take_step(contact)
        else:
            contact.step += 1


class NotIsRelaxed(Oracle):
    """A dropped skill may be had although it must not be."""

    def meets(self, contact: Contact, agent: Agent) -> bool:
        dropped = {skill for step in self.applied_steps(contact) for skill in step.drop}
        levels = agent.levels
        agent.levels = {
            skill: level
            for skill, level in levels.items()
            if skill not in dropped or not self._negated(contact, skill)
        }
        met = super().meets(contact, agent)
        agent.levels = levels
        return met

    def _negated(self, contact: Contact, skill: int) -> bool:
        return any(
            need.negated and need.skill == skill for needs in contact.demand.requires for need in needs
        )


class WideningForgetsTheContact(Oracle):
    """Another queue's agents need not meet what the contact itself asks."""

    def meets(self, contact: Contact, agent: Agent) -> bool:
        widened = {queue for step in self.applied_steps(contact) for queue in step.widen}
        return super().meets(contact, agent) or any(
            self.holds(self.queues[queue].requires, agent) for queue in widened
        )


class ChangeKeepsItsSteps(Oracle):
    """A contact that is moved to another queue is as far in its steps as it was."""

    def change(self, command: cmd.Change) -> int:
        contact = self.contacts.get(command.contact)
        step = contact.step if contact else 0
        value = super().change(command)
        if contact is not None:
            contact.step = min(step, len(self.queues[contact.queue].steps))
        return value


class HumansMustBeReady(Oracle):
    """A stealth agent steps in as soon as no human is ready."""

    def human_there(self, contact: Contact) -> bool:
        return any(
            agent.available() and not agent.stealth and self.suits(contact, agent)
            for agent in self.agents.values()
        )


class AnyHumanWillDo(Oracle):
    """A stealth agent waits although the humans who are there could never take the contact."""

    def human_there(self, contact: Contact) -> bool:
        return any(agent.signed_in() and not agent.stealth for agent in self.agents.values())


class StealthIsNotLookedAt(Oracle):
    """When the last human leaves, stealth agents are not told."""

    def touch_stealth(self) -> None:
        return None


class PriorityBeforeTier(Oracle):
    """A queue's priority goes before the tier."""

    def turn(self, contact: Contact, rank: int = 0) -> Rank:
        tier, priority, *rest = super().turn(contact, rank)
        return (priority, tier, *rest)


class OneServiceLevel(Oracle):
    """The deadline order counts with the same time for every queue."""

    def turn(self, contact: Contact, rank: int = 0) -> Rank:
        key = super().turn(contact, rank)
        return (*key[:3], contact.place()[1], key[4])


class RatiosAreEqual(Oracle):
    """The queue with the most waiting contacts is served first, whatever its ratio."""

    def turn(self, contact: Contact, rank: int = 0) -> Rank:
        key = super().turn(contact, rank)
        if self.rules.order.name != "RATIO":
            return key
        return (*key[:2], -sum(peer.queue == contact.queue for peer in self.waiting()), *key[3:])


MUTANTS: tuple[type[Oracle], ...] = (
    OnlyTheFirstAlternative,
    NotIsForgotten,
    WhoLacksASkillIsNoNot,
    ExclusionEndsWithTheOffer,
    WeightsAreEqual,
    StrategyBeforeScore,
    TheAbsentAreWaitedFor,
    LockedIsPresent,
    PreferenceStartsAgain,
    PreferenceOutlivesTheTalk,
    RestartKeepsPreferences,
    StepsWhileItRings,
    OneStepAWake,
    NotIsRelaxed,
    WideningForgetsTheContact,
    ChangeKeepsItsSteps,
    HumansMustBeReady,
    AnyHumanWillDo,
    StealthIsNotLookedAt,
    PriorityBeforeTier,
    OneServiceLevel,
    RatiosAreEqual,
)
