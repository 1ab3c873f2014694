"""The rows of the statistics tables while they may still change; ``schema.sql`` explains each column.

A row is *open* until nothing can happen to it any more; then it becomes a tuple in the table's order
and is never touched again. Nothing here depends on when rows are written out, so a rebuilt database
has the very same rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.model import ChoiceWanted, Configured, EstimateScored, Overflowed, OverflowTo
from engine.stats.ledger import Values

US_PER_MS: Final = 1_000


@dataclass(slots=True)
class ConfigurationRow:
    """A row of ``configurations``, which is final at once."""

    event: Configured
    seq: int

    def values(self) -> Values:
        """Return the columns in the order of the table."""
        return self.event.number, self.event.hash.hex(), self.event.at, self.seq


@dataclass(slots=True)
class ContactRow:
    """A row of ``contacts``."""

    contact: int
    channel: int
    key: bytes
    queue: int
    first_queue: int
    weight: int
    arrived_at: int
    enqueued_at: int
    seq: int
    state: str = "waiting"
    agent: int | None = None
    tier: int = 2
    head_start_us: int = 0
    first_offered_at: int | None = None
    engaged_at: int | None = None
    ended_at: int | None = None
    ended_by: str | None = None
    offers: int = 0
    misses: int = 0
    transfers: int = 0
    wait_ms: int | None = None
    talk_ms: int = 0
    relaxed: int = 0
    preference_over: str | None = None
    hold_ms: int = 0
    parked_ms: int = 0
    target: int | None = None
    announcements: int = 0
    overflows: int = 0
    scheduled_for: int | None = None
    kept_place: bool = False
    lifted_at: int | None = None
    reply_by: int | None = None
    reserved: int = 0
    segment: int = 0
    """The number of the open segment of who serves it; not a column."""
    ringing: tuple[tuple[int, int], ...] = ()
    """(open offer, agent), the first one first; not a column."""
    joined: tuple[tuple[int, int], ...] = ()
    """(agent, the number of its open segment) of those beside who serves; not a column."""
    choice: int = 0
    """The number of the open choice; not a column."""

    def values(self) -> Values:
        """Return the columns in the order of the table."""
        return (
            self.contact,
            self.channel,
            self.queue,
            self.first_queue,
            self.key.hex(),
            self.state,
            self.agent,
            self.arrived_at,
            self.enqueued_at,
            self.first_offered_at,
            self.engaged_at,
            self.ended_at,
            self.ended_by,
            self.head_start_us // US_PER_MS,
            self.tier,
            self.weight,
            self.offers,
            self.misses,
            self.transfers,
            self.wait_ms,
            self.talk_ms,
            self.relaxed,
            self.preference_over,
            self.hold_ms,
            self.parked_ms,
            self.target,
            self.announcements,
            self.overflows,
            self.scheduled_for,
            self.kept_place,
            self.lifted_at,
            self.reply_by,
            self.reserved,
            self.seq,
        )

    def parts(self, agent: int) -> int | None:
        """Take out an agent beside who serves; its segment's number, None when it is not there."""
        number = dict(self.joined).get(agent)
        if number is not None:
            self.joined = tuple(one for one in self.joined if one[0] != agent)
        return number

    @property
    def waits_from(self) -> int:
        """Since when its customer waits."""
        return self.arrived_at if self.scheduled_for is None else self.scheduled_for

    def waited_ms(self, until: int) -> int:
        """For how long; nobody has waited before the time that was agreed."""
        return max(0, until - self.waits_from) // US_PER_MS


@dataclass(slots=True)
class OfferRow:
    """A row of ``offers``."""

    offer: int
    contact: int
    channel: int
    queue: int
    agent: int
    made_at: int
    deadline_at: int
    config: int
    seq: int
    outcome: str = "open"
    cause: str | None = None
    reason: int | None = None
    closed_at: int | None = None

    def values(self) -> Values:
        """Return the columns in the order of the table."""
        closed_at = self.closed_at
        return (
            self.offer,
            self.contact,
            self.channel,
            self.queue,
            self.agent,
            self.made_at,
            self.deadline_at,
            closed_at,
            self.outcome,
            self.cause,
            self.reason,
            None if closed_at is None else (closed_at - self.made_at) // US_PER_MS,
            self.config,
            self.seq,
        )


