"""From the configuration file to what ``configure`` carries: names become numbers, ms become us.

Numbers are given once and never again to another name, so a journal, a report and a plugin that
know an agent by number know it for ever. A section's ``was`` keeps the number through a rename.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

import msgspec

from engine.config_types import (
    AgentSection,
    ChannelSection,
    ContractSection,
    DomainSection,
    Named,
    OutsideSection,
    OverflowSection,
    QueueSection,
    SiteConfig,
    StepSection,
)
from engine.demand import requirement
from engine.errors import Refused
from engine.model import (
    NO_LIMIT,
    QUEUE_WRAP_UP,
    AgentConfig,
    ChannelConfig,
    ChannelUnits,
    Config,
    Contract,
    DomainConfig,
    Lower,
    Order,
    Overflow,
    OverflowTo,
    OverflowWhen,
    QueueConfig,
    SkillLevel,
    Step,
    Strategy,
)
from engine.names import Names

_US_PER_MS: Final = 1_000
_US_PER_S: Final = 1_000_000
_US_PER_DAY: Final = 86_400_000_000
MEMORY_US: Final = 600_000_000
"""How long closed offers and command ids are remembered: the ten minutes in which a client may
repeat itself. It is part of the wire's promise, so no key of the file."""
INBOUND_TIER: Final = 2
OUTBOUND_TIER: Final = 3
OWN_DOMAIN: Final = 0
HASH_BYTES: Final = 32


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
        order=Order[routing.order.upper()],
        miss_limit=routing.miss_limit,
        retry_after_us=routing.retry_after_ms * _US_PER_MS,
        max_waiting=_limit(routing.max_waiting),
        key_retention_us=routing.key_retention_days * _US_PER_DAY,
        memory_us=MEMORY_US,
        seed=routing.seed,
        reserve_after_us=routing.reserve_after_s * _US_PER_S,
        reply_margin_us=routing.reply_margin_s * _US_PER_S,
        domains=tuple(sorted((_domain(one, names) for one in site.domains.values()), key=lambda d: d.id)),
        channels=tuple(sorted((_channel(one, names) for one in site.channels.values()), key=lambda c: c.id)),
        skills=tuple(sorted(names.id("skill", name) for name in site.skills)),
        reasons=tuple(sorted(names.id("reason", name) for name in site.reasons)),
        targets=tuple(sorted(names.id("target", name) for name in site.targets)),
        queues=tuple(sorted((_queue(one, names) for one in site.queues.values()), key=lambda q: q.id)),
        agents=tuple(_agent(one, names) for one in site.agents.values()),
        contracts=_contracts(site.contracts, names),
        names=names.encode(),
    )
    return msgspec.structs.replace(config, hash=config_hash(config)), names


def config_hash(config: Config) -> bytes:
    """Return the BLAKE2b-256 of a configuration's MessagePack, its own hash taken as zeros."""
    blank = msgspec.structs.replace(config, hash=bytes(HASH_BYTES))
    return blake2b(msgspec.msgpack.encode(blank), digest_size=HASH_BYTES).digest()


