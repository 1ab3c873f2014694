"""What the configuration file says, typed; :mod:`engine.config` reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TypeAlias

from engine.calendars import Calendar
from engine.model import OverflowTo, OverflowWhen
from engine.requirements import Requirement
from engine.routing_points import Point

Network: TypeAlias = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Title:
    """What people read, per language; a name serves where no title is given."""

    en: str
    zh: str

    def text(self, language: str) -> str:
        """Return the title in a language, English if there is no other."""
        return self.zh if language.startswith("zh") else self.en


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Named:
    """What every named section has; ``was`` is the name that it had before."""

    name: str
    title: Title
    was: str | None


@dataclass(frozen=True, slots=True)
class DomainSection(Named):
    """A tenant; ``share`` is its part of the offers to agents who serve several."""

    share: int


@dataclass(frozen=True, slots=True)
class ContractSection:
    """Agents and contacts of a domain may use a queue of another; ``domain`` None = the site's own."""

    queue: str
    domain: str | None


@dataclass(frozen=True, slots=True)
class Routing:
    """What holds for every decision of the site; ``max_waiting`` None = no limit."""

    order: str
    miss_limit: int
    retry_after_ms: int
    max_waiting: int | None
    key_retention_days: int
    seed: int
    last_agent_days: int
    reserve_after_s: int
    reply_margin_s: int
    place_ticket_s: int
    agent_lease_s: int


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server proves itself with: PEM files, the chain and its private key."""

    chain: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Web:
    """The pages of agents and customers.

    ``trusted_proxies`` are those whose X-Forwarded-For and -Proto count. ``insecure``, here and in the other
    servers' sections: plain text beyond this machine is what the site wants.
    """

    bind: Address
    insecure: bool
    certificate: Certificate | None
    trusted_proxies: tuple[Network, ...]


@dataclass(frozen=True, slots=True)
class Rate:
    """How many arrivals are admitted: ``per_s`` a second, and ``burst`` at once after a quiet time."""

    per_s: int
    burst: int


@dataclass(frozen=True, slots=True)
class Gateway:
    """The socket server for plugins in other processes; ``socket`` is an absolute path or None.

    ``arrivals`` is what the whole site admits, ``connection_arrivals`` each connection; None = no limit.
    """

    bind: Address
    insecure: bool
    certificate: Certificate | None
    socket: Path | None
    max_connections: int
    max_from_address: int
    arrivals: Rate | None
    connection_arrivals: Rate | None


@dataclass(frozen=True, slots=True)
class Ops:
    """What watches the site: ``bind`` None = figures on the pages' address, for this machine alone.

    ``stuck_after_s`` and ``check_every_s`` 0 = never.
    """

    bind: Address | None
    insecure: bool
    stuck_after_s: int
    check_every_s: int
    request_log: bool


@dataclass(frozen=True, slots=True)
class Stats:
    """The statistics process: when it writes, and what an analyst's statement may cost."""

    bind: Address
    insecure: bool
    flush_ms: int
    query_timeout_ms: int
    max_rows: int
    max_reply_bytes: int
    memory_limit_mb: int
    process_limit_mb: int