@dataclass(slots=True)
class SegmentRow:
    """A row of ``segments``."""

    segment: int
    contact: int
    channel: int
    queue: int
    agent: int
    seq: int
    role: str = "serves"
    outcome: str = "open"
    connecting_at: int | None = None
    engaged_at: int | None = None
    ended_at: int | None = None
    talk_ms: int | None = None
    hold_ms: int = 0
    parked_ms: int = 0
    wrap_up_started_at: int | None = None
    wrap_up_ended_at: int | None = None
    wrap_up_ended_by: str | None = None
    held_since: int | None = None
    """Since when the customer is on hold; not a column."""
    parked_since: int | None = None
    """Likewise."""

    def values(self) -> Values:
        """Return the columns in the order of the table."""
        started, ended = self.wrap_up_started_at, self.wrap_up_ended_at
        wrap_up_ms = None if started is None or ended is None else (ended - started) // US_PER_MS
        return (
            self.segment,
            self.contact,
            self.channel,
            self.queue,
            self.agent,
            self.role,
            self.outcome,
            self.connecting_at,
            self.engaged_at,
            self.ended_at,
            self.talk_ms,
            self.hold_ms,
            self.parked_ms,
            started,
            ended,
            self.wrap_up_ended_by,
            wrap_up_ms,
            self.seq,
        )


@dataclass(slots=True)
class ChoiceRow:
    """A row of ``choices``."""

    wanted: ChoiceWanted
    seq: int
    agent: int | None = None
    over_at: int | None = None
    cause: str | None = None

    def values(self) -> Values:
        """Return the columns in the order of the table."""
        wanted, over_at = self.wanted, self.over_at
        return (
            wanted.choice,
            wanted.contact,
            wanted.channel,
            wanted.queue,
            self.agent,
            wanted.at,
            wanted.deadline,
            over_at,
            len(wanted.agents),
            self.cause,
            None if over_at is None else (over_at - wanted.at) // US_PER_MS,
            self.seq,
        )


@dataclass(slots=True)
class EstimateRow:
    """A row of ``estimates``, which is final at once."""

    estimate: int
    event: EstimateScored
    seq: int

    def values(self) -> Values:
        """Return the columns in the order of the table."""
        event = self.event
        return (
            self.estimate,
            event.contact,
            event.channel,
            event.queue,
            event.at - event.actual_us,
            event.at,
            event.estimate_us // US_PER_MS,
            event.p90_us // US_PER_MS,
            event.actual_us // US_PER_MS,
            self.seq,
        )


@dataclass(slots=True)
class OverflowRow:
    """A row of ``overflows``, which is final at once."""

    overflow: int
    event: Overflowed
    enqueued_at: int
    seq: int

    def values(self) -> Values:
        """Return the columns in the order of the table."""
        event = self.event
        to_queue = event.to_kind is OverflowTo.QUEUE
        return (
            self.overflow,
            event.contact,
            event.channel,
            event.queue,
            event.at,
            event.cause.name.lower(),
            event.to if to_queue else None,
            None if to_queue else event.to,
            (event.at - self.enqueued_at) // US_PER_MS,
            self.seq,
        )


@dataclass(slots=True)
class QueueHoursRow:
    """A row of ``queue_hours``."""

    queue: int
    started_at: int
    state: str
    seq: int
    ended_at: int | None = None

    def values(self) -> Values:
        """Return the columns in the order of the table."""
        ended_at = self.ended_at
        return (
            self.queue,
            self.started_at,
            ended_at,
            self.state,
            None if ended_at is None else (ended_at - self.started_at) // US_PER_MS,
            self.seq,
        )


@dataclass(slots=True)
class AgentStateRow:
    """A row of ``agent_states``."""

    agent: int
    started_at: int
    state: str
    reason: int | None
    locked: bool
    activity: str
    seq: int
    ended_at: int | None = None

    def values(self) -> Values:
        """Return the columns in the order of the table."""
        ended_at = self.ended_at
        return (
            self.agent,
            self.started_at,
            ended_at,
            self.state,
            self.reason,
            self.locked,
            self.activity,
            None if ended_at is None else (ended_at - self.started_at) // US_PER_MS,
            self.seq,
        )
