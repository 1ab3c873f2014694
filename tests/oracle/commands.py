"""Everything that can be asked, in the field order of `command.rs`; `KINDS` has the numbers."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from tests.oracle.config import Config, SkillLevel

KEEP_HEAD_START_US = 0xFFFF_FFFF_FFFF_FFFF


class Configure(NamedTuple):
    """Replace the configuration, whole."""

    config: Config


class Restarted(NamedTuple):
    """The first command after a start of the service."""


class Arrive(NamedTuple):
    """A customer's request has come in."""

    channel: int
    key: bytes
    queue: int
    head_start_us: int = 0
    weight: int = 1
    requires: tuple[SkillLevel, ...] = ()


class Abandon(NamedTuple):
    """The customer has left."""

    channel: int
    contact: int


class Connected(NamedTuple):
    """The channel has connected customer and agent."""

    channel: int
    contact: int


class ConnectFailed(NamedTuple):
    """The channel could not connect them."""

    channel: int
    contact: int


class SignIn(NamedTuple):
    """An agent starts work."""

    agent: int
    ready: bool = True
    command_id: bytes | None = None


class SignOut(NamedTuple):
    """An agent leaves, after what it has in hand."""

    agent: int
    command_id: bytes | None = None


class Ready(NamedTuple):
    """An agent wants contacts."""

    agent: int
    command_id: bytes | None = None


class NotReady(NamedTuple):
    """An agent wants none for now."""

    agent: int
    reason: int = 0
    command_id: bytes | None = None


class Unlock(NamedTuple):
    """A supervisor lifts a lock."""

    agent: int
    command_id: bytes | None = None


class Accept(NamedTuple):
    """An agent takes an offer."""

    agent: int
    offer: int


class Decline(NamedTuple):
    """An agent refuses an offer."""

    agent: int
    offer: int
    reason: int = 0


class End(NamedTuple):
    """The agent ends an engaged contact."""

    agent: int
    contact: int


class EndWrapUp(NamedTuple):
    """The agent ends its wrap-up early."""

    agent: int
    contact: int


class Transfer(NamedTuple):
    """The agent passes an engaged contact on to a queue."""

    agent: int
    contact: int
    queue: int
    head_start_us: int = 0
    requires: tuple[SkillLevel, ...] = ()


class Change(NamedTuple):
    """A supervisor gives a waiting contact another queue, head start or requirement."""

    contact: int
    queue: int = 0
    head_start_us: int = KEEP_HEAD_START_US
    requires: tuple[SkillLevel, ...] | None = None
    command_id: bytes | None = None


class Release(NamedTuple):
    """A supervisor ends a contact, in whatever state it is."""

    contact: int
    command_id: bytes | None = None


Command: TypeAlias = (
    Configure
    | Restarted
    | Arrive
    | Abandon
    | Connected
    | ConnectFailed
    | SignIn
    | SignOut
    | Ready
    | NotReady
    | Unlock
    | Accept
    | Decline
    | End
    | EndWrapUp
    | Transfer
    | Change
    | Release
)

KINDS: dict[type[Command], int] = {
    Configure: 1,
    Restarted: 2,
    Arrive: 3,
    Abandon: 4,
    Connected: 5,
    ConnectFailed: 6,
    SignIn: 7,
    SignOut: 8,
    Ready: 9,
    NotReady: 10,
    Unlock: 11,
    Accept: 12,
    Decline: 13,
    End: 14,
    EndWrapUp: 15,
    Transfer: 16,
    Change: 17,
    Release: 18,
}