def _assign(names: Names, site: SiteConfig) -> None:
    kinds: dict[str, Mapping[str, Named]] = {
        "domain": site.domains,
        "reason": site.reasons,
        "target": site.targets,
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


def _domain_id(name: str | None, names: Names) -> int:
    return OWN_DOMAIN if name is None else names.id("domain", name)


def _domain(section: DomainSection, names: Names) -> DomainConfig:
    return DomainConfig(id=names.id("domain", section.name), share=section.share)


def _contracts(sections: Sequence[ContractSection], names: Names) -> tuple[Contract, ...]:
    pairs = sorted((names.id("queue", one.queue), _domain_id(one.domain, names)) for one in sections)
    return tuple(Contract(queue, domain) for queue, domain in pairs)


def _channel(section: ChannelSection, names: Names) -> ChannelConfig:
    return ChannelConfig(
        id=names.id("channel", section.name),
        exclusive=section.exclusive,
        instant=section.instant,
        connect_timeout_us=section.connect_timeout_ms * _US_PER_MS,
        interruptible=section.interruptible,
        domain=_domain_id(section.domain, names),
    )


def _queue(section: QueueSection, names: Names) -> QueueConfig:
    return QueueConfig(
        id=names.id("queue", section.name),
        requires=requirement(names, section.requires),
        rank_skill=0 if section.rank_skill is None else names.id("skill", section.rank_skill),
        max_waiting=_limit(section.max_waiting),
        offer_timeout_us=section.offer_timeout_ms * _US_PER_MS,
        wrap_up_us=section.wrap_up_ms * _US_PER_MS,
        strategy=Strategy[section.strategy.upper()],
        priority=section.priority,
        service_level_us=section.service_level_ms * _US_PER_MS,
        ratio=section.ratio,
        steps=tuple(_step(step, names) for step in section.steps),
        ring_limit=section.ring_limit,
        expected_handle_us=section.expected_handle_s * _US_PER_S,
        overflow=tuple(_overflow(rule, names) for rule in section.overflow),
        tier=OUTBOUND_TIER if section.outbound else INBOUND_TIER,
        max_in_hand=_limit(section.max_in_hand),
        announce_us=section.announce_s * _US_PER_S,
        domain=_domain_id(section.domain, names),
        **_outside(section.outside),
    )


def _overflow(section: OverflowSection, names: Names) -> Overflow:
    kind = "queue" if section.to_kind is OverflowTo.QUEUE else "target"
    timed = section.when in (OverflowWhen.WAIT, OverflowWhen.ESTIMATE)
    return Overflow(
        when=section.when,
        threshold=section.threshold * (_US_PER_S if timed else 1),
        to_kind=section.to_kind,
        to=names.id(kind, section.to),
    )


def _outside(section: OutsideSection | None) -> dict[str, Any]:
    if section is None:
        return {}
    timeout_us = section.choice_timeout_ms * _US_PER_MS
    return {"fallback": Strategy[section.fallback.upper()], "choice_timeout_us": timeout_us}


def _step(section: StepSection, names: Names) -> Step:
    lower = sorted((names.id("skill", name), by) for name, by in section.lower.items())
    return Step(
        after_us=section.after_ms * _US_PER_MS,
        drop=tuple(sorted(names.id("skill", name) for name in section.drop)),
        lower=tuple(Lower(skill, by) for skill, by in lower),
        widen=tuple(sorted(names.id("queue", name) for name in section.widen)),
        head_start_us=section.head_start_ms * _US_PER_MS,
    )


def _agent(section: AgentSection, names: Names) -> AgentConfig:
    capacity = sorted((names.id("channel", name), units) for name, units in section.capacity.items())
    return AgentConfig(
        id=names.id("agent", section.name),
        skills=_levels(section.skills, names),
        capacity=tuple(ChannelUnits(channel, units) for channel, units in capacity),
        share=section.share,
        stealth=section.stealth,
        auto_accept=section.auto_accept,
        wrap_up_us=QUEUE_WRAP_UP if section.wrap_up_ms is None else section.wrap_up_ms * _US_PER_MS,
        domain=_domain_id(section.domain, names),
    )


def _levels(levels: Mapping[str, int], names: Names) -> tuple[SkillLevel, ...]:
    pairs = sorted((names.id("skill", name), level) for name, level in levels.items())
    return tuple(SkillLevel(skill, level) for skill, level in pairs)


def refusal_text(error: Refused, names: Names) -> str:
    """Say a refused configuration in the file's own names."""
    kinds = {
        "agent_in_use": "agent",
        "queue_in_use": "queue",
        "channel_in_use": "channel",
        "skill_in_use": "skill",
    }
    if (kind := kinds.get(error.name)) is None:
        return str(error)
    name = names.name(kind, error.detail)
    return f"{kind}s.{name}: is in use and cannot be taken out now; sign out or finish first ({error.name})"
