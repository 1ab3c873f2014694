"""The checks of a configuration and of a demand, in the order of the rules; each raises a `Refusal`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.oracle.config import (
    DAY_US,
    MAX_ALTERNATIVES,
    MAX_CHOICE_US,
    MAX_EXCLUDES,
    MAX_HEAD_START_US,
    MAX_LEVEL,
    MAX_OVERFLOWS,
    MAX_PREFERRED,
    MAX_PREFERS,
    MAX_PRIORITY,
    MAX_RATIO,
    MAX_REQUIREMENT,
    MAX_RING_LIMIT,
    MAX_SHARE,
    MAX_STEPS,
    MAX_TIMEOUT_US,
    MAX_UNANSWERED,
    MAX_WEIGHT,
    MIN_ANNOUNCE_US,
    MIN_CHOICE_US,
    OUTBOUND_TIER,
    QUEUE_WRAP_UP,
    Config,
    Demand,
    Goal,
    Limits,
    Lower,
    QueueConfig,
    RelaxStep,
    Requirement,
    SkillWeight,
    Strategy,
    When,
)
from tests.oracle.refusal import Code, Refusal
from tests.oracle.state import WAITING_TIER, WORD


def check_config(config: Config, limits: Limits) -> None:
    """Refuse a configuration that is wrong in itself."""
    _check_counts(config, limits)
    _check_ids(config)
    _check_durations(config)
    _check_domains(config)
    _check_channels(config)
    _check_queues(config)
    _check_agents(config)
    _check_contracts(config)


def check_requirement(requires: Requirement, skills: Sequence[int]) -> None:
    """Refuse a requirement: how many alternatives, then each of them, need by need."""
    if len(requires) > MAX_ALTERNATIVES:
        raise Refusal(Code.BAD_REQUIREMENT, len(requires))
    for needs in requires:
        if not 1 <= len(needs) <= MAX_REQUIREMENT:
            raise Refusal(Code.BAD_REQUIREMENT, len(needs))
        last = (0, False)
        for skill, level, negated in needs:
            _check_level(skill, level, skills)
            if (skill, negated) <= last:
                raise Refusal(Code.BAD_REQUIREMENT, skill)
            last = (skill, negated)


def check_demand(demand: Demand, config: Config) -> None:
    """Refuse what a contact asks for, in the order of its fields."""
    check_requirement(demand.requires, config.skills)
    _check_prefers(demand.prefers, config.skills)
    known = {agent.id for agent in config.agents}
    _check_agent_list(demand.preferred, MAX_PREFERRED, known)
    _check_duration(demand.preferred_wait_us, 0, DAY_US)
    _check_agent_list(demand.excludes, MAX_EXCLUDES, known)
    if demand.beyond_capacity and not demand.preferred:
        raise Refusal(Code.BAD_AGENTS, 0)


def _check_prefers(prefers: Sequence[SkillWeight], skills: Sequence[int]) -> None:
    if len(prefers) > MAX_PREFERS:
        raise Refusal(Code.BAD_REQUIREMENT, len(prefers))
    last = 0
    for skill, weight in prefers:
        if skill <= last:
            raise Refusal(Code.BAD_REQUIREMENT, skill)
        if skill not in skills:
            raise Refusal(Code.UNKNOWN_SKILL, skill)
        if not 1 <= weight <= MAX_WEIGHT:
            raise Refusal(Code.BAD_WEIGHT, weight)
        last = skill


def _check_agent_list(agents: Sequence[int], limit: int, known: set[int]) -> None:
    if len(agents) > limit:
        raise Refusal(Code.BAD_AGENTS, len(agents))
    last = 0
    for agent in agents:
        if agent <= last:
            raise Refusal(Code.BAD_AGENTS, agent)
        if agent not in known:
            raise Refusal(Code.UNKNOWN_AGENT, agent)
        last = agent


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
    _check_increasing(domain.id for domain in config.domains)
    _check_increasing(channel.id for channel in config.channels)
    _check_increasing(config.skills)
    _check_increasing(config.reasons)
    _check_increasing(config.targets)
    _check_increasing(queue.id for queue in config.queues)
    _check_unique(agent.id for agent in config.agents)
    for agent in config.agents:
        _check_increasing(entry.skill for entry in agent.skills)
    for agent in config.agents:
        _check_increasing(entry.channel for entry in agent.capacity)
    last = (0, -1)
    for contract in config.contracts:
        if contract <= last:
            raise Refusal(Code.DUPLICATE_ID, contract.queue)
        last = contract


def _check_duration(value: int, lowest: int, highest: int | None) -> None:
    if value < lowest or (highest is not None and value > highest):
        raise Refusal(Code.BAD_DURATION, value)


def _check_durations(config: Config) -> None:
    for channel in config.channels:
        _check_duration(channel.connect_timeout_us, 1, MAX_TIMEOUT_US)
    for queue in config.queues:
        _check_duration(queue.offer_timeout_us, 1, MAX_TIMEOUT_US)
        _check_duration(queue.wrap_up_us, 0, MAX_TIMEOUT_US)
        _check_duration(queue.expected_handle_us, 1, MAX_TIMEOUT_US)
        _check_duration(queue.choice_timeout_us, MIN_CHOICE_US, MAX_CHOICE_US)
    for agent in config.agents:
        if agent.wrap_up_us != QUEUE_WRAP_UP:
            _check_duration(agent.wrap_up_us, 0, MAX_TIMEOUT_US)
    _check_duration(config.retry_after_us, 1, MAX_TIMEOUT_US)
    _check_duration(config.memory_us, 1, MAX_TIMEOUT_US)
    _check_duration(config.key_retention_us, 1, None)
    _check_duration(config.reserve_after_us, 0, DAY_US)
    _check_duration(config.reply_margin_us, 0, DAY_US)


def _check_domains(config: Config) -> None:
    for domain in config.domains:
        if not 1 <= domain.share <= MAX_SHARE:
            raise Refusal(Code.BAD_SHARE, domain.share)


def _check_domain(number: int, config: Config) -> None:
    if number != 0 and number not in {domain.id for domain in config.domains}:
        raise Refusal(Code.UNKNOWN_DOMAIN, number)


def _check_contracts(config: Config) -> None:
    queues = {queue.id for queue in config.queues}
    for contract in config.contracts:
        if contract.queue not in queues:
            raise Refusal(Code.UNKNOWN_QUEUE, contract.queue)
        _check_domain(contract.domain, config)


def _check_channels(config: Config) -> None:
    for channel in config.channels:
        if channel.exclusive and channel.interruptible:
            raise Refusal(Code.BAD_CHANNEL, channel.id)
        _check_domain(channel.domain, config)


def _check_queues(config: Config) -> None:
    known = {queue.id for queue in config.queues}
    for queue in config.queues:
        check_requirement(queue.requires, config.skills)
        if queue.rank_skill != 0 and queue.rank_skill not in config.skills:
            raise Refusal(Code.UNKNOWN_SKILL, queue.rank_skill)
        if not 1 <= queue.priority <= MAX_PRIORITY:
            raise Refusal(Code.BAD_PRIORITY, queue.priority)
        _check_duration(queue.service_level_us, 0, DAY_US)
        if not 1 <= queue.ratio <= MAX_RATIO:
            raise Refusal(Code.BAD_RATIO, queue.ratio)
        _check_steps(queue, config.skills, known)
        if not 1 <= queue.ring_limit <= MAX_RING_LIMIT:
            raise Refusal(Code.BAD_RING_LIMIT, queue.ring_limit)
        _check_overflow(queue, config, known)
        if queue.tier not in {WAITING_TIER, OUTBOUND_TIER}:
            raise Refusal(Code.BAD_TIER, queue.tier)
        if queue.announce_us != 0:
            _check_duration(queue.announce_us, MIN_ANNOUNCE_US, DAY_US)
        _check_domain(queue.domain, config)
        if queue.fallback is Strategy.OUTSIDE:
            raise Refusal(Code.BAD_STRATEGY, queue.id)


def _check_steps(queue: QueueConfig, skills: Sequence[int], queues: set[int]) -> None:
    if len(queue.steps) > MAX_STEPS:
        raise Refusal(Code.BAD_REQUIREMENT, len(queue.steps))
    last = 0
    for step in queue.steps:
        _check_duration(step.after_us, last + 1, DAY_US)
        last = step.after_us
        _check_step(step, skills, queues - {queue.id})


def _check_step(step: RelaxStep, skills: Sequence[int], others: set[int]) -> None:
    last = 0
    for skill in step.drop:
        last = _check_next_skill(skill, last, skills)
    last = 0
    for lower in step.lower:
        last = _check_next_skill(lower.skill, last, skills)
        _check_by(lower)
    last = 0
    for queue in step.widen:
        if queue not in others:
            raise Refusal(Code.UNKNOWN_QUEUE, queue)
        if queue <= last:
            raise Refusal(Code.DUPLICATE_ID, queue)
        last = queue
    if step.head_start_us > MAX_HEAD_START_US:
        raise Refusal(Code.BAD_HEAD_START, step.head_start_us)


THRESHOLDS = {
    When.SIZE: (1, WORD),
    When.WAIT: (1, DAY_US),
    When.ESTIMATE: (1, DAY_US),
    When.NO_AGENT: (0, 0),
    When.CLOSED: (0, 0),
    When.NO_ANSWER: (1, MAX_UNANSWERED),
}
"""The lowest and the highest threshold of each rule."""


def _check_overflow(queue: QueueConfig, config: Config, queues: set[int]) -> None:
    if len(queue.overflow) > MAX_OVERFLOWS:
        raise Refusal(Code.BAD_OVERFLOW, MAX_OVERFLOWS)
    for index, rule in enumerate(queue.overflow):
        if rule.to_kind is Goal.QUEUE and rule.to not in queues:
            raise Refusal(Code.UNKNOWN_QUEUE, rule.to)
        if rule.to_kind is Goal.TARGET and rule.to not in config.targets:
            raise Refusal(Code.UNKNOWN_TARGET, rule.to)
        lowest, highest = THRESHOLDS[rule.when]
        itself = (rule.to_kind, rule.to) == (Goal.QUEUE, queue.id)
        if itself or not lowest <= rule.threshold <= highest:
            raise Refusal(Code.BAD_OVERFLOW, index)


def _check_next_skill(skill: int, last: int, skills: Sequence[int]) -> int:
    if skill <= last:
        raise Refusal(Code.DUPLICATE_ID, skill)
    if skill not in skills:
        raise Refusal(Code.UNKNOWN_SKILL, skill)
    return skill


def _check_by(lower: Lower) -> None:
    if not 1 <= lower.by <= MAX_LEVEL:
        raise Refusal(Code.BAD_LEVEL, lower.by)


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
        _check_domain(agent.domain, config)
