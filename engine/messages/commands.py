"""Everything that can be asked of the router: `crates/router_core/src/command.rs` in Python."""

from __future__ import annotations

from typing import Final

from engine.messages.config import Config, SkillLevel
from engine.messages.frame import Frame

KEEP_HEAD_START: Final = 0xFFFF_FFFF_FFFF_FFFF
"""Keep the head start, for `Change`."""


class Command(Frame, frozen=True):
    """One request to the router."""


class Configure(Command, tag=1, frozen=True, kw_only=True):
    """Replace the configuration, whole."""

    config: Config


class Restarted(Command, tag=2, frozen=True, kw_only=True):
    """The first command after a start of the service."""


class Arrive(Command, tag=3, frozen=True, kw_only=True):
    """A customer's request has come in; `key` (16 bytes) makes it this request and no other."""

    channel: int
    key: bytes
    queue: int
    head_start_us: int = 0
    weight: int = 1
    requires: tuple[SkillLevel, ...] = ()


class Abandon(Command, tag=4, frozen=True, kw_only=True):
    """The customer has left: abandons an unanswered contact, ends an engaged one."""

    channel: int
    contact: int


class Connected(Command, tag=5, frozen=True, kw_only=True):
    """The channel has connected customer and agent."""

    channel: int
    contact: int


class ConnectFailed(Command, tag=6, frozen=True, kw_only=True):
    """The channel could not connect them."""

    channel: int
    contact: int


class SignIn(Command, tag=7, frozen=True, kw_only=True):
    """An agent starts work; `command_id` (16 bytes) makes a repeat recognisable."""

    agent: int
    ready: bool = True
    command_id: bytes | None = None


class SignOut(Command, tag=8, frozen=True, kw_only=True):
    """An agent leaves, after what it has in hand."""

    agent: int
    command_id: bytes | None = None


class Ready(Command, tag=9, frozen=True, kw_only=True):
    """An agent wants contacts."""

    agent: int
    command_id: bytes | None = None


class NotReady(Command, tag=10, frozen=True, kw_only=True):
    """An agent wants none for now; reason 0 = not said."""

    agent: int
    reason: int = 0
    command_id: bytes | None = None


class Unlock(Command, tag=11, frozen=True, kw_only=True):
    """A supervisor lifts a lock."""

    agent: int
    command_id: bytes | None = None


class Accept(Command, tag=12, frozen=True, kw_only=True):
    """An agent takes an offer."""

    agent: int
    offer: int


class Decline(Command, tag=13, frozen=True, kw_only=True):
    """An agent refuses an offer; reason 0 = not said."""

    agent: int
    offer: int
    reason: int = 0


class End(Command, tag=14, frozen=True, kw_only=True):
    """The agent ends an engaged contact."""

    agent: int
    contact: int


class EndWrapUp(Command, tag=15, frozen=True, kw_only=True):
    """The agent ends its wrap-up early."""

    agent: int
    contact: int


class Transfer(Command, tag=16, frozen=True, kw_only=True):
    """The agent passes an engaged contact on to a queue."""

    agent: int
    contact: int
    queue: int
    head_start_us: int = 0
    requires: tuple[SkillLevel, ...] = ()


class Change(Command, tag=17, frozen=True, kw_only=True):
    """A supervisor gives a waiting contact another queue, head start or requirement.

    Queue 0, `KEEP_HEAD_START` and None keep what it has.
    """

    contact: int
    queue: int = 0
    head_start_us: int = KEEP_HEAD_START
    requires: tuple[SkillLevel, ...] | None = None
    command_id: bytes | None = None


class Release(Command, tag=18, frozen=True, kw_only=True):
    """A supervisor ends a contact, whatever is being done with it."""

    contact: int
    command_id: bytes | None = None
