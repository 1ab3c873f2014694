"""What every event has, and why and by whom something happened."""

from __future__ import annotations

from enum import IntEnum

from engine.messages.frame import Frame


class QueuedCause(IntEnum):
    """Why a contact stands in a queue (again)."""

    ARRIVAL = 0
    TRANSFER = 1
    OFFER_ENDED = 2
    CONNECT_FAILED = 3
    RESTART = 4
    OVERFLOW = 5
    SCHEDULED = 6
    LEASE_LOST = 7


class BlockedCause(IntEnum):
    """Why a contact was blocked: which limit was reached, or that its queue takes nobody in."""

    QUEUE_FULL = 0
    SITE_FULL = 1
    CLOSED = 2


class WithdrawnCause(IntEnum):
    """Why an offer was withdrawn."""

    ABANDONED = 0
    AGENT_LEFT = 1
    RESTART = 2
    RELEASED = 3
    TAKEN = 4


class PreferenceOverCause(IntEnum):
    """Why a contact no longer waits for the agents that it prefers."""

    DEADLINE = 0
    ABSENT = 1


class EndedBy(IntEnum):
    """Who or what ended something."""

    CUSTOMER = 0
    AGENT = 1
    DEADLINE = 2
    SUPERVISOR = 3
    ENGINE = 4


class ChoiceCause(IntEnum):
    """How a choice from outside ended."""

    CHOSEN = 0
    DEADLINE = 1
    NOT_ELIGIBLE = 2
    LEFT_TO_FALLBACK = 3


class InvitationEnd(IntEnum):
    """How an invitation ended that nobody followed."""

    DECLINED = 1
    EXPIRED = 2
    WITHDRAWN = 3


class Event(Frame, frozen=True, kw_only=True):
    """One fact; `at` is the deadline's own time for what a timer did."""

    at: int
