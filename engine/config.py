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

from engine.config_calendars import read_calendars, read_timezone
from engine.config_domains import check_domains, read_contracts, read_domain, read_domains
from engine.config_outside import check_outside
from engine.config_overflow import check_overflow
from engine.config_queues import DAY_MS, MAX_WAITING, WEEK_MS, check_widening, levels, read_queue
from engine.config_routing import read_routing_points
from engine.config_servers import (
    check_addresses,
    read_gateway,
    read_journal,
    read_ops,
    read_rate,
    read_stats,
    read_store,
    read_web,
)
from engine.config_table import Table, type_word
from engine.config_types import (
    Address,
    AgentSection,
    ChannelSection,
    DomainSection,
    Gateway,
    Named,
    QueueSection,
    Routing,
    SiteConfig,
    Stats,
    TargetSection,
    Title,
    Web,
)
from engine.errors import ConfigError
from engine.model import Order
from engine.overtaking import unbounded

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
    "TargetSection",
    "Title",
    "Web",
    "load_site",
    "read_site",
]

LANGUAGES: Final = ("en", "zh")
ORDERS: Final = tuple(order.name.lower() for order in Order)
MAX_UNITS: Final = 10_000
"""More than anybody can serve at once; the core takes any u32."""
MAX_MESSAGE_BYTES: Final = 16_384
"""The store takes no more of one message."""
MAX_SHARE: Final = 1_000
MAX_SEED: Final = 2**63 - 1
"""The highest integer of a TOML file."""
MAX_CHANNELS, MAX_SKILLS, MAX_QUEUES = 1_000, 10_000, 10_000
MAX_AGENTS, MAX_REASONS, MAX_TARGETS = 200_000, 1_000, 1_000
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
    timezone = read_timezone(site, "UTC")
    title = _title(site, name or "")
    drain_s = site.integer("drain_s", 0, DAY_MS // 1_000, 10)
    site.finish()
    skills = {key: _named(table, key) for key, table in file.named_tables("skills", MAX_SKILLS)}
    reasons = {key: _named(table, key) for key, table in file.named_tables("reasons", MAX_REASONS)}
    targets = {key: _target(table, key) for key, table in file.named_tables("targets", MAX_TARGETS)}
    domains = read_domains(file, _title)
    channels = {k: _channel(t, k, domains) for k, t in file.named_tables("channels", MAX_CHANNELS)}
    calendars = read_calendars(file, timezone)
    queues = {
        key: read_queue(table, key, _title(table, key), skills, calendars, domains)
        for key, table in file.named_tables("queues", MAX_QUEUES)
    }
    agents = {k: _agent(t, k, skills, channels, domains) for k, t in file.named_tables("agents", MAX_AGENTS)}
    contracts = read_contracts(file, queues, domains)
    points = read_routing_points(file, skills=skills, channels=channels, queues=queues, calendars=calendars)
    config = SiteConfig(
        name=name or "",
        title=title,
        data=data,
        timezone=timezone,
        routing=_routing(file.table("routing")),
        drain_s=drain_s,
        web=read_web(file.table("web"), folder),
        gateway=read_gateway(file.table("gateway"), folder, data),
        ops=read_ops(file.table("ops")),
        stats=read_stats(file.table("stats")),
        store=read_store(file.table("store"), folder),
        journal=read_journal(file.table("journal")),
        domains=domains,
        contracts=contracts,
        reasons=reasons,
        targets=targets,
        skills=skills,
        channels=channels,
        calendars=calendars,
        queues=queues,
        agents=agents,
        routing_points=points,
    )
    file.finish()
    check_widening(file, config.queues)
    check_overflow(file, config.queues, config.targets)
    check_domains(file, config)
    check_outside(file, config.queues)
    _check_renames(file, config)
    _check_accounts(file, config)
    check_addresses(file, config)
    if not file.errors:
        _check_overtaking(file, config)
    return config


def _routing(table: Table) -> Routing:
    routing = Routing(
        order=table.choice("order", ORDERS, ORDERS[0]),
        miss_limit=table.integer("miss_limit", 0, 1_000, 3),
        retry_after_ms=table.integer("retry_after_ms", 1, DAY_MS, 5_000),
        max_waiting=table.optional_integer("max_waiting", 0, MAX_WAITING),
        key_retention_days=table.integer("key_retention_days", 1, 400, 7),
        seed=table.integer("seed", 0, MAX_SEED, 0),
        last_agent_days=table.integer("last_agent_days", 0, 3_650, 30),
        reserve_after_s=table.integer("reserve_after_s", 0, DAY_MS // 1_000, 20),
        reply_margin_s=table.integer("reply_margin_s", 0, DAY_MS // 1_000, 60),
        place_ticket_s=table.integer("place_ticket_s", 0, WEEK_MS // 1_000, 3_600),
        agent_lease_s=table.integer("agent_lease_s", 0, DAY_MS // 1_000, 60),
    )
    table.finish()
    return routing


def _channel(table: Table, name: str, domains: Mapping[str, DomainSection]) -> ChannelSection:
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
        interruptible=table.boolean("interruptible", default=False),
        grace_s=table.integer("grace_s", 0, WEEK_MS // 1_000, 300),
        max_message_bytes=table.integer("max_message_bytes", 1, MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES),
        domain=read_domain(table, domains),
        arrivals=read_rate(table, "arrivals"),
        options=options.values,
    )
    if section.plugin != "socket" and "max_message_bytes" in table.values:
        table.error("max_message_bytes", "a hosted plugin says it itself; take it out")
    if section.exclusive and section.interruptible:
        table.error("interruptible", "an exclusive channel cannot be interrupted; take one of the two out")
    table.finish()
    return section


def _agent(
    table: Table,
    name: str,
    skills: Mapping[str, Named],
    channels: Mapping[str, ChannelSection],
    domains: Mapping[str, DomainSection],
) -> AgentSection:
    section = AgentSection(
        name=name,
        title=_title(table, name),
        was=table.name("was"),
        skills=levels(table, "skills", skills),
        capacity=table.numbers("capacity", "channel", channels, MAX_UNITS),
        share=table.integer("share", 1, MAX_SHARE, 100),
        stealth=table.boolean("stealth", default=False),
        auto_accept=table.boolean("auto_accept", default=False),
        wrap_up_ms=table.optional_integer("wrap_up_ms", 0, DAY_MS),
        domain=read_domain(table, domains),
    )
    table.finish()
    return section


def _target(table: Table, name: str) -> TargetSection:
    options = table.table("options")
    _no_secrets(options)
    section = TargetSection(
        name=name,
        title=_title(table, name),
        was=table.name("was"),
        address=table.text("address", name),
        options=options.values,
    )
    table.finish()
    return section


def _named(table: Table, name: str) -> Named:
    named = Named(name=name, title=_title(table, name), was=table.name("was"))
    table.finish()
    return named


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


def _no_secrets(options: Table) -> None:
    for key in options.values:
        lower = key.lower()
        if lower.endswith(("_file", "_env")):
            continue
        if any(word in lower for word in _SECRET_WORDS):
            options.error(key, f'secrets do not stand in this file; use "{key}_file" or "{key}_env"')


def _check_renames(file: Table, config: SiteConfig) -> None:
    sections: dict[str, Mapping[str, Named]] = {
        "domains": config.domains,
        "reasons": config.reasons,
        "targets": config.targets,
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


def _check_overtaking(file: Table, config: SiteConfig) -> None:
    for bound in unbounded(config):
        file.error(
            f"queues.{bound.queue}.waive_overtaking",
            f"is missing; later contacts can overtake this queue's without bound, because {bound.because}. "
            'Make such levels or priorities equal, take order "longest", or say here why it shall be so',
        )
