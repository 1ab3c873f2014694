"""Estimates of waits with a bug planted."""

from __future__ import annotations

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.calibration import Sample
from tests.oracle.oracle import Oracle
from tests.oracle.state import Contact, Outcome, Presence


class HandlingEndsWithTheTalk(Oracle):
    """The wrap-up is no part of the handle time."""

    def learn_handling(self, contact: Contact, wrap_up_us: int) -> None:
        super().learn_handling(contact, 0)


class OnlyItsOwnQueueGoesFirst(Oracle):
    """Contacts of other queues are not counted."""

    def _sample(self, contact: Contact) -> tuple[int, Sample] | None:
        kept = self.contacts
        self.contacts = {number: one for number, one in kept.items() if one.queue == contact.queue}
        try:
            return super()._sample(contact)
        finally:
            self.contacts = kept


class PausedAgentsCount(Oracle):
    """Who is not ready works, too."""

    def _sample(self, contact: Contact) -> tuple[int, Sample] | None:
        paused = [agent for agent in self.agents.values() if agent.presence is Presence.NOT_READY]
        for agent in paused:
            agent.presence = Presence.READY
        try:
            return super()._sample(contact)
        finally:
            for agent in paused:
                agent.presence = Presence.NOT_READY


class AgentsHoldOneContact(Oracle):
    """An agent serves one contact at a time, whatever its units."""

    def exclusive(self, channel: int) -> bool:
        return self._estimating or super().exclusive(channel)

    _estimating = False

    def _sample(self, contact: Contact) -> tuple[int, Sample] | None:
        self._estimating = True
        try:
            return super()._sample(contact)
        finally:
            self._estimating = False


class ReleasedHasAbandoned(Oracle):
    """Whoever is released counts as having abandoned."""

    def leave_wait(self, contact: Contact, *, abandoned: bool) -> None:
        super().leave_wait(contact, abandoned=True)


class ChangedStaysTheSample(Oracle):
    """A changed contact is still what its old queue is measured by."""

    def change(self, command: cmd.Change) -> int:
        contact = self.contacts.get(command.contact)
        known = self.calibrations.get(contact.queue) if contact else None
        sample = known.sample if known else None
        value = super().change(command)
        if known is not None and contact is not None and known.queue == contact.queue:
            known.sample = sample
        return value


class ReturnedIsASample(Oracle):
    """A contact that comes back from an offer can be the sample."""

    def queue_up(self, contact: Contact, cause: ev.QueuedCause) -> None:
        super().queue_up(contact, cause)
        self.newly_queued = contact


class OfferedIsASample(Oracle):
    """A contact that is offered at once can be the sample."""

    def take_sample(self) -> None:
        contact = self.newly_queued
        state = contact.state if contact else None
        if contact is None or state is None:
            return
        contact.state = type(state).WAITING
        super().take_sample()
        contact.state = state


class SampleIsScoredAtTheEnd(Oracle):
    """The wait lasts until the contact is over."""

    def end_wait(self, contact: Contact) -> None:
        pass

    def end_contact(self, contact: Contact, outcome: Outcome, last_agent: int) -> None:
        if outcome is Outcome.SERVED:
            super().end_wait(contact)
        super().end_contact(contact, outcome, last_agent)


class ReconfiguredForgets(Oracle):
    """A new configuration forgets what was learnt."""

    def configure(self, command: cmd.Configure) -> int:
        kept = self.calibrations
        self.calibrations = {}
        try:
            return super().configure(command)
        except Exception:
            self.calibrations = kept
            raise


class WeightIsOne(Oracle):
    """Every sample weighs the same."""

    def _sample(self, contact: Contact) -> tuple[int, Sample] | None:
        found = super()._sample(contact)
        return found and (found[0], found[1]._replace(weight=1))


ESTIMATE_MUTANTS: tuple[type[Oracle], ...] = (
    HandlingEndsWithTheTalk,
    OnlyItsOwnQueueGoesFirst,
    PausedAgentsCount,
    AgentsHoldOneContact,
    ReleasedHasAbandoned,
    ChangedStaysTheSample,
    ReturnedIsASample,
    OfferedIsASample,
    SampleIsScoredAtTheEnd,
    ReconfiguredForgets,
    WeightIsOne,
)
