"""The configuration as `configure` carries it: `crates/router_core/src/config.rs` in Python."""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct

from engine.messages.demand import Requirement

NO_LIMIT = 0xFFFF_FFFF
"""No limit, for every `max_waiting` and `max_in_hand`."""
QUEUE_WRAP_UP = 0xFFFF_FFFF_FFFF_FFFF
"""As long as the queue says, for an agent's `wrap_up_us`."""


class Order(IntEnum):
    """What decides between two candidates."""

    LONGEST = 0
    AGENT_LEVEL = 1
    DEADLINE = 2
    RATIO = 3


class Strategy(IntEnum):
    """Which agent a contact takes; ties by idle time, then position. Counts begin at the sign-in."""

    LONGEST_IDLE = 0
    LEAST_OCCUPIED = 1
    FEWEST_CONTACTS = 2
    LEAST_TALK = 3
    LEAST_AVERAGE_TALK = 4
    LONGEST_AVERAGE_IDLE = 5
    BEST_SKILL = 6
    ROUND_ROBIN = 7
    TOP_DOWN = 8
    RANDOM = 9
    WEIGHTED = 10
    RING_ALL = 11
    OUTSIDE = 12


class SkillLevel(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The level that an agent has."""

    skill: int
    level: int


class ChannelConfig(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A channel account: where contacts come from."""

    id: int
    exclusive: bool = False
    instant: bool = True
    connect_timeout_us: int = 10_000_000
    interruptible: bool = False
    domain: int = 0


class Lower(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """By how much a step lowers what is asked of a skill."""

    skill: int
    by: int


class Step(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a contact that has waited `after_us` asks less, and what it gains; lists strictly increasing."""

    after_us: int
    drop: tuple[int, ...] = ()
    lower: tuple[Lower, ...] = ()
    widen: tuple[int, ...] = ()
    head_start_us: int = 0


class HoursState(IntEnum):
    """Whether a queue is open; one that is closing serves who waits and takes nobody in."""

    OPEN = 0
    CLOSING = 1
    CLOSED = 2


class OverflowWhen(IntEnum):
    """When a contact overflows; what the threshold of a rule counts, where it has one."""

    SIZE = 0
    WAIT = 1
    ESTIMATE = 2
    NO_AGENT = 3
    CLOSED = 4
    NO_ANSWER = 5


class OverflowTo(IntEnum):
    """Where a contact overflows to: another queue, or a place outside."""

    QUEUE = 0
    TARGET = 1


class Overflow(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One overflow rule; `threshold` counts contacts, microseconds or offers, or is 0."""

    when: OverflowWhen
    threshold: int
    to_kind: OverflowTo
    to: int


class QueueConfig(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A queue; `rank_skill` 0 = none, `priority` 1 to 9 with 1 first, at most 8 steps and overflow rules.

    Its arrivals have `tier` 2, or 3 below all that comes in by itself; `announce_us` 0 = no announcements.
    With strategy `OUTSIDE` somebody else is asked for `choice_timeout_us`, then `fallback` decides.
    """

    id: int
    requires: Requirement = ()
    rank_skill: int = 0
    max_waiting: int = NO_LIMIT
    offer_timeout_us: int = 20_000_000
    wrap_up_us: int = 0
    strategy: Strategy = Strategy.LONGEST_IDLE
    priority: int = 5
    service_level_us: int = 20_000_000
    ratio: int = 100
    steps: tuple[Step, ...] = ()
    ring_limit: int = 50
    expected_handle_us: int = 180_000_000
    overflow: tuple[Overflow, ...] = ()
    tier: int = 2
    max_in_hand: int = NO_LIMIT
    announce_us: int = 0
    domain: int = 0
    fallback: Strategy = Strategy.LONGEST_IDLE
    choice_timeout_us: int = 200_000


class ChannelUnits(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """How many units an agent can hold on a channel."""

    channel: int
    units: int


class AgentConfig(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """An agent; both lists strictly increasing. Its place in the list is the last tie-break.

    A `stealth` agent serves only while no other who could is signed in.
    """

    id: int
    skills: tuple[SkillLevel, ...] = ()
    capacity: tuple[ChannelUnits, ...] = ()
    share: int = 100
    stealth: bool = False
    auto_accept: bool = False
    wrap_up_us: int = QUEUE_WRAP_UP
    domain: int = 0


class DomainConfig(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A tenant; `share` is its part of the offers to agents who serve several."""

    id: int
    share: int = 100


class Contract(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Agents and contacts of a domain may use a queue of another one."""

    queue: int
    domain: int


class Config(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Everything that `configure` sets, whole; lists but `agents` strictly increasing by id.

    Domain 0 is the site's own, which is always there.
    """

    order: Order = Order.LONGEST
    miss_limit: int = 3
    retry_after_us: int = 5_000_000
    max_waiting: int = NO_LIMIT
    key_retention_us: int = 7 * 86_400_000_000
    memory_us: int = 600_000_000
    seed: int = 0
    reserve_after_us: int = 20_000_000
    reply_margin_us: int = 60_000_000
    domains: tuple[DomainConfig, ...] = ()
    channels: tuple[ChannelConfig, ...] = ()
    skills: tuple[int, ...] = ()
    reasons: tuple[int, ...] = ()
    targets: tuple[int, ...] = ()
    queues: tuple[QueueConfig, ...] = ()
    agents: tuple[AgentConfig, ...] = ()
    contracts: tuple[Contract, ...] = ()
    names: bytes = b""
    hash: bytes = bytes(32)
