"""Commands as the text of scenarios, the other way round than `scenario_commands`."""

from __future__ import annotations

from collections.abc import Iterable

from tests.oracle import commands as cmd
from tests.oracle.config import NO_LIMIT, ChannelConfig, Config, Order, Strategy
from tests.scenario_text import snake, to_ms

KEPT = ("queue=0", f"head_start_ms={to_ms(cmd.KEEP_HEAD_START_US)}")
"""What `change` says by leaving it out."""


def command_lines(at: int, command: cmd.Command | None) -> list[str]:
    """Return the lines of a command, or of the passing of time."""
    if command is None:
        return [f"@{to_ms(at)} advance"]
    if isinstance(command, cmd.Configure):
        return [f"@{to_ms(at)} configure", *(f"  {line}" for line in config_lines(command.config))]
    words = [_word(name, value) for name, value in command._asdict().items() if value is not None]
    if isinstance(command, cmd.Change):
        words = [word for word in words if word not in KEPT]
    return [" ".join((f"@{to_ms(at)}", snake(type(command).__name__), *words))]


def _word(name: str, value: object) -> str:
    if isinstance(value, bytes):
        return f"{name.removeprefix('command_')}={int.from_bytes(value):#x}"
    if isinstance(value, bool):
        return f"{name}={'yes' if value else 'no'}"
    if isinstance(value, tuple):
        return f"{name}={_pairs(value)}"
    if name == "head_start_us":
        return f"head_start_ms={to_ms(int(str(value)))}"
    return f"{name}={value}"


def _pairs(pairs: Iterable[tuple[int, int]]) -> str:
    return ",".join(f"{first}:{second}" for first, second in pairs) or "-"


def config_lines(config: Config) -> list[str]:
    """Return the lines below `configure`; names are not part of a scenario."""
    return [
        f"routing order={Order(config.order).name.lower()} miss_limit={config.miss_limit}"
        f" retry_after_ms={to_ms(config.retry_after_us)} max_waiting={_limit(config.max_waiting)}"
        f" key_retention_ms={to_ms(config.key_retention_us)} memory_ms={to_ms(config.memory_us)}"
        f" seed={config.seed}",
        *(_channel_line(channel) for channel in config.channels),
        f"skill {' '.join(map(str, config.skills))}",
        f"reason {' '.join(map(str, config.reasons))}",
        *(
            f"queue {queue.id} requires={_pairs(queue.requires)} rank={queue.rank_skill}"
            f" offer_ms={to_ms(queue.offer_timeout_us)} wrap_ms={to_ms(queue.wrap_up_us)}"
            f" max={_limit(queue.max_waiting)} strategy={Strategy(queue.strategy).name.lower()}"
            for queue in config.queues
        ),
        *(
            f"agent {agent.id} skills={_pairs(agent.skills)} capacity={_pairs(agent.capacity)}"
            f" share={agent.share}"
            for agent in config.agents
        ),
        f"hash={config.hash.hex()}",
    ]


def _limit(value: int) -> str:
    return "-" if value == NO_LIMIT else str(value)


def _channel_line(channel: ChannelConfig) -> str:
    flags = " exclusive" * channel.exclusive + " instant" * channel.instant
    return f"channel {channel.id}{flags} connect_ms={to_ms(channel.connect_timeout_us)}"
