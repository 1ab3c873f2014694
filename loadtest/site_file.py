"""Writes the configuration of a site that a scenario can be played against."""

import json
from collections.abc import Mapping
from pathlib import Path

from loadtest.scenario import Scenario

LOOPBACK = "127.0.0.1"


def site_toml(scenario: Scenario, data: Path, ports: tuple[int, int, int]) -> str:
    """Returns a site's configuration file.

    Args:
        scenario: whose channels, skills, queues and agents the site has.
        data: the data folder.
        ports: of the pages, the gateway and the statistics.
    """
    web, gateway, stats = ports
    routing = [
        f'order = "{scenario.order}"',
        f"miss_limit = {scenario.miss_limit}",
        f"retry_after_ms = {scenario.retry_after_ms}",
        *_limit(scenario.max_waiting),
    ]
    skills = dict.fromkeys(
        name
        for levels in (*(q.skills for q in scenario.queues.values()), *(g.skills for g in scenario.groups))
        for name in levels
    )
    lines = [
        *_table("site", [f'name = "flood-{scenario.name}"', f"data = {json.dumps(str(data))}"]),
        *_table("routing", routing),
        *_table("web", [f'bind = "{LOOPBACK}:{web}"']),
        *_table("gateway", [f'bind = "{LOOPBACK}:{gateway}"']),
        *_table("stats", [f'bind = "{LOOPBACK}:{stats}"']),
    ]
    for skill in skills:
        lines += _table(f"skills.{skill}", [])
    for name, channel in scenario.channels.items():
        flags = [f"exclusive = {_toml(channel.exclusive)}", f"instant = {_toml(channel.instant)}"]
        lines += _table(f"channels.{name}", ['plugin = "socket"', *flags])
    for name, queue in scenario.queues.items():
        times = [f"offer_timeout_ms = {queue.offer_timeout_ms}", f"wrap_up_ms = {queue.wrap_up_ms}"]
        lines += _table(
            f"queues.{name}", [f"skills = {_inline(queue.skills)}", *times, *_limit(queue.max_waiting)]
        )
    for name, group in scenario.agent_names():
        can = [f"skills = {_inline(group.skills)}", f"capacity = {_inline(group.capacity)}"]
        lines += _table(f"agents.{name}", can)
    return "\n".join(lines) + "\n"


def _table(name: str, entries: list[str]) -> list[str]:
    return [f"[{name}]", *entries, ""]


def _toml(value: bool) -> str:
    return "true" if value else "false"


def _inline(values: Mapping[str, int]) -> str:
    return "{ " + ", ".join(f"{key} = {value}" for key, value in values.items()) + " }"


def _limit(limit: int | None) -> list[str]:
    return [] if limit is None else [f"max_waiting = {limit}"]
