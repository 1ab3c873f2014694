"""The core alone: commands in, events out, at four populations."""

from __future__ import annotations

import subprocess
from typing import Any

from tools.bench import flow
from tools.bench.table import ns, rate, show, title

# agents, waiting, signatures, inputs
POPULATIONS = (
    (1_000, 1_000, 200, 500_000),
    (10_000, 100_000, 200, 300_000),
    (100_000, 1_000_000, 200, 300_000),
    (100_000, 1_000_000, 5_000, 300_000),
)
QUICK = ((1_000, 1_000, 200, 100_000), (10_000, 100_000, 200, 100_000))
REPLAYS, QUICK_REPLAYS = 5, 2

METHOD = """\
An input is a command or a deadline that fires: what one call of the router works off. Chats (2 or 3 at
a time) and calls, 4 % of offers declined and 4 % left to expire, transfers, breaks, wrap-up. The same
recorded inputs are replayed into a router filled anew each time; "least" is each input's least cost
over the replays, less one reading of the clock; "raw" is the slowest replay as it was; "plain run" is a
replay without a clock in it, as a mean."""


def run(quick: bool) -> None:
    """Prints the core's figures."""
    title("the core: every input of a whole floor")
    print(METHOD, flush=True)
    results = []
    for size in QUICK if quick else POPULATIONS:
        try:
            results += flow.run("core", *size, QUICK_REPLAYS if quick else REPLAYS)
        except subprocess.TimeoutExpired:
            print(f"not measured, the time is over: {size[0]:,} / {size[1]:,} / {size[2]:,}", flush=True)
    names = [f"{r['agents']:,} / {r['waiting']:,} / {r['signatures']:,}" for r in results]
    heading = ["agents / waiting / signatures", *names]
    show(heading, [[what, *map(say, results)] for what, say in FIGURES.items()])
    title("the core: least mean cost by kind of input (share of inputs)")
    kinds = sorted({kind for r in results for kind in r["by_kind"]} - {"other"})
    show(["input", *names], [[kind, *(_kind(r, kind) for r in results)] for kind in kinds])


def _spread(figures: dict[str, float]) -> str:
    return " / ".join(ns(figures[name]) for name in ("p50", "p99", "p999", "max"))


def _kind(result: dict[str, Any], kind: str) -> str:
    count, mean = result["by_kind"].get(kind, (0, 0.0))
    return f"{ns(mean)} ({count / result['inputs']:.1%})" if count else "–"


def _worst(result: dict[str, Any]) -> str:
    return ", ".join(f"{kind} {ns(cost)}" for kind, cost in result["worst"][:3])


FIGURES = {
    "inputs/s, least": lambda r: rate(r["minima"]["mean"]),
    "inputs/s, plain run": lambda r: rate(r["raw_ns_per_input"]),
    "router events/s, their own cost": lambda r: rate(r["router_events"]["own"]),
    "router events/s, bearing acceptances": lambda r: rate(r["router_events"]["bearing_all"]),
    "events out/s, least": lambda r: rate(r["minima"]["mean"] * r["inputs"] / r["events"]),
    "least p50 / p99 / p99.9 / worst": lambda r: _spread(r["minima"]),
    "raw p50 / p99 / p99.9 / worst": lambda r: _spread(r["raw"]),
    "the worst, least": _worst,
    "allocations per input": lambda r: f"{r['allocations_per_input']:.2f}",
    "bytes per agent": lambda r: f"{r['bytes_per_agent']:,.0f}",
    "bytes per waiting contact": lambda r: f"{r['bytes_per_waiting']:,.0f}",
    "inputs, replays, clock": lambda r: f"{r['inputs']:,} x {r['replays']}, {r['clock_ns']:.0f} ns",
    "load average": lambda r: r["load"],
}
