"""What is configured, as plain data in the field order of `config.rs`."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

NO_LIMIT = 0xFFFF_FFFF
MAX_REQUIREMENT = 16
MAX_LEVEL = 100
MAX_WEIGHT = 100
DAY_US = 86_400_000_000
MAX_HEAD_START_US = 7 * DAY_US
MAX_TIMEOUT_US = DAY_US
MAX_SHARE = 1000


class Order(IntEnum):
    """What decides between two candidates."""

    LONGEST = 0
    AGENT_LEVEL = 1


class Strategy(IntEnum):
    """What a queue's contacts choose an agent by."""

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


class SkillLevel(NamedTuple):
    """One `skill >= level`, or a level that an agent has."""

    skill: int
    level: int


class ChannelConfig(NamedTuple):
    """A channel account."""

    id: int
    exclusive: bool
    instant: bool
    connect_timeout_us: int


class QueueConfig(NamedTuple):
    """A queue."""

    id: int
    requires: tuple[SkillLevel, ...]
    rank_skill: int
    max_waiting: int
    offer_timeout_us: int
    wrap_up_us: int
    strategy: Strategy = Strategy.LONGEST_IDLE


class ChannelUnits(NamedTuple):
    """How many units an agent has on a channel."""

    channel: int
    units: int


class AgentConfig(NamedTuple):
    """An agent; its place in the list is the last tie-break."""

    id: int
    skills: tuple[SkillLevel, ...]
    capacity: tuple[ChannelUnits, ...]
    share: int = 100


class Config(NamedTuple):
    """Everything that `configure` sets, whole."""

    order: Order
    miss_limit: int
    retry_after_us: int
    max_waiting: int
    key_retention_us: int
    memory_us: int
    seed: int
    channels: tuple[ChannelConfig, ...]
    skills: tuple[int, ...]
    reasons: tuple[int, ...]
    queues: tuple[QueueConfig, ...]
    agents: tuple[AgentConfig, ...]
    names: bytes
    hash: bytes


class Limits(NamedTuple):
    """What one router may ever hold."""

    max_contacts: int = 2_000_000
    max_agents: int = 200_000
    max_queues: int = 10_000
    max_channels: int = 1_000
    max_skills: int = 10_000
    max_remembered_offers: int = 1_000_000
    max_remembered_commands: int = 1_000_000
