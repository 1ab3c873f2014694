"""Kept places, contacts for later, deadlines for a reply: what an arrival says about time."""

from __future__ import annotations

from tests.oracle import commands as cmd
from tests.oracle import events as ev
from tests.oracle.config import MAX_AHEAD_US
from tests.oracle.refusal import Code, Refusal
from tests.oracle.state import LIFTED_TIER, Contact, Outcome, State
from tests.oracle.tenants import Tenants
from tests.oracle.world import Timer

LEFT = (Outcome.ABANDONED, Outcome.WITHDRAWN, Outcome.OVERFLOWED)
"""How a contact ends whose place is kept."""


class ForLater(Tenants):
    """Places in a line, and the times before and after which nobody is asked."""

    # What an arrival may say

    def check_times(self, command: cmd.Arrive) -> None:
        """Refuse times and a place that cannot be."""
        last = self.now + MAX_AHEAD_US
        if command.not_before > last:
            raise Refusal(Code.BAD_DURATION, command.not_before)
        if command.reply_by and not self.now < command.reply_by <= last:
            raise Refusal(Code.BAD_DURATION, command.reply_by)
        if command.place:
            self._check_place(command)

    def _check_place(self, command: cmd.Arrive) -> None:
        left = self.ended.get(command.place)
        if left is None or left.outcome not in LEFT:
            raise Refusal(Code.BAD_PLACE, command.place)
        if left.enqueued_at > self.now or command.not_before > self.now:
            raise Refusal(Code.BAD_PLACE, command.place)
        if left.place_used:
            raise Refusal(Code.PLACE_USED, command.place)

    def waits_since(self, command: cmd.Arrive) -> int:
        """Return the time that decides the place of an arrival: now, or as long as its former contact."""
        left = self.ended.get(command.place)
        return left.enqueued_at if left is not None else self.now

    def use_place(self, number: int) -> None:
        """Give a place away for good."""
        left = self.ended.get(number)
        if left is not None:
            self.ended.replace(number, left._replace(place_used=True))

    # For later

    def schedule(self, contact: Contact, until: int) -> None:
        """Put a contact aside until its time."""
        contact.state, contact.enqueued_at, contact.deadline = State.SCHEDULED, until, until
        contact.preferred_until = None
        self.contacts[contact.id] = contact
        self.set_timer(Timer.SCHEDULED, contact.id, until)
        self.emit(ev.Scheduled(self.now, contact.id, contact.channel, contact.queue, until))

    def begin(self, contact: Contact) -> None:
        """Let a contact wait whose time has come."""
        contact.state, contact.deadline = State.WAITING, 0
        self.take_place(contact)
        self.start_preference(contact, self.now)
        self.get_in(contact)
        self.queue_up(contact, ev.QueuedCause.SCHEDULED)

    def take_place(self, contact: Contact) -> None:
        """Give a contact the next sequence number."""
        contact.sequence = self.next_sequence
        self.next_sequence += 1

    # The deadline for a reply

    def queue_up(self, contact: Contact, cause: ev.QueuedCause) -> None:
        """Say where a contact waits, unless it is too late to reply: then it is over at once."""
        super().queue_up(contact, cause)
        self.look_at_reply(contact)

    def look_at_reply(self, contact: Contact) -> bool:
        """End a waiting contact that it is too late to reply to; return whether it is over."""
        if not 0 < contact.reply_by <= self.now:
            return False
        self.leave_wait(contact, abandoned=False)
        where = (self.now, contact.id, contact.channel, contact.queue)
        self.emit(ev.Withdrawn(*where, 0, ev.EndedBy.DEADLINE))
        self.end_contact(contact, Outcome.WITHDRAWN, 0)
        return True

    def lift(self, contact: Contact) -> None:
        """Put a waiting contact into a better tier if its deadline is near."""
        due = self.lift_time(contact)
        if due is not None and due <= self.now:
            contact.tier = LIFTED_TIER
            where = (self.now, contact.id, contact.channel, contact.queue)
            self.emit(ev.Lifted(*where, contact.tier, contact.reply_by))
