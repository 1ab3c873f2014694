"""What happens to a contact while it waits: its preference runs out, its queue's steps relax its demand."""

from __future__ import annotations

from tests.oracle import events as ev
from tests.oracle.config import MAX_HEAD_START_US, Overflow, When
from tests.oracle.eligibility import Eligibility
from tests.oracle.state import LIFTED_TIER, MAX_HOPS, Contact, State
from tests.oracle.world import Timer


class Waiting(Eligibility):
    """One deadline a waiting contact: the next thing that happens to it by itself."""

    def wake_time(self, contact: Contact) -> int | None:
        """Return when something happens to a contact next, or None."""
        if contact.state is not State.WAITING:
            return None
        times = [] if contact.preferred_until is None else [contact.preferred_until]
        steps = self.queues[contact.queue].steps
        if contact.step < len(steps):
            times.append(contact.enqueued_at + steps[contact.step].after_us)
        if contact.reply_by:
            times.append(contact.reply_by)
        if (lift := self.lift_time(contact)) is not None:
            times.append(lift)
        if (reserve := self.reserve_time(contact)) is not None and reserve > self.now:
            times.append(reserve)
        times += [self.wait_ends(contact, rule) for rule in self.pending_waits(contact)]
        times += [contact.announce_at] if contact.announce_at else []
        return max(self.now, min(times)) if times else None

    def set_wake(self, contact: Contact) -> None:
        """Set or cancel the contact's deadline, unless it is right as it is."""
        wake_at = self.wake_time(contact)
        if wake_at == contact.wake_at:
            return
        contact.wake_at = wake_at
        if wake_at is None:
            self.cancel_timer(Timer.WAKE, contact.id)
        else:
            self.set_timer(Timer.WAKE, contact.id, wake_at)

    def wake(self, contact: Contact) -> None:
        """Do what is due: end the preference, take the steps, lift the contact or end it."""
        contact.wake_at = None
        if contact.preferred_until is not None and contact.preferred_until <= self.now:
            self.end_preference(contact, ev.PreferenceOverCause.DEADLINE)
        steps = self.queues[contact.queue].steps
        while contact.step < len(steps) and contact.enqueued_at + steps[contact.step].after_us <= self.now:
            self.take_step(contact)
        if self.look_at_reply(contact):
            return
        self.lift(contact)
        moved = self.look_at_waits(contact)
        if contact.id in self.contacts:
            if not moved:
                self.announce(contact)
            self.set_wake(contact)
            self.dirty_contacts.add(contact.id)

    def take_step(self, contact: Contact) -> None:
        """Come to the queue's next step."""
        step = self.queues[contact.queue].steps[contact.step]
        contact.step += 1
        contact.head_start_us = min(MAX_HEAD_START_US, contact.head_start_us + step.head_start_us)
        self.emit(
            ev.Relaxed(
                *(self.now, contact.id, contact.channel, contact.queue, contact.step, contact.head_start_us)
            )
        )

    # The deadline for a reply

    def lift_time(self, contact: Contact) -> int | None:
        """Return when a contact is to come into a better tier, or None."""
        if not contact.reply_by or contact.tier <= LIFTED_TIER:
            return None
        return max(0, contact.reply_by - self.rules.reply_margin_us)

    def lift(self, contact: Contact) -> None:
        """Put a waiting contact into a better tier if its deadline is near."""
        raise NotImplementedError

    def look_at_reply(self, contact: Contact) -> bool:
        """End a waiting contact that it is too late to reply to; return whether it is over."""
        raise NotImplementedError

    # Lighter contacts that go first

    def reserve_time(self, contact: Contact) -> int | None:
        """Return from when on an agent is kept for a contact that was passed, or None."""
        after_us = self.rules.reserve_after_us
        return contact.passed_at + after_us if contact.passed_at and after_us else None

    def reserve_pass(self) -> None:
        """Keep agents for those who were passed long enough."""
        raise NotImplementedError

    # Overflow

    def wait_ends(self, contact: Contact, rule: Overflow) -> int:
        """Return when a contact has waited as long as a rule says."""
        return contact.enqueued_at + rule.threshold

    def pending_waits(self, contact: Contact) -> list[Overflow]:
        """Return the rules about the wait that have not been looked at since their time has come."""
        if contact.hops >= MAX_HOPS:
            return []
        rules = self.queues[contact.queue].overflow
        return [
            rule
            for rule in rules
            if rule.when is When.WAIT and self.wait_ends(contact, rule) > contact.looked_at
        ]

    def look_at_waits(self, contact: Contact) -> bool:
        """Look at the waits that have ended by now."""
        raise NotImplementedError

    # Announcements

    def announce_from_now(self, contact: Contact) -> None:
        """Let the announcements of its queue begin, if it has any."""
        interval = self.queues[contact.queue].announce_us
        contact.announce_at, contact.announced = self.now + interval if interval else 0, 0

    def announce(self, contact: Contact) -> None:
        """Tell a contact that is due its position, if it was never told or has come nearer."""
        raise NotImplementedError

    # Preferred agents

    def start_preference(self, contact: Contact, at: int) -> None:
        """Let the preference run from a time on, if there is one."""
        demand = contact.demand
        contact.preferred_until = at + demand.preferred_wait_us if demand.preferred else None

    def end_preference(self, contact: Contact, cause: ev.PreferenceOverCause) -> None:
        """Open the contact to everybody."""
        contact.preferred_until = None
        self.dirty_contacts.add(contact.id)
        self.emit(ev.PreferenceOver(self.now, contact.id, contact.channel, contact.queue, cause))

    def preference_pass(self) -> None:
        """End every preference that nobody is left for."""
        for contact in sorted(self.waiting(), key=lambda contact: contact.id):
            if contact.preferred_until is not None and not self.anybody_left(contact):
                self.end_preference(contact, ev.PreferenceOverCause.ABSENT)
                self.set_wake(contact)

    def retry_pass(self) -> None:
        """Start the retry of every contact that nobody else is left for."""
        for contact in self.contacts.values():
            if contact.state is not State.WAITING or not contact.attempted or contact.retry_at is not None:
                continue
            if not self.anybody_left(contact):
                contact.retry_at = self.now + self.rules.retry_after_us
                self.set_timer(Timer.RETRY, contact.id, contact.retry_at)
