"""How long a contact will wait, by docs/en/estimates.md: every agent is looked at with every contact."""

from __future__ import annotations

from typing import NamedTuple

from tests.oracle import events as ev
from tests.oracle.calibration import FIRST_SAMPLES, HEAVIEST, WEEK_US, Calibration, Sample, line_time
from tests.oracle.config import Order, QueueConfig
from tests.oracle.matching import Matching
from tests.oracle.state import Agent, Contact, State


class Estimate(NamedTuple):
    """What a waiting contact can be told."""

    position: int
    ahead: int
    mean_us: int
    p50_us: int
    p90_us: int


class Estimating(Matching):
    """Estimates of waits, and how they come out."""

    newly_queued: Contact | None = None
    """The contact that the command under way has put into a queue."""

    def calibrate(self, queues: tuple[QueueConfig, ...]) -> None:
        """Keep what is known of the queues that stay, and begin with what new ones expect."""
        known = self.calibrations
        self.calibrations = {
            queue.id: known.get(queue.id)
            or Calibration(queue.id, queue.expected_handle_us, FIRST_SAMPLES * queue.expected_handle_us)
            for queue in queues
        }

    def estimate(self, contact_id: int) -> Estimate | None:
        """Return what a waiting contact can be told, or None."""
        contact, position = self.contacts.get(contact_id), self.position(contact_id)
        sample = None if contact is None or position is None else self._sample(contact)
        if contact is None or position is None or sample is None:
            return None
        known, (ahead, now) = self.calibrations[contact.queue], sample
        return Estimate(position, ahead, now.mean_us, known.percentile(now.mean_us, 50), now.p90_us)

    def announce(self, contact: Contact) -> None:
        """Tell a contact that is due its position, if it was never told or has come nearer."""
        if not 0 < contact.announce_at <= self.now:
            return
        while contact.announce_at <= self.now:
            contact.announce_at += self.queues[contact.queue].announce_us
        before = self.position(contact.id)
        assert before is not None, f"contact {contact.id} does not wait"
        if contact.announced != 0 and before + 1 >= contact.announced:
            return
        contact.announced = before + 1
        estimate = self.estimate(contact.id)
        waits = (0, 0) if estimate is None else (estimate.p50_us, estimate.p90_us)
        where = (self.now, contact.id, contact.channel, contact.queue)
        self.emit(ev.AnnouncementDue(*where, contact.announced, *waits))

    def _sample(self, contact: Contact) -> tuple[int, Sample] | None:
        """Return how many go first, and the estimate; None if nobody works for such a contact."""
        free = [o for o in self.waiting() if o.preferred_until is None and not o.choice]
        rivals = [o for o in free if o is not contact]
        turns = {o.id: self.turn(o) for o in (contact, *rivals)}
        before, places = [], []
        for agent in self.agents.values():
            if not agent.available() or not self.suits(contact, agent):
                continue
            if agent.stealth and self.human_there(contact):
                continue
            if self.rules.order is Order.AGENT_LEVEL:
                turns = {o.id: self.contact_key(o, agent) for o in (contact, *rivals)}
            earlier = (o for o in rivals if turns[o.id] < turns[contact.id] and self.able(o, agent))
            before.append(sum(1 for _ in earlier))
            units = agent.units[contact.channel]
            places.append(1 if self.exclusive(contact.channel) else units // contact.weight)
        if not before:
            return None
        ahead = min(before)
        shares = sum(n * ((1 << 48) // (b + 1)) for n, b in zip(places, before, strict=True))
        known = self.calibrations[contact.queue]
        handle_us = known.handle_time()
        leaving = known.abandoned * handle_us // max(1, known.waited_us)
        raw_us = min(max(1, line_time(ahead, (ahead + 1) * shares // (1 << 16), handle_us, leaving)), WEEK_US)
        mean_us = known.scaled(raw_us)
        p90_us = known.percentile(mean_us, 90)
        return ahead, Sample(contact.id, raw_us, mean_us, p90_us, min(ahead + 1, HEAVIEST))

    def able(self, contact: Contact, agent: Agent) -> bool:
        """Return whether an agent has the skills and the units for a contact."""
        return self.meets(contact, agent) and contact.weight <= agent.units.get(contact.channel, 0)

    def take_sample(self) -> None:
        """Remember the estimate of what the command has queued, if it is the only one of its queue."""
        contact, self.newly_queued = self.newly_queued, None
        if contact is None or contact.state is not State.WAITING or contact.id not in self.contacts:
            return
        known = self.calibrations[contact.queue]
        if known.sample is None and (sample := self._sample(contact)) is not None:
            known.sample = sample[1]

    def forget_sample(self, contact: Contact) -> Sample | None:
        """Return the contact's open sample, which it is no longer, or None."""
        known = self.calibrations[contact.queue]
        sample = known.sample
        if sample is None or sample.contact != contact.id:
            return None
        known.sample = None
        return sample

    def end_wait(self, contact: Contact) -> None:
        """Learn from a contact that is engaged."""
        known, actual_us = self.calibrations[contact.queue], self.now - contact.enqueued_at
        if actual_us > 0:
            known.learn_waiting(actual_us, abandoned=False)
        sample = self.forget_sample(contact)
        if sample is not None:
            known.score(sample, actual_us)
            where = (self.now, contact.id, contact.channel, contact.queue)
            self.emit(ev.EstimateScored(*where, sample.mean_us, sample.p90_us, actual_us))

    def leave_wait(self, contact: Contact, *, abandoned: bool) -> None:
        """Learn from a contact that is over before anyone was engaged."""
        known = self.calibrations[contact.queue]
        known.learn_waiting(self.now - contact.enqueued_at, abandoned=abandoned)
        self.forget_sample(contact)

    def learn_handling(self, contact: Contact, wrap_up_us: int) -> None:
        """Learn from an engagement that is over, and the wrap-up that follows."""
        lasted_us = self.now - contact.engaged_at
        self.calibrations[contact.queue].learn_handling(lasted_us + wrap_up_us)
