"""The auditor's eye on places that are kept, contacts for later and deadlines for a reply."""

from __future__ import annotations

from tests.oracle import events as ev
from tests.oracle.auditor_books import Seen, Step
from tests.oracle.auditor_in_hand import InHand

BEFORE_ENGAGED = {Step.WAITING, Step.RETURNING, Step.CONNECTING, Step.SCHEDULED}
ARRIVES = {ev.QueuedCause.ARRIVAL, ev.QueuedCause.OVERFLOW}


class ForLater(InHand):
    """Rules for the times that an arrival may say."""

    def starts(self, event: ev.Queued, contact: Seen) -> None:
        """Check since when a contact waits that begins to: now, or since somebody came who has left."""
        if event.cause is ev.QueuedCause.SCHEDULED:
            assert event.at == event.enqueued_at == contact.until, f"{event}: not at {contact.until}"
        elif event.cause in ARRIVES and event.enqueued_at < event.at:
            assert self.left[event.enqueued_at] > 0, f"{event}: nobody has left that place"
            self.left[event.enqueued_at] -= 1
        else:
            assert event.enqueued_at == event.at, f"{event}: not queued now"

    def scheduled(self, event: ev.Scheduled) -> None:
        """Check that a new contact is for later."""
        contact = self.move(event, {Step.NEW}, Step.SCHEDULED)
        assert contact.queue == event.queue, f"{event}: queue {contact.queue}"
        assert event.until > event.at, f"{event}: not for later"
        contact.until = event.until

    def leaves(self, event: ev.Abandoned | ev.Withdrawn, target: Step) -> Seen:
        """Let a contact go that nobody was engaged with; its place may be asked for, once."""
        contact = self.move(event, BEFORE_ENGAGED, target)
        self.left[contact.until if contact.place is None else contact.place[1]] += 1
        return contact

    def by_whom(self, event: ev.Withdrawn) -> None:
        """Check that a deadline ends only what waits, and not before its time."""
        contact = self.contacts[event.contact]
        if event.by is ev.EndedBy.DEADLINE:
            assert contact.step is Step.WAITING, f"{event} while {contact.step.value}"
            assert contact.reply_by <= event.at, f"{event}: there is time until {contact.reply_by}"
        else:
            assert event.by in {ev.EndedBy.SUPERVISOR, ev.EndedBy.ENGINE}, f"{event}: by whom?"

    def lifted(self, event: ev.Lifted) -> None:
        """Check that a waiting contact comes into a better tier while there is time to reply."""
        contact = self.move(event, {Step.WAITING}, Step.WAITING)
        assert contact.place is not None, f"{event}: it has no place"
        tier, *rest = contact.place
        assert contact.queue == event.queue, f"{event}: queue {contact.queue}"
        assert event.tier < tier, f"{event}: tier {tier}"
        assert event.at < event.reply_by, f"{event}: too late"
        contact.place, contact.reply_by = (event.tier, *rest), event.reply_by
