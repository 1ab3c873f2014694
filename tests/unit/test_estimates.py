"""Estimates where storms do not get: lines of many hundreds, sums term by term."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.oracle import commands as cmd
from tests.oracle.calibration import EDGES, ONE, line_time
from tests.oracle.oracle_executor import OracleExecutor
from tests.oracle.router_executor import RouterExecutor
from tests.scenario_config import parse_config

CONFIG = """
channel 1 instant
skill 1 2
queue 1 handle_ms=60000 rank=1
queue 2 handle_ms=200000 requires=2:1 rank=2
agent 1 capacity=1:3 skills=1:10
agent 2 capacity=1:1 skills=1:10,2:50
agent 3 capacity=1:2 skills=1:60,2:50
"""


def commands(order: str, line: int) -> Iterator[tuple[int, cmd.Command]]:
    """Yield what makes a line of contacts of two queues, a few of whom are served, or abandon."""
    yield 0, cmd.Configure(parse_config([f"routing order={order} miss_limit=0", *CONFIG.split("\n")[1:-1]]))
    for agent in (1, 2, 3):
        yield 0, cmd.SignIn(agent, True, None)
    for number in range(1, line + 1):
        at = number * 150_000
        head_start_us = 4_000_000 * (number % 5 == 0)
        yield at, cmd.Arrive(1, number.to_bytes(16), 1 + number % 3 // 2, head_start_us, 1, ())
        if number % 11 == 0:
            yield at, cmd.Abandon(1, number - 5)


@pytest.mark.slow  # a thousand contacts, each looked at with all others
@pytest.mark.parametrize("order", ["longest", "agent_level"])
def test_long_lines_are_estimated_alike(order: str) -> None:
    oracle, router = OracleExecutor(), RouterExecutor()
    for at, command in commands(order, 1_000):
        expected, got = oracle.apply(at, command), router.apply(at, command)
        assert expected == got
    assert oracle.state_hash() == router.state_hash()
    seen = {number: oracle.estimate(number) for number in range(1, 1_001, 23)}
    assert seen == {number: router.estimate(number) for number in seen}
    told = [estimate for estimate in seen.values() if estimate is not None]
    assert max(estimate[1] for estimate in told) > 512, "lines that are summed in blocks"


def test_a_long_line_is_summed_closely() -> None:
    for ahead, agents, leaving in ((700, 12.0, 0.1), (5_000, 3.0, 0.7), (100_000, 250.0, 0.02)):
        exact = sum(180e6 / (agents + i * leaving) for i in range(ahead + 1))
        got = line_time(ahead, int(agents * ONE), 180_000_000, int(leaving * ONE))
        assert got == pytest.approx(exact, rel=2e-4)


def test_the_edges_of_the_buckets_are_eighths_of_octaves() -> None:
    assert EDGES[0] == 0
    assert EDGES[32] == ONE
    assert EDGES[64] == 16 * ONE
    assert all(edge == pytest.approx(2 ** ((b - 32) / 8) * ONE) for b, edge in enumerate(EDGES) if b)
