"""One trace for the core, its matcher, a naive twin, plain Python, SQLite; who decides otherwise fails."""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol

from tools.bench import flow
from tools.bench.plain import Plain
from tools.bench.plain_whole import Whole
from tools.bench.sql import Sql
from tools.bench.table import ns, rate, show, title
from tools.bench.trace import Decision, Step, Trace, read

SIZE = (1_000, 1_000, 200)
INPUTS, QUICK_INPUTS = 100_000, 20_000


class Disagreement(Exception):
    """Somebody decided otherwise than the core."""


class Distributor(Protocol):
    """What can answer a trace."""

    def step(self, step: Step) -> Decision:
        """Works one input off and returns who got whom."""
        ...


def run(quick: bool) -> None:
    """Prints who needs how long, by the least cost of each input."""
    title("side by side: 1,000 agents, 1,000 waiting, 200 signatures, longest idle, first come first served")
    inputs = QUICK_INPUTS if quick else INPUTS
    with tempfile.TemporaryDirectory(prefix="paidui-bench-") as folder:
        file = Path(folder) / "trace.txt"
        native = flow.run("side-by-side", *SIZE, inputs, file)
        trace = read(file)
    bases = [each["minima"]["mean"] for each in native if each["who"] in ("core", "matcher")]
    rows: list[list[object]] = [
        _row(NAMES[each["who"]], bases, each["minima"], each["inputs"], 5, each["load"]) for each in native
    ]
    others: list[tuple[str, Callable[[], Distributor], bool, int, int]] = [
        ("plain Python, a heap per queue", lambda: Plain(trace), False, inputs, 5),
        ("the same with the core's bookkeeping", lambda: Whole(trace), False, inputs, 5),
        (f"SQLite {sqlite3.sqlite_version}, indexed", lambda: Sql(trace), False, min(inputs, 10_000), 3),
        ("SQLite, as mod_callcenter has it: no index", lambda: Sql(trace), True, 2_000, 2),
    ]
    for name, make, bare, count, replays in others:
        costs = replay(trace, make, bare=bare, inputs=count, replays=replays)
        rows.append(_row(name, bases, costs, count, replays, flow.load()))
    show(HEADING, rows)
    print(f"decisions: all of them equal to the core's ({_decided(trace)} offers in the trace)", flush=True)
    print(
        "The core here is all of it: offers, timers, events, recognition of repeats, state hash. The others"
        " keep little more than a decision needs, but for the one that says so. The matcher alone is the"
        " core's classes, pools and lines without any of that.",
        flush=True,
    )


HEADING = (
    "who", "inputs/s", "mean", "p50", "p99", "worst", "core is", "matcher is", "inputs x replays", "load",
)  # fmt: skip
NAMES = {
    "core": "the core, whole",
    "matcher": "the core's matcher alone",
    "naive": "naive twin in Rust, scanning",
}


def replay(
    trace: Trace, make: Callable[[], Distributor], *, bare: bool, inputs: int, replays: int
) -> dict[str, float]:
    """Replays the trace and returns figures over the least cost of each input, in ns.

    Raises:
        Disagreement: a decision differs from the core's.
    """
    least: list[int] = []
    for _ in range(replays):
        distributor = make()
        for step in islice(trace.steps, trace.measured_from):
            distributor.step(step)
        if bare and isinstance(distributor, Sql):
            distributor.drop_indexes()
        costs = _measured(trace, distributor, inputs)
        least = costs if not least else list(map(min, least, costs))
    clock = clock_ns()
    ordered = sorted(max(0, cost - clock) for cost in least)
    last = len(ordered) - 1
    return {
        "mean": statistics.fmean(ordered),
        "p50": ordered[last // 2],
        "p99": ordered[int(last * 0.99)],
        "max": ordered[last],
    }


def _measured(trace: Trace, distributor: Distributor, inputs: int) -> list[int]:
    clock, step, costs = time.perf_counter_ns, distributor.step, []
    begin, end = trace.measured_from, trace.measured_from + inputs
    pairs = zip(islice(trace.steps, begin, end), islice(trace.decisions, begin, end), strict=True)
    for number, (each, expected) in enumerate(pairs):
        begun = clock()
        decision = step(each)
        costs.append(clock() - begun)
        if decision != expected:
            raise Disagreement(f"{type(distributor).__name__}, input {number}: {decision}, not {expected}")
    return costs


def clock_ns() -> int:
    """What reading the clock costs, as the median of many."""
    clock = time.perf_counter_ns
    return int(statistics.median(-(clock() - clock()) for _ in range(10_000)))


def _row(
    name: str, bases: Sequence[float], figures: dict[str, float], inputs: int, replays: int, load: str
) -> list[object]:
    mean = figures["mean"]
    spread = [ns(figures[part]) for part in ("mean", "p50", "p99", "max")]
    ratios = [_compared(mean, base) for base in bases]
    return [name, rate(mean), *spread, *ratios, f"{inputs:,} x {replays}", load]


def _compared(mean: float, base: float) -> str:
    if mean == base:
        return "1"
    return f"{mean / base:.1f} x faster" if mean > base else f"{base / mean:.1f} x slower"


def _decided(trace: Trace) -> str:
    return f"{sum(contact != 0 for _, contact in trace.decisions):,}"
