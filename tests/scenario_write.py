"""Commands as the text of scenarios, the other way round than `scenario_commands`."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Any

from tests.oracle import commands as cmd
from tests.oracle.config import (
    NO_LIMIT,
    QUEUE_WRAP_UP,
    AgentConfig,
    ChannelConfig,
    Config,
    Goal,
    Order,
    Overflow,
    QueueConfig,
    Requirement,
    Strategy,
    When,
)
from tests.scenario_text import TIMES, snake, to_ms

KEPT = ("queue=0", f"head_start_ms={to_ms(cmd.KEEP_HEAD_START_US)}")
"""What `change` says by leaving it out."""


def command_lines(at: int, command: cmd.Command | None) -> list[str]:
    """Return the lines of a command, or of the passing of time."""
    if command is None:
        return [f"@{to_ms(at)} advance"]
    if isinstance(command, cmd.Configure):
        return [f"@{to_ms(at)} configure", *(f"  {line}" for line in config_lines(command.config))]
    said = command._asdict()
    beyond = " beyond=yes" * said.pop("beyond_capacity", False)
    words = [_word(name, value) for name, value in said.items() if value is not None]
    if isinstance(command, cmd.Change):
        words = [word for word in words if word not in KEPT]
    return [" ".join((f"@{to_ms(at)}", snake(type(command).__name__), *words)) + beyond]


def _word(name: str, value: object) -> str:
    if isinstance(value, bytes):
        return f"{name.removeprefix('command_')}={int.from_bytes(value):#x}"
    if isinstance(value, bool):
        return f"{name}={'yes' if value else 'no'}"
    if isinstance(value, IntEnum):
        return f"{name}={value.name.lower()}"
    if isinstance(value, tuple):
        return f"{name}={_tuple(name, value)}"
    if name in TIMES or name.endswith("_us"):
        return f"{name.removesuffix('_us')}_ms={to_ms(int(str(value)))}"
    return f"{name}={value}"


def _tuple(name: str, value: tuple[Any, ...]) -> str:
    if name == "requires":
        return _requirement(value)
    return _pairs(value) if name == "prefers" else _numbers(value)


def _requirement(requires: Requirement) -> str:
    alternatives = (
        ",".join(f"{'!' * need.negated}{need.skill}:{need.level}" for need in needs) or "-"
        for needs in requires
    )
    return "|".join(alternatives) or "-"


def _numbers(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers)) or "-"


def _pairs(pairs: Iterable[tuple[int, int]]) -> str:
    return ",".join(f"{first}:{second}" for first, second in pairs) or "-"


def config_lines(config: Config) -> list[str]:
    """Return the lines below `configure`; names are not part of a scenario."""
    return [
        f"routing order={Order(config.order).name.lower()} miss_limit={config.miss_limit}"
        f" retry_after_ms={to_ms(config.retry_after_us)} max_waiting={_limit(config.max_waiting)}"
        f" key_retention_ms={to_ms(config.key_retention_us)} memory_ms={to_ms(config.memory_us)}"
        f" seed={config.seed} reserve_after_ms={to_ms(config.reserve_after_us)}"
        f" reply_margin_ms={to_ms(config.reply_margin_us)}",
        *(f"domain {domain.id} share={domain.share}" for domain in config.domains),
        *(_channel_line(channel) for channel in config.channels),
        f"skill {' '.join(map(str, config.skills))}",
        f"reason {' '.join(map(str, config.reasons))}",
        f"target {' '.join(map(str, config.targets))}",
        *(line for queue in config.queues for line in _queue_lines(queue)),
        *(_agent_line(agent) for agent in config.agents),
        *(f"contract queue={one.queue} domain={one.domain}" for one in config.contracts),
        f"hash={config.hash.hex()}",
    ]


def _queue_lines(queue: QueueConfig) -> list[str]:
    return [
        f"queue {queue.id} requires={_requirement(queue.requires)} rank={queue.rank_skill}"
        f" offer_ms={to_ms(queue.offer_timeout_us)} wrap_ms={to_ms(queue.wrap_up_us)}"
        f" max={_limit(queue.max_waiting)} strategy={Strategy(queue.strategy).name.lower()}"
        f" priority={queue.priority} service_level_ms={to_ms(queue.service_level_us)} ratio={queue.ratio}"
        f" ring_limit={queue.ring_limit}"
        f" handle_ms={to_ms(queue.expected_handle_us)} tier={queue.tier}"
        f" in_hand={_limit(queue.max_in_hand)} announce_ms={to_ms(queue.announce_us)}"
        f" domain={queue.domain}"
        f" fallback={Strategy(queue.fallback).name.lower()} choice_ms={to_ms(queue.choice_timeout_us)}",
        *(
            f"step queue={queue.id} after_ms={to_ms(step.after_us)} drop={_numbers(step.drop)}"
            f" lower={_pairs(step.lower)} widen={_numbers(step.widen)}"
            f" head_start_ms={to_ms(step.head_start_us)}"
            for step in queue.steps
        ),
        *(f"overflow queue={queue.id} {_overflow(rule)}" for rule in queue.overflow),
    ]


def _overflow(rule: Overflow) -> str:
    if rule.when in {When.WAIT, When.ESTIMATE}:
        threshold = f" after_ms={to_ms(rule.threshold)}"
    elif rule.when in {When.NO_AGENT, When.CLOSED}:
        threshold = f" threshold={rule.threshold}" if rule.threshold else ""
    else:
        threshold = f" {'contacts' if rule.when is When.SIZE else 'offers'}={rule.threshold}"
    goal = "target" if rule.to_kind is Goal.TARGET else "to"
    return f"when={rule.when.name.lower()}{threshold} {goal}={rule.to}"


def _limit(value: int) -> str:
    return "-" if value == NO_LIMIT else str(value)


def _channel_line(channel: ChannelConfig) -> str:
    flags = " exclusive" * channel.exclusive + " instant" * channel.instant
    flags += " interruptible" * channel.interruptible
    return (
        f"channel {channel.id}{flags} connect_ms={to_ms(channel.connect_timeout_us)} domain={channel.domain}"
    )


def _agent_line(agent: AgentConfig) -> str:
    wrap_ms = "-" if agent.wrap_up_us == QUEUE_WRAP_UP else to_ms(agent.wrap_up_us)
    flags = " stealth" * agent.stealth + " auto_accept" * agent.auto_accept
    return (
        f"agent {agent.id} skills={_pairs(agent.skills)} capacity={_pairs(agent.capacity)}"
        f" share={agent.share}{flags} wrap_ms={wrap_ms} domain={agent.domain}"
    )
