"""Events in, rows out: pure, without I/O and without a clock.

The same events give the same rows, however often and wherever they are written in between. Each
method ``_on_...`` handles one event; ``docs/en/statistics.md`` explains what the rows mean.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from engine.model import (
    Abandoned,
    AgentLocked,
    AgentNotReady,
    AgentReady,
    AgentSignedIn,
    AgentSignedOut,
    AgentSigningOut,
    AgentUnlocked,
    AnnouncementDue,
    Arrived,
    Blocked,
    BlockedCause,
    Changed,
    ChoiceOver,
    ChoiceWanted,
    Configured,
    ConnectFailedEvent,
    Connecting,
    Ended,
    Engaged,
    EstimateScored,
    Event,
    HandedOver,
    Held,
    HoursChanged,
    Joined,
    Left,
    Lifted,
    OfferAccepted,
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferWithdrawn,
    Overflowed,
    OverflowTo,
    OverflowWhen,
    Parked,
    PreferenceOver,
    PreferenceOverCause,
    Queued,
    QueuedCause,
    Relaxed,
    Reserved,
    RestartedEvent,
    Resumed,
    Scheduled,
    TakenOver,
    Transferred,
    TransferredOut,
    Unparked,
    Withdrawn,
    WithdrawnCause,
    WrapUpEnded,
    WrapUpStarted,
)
from engine.stats.agents import NOT_READY, READY, SIGNED_OUT
from engine.stats.in_hand import ENDED_BY, UP_TO_THE_WRAP_UP
from engine.stats.rows import ConfigurationRow, ContactRow, EstimateRow, OfferRow
from engine.stats.waiting import Waiting

_WITHDRAWN: Final = {cause: cause.name.lower() for cause in WithdrawnCause}
_BLOCKED: Final = {cause: cause.name.lower() for cause in BlockedCause}
_OVERFLOWED: Final = {cause: cause.name.lower() for cause in OverflowWhen}
_PREFERENCE_OVER: Final = {cause: cause.name.lower() for cause in PreferenceOverCause}


class History(Waiting):
    """All rows that may still change, and those that have become final since they were last taken."""

    def __init__(self) -> None:
        super().__init__()
        self._handlers: dict[type[Event], Callable[[Any], None]] = {
            Configured: self._on_configured,
            Arrived: self._on_arrived,
            Queued: self._on_queued,
            Blocked: self._on_blocked,
            Overflowed: self._on_overflowed,
            HoursChanged: self._on_hours_changed,
            AnnouncementDue: self._on_announcement_due,
            OfferMade: self._on_offer_made,
            OfferAccepted: self._on_offer_accepted,
            OfferDeclined: self._on_offer_declined,
            OfferExpired: self._on_offer_expired,
            OfferWithdrawn: self._on_offer_withdrawn,
            Connecting: self._on_connecting,
            Engaged: self._on_engaged,
            EstimateScored: self._on_estimate_scored,
            ConnectFailedEvent: self._on_connect_failed,
            Abandoned: self._on_abandoned,
            Changed: self._on_changed,
            Relaxed: self._on_relaxed,
            PreferenceOver: self._on_preference_over,
            Withdrawn: self._on_withdrawn,
            Scheduled: self._on_scheduled,
            Lifted: self._on_lifted,
            Reserved: self._on_reserved,
            ChoiceWanted: self._on_choice_wanted,
            ChoiceOver: self._on_choice_over,
            RestartedEvent: self._on_restarted,
            Ended: self._on_ended,
            Transferred: self._on_transferred,
            WrapUpStarted: self._on_wrap_up_started,
            WrapUpEnded: self._on_wrap_up_ended,
            Held: self._on_held,
            Resumed: self._on_resumed,
            Parked: self._on_parked,
            Unparked: self._on_unparked,
            Joined: self._on_joined,
            Left: self._on_left,
            HandedOver: self._on_handed_over,
            TakenOver: self._on_taken_over,
            TransferredOut: self._on_transferred_out,
            AgentSignedIn: self._on_agent_signed_in,
            AgentReady: self._on_agent_ready,
            AgentNotReady: self._on_agent_not_ready,
            AgentSigningOut: self._on_agent_signing_out,
            AgentSignedOut: self._on_agent_signed_out,
            AgentLocked: self._on_agent_locked,
            AgentUnlocked: self._on_agent_unlocked,
        }

    def apply(self, seq: int, events: Sequence[Event]) -> None:
        """Take the events of one batch, in their order."""
        self.seq = seq
        handlers = self._handlers
        for event in events:
            if self._ending is not None and type(event) not in UP_TO_THE_WRAP_UP:
                self._close_segment(self._ending)
            handler = handlers.get(type(event))
            if handler is not None:
                handler(event)
        if self._ending is not None:
            self._close_segment(self._ending)

    def configured(self, agents: Collection[int], queues: Collection[int], at: int) -> None:
        """Take note of a new configuration, after the events of its batch.

        Args:
            agents: all that it has.
            queues: likewise.
            at: the batch's time.
        """
        self.agents.keep_only(agents, at, self.seq)
        self.queues.keep_only(queues, at, self.seq)

    def pending(self) -> int:
        """Return how many rows the next write has."""
        return sum(ledger.pending() for ledger in self.ledgers.values())

    def discard(self) -> None:
        """Forget what has changed: it is in the database already."""
        for ledger in self.ledgers.values():
            ledger.discard()

    def _on_configured(self, event: Configured) -> None:
        self.configurations.add_final(ConfigurationRow(event, self.seq))
        self._drop_choices(event.at)

    def _on_arrived(self, event: Arrived) -> None:
        self.arrived += 1
        row = ContactRow(
            event.contact,
            event.channel,
            event.key,
            event.queue,
            event.queue,
            event.weight,
            event.at,
            event.at,
            self.seq,
        )
        self.contacts.add(event.contact, row)

    def _on_queued(self, event: Queued) -> None:
        row = self._contact(event.contact)
        if event.cause is QueuedCause.LEASE_LOST:
            self._close_segment(self._end_segment(row, event.at, "lease_lost").segment)
        row.state = "waiting"
        row.agent = None
        row.queue = event.queue
        row.tier = event.tier
        row.enqueued_at = event.enqueued_at
        row.head_start_us = event.head_start_us
        # What has just come in stands before its own arrival only in another's place.
        new = event.cause in (QueuedCause.ARRIVAL, QueuedCause.OVERFLOW)
        row.kept_place |= new and event.enqueued_at < row.arrived_at

    def _on_blocked(self, event: Blocked) -> None:
        self._end_contact(event.contact, event.at, "blocked", _BLOCKED[event.cause])

    def _on_overflowed(self, event: Overflowed) -> None:
        row = self._contact(event.contact)
        row.overflows += 1
        self._drop_choice(row, event.at)
        self.queues.overflowed(event, row.enqueued_at, self.seq)
        if event.to_kind is OverflowTo.TARGET:
            row.target = event.to
            self._end_contact(event.contact, event.at, "overflowed", _OVERFLOWED[event.cause])

    def _on_hours_changed(self, event: HoursChanged) -> None:
        self.queues.changed(event, self.seq)

    def _on_announcement_due(self, event: AnnouncementDue) -> None:
        self._contact(event.contact).announcements += 1

    def _on_offer_made(self, event: OfferMade) -> None:
        row = self._contact(event.contact)
        row.state = "offered"
        row.ringing += ((event.offer, event.agent),)
        row.agent = row.ringing[0][1]
        row.offers += 1
        if row.first_offered_at is None:
            row.first_offered_at = event.at
        offer = OfferRow(
            event.offer,
            event.contact,
            event.channel,
            event.queue,
            event.agent,
            event.at,
            event.deadline,
            event.config,
            self.seq,
        )
        self.offers.add(event.offer, offer)
        self.agents.now(event.agent).offers += 1
        self.agents.changed(event.agent, event.at, self.seq)

    def _on_estimate_scored(self, event: EstimateScored) -> None:
        self._last_estimate += 1
        self.estimates.add_final(EstimateRow(self._last_estimate, event, self.seq))

    def _close_offer(
        self,
        event: OfferAccepted | OfferDeclined | OfferExpired | OfferWithdrawn,
        outcome: str,
        cause: str | None = None,
        reason: int | None = None,
    ) -> None:
        row = self.offers.open[event.offer]
        row.outcome = outcome
        row.cause = cause
        row.reason = reason
        row.closed_at = event.at
        row.seq = self.seq
        self.offers.close(event.offer)
        contact = self._contact(event.contact)
        contact.ringing = tuple(one for one in contact.ringing if one[0] != event.offer)
        if contact.ringing:
            contact.agent = contact.ringing[0][1]
        self.agents.now(event.agent).offers -= 1
        self.agents.changed(event.agent, event.at, self.seq)

    def _on_offer_accepted(self, event: OfferAccepted) -> None:
        self._close_offer(event, "accepted")

    def _on_offer_declined(self, event: OfferDeclined) -> None:
        self._close_offer(event, "declined", reason=event.reason or None)

    def _on_offer_expired(self, event: OfferExpired) -> None:
        self._close_offer(event, "expired")
        self._contact(event.contact).misses += 1

    def _on_offer_withdrawn(self, event: OfferWithdrawn) -> None:
        self._close_offer(event, "withdrawn", cause=_WITHDRAWN[event.cause])

    def _on_connect_failed(self, event: ConnectFailedEvent) -> None:
        row = self._contact(event.contact)
        self._close_segment(self._end_segment(row, event.at, "connect_failed").segment)

    def _end_contact(self, contact: int, at: int, state: str, by: str | None) -> None:
        row = self._contact(contact)
        self._drop_choice(row, at)
        row.state = state
        row.ended_at = at
        row.ended_by = by
        if row.wait_ms is None:
            row.wait_ms = row.waited_ms(at)
        self.contacts.close(contact)

    def _on_changed(self, event: Changed) -> None:
        row = self._contact(event.contact)
        self._drop_choice(row, event.at)
        row.queue = event.queue
        row.head_start_us = event.head_start_us

    def _on_relaxed(self, event: Relaxed) -> None:
        row = self._contact(event.contact)
        row.relaxed += 1
        row.head_start_us = event.head_start_us

    def _on_restarted(self, event: RestartedEvent) -> None:
        self._drop_choices(event.at)

    def _on_preference_over(self, event: PreferenceOver) -> None:
        self._contact(event.contact).preference_over = _PREFERENCE_OVER[event.cause]

    def _on_abandoned(self, event: Abandoned) -> None:
        self._end_unserved(event.contact, event.at, "abandoned", "customer")

    def _on_withdrawn(self, event: Withdrawn) -> None:
        self._end_unserved(event.contact, event.at, "withdrawn", ENDED_BY[event.by])

    def _end_unserved(self, contact: int, at: int, state: str, by: str) -> None:
        row = self._contact(contact)
        if row.segment:
            self._close_segment(self._end_segment(row, at, state).segment)
        elif row.state == "offered":
            row.agent = None
        self._end_contact(contact, at, state, by)

    def _on_ended(self, event: Ended) -> None:
        row = self._contact(event.contact)
        outcome = "served" if row.target is None else "transferred_out"
        self._ending = self._end_segment(row, event.at, outcome).segment
        self._leaving.update({(event.contact, agent): number for agent, number in row.joined})
        self._end_contact(event.contact, event.at, "served", ENDED_BY[event.by])

    def _on_transferred(self, event: Transferred) -> None:
        row = self._contact(event.contact)
        row.transfers += 1
        self._ending = self._end_segment(row, event.at, "transferred").segment

    def _on_agent_signed_in(self, event: AgentSignedIn) -> None:
        now = self.agents.now(event.agent)
        now.signing_out = False
        now.presence, now.reason = NOT_READY, None
        self.agents.changed(event.agent, event.at, self.seq)

    def _on_agent_ready(self, event: AgentReady) -> None:
        now = self.agents.now(event.agent)
        now.presence, now.reason = READY, None
        self.agents.changed(event.agent, event.at, self.seq)

    def _on_agent_not_ready(self, event: AgentNotReady) -> None:
        now = self.agents.now(event.agent)
        now.presence, now.reason = NOT_READY, event.reason or None
        self.agents.changed(event.agent, event.at, self.seq)

    def _on_agent_signing_out(self, event: AgentSigningOut) -> None:
        now = self.agents.now(event.agent)
        now.signing_out, now.reason = True, None
        self.agents.changed(event.agent, event.at, self.seq)

    def _on_agent_signed_out(self, event: AgentSignedOut) -> None:
        now = self.agents.now(event.agent)
        now.signing_out = False
        now.presence, now.reason = SIGNED_OUT, None
        self.agents.changed(event.agent, event.at, self.seq)

    def _on_agent_locked(self, event: AgentLocked) -> None:
        self.agents.now(event.agent).locked = True
        self.agents.changed(event.agent, event.at, self.seq)

    def _on_agent_unlocked(self, event: AgentUnlocked) -> None:
        self.agents.now(event.agent).locked = False
        self.agents.changed(event.agent, event.at, self.seq)
