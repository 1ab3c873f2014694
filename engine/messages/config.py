"""The configuration as `configure` carries it: `crates/router_core/src/config.rs` in Python."""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct

NO_LIMIT = 0xFFFF_FFFF
"""No limit, for every `max_waiting`."""


class Order(IntEnum):
    """What decides between two candidates."""

    LONGEST = 0
    AGENT_LEVEL = 1


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


class SkillLevel(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One `skill >= level` of a requirement, or the level that an agent has."""

    skill: int
    level: int


class ChannelConfig(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A channel account: where contacts come from."""

    id: int
    exclusive: bool = False
    instant: bool = True
    connect_timeout_us: int = 10_000_000


class QueueConfig(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A queue; `requires` is strictly increasing by skill, `rank_skill` 0 = none."""

    id: int
    requires: tuple[SkillLevel, ...] = ()
    rank_skill: int = 0
    max_waiting: int = NO_LIMIT
    offer_timeout_us: int = 20_000_000
    wrap_up_us: int = 0
    strategy: Strategy = Strategy.LONGEST_IDLE


class ChannelUnits(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """How many units an agent can hold on a channel."""

    channel: int
    units: int


class AgentConfig(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """An agent; both lists strictly increasing. Its place in the list is the last tie-break."""

    id: int
    skills: tuple[SkillLevel, ...] = ()
    capacity: tuple[ChannelUnits, ...] = ()
    share: int = 100


class Config(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Everything that `configure` sets, whole; lists but `agents` strictly increasing by id."""

    order: Order = Order.LONGEST
    miss_limit: int = 3
    retry_after_us: int = 5_000_000
    max_waiting: int = NO_LIMIT
    key_retention_us: int = 7 * 86_400_000_000
    memory_us: int = 600_000_000
    seed: int = 0
    channels: tuple[ChannelConfig, ...] = ()
    skills: tuple[int, ...] = ()
    reasons: tuple[int, ...] = ()
    queues: tuple[QueueConfig, ...] = ()
    agents: tuple[AgentConfig, ...] = ()
    names: bytes = b""
    hash: bytes = bytes(32)
