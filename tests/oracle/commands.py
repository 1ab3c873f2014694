"""Everything that can be asked, in the field order of `command.rs`; `KINDS` has the numbers."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from tests.oracle.causes import ReleasedBy
from tests.oracle.config import Config, Demand, QueueState, Requirement, SkillWeight

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
    requires: Requirement = ()
    prefers: tuple[SkillWeight, ...] = ()
    preferred: tuple[int, ...] = ()
    preferred_wait_us: int = 0
    excludes: tuple[int, ...] = ()
    beyond_capacity: bool = False
    place: int = 0
    not_before: int = 0
    reply_by: int = 0

    def demand(self) -> Demand:
        """Return what the contact asks for."""
        wanted = (self.preferred, self.preferred_wait_us, self.excludes, self.beyond_capacity)
        return Demand(self.requires, self.prefers, *wanted)


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
    requires: Requirement = ()
    prefers: tuple[SkillWeight, ...] = ()
    preferred: tuple[int, ...] = ()
    preferred_wait_us: int = 0
    excludes: tuple[int, ...] = ()
    beyond_capacity: bool = False

    def demand(self) -> Demand:
        """Return what the contact asks for."""
        wanted = (self.preferred, self.preferred_wait_us, self.excludes, self.beyond_capacity)
        return Demand(self.requires, self.prefers, *wanted)


class Change(NamedTuple):
    """A supervisor gives a waiting contact another queue, head start or requirement."""

    contact: int
    queue: int = 0
    head_start_us: int = KEEP_HEAD_START_US
    requires: Requirement | None = None
    command_id: bytes | None = None


class Release(NamedTuple):
    """A contact is ended, in whatever state it is; an engaged one not by the engine."""

    contact: int
    command_id: bytes | None = None
    by: ReleasedBy = ReleasedBy.SUPERVISOR


class Hold(NamedTuple):
    """The agent lets the customer wait on the line."""

    agent: int
    contact: int


class Resume(NamedTuple):
    """The agent goes on with a customer on hold."""

    agent: int
    contact: int


class Park(NamedTuple):
    """The agent keeps a contact that takes no units for now."""

    agent: int
    contact: int


class Unpark(NamedTuple):
    """The agent goes on with a parked contact."""

    agent: int
    contact: int


class Invite(NamedTuple):
    """Who is in a contact asks another agent to join it."""

    agent: int
    contact: int
    invitee: int
    command_id: bytes | None = None


class Leave(NamedTuple):
    """An agent leaves a contact to those who are in it as well."""

    agent: int
    contact: int


class TakeOver(NamedTuple):
    """A supervisor's agent takes an engaged contact from whoever serves it."""

    agent: int
    contact: int
    command_id: bytes | None = None


class Move(NamedTuple):
    """A supervisor passes an engaged contact on to a queue."""

    contact: int
    queue: int
    head_start_us: int = 0
    requires: Requirement = ()
    command_id: bytes | None = None


class TransferOut(NamedTuple):
    """The agent passes an engaged contact on to a place outside."""

    agent: int
    contact: int
    target: int


class Hours(NamedTuple):
    """A queue opens, closes or serves out."""

    queue: int
    state: QueueState
    command_id: bytes | None = None


class Choose(NamedTuple):
    """A strategy from outside answers; agent 0 leaves it to the fallback."""

    choice: int
    agent: int


class LeaseLost(NamedTuple):
    """Nobody has stood behind an agent's desk for too long."""

    agent: int


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
    | Hold
    | Resume
    | Park
    | Unpark
    | Invite
    | Leave
    | TakeOver
    | Move
    | TransferOut
    | Hours
    | Choose
    | LeaseLost
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
    Hold: 19,
    Resume: 20,
    Park: 21,
    Unpark: 22,
    Invite: 23,
    Leave: 24,
    TakeOver: 25,
    Move: 26,
    TransferOut: 27,
    Hours: 28,
    Choose: 29,
    LeaseLost: 30,
}
