"""Events in, rows out: pure, without I/O and without a clock.

The same events give the same rows, however often and wherever they are written in between. Each
method ``_on_...`` handles one event; ``docs/en/statistics.md`` explains what the rows mean.
"""

from __future__ import annotations

from collections import deque
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
    Arrived,
    Blocked,
    BlockedCause,
    Changed,
    ConnectFailedEvent,
    Connecting,
    Ended,
    EndedBy,
    Engaged,
    Event,
    OfferAccepted,
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferWithdrawn,
    Queued,
    Transferred,
    Withdrawn,
    WithdrawnCause,
    WrapUpEnded,
    WrapUpStarted,
)
from engine.stats.agents import NOT_READY, READY, SIGNED_OUT, AgentStates
from engine.stats.rows import US_PER_MS, ContactRow, Ledger, OfferRow, SegmentRow

_WITHDRAWN: Final = {cause: cause.name.lower() for cause in WithdrawnCause}
_BLOCKED: Final = {cause: cause.name.lower() for cause in BlockedCause}
_ENDED_BY: Final = {by: by.name.lower() for by in EndedBy}


class History:
    """All rows that may still change, and those that have become final since they were last taken.

    Attributes:
        seq: the batch whose events were applied last.
        arrived: how many contacts have ever arrived, counted on its own for the conservation law.
        ledgers: the rows by the name of their table.
    """

    def __init__(self) -> None:
        self.seq = 0
        self.arrived = 0
        self.contacts: Ledger[ContactRow] = Ledger()
        self.offers: Ledger[OfferRow] = Ledger()
        self.segments: Ledger[SegmentRow] = Ledger()
        self.agents = AgentStates()
        self.ledgers: dict[str, Ledger[Any]] = {
            "contacts": self.contacts,
            "offers": self.offers,
            "segments": self.segments,
            "agent_states": self.agents.rows,
        }
        self._last_segment = 0
        self._wrap_ups: dict[tuple[int, int], deque[int]] = {}
        # A segment that has just ended: final unless the very next event starts its wrap-up.
        self._ending: int | None = None
        self._handlers: dict[type[Event], Callable[[Any], None]] = {
            Arrived: self._on_arrived,
            Queued: self._on_queued,
            Blocked: self._on_blocked,
            OfferMade: self._on_offer_made,
            OfferAccepted: self._on_offer_accepted,
            OfferDeclined: self._on_offer_declined,
            OfferExpired: self._on_offer_expired,
            OfferWithdrawn: self._on_offer_withdrawn,
            Connecting: self._on_connecting,
            Engaged: self._on_engaged,
            ConnectFailedEvent: self._on_connect_failed,
            Abandoned: self._on_abandoned,
            Changed: self._on_changed,
            Withdrawn: self._on_withdrawn,
            Ended: self._on_ended,
            Transferred: self._on_transferred,
            WrapUpStarted: self._on_wrap_up_started,
            WrapUpEnded: self._on_wrap_up_ended,
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
            if self._ending is not None and type(event) is not WrapUpStarted:
                self._close_segment(self._ending)
            handler = handlers.get(type(event))
            if handler is not None:
                handler(event)
        if self._ending is not None:
            self._close_segment(self._ending)

    def configured(self, agents: Collection[int], at: int) -> None:
        """Take note of a new configuration, after the events of its batch.

        Args:
            agents: all that it has.
            at: the batch's time.
        """
        self.agents.keep_only(agents, at, self.seq)

    def pending(self) -> int:
        """Return how many rows the next write has."""
        return sum(ledger.pending() for ledger in self.ledgers.values())

    def discard(self) -> None:
        """Forget what has changed: it is in the database already."""
        for ledger in self.ledgers.values():
            ledger.discard()

    def _contact(self, contact: int) -> ContactRow:
        row = self.contacts.open[contact]
        row.seq = self.seq
        self.contacts.changed.add(contact)
        return row

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
        row.state = "waiting"
        row.agent = None
        row.queue = event.queue
        row.tier = event.tier
        row.enqueued_at = event.enqueued_at
        row.head_start_us = event.head_start_us

    def _on_blocked(self, event: Blocked) -> None:
        self._end_contact(event.contact, event.at, "blocked", _BLOCKED[event.cause])

    def _on_offer_made(self, event: OfferMade) -> None:
        row = self._contact(event.contact)
        row.state = "offered"
        row.agent = event.agent
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
            self.seq,
        )
        self.offers.add(event.offer, offer)
        self.agents.now(event.agent).offers += 1
        self.agents.changed(event.agent, event.at, self.seq)

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

    def _open_segment(self, row: ContactRow, agent: int) -> SegmentRow:
        self._last_segment += 1
        row.segment = self._last_segment
        segment = SegmentRow(self._last_segment, row.contact, row.channel, row.queue, agent, self.seq)
        self.segments.add(segment.segment, segment)
        return segment

    def _on_connecting(self, event: Connecting) -> None:
        row = self._contact(event.contact)
        row.state = "connecting"
        row.agent = event.agent
        self._open_segment(row, event.agent).connecting_at = event.at
        self.agents.now(event.agent).connecting += 1
        self.agents.changed(event.agent, event.at, self.seq)

    def _on_engaged(self, event: Engaged) -> None:
        row = self._contact(event.contact)
        now = self.agents.now(event.agent)
        if row.segment:
            segment = self.segments.open[row.segment]
            segment.seq = self.seq
            self.segments.changed.add(row.segment)
            now.connecting -= 1
        else:
            segment = self._open_segment(row, event.agent)
        segment.engaged_at = event.at
        row.state = "engaged"
        row.agent = event.agent
        if row.engaged_at is None:
            row.engaged_at = event.at
            row.wait_ms = (event.at - row.arrived_at) // US_PER_MS
        now.engaged += 1
        self.agents.changed(event.agent, event.at, self.seq)

    def _end_segment(self, row: ContactRow, at: int, outcome: str) -> SegmentRow:
        segment = self.segments.open[row.segment]
        self.segments.changed.add(row.segment)
        segment.seq = self.seq
        segment.outcome = outcome
        segment.ended_at = at
        now = self.agents.now(segment.agent)
        if segment.engaged_at is None:
            now.connecting -= 1
        else:
            now.engaged -= 1
            segment.talk_ms = (at - segment.engaged_at) // US_PER_MS
            row.talk_ms += segment.talk_ms
        row.segment = 0
        self.agents.changed(segment.agent, at, self.seq)
        return segment

    def _close_segment(self, number: int) -> None:
        self._ending = None
        self.segments.close(number)

    def _on_connect_failed(self, event: ConnectFailedEvent) -> None:
        row = self._contact(event.contact)
        self._close_segment(self._end_segment(row, event.at, "connect_failed").segment)

    def _end_contact(self, contact: int, at: int, state: str, by: str | None) -> None:
        row = self._contact(contact)
        row.state = state
        row.ended_at = at
        row.ended_by = by
        if row.wait_ms is None:
            row.wait_ms = (at - row.arrived_at) // US_PER_MS
        self.contacts.close(contact)

    def _on_changed(self, event: Changed) -> None:
        row = self._contact(event.contact)
        row.queue = event.queue
        row.head_start_us = event.head_start_us

    def _on_abandoned(self, event: Abandoned) -> None:
        self._end_unserved(event.contact, event.at, "abandoned", "customer")

    def _on_withdrawn(self, event: Withdrawn) -> None:
        self._end_unserved(event.contact, event.at, "withdrawn", "supervisor")

    def _end_unserved(self, contact: int, at: int, state: str, by: str) -> None:
        row = self._contact(contact)
        if row.segment:
            self._close_segment(self._end_segment(row, at, state).segment)
        elif row.state == "offered":
            row.agent = None
        self._end_contact(contact, at, state, by)

    def _on_ended(self, event: Ended) -> None:
        row = self._contact(event.contact)
        self._ending = self._end_segment(row, event.at, "served").segment
        self._end_contact(event.contact, event.at, "served", _ENDED_BY[event.by])

    def _on_transferred(self, event: Transferred) -> None:
        row = self._contact(event.contact)
        row.transfers += 1
        self._ending = self._end_segment(row, event.at, "transferred").segment

    def _on_wrap_up_started(self, event: WrapUpStarted) -> None:
        number = self._ending
        self._ending = None
        if number is None:
            raise ValueError(f"wrap-up of contact {event.contact} follows no end of it")
        self.segments.open[number].wrap_up_started_at = event.at
        self._wrap_ups.setdefault((event.agent, event.contact), deque()).append(number)
        self.agents.now(event.agent).wrap_ups += 1
        self.agents.changed(event.agent, event.at, self.seq)

    def _on_wrap_up_ended(self, event: WrapUpEnded) -> None:
        # The oldest wrap-up of the pair ends first: the core's rule.
        running = self._wrap_ups[event.agent, event.contact]
        number = running.popleft()
        if not running:
            del self._wrap_ups[event.agent, event.contact]
        segment = self.segments.open[number]
        segment.wrap_up_ended_at = event.at
        segment.wrap_up_ended_by = _ENDED_BY[event.by]
        segment.seq = self.seq
        self._close_segment(number)
        self.agents.now(event.agent).wrap_ups -= 1
        self.agents.changed(event.agent, event.at, self.seq)

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
