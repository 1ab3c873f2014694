"""Everything that can be asked of the router: `crates/router_core/src/command.rs` in Python."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from engine.messages.config import Config, HoursState
from engine.messages.demand import Requirement, SkillWeight
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
    """A customer's request has come in; `key` (16 bytes) makes it this request and no other.

    `prefers` (skills, at most 8) ranks agents. `preferred` agents (at most 8) have it to themselves for
    `preferred_wait_us`, or until none of them is there; `excludes` (at most 16) never get it. Lists
    are strictly increasing. With `beyond_capacity` the preferred get it for that time whatever they
    have in hand: neither units nor exclusive channels are asked. `place` is an earlier contact whose place
    it takes; it is not to wait before `not_before`, nor to be offered from `reply_by` on; 0 = none.
    """

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
    """The agent passes an engaged contact on to a queue, with a new demand as in `Arrive`."""

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


class Change(Command, tag=17, frozen=True, kw_only=True):
    """A supervisor gives a waiting contact another queue, head start or requirement.

    Queue 0, `KEEP_HEAD_START` and None keep what it has.
    """

    contact: int
    queue: int = 0
    head_start_us: int = KEEP_HEAD_START
    requires: Requirement | None = None
    command_id: bytes | None = None


class ReleasedBy(IntEnum):
    """Who releases a contact: a supervisor, or the engine, whose plugin is gone."""

    SUPERVISOR = 0
    ENGINE = 1


class Release(Command, tag=18, frozen=True, kw_only=True):
    """A contact is ended, whatever is being done with it; by the engine only if it is not engaged."""

    contact: int
    command_id: bytes | None = None
    by: ReleasedBy = ReleasedBy.SUPERVISOR


class Hold(Command, tag=19, frozen=True, kw_only=True):
    """The agent lets the customer wait on the line."""

    agent: int
    contact: int


class Resume(Command, tag=20, frozen=True, kw_only=True):
    """The agent goes on with a customer on hold."""

    agent: int
    contact: int


class Park(Command, tag=21, frozen=True, kw_only=True):
    """The agent keeps a contact that takes no units for now."""

    agent: int
    contact: int


class Unpark(Command, tag=22, frozen=True, kw_only=True):
    """The agent goes on with a parked contact, whether its units are free or not."""

    agent: int
    contact: int


class Invite(Command, tag=23, frozen=True, kw_only=True):
    """Who is in a contact asks another agent to join it."""

    agent: int
    contact: int
    invitee: int
    command_id: bytes | None = None


class Leave(Command, tag=24, frozen=True, kw_only=True):
    """An agent leaves a contact to the others who are in it."""

    agent: int
    contact: int


class TakeOver(Command, tag=25, frozen=True, kw_only=True):
    """A supervisor's agent takes an engaged contact from whoever serves it."""

    agent: int
    contact: int
    command_id: bytes | None = None


class Move(Command, tag=26, frozen=True, kw_only=True):
    """A supervisor passes an engaged contact on to a queue."""

    contact: int
    queue: int
    head_start_us: int = 0
    requires: Requirement = ()
    command_id: bytes | None = None


class TransferOut(Command, tag=27, frozen=True, kw_only=True):
    """The agent passes an engaged contact on to a place outside, and it ends."""

    agent: int
    contact: int
    target: int


class Hours(Command, tag=28, frozen=True, kw_only=True):
    """A queue opens, stops taking contacts in, or closes."""

    queue: int
    state: HoursState
    command_id: bytes | None = None


class Choose(Command, tag=29, frozen=True, kw_only=True):
    """The answer to `ChoiceWanted`: who shall have the contact; 0 = whom the fallback chooses."""

    choice: int
    agent: int = 0


class LeaseLost(Command, tag=30, frozen=True, kw_only=True):
    """Nobody has stood behind an agent's desk for as long as its lease lasts.

    It leaves; what needs a desk goes back to its place, what goes on without one stays. Of an agent who is
    out it is accepted, and nothing happens.
    """

    agent: int
