"""Why and by whom something happened, with the numbers of `event.rs`."""

from __future__ import annotations

from enum import IntEnum


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
    """Why a contact was blocked."""

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


class ReleasedBy(IntEnum):
    """Who releases a contact."""

    SUPERVISOR = 0
    ENGINE = 1


class ChoiceCause(IntEnum):
    """Why a choice from outside is over."""

    CHOSEN = 0
    DEADLINE = 1
    NOT_ELIGIBLE = 2
    LEFT_TO_FALLBACK = 3


class InvitationEnd(IntEnum):
    """How an invitation ended that nobody followed."""

    DECLINED = 1
    EXPIRED = 2
    WITHDRAWN = 3
