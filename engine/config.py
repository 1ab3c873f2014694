"""The configuration file: TOML in, one typed :class:`SiteConfig` out, or all errors at once.

``sample.toml`` beside this module has every key with its unit, default and reason. An unknown key
is an error. Names refer to each other across sections and are checked here; what the router checks
again (``configure``) can then only be refused for what is live: an agent with a contact in hand
cannot be taken out.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.config_table import Table, did_you_mean, type_word
from engine.config_types import (
    Address,
    AgentSection,
    ChannelSection,
    Gateway,
    Named,
    QueueSection,
    Routing,
    SiteConfig,
    Stats,
    Title,
    Web,
)
from engine.errors import ConfigError
from engine.model import Strategy

__all__ = [
    "Address",
    "AgentSection",
    "ChannelSection",
    "Gateway",
    "Named",
    "QueueSection",
    "Routing",
    "SiteConfig",
    "Stats",
    "Title",
    "Web",
    "load_site",
    "read_site",
]

LANGUAGES: Final = ("en", "zh")
DAY_MS: Final = 86_400_000
MAX_LEVEL: Final = 100
MAX_UNITS: Final = 10_000
"""More than anybody can serve at once; the core takes any u32."""
MAX_REQUIREMENT: Final = 16
MAX_SHARE: Final = 1_000
MAX_SEED: Final = 2**63 - 1
"""The highest integer of a TOML file."""
STRATEGIES: Final = tuple(strategy.name.lower() for strategy in Strategy)
MAX_CHANNELS, MAX_SKILLS, MAX_QUEUES = 1_000, 10_000, 10_000
MAX_AGENTS, MAX_REASONS = 200_000, 1_000
MAX_WAITING: Final = 2_000_000
"""The core's own bound of live contacts; a higher limit would never be reached."""
_SECRET_WORDS: Final = ("password", "passwd", "secret", "token", "api_key", "private_key")


class NotToml(ConfigError):
    """The text is no TOML; where it goes wrong is a line, not a field."""


def load_site(path: str | Path) -> SiteConfig:
    """Read a configuration file.

    Args:
        path: the TOML file; its folder is what relative paths in it start from.

    Returns:
        The configuration.

    Raises:
        ConfigError: with every error of the file.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise ConfigError([f"{file}: {reason}; give an existing file with --config"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{file}: is not UTF-8; save it as UTF-8"]) from error
    try:
        return read_site(text, file.resolve().parent)
    except NotToml as error:
        raise ConfigError([f"{file}: {error.errors[0]}"]) from error


def read_site(text: str, folder: Path) -> SiteConfig:
    """Read a configuration from its text; relative paths start from ``folder``.

    Raises:
        ConfigError: with every error of the text.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NotToml([f"not TOML: {error}"]) from error
    errors: list[str] = []
    site = _site(Table("", values, errors), folder)
    if errors:
        raise ConfigError(errors)
    return site


def _site(file: Table, folder: Path) -> SiteConfig:
    site = file.table("site")
    name = site.name("name")
    if "name" not in site.values:
        site.error("name", "is missing; give the site a short name")
    data = folder / site.text("data", "data")
    timezone = _timezone(site)
    title = _title(site, name or "")
    site.finish()
    skills = {key: _named(table, key) for key, table in file.named_tables("skills", MAX_SKILLS)}
    reasons = {key: _named(table, key) for key, table in file.named_tables("reasons", MAX_REASONS)}
    channels = {k: _channel(t, k) for k, t in file.named_tables("channels", MAX_CHANNELS)}
    queues = {k: _queue(t, k, skills) for k, t in file.named_tables("queues", MAX_QUEUES)}
    agents = {k: _agent(t, k, skills, channels) for k, t in file.named_tables("agents", MAX_AGENTS)}
    config = SiteConfig(
        name=name or "",
        title=title,
        data=data,
        timezone=timezone,
        routing=_routing(file.table("routing")),
        web=_web(file.table("web")),
        gateway=_gateway(file.table("gateway"), data),
        stats=_stats(file.table("stats")),
        reasons=reasons,
        skills=skills,
        channels=channels,
        queues=queues,
        agents=agents,
    )
    file.finish()
    _check_renames(file, config)
    _check_accounts(file, config)
    _check_addresses(file, config)
    return config