@dataclass(frozen=True, slots=True)
class StoreSection:
    """Where conversations and customers are kept; all None = SQLite in the data folder.

    PostgreSQL's URL stands in ``url``, or with its password in the file ``url_file`` or variable ``url_env``.
    ``phone_region`` is whose national telephone numbers are known without a country code.
    ``attachment_bytes`` is the largest file that comes with a message; 0 = none are taken.
    """

    url: str | None
    url_file: Path | None
    url_env: str | None
    phone_region: str | None
    attachment_bytes: int

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is a PostgreSQL."""
        return not (self.url is None and self.url_file is None and self.url_env is None)


@dataclass(frozen=True, slots=True)
class JournalSection:
    """How the journal is kept: its segments, its snapshots, and for how long it stays.

    ``snapshot_every`` in commands; ``days`` and ``max_bytes`` of segments that are followed by another;
    ``format`` of new ones.
    """

    snapshot_every: int
    segment_bytes: int
    segment_batches: int
    days: int
    max_bytes: int
    reserve_bytes: int
    format: int


@dataclass(frozen=True, slots=True)
class ChannelSection(Named):
    """One channel account; ``plugin`` is its entry point, ``"socket"`` for another process.

    ``grace_s``: for so long a plugin that is gone keeps its contacts; 0 = for ever.
    ``max_message_bytes``: what an agent may write at a time, in UTF-8; a hosted plugin says it itself.
    ``domain`` None = the site's own, here and with queues and agents. ``arrivals`` None = no limit.
    """

    plugin: str
    account: str
    exclusive: bool
    instant: bool
    connect_timeout_ms: int
    interruptible: bool
    grace_s: int
    max_message_bytes: int
    domain: str | None
    arrivals: Rate | None
    options: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class TargetSection(Named):
    """A place outside that a contact can be passed on to.

    ``address`` is for the channel to reach it by; ``options`` are whatever else the channel needs to know.
    """

    address: str
    options: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class StepSection:
    """What a contact asks less, and gains, once it has waited ``after_ms``."""

    after_ms: int
    drop: tuple[str, ...]
    lower: Mapping[str, int]
    widen: tuple[str, ...]
    head_start_ms: int


@dataclass(frozen=True, slots=True)
class OverflowSection:
    """When contacts of a queue go elsewhere; ``threshold`` in contacts, seconds or offers, 0 = none."""

    when: OverflowWhen
    threshold: int
    to_kind: OverflowTo
    to: str


@dataclass(frozen=True, slots=True)
class OutsideSection:
    """Who is asked for a queue's choices, for how long, and which strategy decides without an answer."""

    function: str
    fallback: str
    choice_timeout_ms: int


@dataclass(frozen=True, slots=True)
class QueueSection(Named):
    """Where contacts wait; ``requires`` is what its ``skills`` or its ``requires`` say.

    ``outbound``: its arrivals stand below all that comes in. ``max_in_hand`` None = no limit.
    ``announce_s`` 0 = contacts are told nothing.

    ``serve_out``: when its calendar closes, who waits is still served.
    """

    requires: Requirement
    rank_skill: str | None
    offer_timeout_ms: int
    wrap_up_ms: int
    max_waiting: int | None
    strategy: str
    ring_limit: int
    expected_handle_s: int
    calendar: str | None
    serve_out: bool
    max_head_start_s: int
    waive_overtaking: str | None
    last_agent_wait_s: int
    priority: int
    service_level_ms: int
    ratio: int
    steps: tuple[StepSection, ...]
    overflow: tuple[OverflowSection, ...]
    outbound: bool
    max_in_hand: int | None
    announce_s: int
    domain: str | None
    outside: OutsideSection | None


@dataclass(frozen=True, slots=True)
class AgentSection(Named):
    """Who serves; ``capacity`` maps channel to units, ``share`` is the part of a weighted queue.

    A ``stealth`` agent, a bot, serves only while nobody else who could is signed in.
    ``wrap_up_ms`` None = as long as the queue says.
    """

    skills: Mapping[str, int]
    capacity: Mapping[str, int]
    share: int
    stealth: bool
    auto_accept: bool
    wrap_up_ms: int | None
    domain: str | None


@dataclass(frozen=True, slots=True)
class SiteConfig:
    """The whole file; the order of ``agents`` is the last tie-break of every choice."""

    name: str
    title: Title
    data: Path
    timezone: str
    drain_s: int
    routing: Routing
    web: Web
    gateway: Gateway
    ops: Ops
    stats: Stats
    store: StoreSection
    journal: JournalSection
    domains: Mapping[str, DomainSection]
    contracts: Sequence[ContractSection]
    reasons: Mapping[str, Named]
    targets: Mapping[str, TargetSection]
    skills: Mapping[str, Named]
    channels: Mapping[str, ChannelSection]
    calendars: Mapping[str, Calendar]
    queues: Mapping[str, QueueSection]
    agents: Mapping[str, AgentSection]
    routing_points: Sequence[Point]
