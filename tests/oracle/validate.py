"""The checks of a configuration and of a requirement, in the order of the rules; each raises a `Refusal`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.oracle.config import (
    MAX_LEVEL,
    MAX_REQUIREMENT,
    MAX_SHARE,
    MAX_TIMEOUT_US,
    Config,
    Limits,
    SkillLevel,
)
from tests.oracle.refusal import Code, Refusal


def check_config(config: Config, limits: Limits) -> None:
    """Refuse a configuration that is wrong in itself."""
    _check_counts(config, limits)
    _check_ids(config)
    _check_durations(config)
    _check_queues(config)
    _check_agents(config)


def check_requirement(requires: Sequence[SkillLevel], skills: Sequence[int]) -> None:
    """Refuse a contact's own requirement: count, then entry by entry."""
    if len(requires) > MAX_REQUIREMENT:
        raise Refusal(Code.BAD_REQUIREMENT, len(requires))
    last = 0
    for skill, level in requires:
        _check_level(skill, level, skills)
        if skill <= last:
            raise Refusal(Code.BAD_REQUIREMENT, skill)
        last = skill


def _check_level(skill: int, level: int, skills: Sequence[int]) -> None:
    if skill not in skills:
        raise Refusal(Code.UNKNOWN_SKILL, skill)
    if not 1 <= level <= MAX_LEVEL:
        raise Refusal(Code.BAD_LEVEL, level)


def _check_counts(config: Config, limits: Limits) -> None:
    for items, limit, code in (
        (config.channels, limits.max_channels, Code.TOO_MANY_CHANNELS),
        (config.skills, limits.max_skills, Code.TOO_MANY_SKILLS),
        (config.queues, limits.max_queues, Code.TOO_MANY_QUEUES),
        (config.agents, limits.max_agents, Code.TOO_MANY_AGENTS),
    ):
        if len(items) > limit:
            raise Refusal(code, limit)


def _check_increasing(ids: Iterable[int]) -> None:
    last = 0
    for number in ids:
        if number <= last:
            raise Refusal(Code.DUPLICATE_ID, number)
        last = number


def _check_unique(ids: Iterable[int]) -> None:
    seen = {0}
    for number in ids:
        if number in seen:
            raise Refusal(Code.DUPLICATE_ID, number)
        seen.add(number)


def _check_ids(config: Config) -> None:
    _check_increasing(channel.id for channel in config.channels)
    _check_increasing(config.skills)
    _check_increasing(config.reasons)
    _check_increasing(queue.id for queue in config.queues)
    _check_unique(agent.id for agent in config.agents)
    for queue in config.queues:
        _check_increasing(entry.skill for entry in queue.requires)
    for agent in config.agents:
        _check_increasing(entry.skill for entry in agent.skills)
    for agent in config.agents:
        _check_increasing(entry.channel for entry in agent.capacity)


def _check_duration(value: int, lowest: int, highest: int | None) -> None:
    if value < lowest or (highest is not None and value > highest):
        raise Refusal(Code.BAD_DURATION, value)


def _check_durations(config: Config) -> None:
    for channel in config.channels:
        _check_duration(channel.connect_timeout_us, 1, MAX_TIMEOUT_US)
    for queue in config.queues:
        _check_duration(queue.offer_timeout_us, 1, MAX_TIMEOUT_US)
        _check_duration(queue.wrap_up_us, 0, MAX_TIMEOUT_US)
    _check_duration(config.retry_after_us, 1, MAX_TIMEOUT_US)
    _check_duration(config.memory_us, 1, MAX_TIMEOUT_US)
    _check_duration(config.key_retention_us, 1, None)


def _check_queues(config: Config) -> None:
    for queue in config.queues:
        if len(queue.requires) > MAX_REQUIREMENT:
            raise Refusal(Code.BAD_REQUIREMENT, len(queue.requires))
        for skill, level in queue.requires:
            _check_level(skill, level, config.skills)
        if queue.rank_skill != 0 and queue.rank_skill not in config.skills:
            raise Refusal(Code.UNKNOWN_SKILL, queue.rank_skill)


def _check_agents(config: Config) -> None:
    known = {channel.id for channel in config.channels}
    for agent in config.agents:
        for skill, level in agent.skills:
            _check_level(skill, level, config.skills)
        for entry in agent.capacity:
            if entry.channel not in known:
                raise Refusal(Code.UNKNOWN_CHANNEL, entry.channel)
        if not 1 <= agent.share <= MAX_SHARE:
            raise Refusal(Code.BAD_SHARE, agent.share)