def _routing(table: Table) -> Routing:
    routing = Routing(
        order=table.choice("order", ("longest", "agent_level"), "longest"),
        miss_limit=table.integer("miss_limit", 0, 1_000, 3),
        retry_after_ms=table.integer("retry_after_ms", 1, DAY_MS, 5_000),
        max_waiting=table.optional_integer("max_waiting", 0, MAX_WAITING),
        key_retention_days=table.integer("key_retention_days", 1, 400, 7),
        seed=table.integer("seed", 0, MAX_SEED, 0),
    )
    table.finish()
    return routing


def _web(table: Table) -> Web:
    web = Web(bind=_address(table, "bind", Address("127.0.0.1", 8700)))
    table.finish()
    return web


def _gateway(table: Table, data: Path) -> Gateway:
    bind = _address(table, "bind", Address("127.0.0.1", 8701))
    socket = table.optional_text("socket")
    table.finish()
    return Gateway(bind=bind, socket=None if socket is None else data / socket)


def _stats(table: Table) -> Stats:
    stats = Stats(
        bind=_address(table, "bind", Address("127.0.0.1", 8702)),
        flush_ms=table.integer("flush_ms", 10, 60_000, 250),
        query_timeout_ms=table.integer("query_timeout_ms", 100, 600_000, 10_000),
        max_rows=table.integer("max_rows", 1, 1_000_000, 10_000),
        max_reply_bytes=table.integer("max_reply_bytes", 1_024, 1 << 30, 16 << 20),
        memory_limit_mb=table.integer("memory_limit_mb", 64, 1 << 20, 512),
        process_limit_mb=table.integer("process_limit_mb", 512, 1 << 24, 4_096),
    )
    table.finish()
    return stats


def _channel(table: Table, name: str) -> ChannelSection:
    options = table.table("options")
    _no_secrets(options)
    section = ChannelSection(
        name=name,
        title=_title(table, name),
        was=table.name("was"),
        plugin=table.text("plugin"),
        account=table.text("account", name),
        exclusive=table.boolean("exclusive", default=False),
        instant=table.boolean("instant", default=True),
        connect_timeout_ms=table.integer("connect_timeout_ms", 1, DAY_MS, 10_000),
        options=options.values,
    )
    table.finish()
    return section


def _queue(table: Table, name: str, skills: Mapping[str, Named]) -> QueueSection:
    required = _levels(table, skills)
    if len(required) > MAX_REQUIREMENT:
        table.error("skills", f"{len(required)} are listed, at most {MAX_REQUIREMENT} can be")
    rank_skill = table.optional_text("rank_skill")
    if rank_skill is not None and rank_skill not in skills:
        table.error("rank_skill", f'no skill "{rank_skill}"; {did_you_mean(rank_skill, skills)}')
    section = QueueSection(
        name=name,
        title=_title(table, name),
        was=table.name("was"),
        skills=required,
        rank_skill=rank_skill or next(iter(required), None),
        offer_timeout_ms=table.integer("offer_timeout_ms", 1, DAY_MS, 20_000),
        wrap_up_ms=table.integer("wrap_up_ms", 0, DAY_MS, 5_000),
        max_waiting=table.optional_integer("max_waiting", 0, MAX_WAITING),
        strategy=table.choice("strategy", STRATEGIES, STRATEGIES[0]),
    )
    table.finish()
    return section


def _agent(
    table: Table,
    name: str,
    skills: Mapping[str, Named],
    channels: Mapping[str, ChannelSection],
) -> AgentSection:
    section = AgentSection(
        name=name,
        title=_title(table, name),
        was=table.name("was"),
        skills=_levels(table, skills),
        capacity=_numbers(table, "capacity", "channel", channels, MAX_UNITS),
        share=table.integer("share", 1, MAX_SHARE, 100),
    )
    table.finish()
    return section


