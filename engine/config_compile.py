"""From the configuration file to what ``configure`` carries: names become numbers, ms become us.

Numbers are given once and never again to another name, so a journal, a report and a plugin that
know an agent by number know it for ever. A section's ``was`` keeps the number through a rename.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

import msgspec

from engine.config_types import AgentSection, ChannelSection, Named, QueueSection, SiteConfig
from engine.model import (
    NO_LIMIT,
    AgentConfig,
    ChannelConfig,
    ChannelUnits,
    Config,
    Order,
    QueueConfig,
    SkillLevel,
    Strategy,
)
from engine.names import Names

_US_PER_MS: Final = 1_000
_US_PER_DAY: Final = 86_400_000_000
MEMORY_US: Final = 600_000_000
"""How long closed offers and command ids are remembered: the ten minutes in which a client may
repeat itself. It is part of the wire's promise, so no key of the file."""
HASH_BYTES: Final = 32
_ORDERS: Final = {"longest": Order.LONGEST, "agent_level": Order.AGENT_LEVEL}


def compile_config(site: SiteConfig, names: Names) -> tuple[Config, Names]:
    """Compile a configuration.

    Args:
        site: what the file says.
        names: the numbers given so far; left as they are.

    Returns:
        The configuration with its hash, and the names with what is new or renamed.
    """
    names = names.copy()
    _assign(names, site)
    routing = site.routing
    config = Config(
        order=_ORDERS[routing.order],
        miss_limit=routing.miss_limit,
        retry_after_us=routing.retry_after_ms * _US_PER_MS,
        max_waiting=_limit(routing.max_waiting),
        key_retention_us=routing.key_retention_days * _US_PER_DAY,
        memory_us=MEMORY_US,
        seed=routing.seed,
        channels=tuple(sorted((_channel(one, names) for one in site.channels.values()), key=lambda c: c.id)),
        skills=tuple(sorted(names.id("skill", name) for name in site.skills)),
        reasons=tuple(sorted(names.id("reason", name) for name in site.reasons)),
        queues=tuple(sorted((_queue(one, names) for one in site.queues.values()), key=lambda q: q.id)),
        agents=tuple(_agent(one, names) for one in site.agents.values()),
        names=names.encode(),
    )
    return msgspec.structs.replace(config, hash=config_hash(config)), names


def config_hash(config: Config) -> bytes:
    """Return the BLAKE2b-256 of a configuration's MessagePack, its own hash taken as zeros."""
    blank = msgspec.structs.replace(config, hash=bytes(HASH_BYTES))
    return blake2b(msgspec.msgpack.encode(blank), digest_size=HASH_BYTES).digest()


def _assign(names: Names, site: SiteConfig) -> None:
    kinds: dict[str, Mapping[str, Named]] = {
        "reason": site.reasons,
        "skill": site.skills,
        "channel": site.channels,
        "queue": site.queues,
        "agent": site.agents,
    }
    for kind, sections in kinds.items():
        # Renames first, or the new name would get a number of its own.
        for name, section in sections.items():
            if section.was is not None:
                names.rename(kind, section.was, name)
        for name in sections:
            names.assign(kind, name)


def _limit(value: int | None) -> int:
    return NO_LIMIT if value is None else value


def _channel(section: ChannelSection, names: Names) -> ChannelConfig:
    return ChannelConfig(
        id=names.id("channel", section.name),
        exclusive=section.exclusive,
        instant=section.instant,
        connect_timeout_us=section.connect_timeout_ms * _US_PER_MS,
    )


def _queue(section: QueueSection, names: Names) -> QueueConfig:
    return QueueConfig(
        id=names.id("queue", section.name),
        requires=_levels(section.skills, names),
        rank_skill=0 if section.rank_skill is None else names.id("skill", section.rank_skill),
        max_waiting=_limit(section.max_waiting),
        offer_timeout_us=section.offer_timeout_ms * _US_PER_MS,
        wrap_up_us=section.wrap_up_ms * _US_PER_MS,
        strategy=Strategy[section.strategy.upper()],
    )


def _agent(section: AgentSection, names: Names) -> AgentConfig:
    capacity = sorted((names.id("channel", name), units) for name, units in section.capacity.items())
    return AgentConfig(
        id=names.id("agent", section.name),
        skills=_levels(section.skills, names),
        capacity=tuple(ChannelUnits(channel, units) for channel, units in capacity),
        share=section.share,
    )


def _levels(levels: Mapping[str, int], names: Names) -> tuple[SkillLevel, ...]:
    pairs = sorted((names.id("skill", name), level) for name, level in levels.items())
    return tuple(SkillLevel(skill, level) for skill, level in pairs)
