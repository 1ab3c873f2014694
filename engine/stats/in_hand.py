"""Segments: a contact in an agent's hands, from the connection to the wrap-up, and who is in it beside."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from engine.model import (
    AgentSignedOut,
    Connecting,
    EndedBy,
    Engaged,
    HandedOver,
    Held,
    InvitationOver,
    Joined,
    Left,
    Parked,
    Resumed,
    TakenOver,
    TransferredOut,
    Unparked,
    WrapUpEnded,
    WrapUpStarted,
)
from engine.stats.agents import AgentStates
from engine.stats.ledger import Ledger
from engine.stats.queues import Queues
from engine.stats.rows import (
    US_PER_MS,
    ConfigurationRow,
    ContactRow,
    EstimateRow,
    OfferRow,
    SegmentRow,
)

ENDED_BY: Final = {by: by.name.lower() for by in EndedBy}
UP_TO_THE_WRAP_UP: Final = frozenset({WrapUpStarted, InvitationOver, Left, AgentSignedOut})
"""What may stand between the end of a segment and its wrap-up: everybody else leaves first."""


class InHand:
    """The rows, and the part of their history that happens in the agents' hands.

    Attributes:
        seq: the batch whose events were applied last.
        arrived: how many contacts have ever arrived, counted on its own for the conservation law.
        ledgers: the rows by the name of their table.
    """

    def __init__(self) -> None:
        self.seq = 0
        self.arrived = 0
        self.configurations: Ledger[ConfigurationRow] = Ledger()
        self.contacts: Ledger[ContactRow] = Ledger()
        self.offers: Ledger[OfferRow] = Ledger()
        self.segments: Ledger[SegmentRow] = Ledger()
        self.estimates: Ledger[EstimateRow] = Ledger()
        self.agents = AgentStates()
        self.queues = Queues()
        self.ledgers: dict[str, Ledger[Any]] = {
            "configurations": self.configurations,
            "contacts": self.contacts,
            "offers": self.offers,
            "segments": self.segments,
            "estimates": self.estimates,
            "overflows": self.queues.overflows,
            "queue_hours": self.queues.hours,
            "agent_states": self.agents.rows,
        }
        self._last_segment = 0
        self._last_estimate = 0
        self._wrap_ups: dict[tuple[int, int], deque[int]] = {}
        # A segment that has just ended: final unless its wrap-up starts before anything else happens.
        self._ending: int | None = None
        # (contact, agent) -> segment of those who still have to leave a contact that is over.
        self._leaving: dict[tuple[int, int], int] = {}

    def _contact(self, contact: int) -> ContactRow:
        row = self.contacts.open[contact]
        row.seq = self.seq
        self.contacts.changed.add(contact)
        return row

    def _open_segment(self, row: ContactRow, agent: int, role: str = "serves") -> SegmentRow:
        self._last_segment += 1
        segment = SegmentRow(self._last_segment, row.contact, row.channel, row.queue, agent, self.seq, role)
        self.segments.add(segment.segment, segment)
        if role == "serves":
            row.segment = segment.segment
        return segment

    def _open_row(self, number: int) -> SegmentRow:
        segment = self.segments.open[number]
        segment.seq = self.seq
        self.segments.changed.add(number)
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
            segment = self._open_row(row.segment)
            now.connecting -= 1
        else:
            segment = self._open_segment(row, event.agent)
        segment.engaged_at = event.at
        row.state = "engaged"
        row.agent = event.agent
        if row.engaged_at is None:
            row.engaged_at = event.at
            row.wait_ms = row.waited_ms(event.at)
        now.engaged += 1
        self.agents.changed(event.agent, event.at, self.seq)

    def _end_segment(self, row: ContactRow, at: int, outcome: str) -> SegmentRow:
        """End the segment of who serves a contact, and with it hold and parking."""
        segment = self._open_row(row.segment)
        segment.outcome = outcome
        segment.ended_at = at
        self._stop_hold(segment, at)
        self._stop_parking(segment, at)
        now = self.agents.now(segment.agent)
        if segment.engaged_at is None:
            now.connecting -= 1
        else:
            now.engaged -= 1
            segment.talk_ms = (at - segment.engaged_at) // US_PER_MS
            row.talk_ms += segment.talk_ms
        row.hold_ms += segment.hold_ms
        row.parked_ms += segment.parked_ms
        row.segment = 0
        self.agents.changed(segment.agent, at, self.seq)
        return segment

    def _close_segment(self, number: int) -> None:
        self._ending = None
        self.segments.close(number)

    # Hold and parking

    def _stop_hold(self, segment: SegmentRow, at: int) -> None:
        if segment.held_since is not None:
            segment.hold_ms += (at - segment.held_since) // US_PER_MS
            segment.held_since = None

    def _stop_parking(self, segment: SegmentRow, at: int) -> None:
        if segment.parked_since is not None:
            segment.parked_ms += (at - segment.parked_since) // US_PER_MS
            segment.parked_since = None
            self.agents.now(segment.agent).parked -= 1

    def _served(self, contact: int) -> SegmentRow:
        return self._open_row(self._contact(contact).segment)

    def _on_held(self, event: Held) -> None:
        self._served(event.contact).held_since = event.at

    def _on_resumed(self, event: Resumed) -> None:
        self._stop_hold(self._served(event.contact), event.at)

    def _on_parked(self, event: Parked) -> None:
        self._served(event.contact).parked_since = event.at
        self.agents.now(event.agent).parked += 1
        self.agents.changed(event.agent, event.at, self.seq)

    def _on_unparked(self, event: Unparked) -> None:
        self._stop_parking(self._served(event.contact), event.at)
        self.agents.changed(event.agent, event.at, self.seq)

    # Company

    def _on_joined(self, event: Joined) -> None:
        row = self._contact(event.contact)
        segment = self._open_segment(row, event.agent, "joined")
        segment.engaged_at = event.at
        row.joined += ((event.agent, segment.segment),)
        self.agents.now(event.agent).joined += 1
        self.agents.changed(event.agent, event.at, self.seq)

    def _on_left(self, event: Left) -> None:
        number = self._leaving.pop((event.contact, event.agent), None)
        if number is None:
            number = self._contact(event.contact).parts(event.agent)
            assert number is not None, "who leaves had joined"
        self._part(number, event.at, "left")

    def _part(self, number: int, at: int, outcome: str) -> None:
        """End the segment of who was in a contact beside the one who serves it."""
        segment = self._open_row(number)
        assert segment.engaged_at is not None, "who joins is engaged at once"
        segment.outcome, segment.ended_at = outcome, at
        segment.talk_ms = (at - segment.engaged_at) // US_PER_MS
        self.segments.close(number)
        self.agents.now(segment.agent).joined -= 1
        self.agents.changed(segment.agent, at, self.seq)

    def _on_handed_over(self, event: HandedOver) -> None:
        self._pass_to(event.contact, event.to_agent, event.at, "handed_over")

    def _on_taken_over(self, event: TakenOver) -> None:
        self._pass_to(event.contact, event.to_agent, event.at, "taken_over")

    def _pass_to(self, contact: int, agent: int, at: int, outcome: str) -> None:
        row = self._contact(contact)
        self._ending = self._end_segment(row, at, outcome).segment
        now = self.agents.now(agent)
        now.engaged += 1
        if (beside := row.parts(agent)) is not None:
            self._part(beside, at, "serves")
        row.agent = agent
        self._open_segment(row, agent).engaged_at = at
        self.agents.changed(agent, at, self.seq)

    def _on_transferred_out(self, event: TransferredOut) -> None:
        self._contact(event.contact).target = event.target

    # Wrap-up

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
        segment.wrap_up_ended_by = ENDED_BY[event.by]
        segment.seq = self.seq
        self._close_segment(number)
        self.agents.now(event.agent).wrap_ups -= 1
        self.agents.changed(event.agent, event.at, self.seq)