def _named(table: Table, name: str) -> Named:
    named = Named(name=name, title=_title(table, name), was=table.name("was"))
    table.finish()
    return named


def _levels(table: Table, skills: Mapping[str, Named]) -> dict[str, int]:
    return _numbers(table, "skills", "skill", skills, MAX_LEVEL)


def _numbers(table: Table, key: str, kind: str, known: Mapping[str, Named], high: int) -> dict[str, int]:
    inner = table.table(key)
    numbers: dict[str, int] = {}
    for name in inner.values:
        number = inner.optional_integer(name, 1, high)
        if name not in known:
            inner.error(name, f'no {kind} "{name}"; {did_you_mean(name, known)}')
        elif number is not None:
            numbers[name] = number
    return numbers


def _title(table: Table, name: str) -> Title:
    value = table.raw("title")
    if value is None:
        return Title(name, name)
    if isinstance(value, str):
        return Title(value, value)
    if not isinstance(value, dict):
        table.error("title", f"expected a string or a table, got {type_word(value)}")
        return Title(name, name)
    inner = Table(table.at("title"), value, table.errors)
    texts = {language: inner.optional_text(language) for language in LANGUAGES}
    inner.finish()
    given = next((text for text in texts.values() if text), name)
    return Title(texts["en"] or given, texts["zh"] or given)


def _timezone(table: Table) -> str:
    name = table.text("timezone", "UTC")
    try:
        if name != "UTC":  # known even where the machine has no time zone data
            ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        table.error("timezone", f'no time zone "{name}"; give an IANA name such as "Asia/Shanghai"')
    return name


def _address(table: Table, key: str, default: Address) -> Address:
    text = table.text(key, str(default))
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if colon and host and port.isascii() and port.isdigit() and int(port) <= 65_535:
        return Address(host, int(port))
    table.error(key, f'expected "host:port" with a port 0..65535, got "{text}"')
    return default


def _no_secrets(options: Table) -> None:
    for key in options.values:
        lower = key.lower()
        if lower.endswith(("_file", "_env")):
            continue
        if any(word in lower for word in _SECRET_WORDS):
            options.error(key, f'secrets do not stand in this file; use "{key}_file" or "{key}_env"')


def _check_renames(file: Table, config: SiteConfig) -> None:
    sections: dict[str, Mapping[str, Named]] = {
        "reasons": config.reasons,
        "skills": config.skills,
        "channels": config.channels,
        "queues": config.queues,
        "agents": config.agents,
    }
    for kind, named in sections.items():
        claimed: dict[str, str] = {}
        for name, section in named.items():
            if section.was is None:
                continue
            path = f"{kind}.{name}.was"
            if section.was in named:
                file.error(path, f'"{section.was}" is still a section; take one of the two out')
            if section.was in claimed:
                other = claimed[section.was]
                file.error(path, f'"{section.was}" was already renamed by {kind}.{other}')
            claimed[section.was] = name


def _check_accounts(file: Table, config: SiteConfig) -> None:
    taken: dict[tuple[str, str], str] = {}
    for name, channel in config.channels.items():
        other = taken.setdefault((channel.plugin, channel.account), name)
        if other != name:
            # Both would give one external id the same arrival key.
            file.error(f"channels.{name}.account", f'"{channel.account}" is already channels.{other}')


def _check_addresses(file: Table, config: SiteConfig) -> None:
    taken: dict[Address, str] = {}
    for path, address in (
        ("web.bind", config.web.bind),
        ("gateway.bind", config.gateway.bind),
        ("stats.bind", config.stats.bind),
    ):
        if address.port and address in taken:
            file.error(path, f"{address} is already {taken[address]}; choose another port")
        taken.setdefault(address, path)
