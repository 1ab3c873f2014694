"""The kinds and field positions that the load tester reads in raw frames.

Typed messages (engine.model) cost a Python object per event; a flood reads some 26,000 events a
second on half a core, so it reads plain arrays. A test holds the numbers against engine.model.
"""

from typing import Final

ARRIVE: Final = 3
ABANDON: Final = 4
CONNECTED: Final = 5
SIGN_IN: Final = 7
SIGN_OUT: Final = 8
READY: Final = 9
NOT_READY: Final = 10
UNLOCK: Final = 11
ACCEPT: Final = 12
DECLINE: Final = 13
END: Final = 14
END_WRAP_UP: Final = 15

ARRIVED: Final = 66
QUEUED: Final = 67
BLOCKED: Final = 68
OFFER_MADE: Final = 69
OFFER_EXPIRED: Final = 72
CONNECTING: Final = 74
ENGAGED: Final = 75
CONNECT_FAILED: Final = 76
ABANDONED: Final = 77
ENDED: Final = 78
AGENT_LOCKED: Final = 85
WRAP_UP_STARTED: Final = 87
WRAP_UP_ENDED: Final = 88

# Where the fields stand in [kind, version, at, ...].
AT: Final = 2
CONTACT: Final = 3
ARRIVED_KEY: Final = 5
QUEUED_AT: Final = 7
QUEUED_CAUSE: Final = 9
OFFER: Final = 3
OFFER_CONTACT: Final = 4
OFFER_AGENT: Final = 7
HELD_AGENT: Final = 5
ENDED_AGENT: Final = 6
ENDED_BY: Final = 7
WRAP_UP_AGENT: Final = 3
WRAP_UP_CONTACT: Final = 4
WRAP_UP_BY: Final = 6
LOCKED_AGENT: Final = 3

CAUSE_ARRIVAL: Final = 0
BY_AGENT: Final = 1

SIGNED_OUT: Final = 0
PRESENT_NOT_READY: Final = 1

COMMAND_NAMES: Final = {
    ARRIVE: "arrive",
    ABANDON: "abandon",
    CONNECTED: "connected",
    SIGN_IN: "sign_in",
    SIGN_OUT: "sign_out",
    READY: "ready",
    NOT_READY: "not_ready",
    UNLOCK: "unlock",
    ACCEPT: "accept",
    DECLINE: "decline",
    END: "end",
    END_WRAP_UP: "end_wrap_up",
}

Body = list[object]
Message = tuple[object, ...]
