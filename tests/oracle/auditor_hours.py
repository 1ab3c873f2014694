"""The auditor's eye on queues that close, on contacts that leave theirs, and on what they are told of it."""

from __future__ import annotations

from tests.oracle import events as ev
from tests.oracle.auditor_books import Seen, Step
from tests.oracle.auditor_in_hand import InHand
from tests.oracle.config import Goal, QueueState, When

MAX_HOPS = 4


class Hours(InHand):
    """Rules for queues and the ways out of them."""

    def hours_changed(self, event: ev.HoursChanged) -> None:
        """Check that it was not so before."""
        assert self.hours.get(event.queue, QueueState.OPEN) is not event.state, f"{event}: it was so"
        self.hours[event.queue] = event.state

    def doubt_hours(self) -> None:
        """Say that a queue that was not open may have been taken away and be back as a new one."""
        self.hours = {queue: None for queue, state in self.hours.items() if state is not QueueState.OPEN}

    def check_entry(self, event: ev.Queued | ev.Changed) -> None:
        """Check that nobody gets into a queue that is not open."""
        hours = self.hours.get(event.queue, QueueState.OPEN)
        assert hours in {None, QueueState.OPEN}, f"{event}: the queue is not open"

    def blocked(self, event: ev.Blocked) -> None:
        """Check that only an arrival is blocked, and for its hours where the queue is not open."""
        contact = self.move(event, {Step.NEW}, Step.BLOCKED)
        assert contact.queue == event.queue, f"{event}: queue {contact.queue}"
        hours, shut = self.hours.get(event.queue, QueueState.OPEN), event.cause is ev.BlockedCause.CLOSED
        assert hours is None or (hours is not QueueState.OPEN) is shut, f"{event}: the queue is {hours}"

    def overflowed(self, event: ev.Overflowed) -> None:
        """Check that a contact that waits, or meets closed doors, leaves by a rule that can hold."""
        goes_out = event.to_kind is Goal.TARGET
        arrives = self.contacts[event.contact].step is Step.NEW
        contact = self.move(
            event, {Step.NEW, Step.WAITING}, Step.OVERFLOWED if goes_out else Step.OVERFLOWING
        )
        assert contact.queue == event.queue, f"{event}: queue {contact.queue}"
        assert goes_out or event.to != event.queue, f"{event}: it is there"
        self._check_cause(event, contact, arrives=arrives)
        contact.hops += 1
        contact.choice = 0
        if goes_out:
            self.left[event.at if contact.place is None else contact.place[1]] += 1
        assert contact.hops <= MAX_HOPS, f"{event}: for the {contact.hops}th time"
        if not goes_out:
            contact.queue, contact.relaxed, contact.unanswered = event.to, 0, 0
            contact.announced = 0

    def announcement_due(self, event: ev.AnnouncementDue) -> None:
        """Check that what a waiting contact is told is so, and is better than what it was told before."""
        contact = self.move(event, {Step.WAITING}, Step.WAITING)
        assert contact.queue == event.queue, f"{event}: queue {contact.queue}"
        peers = [
            one for one in self.contacts.values() if one.step is Step.WAITING and one.queue == event.queue
        ]
        position = 1 + sum(one.stands() < contact.stands() for one in peers)
        assert event.position == position, f"{event}: it is {position}"
        told = contact.announced
        assert not told or event.position < told, f"{event}: {told} was told before"
        assert event.p50_us <= event.p90_us, f"{event}: half wait longer than most"
        contact.announced = event.position

    def _check_cause(self, event: ev.Overflowed, contact: Seen, *, arrives: bool) -> None:
        hours = self.hours.get(event.queue, QueueState.OPEN)
        assert not arrives or event.cause is When.CLOSED, f"{event}: it has not waited"
        if event.cause is When.CLOSED:
            closed = {None, QueueState.CLOSED, QueueState.CLOSING if arrives else None}
            assert hours in closed, f"{event}: the queue is {hours}"
        elif event.cause is When.NO_ANSWER:
            assert contact.unanswered > 0, f"{event}: everybody has answered"
        elif event.cause is When.WAIT:
            assert contact.place is not None, f"{event}: it has no place"
            assert contact.place[1] < event.at, f"{event}: queued at {contact.place[1]}"
