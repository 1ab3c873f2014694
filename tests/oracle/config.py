"""What is configured, as plain data in the field order of `config.rs`."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

NO_LIMIT = 0xFFFF_FFFF
MAX_ALTERNATIVES = 8
MAX_REQUIREMENT = 16
MAX_PREFERS = 8
MAX_PREFERRED = 8
MAX_EXCLUDES = 16
MAX_STEPS = 8
MAX_LEVEL = 100
MAX_WEIGHT = 100
DAY_US = 86_400_000_000
MAX_HEAD_START_US = 7 * DAY_US
MAX_TIMEOUT_US = DAY_US
MAX_AHEAD_US = 400 * DAY_US
"""How far ahead a contact may be for."""
MAX_SHARE = 1000
MAX_PRIORITY = 9
MAX_RATIO = 1000
MAX_RING_LIMIT = 1000
MAX_OVERFLOWS = 8
MAX_UNANSWERED = 1000
OUTBOUND_TIER = 3
MIN_ANNOUNCE_US = 1_000_000
MIN_CHOICE_US = 1_000
MAX_CHOICE_US = 10_000_000
MAX_CANDIDATES = 64
"""Agents that a strategy from outside is told."""
QUEUE_WRAP_UP = 0xFFFF_FFFF_FFFF_FFFF
"""An agent whose wrap-up is as long as its queue says."""


class Order(IntEnum):
    """What decides between two candidates."""

    LONGEST = 0
    AGENT_LEVEL = 1
    DEADLINE = 2
    RATIO = 3


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
    RING_ALL = 11
    OUTSIDE = 12


class QueueState(IntEnum):
    """Whether a queue takes contacts in, and whether they are served."""

    OPEN = 0
    CLOSING = 1
    CLOSED = 2


class When(IntEnum):
    """What makes a contact leave its queue for elsewhere."""

    SIZE = 0
    WAIT = 1
    ESTIMATE = 2
    NO_AGENT = 3
    CLOSED = 4
    NO_ANSWER = 5


class Goal(IntEnum):
    """Where a contact that overflows goes."""

    QUEUE = 0
    TARGET = 1


class SkillLevel(NamedTuple):
    """A level that an agent has."""

    skill: int
    level: int


class Need(NamedTuple):
    """One `skill >= level`, or with `negated` its opposite."""

    skill: int
    level: int
    negated: bool = False


Requirement = tuple[tuple[Need, ...], ...]
"""Alternatives, each a conjunction; none asks nothing."""


class SkillWeight(NamedTuple):
    """How much a level of a skill counts for a contact that prefers it."""

    skill: int
    weight: int


class Demand(NamedTuple):
    """What a contact asks for."""

    requires: Requirement = ()
    prefers: tuple[SkillWeight, ...] = ()
    preferred: tuple[int, ...] = ()
    preferred_wait_us: int = 0
    excludes: tuple[int, ...] = ()
    beyond_capacity: bool = False


class ChannelConfig(NamedTuple):
    """A channel account."""

    id: int
    exclusive: bool
    instant: bool
    connect_timeout_us: int
    interruptible: bool = False
    domain: int = 0


class Lower(NamedTuple):
    """By how much a step lowers what is asked of a skill."""

    skill: int
    by: int


class RelaxStep(NamedTuple):
    """What is asked of agents less, once a contact has waited so long."""

    after_us: int
    drop: tuple[int, ...] = ()
    lower: tuple[Lower, ...] = ()
    widen: tuple[int, ...] = ()
    head_start_us: int = 0


class Overflow(NamedTuple):
    """A rule by which contacts leave a queue for elsewhere."""

    when: When
    threshold: int
    to_kind: Goal
    to: int


class QueueConfig(NamedTuple):
    """A queue."""

    id: int
    requires: Requirement
    rank_skill: int
    max_waiting: int
    offer_timeout_us: int
    wrap_up_us: int
    strategy: Strategy = Strategy.LONGEST_IDLE
    priority: int = 5
    service_level_us: int = 20_000_000
    ratio: int = 100
    steps: tuple[RelaxStep, ...] = ()
    ring_limit: int = 50
    expected_handle_us: int = 180_000_000
    overflow: tuple[Overflow, ...] = ()
    tier: int = 2
    max_in_hand: int = NO_LIMIT
    announce_us: int = 0
    domain: int = 0
    fallback: Strategy = Strategy.LONGEST_IDLE
    choice_timeout_us: int = 200_000


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
    stealth: bool = False
    auto_accept: bool = False
    wrap_up_us: int = QUEUE_WRAP_UP
    domain: int = 0


class DomainConfig(NamedTuple):
    """A tenant; domain 0 is the site's own, always there, with the default share."""

    id: int
    share: int = 100


class Contract(NamedTuple):
    """Agents and contacts of a domain may use another domain's queue."""

    queue: int
    domain: int


class Config(NamedTuple):
    """Everything that `configure` sets, whole."""

    order: Order
    miss_limit: int
    retry_after_us: int
    max_waiting: int
    key_retention_us: int
    memory_us: int
    seed: int
    reserve_after_us: int
    reply_margin_us: int
    domains: tuple[DomainConfig, ...]
    channels: tuple[ChannelConfig, ...]
    skills: tuple[int, ...]
    reasons: tuple[int, ...]
    targets: tuple[int, ...]
    queues: tuple[QueueConfig, ...]
    agents: tuple[AgentConfig, ...]
    contracts: tuple[Contract, ...]
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
