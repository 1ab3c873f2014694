"""What the configuration file says, typed; :mod:`engine.config` reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


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
class Routing:
    """What holds for every decision of the site; ``max_waiting`` None = no limit."""

    order: str
    miss_limit: int
    retry_after_ms: int
    max_waiting: int | None
    key_retention_days: int
    seed: int


@dataclass(frozen=True, slots=True)
class Web:
    """The pages of agents and customers."""

    bind: Address


@dataclass(frozen=True, slots=True)
class Gateway:
    """The socket server for plugins in other processes; ``socket`` is an absolute path or None."""

    bind: Address
    socket: Path | None


@dataclass(frozen=True, slots=True)
class Stats:
    """The statistics process: when it writes, and what an analyst's statement may cost."""

    bind: Address
    flush_ms: int
    query_timeout_ms: int
    max_rows: int
    max_reply_bytes: int
    memory_limit_mb: int
    process_limit_mb: int


@dataclass(frozen=True, slots=True)
class ChannelSection(Named):
    """One channel account; ``plugin`` is its entry point, ``"socket"`` for another process."""

    plugin: str
    account: str
    exclusive: bool
    instant: bool
    connect_timeout_ms: int
    options: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class QueueSection(Named):
    """Where contacts wait; ``skills`` maps skill to lowest level, in the file's order."""

    skills: Mapping[str, int]
    rank_skill: str | None
    offer_timeout_ms: int
    wrap_up_ms: int
    max_waiting: int | None
    strategy: str


@dataclass(frozen=True, slots=True)
class AgentSection(Named):
    """Who serves; ``capacity`` maps channel to units, ``share`` is the part of a weighted queue."""

    skills: Mapping[str, int]
    capacity: Mapping[str, int]
    share: int


@dataclass(frozen=True, slots=True)
class SiteConfig:
    """The whole file; the order of ``agents`` is the last tie-break of every choice."""

    name: str
    title: Title
    data: Path
    timezone: str
    routing: Routing
    web: Web
    gateway: Gateway
    stats: Stats
    reasons: Mapping[str, Named]
    skills: Mapping[str, Named]
    channels: Mapping[str, ChannelSection]
    queues: Mapping[str, QueueSection]
    agents: Mapping[str, AgentSection]
