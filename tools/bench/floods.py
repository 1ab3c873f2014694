"""Full lifecycles over real sockets, the journal on: `paidui flood thousand` at several rates."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.bench import flow
from tools.bench.table import show, title

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT_UP = 0.97
LATE_MS = 100.0
LONGEST_S = 120
RATE = 2_000
STEPS = (0.25, 0.75, 1.25, 1.5, 2.0)

METHOD = """\
1,000 agents kept 93 % busy, surges of 1.3 times every five seconds, open loop, this program on the same
processors as the site. A lifecycle is arrival → offer → acceptance → engaged → end → wrap-up, each step
durable before it is told. "kept up" = no contact lost or doubled, at least 97 % as many lifecycles
completed as contacts arrived (surges and the last talks reach over the end), this program not late
itself (p99 below 100 ms)."""


def run(quick: bool, rate: float = RATE, seconds: float = 15) -> None:
    """Prints the floods at the rate, at half of it, and at a few steps between."""
    title("full lifecycles over sockets, journal on: paidui flood thousand")
    print(METHOD, flush=True)
    if quick:
        seconds = min(seconds, 5)
    shares = (0.5,) if quick else (1.0, 0.5, *STEPS)
    results = []
    for share in shares:
        short = share not in (1.0, 0.5)
        results.append((share * rate, flood(share * rate, 6 if short else seconds, 5)))
    show(HEADING, [_row(at, result) for at, result in sorted(results, key=lambda pair: pair[0])])
    kept = [at for at, result in results if result is not None and kept_up(result)]
    print(f"highest rate kept up with among these: {f'{max(kept):,.0f}/s' if kept else 'none'}", flush=True)


def flood(rate: float, seconds: float, warm_up: float) -> dict[str, Any] | None:
    """Runs one flood; `None` when it gave no report."""
    command = [sys.executable, "-m", "engine", "flood", "thousand", "--json", "--rate", f"{rate:g}"]
    command += ["--duration", f"{seconds:g}", "--warmup", f"{warm_up:g}"]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LONGEST_S
        )
        report = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError) as fault:
        print(f"flood at {rate:g}/s gave no report: {type(fault).__name__}", flush=True)
        return None
    assert isinstance(report, dict)
    report["load"] = flow.load()
    return report


def kept_up(report: Mapping[str, Any]) -> bool:
    """Whether contacts were finished about as fast as they came, and nothing was lost."""
    results = report["results"]
    late = results["latency"]["late"]["p99_ms"] or 0
    return (
        bool(report["sound"])
        and results["lifecycles_per_s"] >= KEPT_UP * results["arrivals_per_s"]
        and late < LATE_MS
    )


HEADING = (
    "asked", "arrivals/s", "lifecycles/s", "freed → offer p50 / p99 ms", "idle → offer p50 / p99 ms",
    "ack p99 ms", "left", "client late p99 ms", "fsync p50 / p99 ms", "sound", "kept up", "load",
)  # fmt: skip


def _row(rate: float, report: Mapping[str, Any] | None) -> list[object]:
    if report is None:
        return [f"{rate:g}/s", *["–"] * (len(HEADING) - 1)]
    results = report["results"]
    latency, fsync = results["latency"], report["fsync"]

    def both(figures: Mapping[str, Any]) -> str:
        return f"{figures['p50_ms']} / {figures['p99_ms']}"

    return [
        f"{rate:g}/s",
        results["arrivals_per_s"],
        results["lifecycles_per_s"],
        both(latency["freed_offer"]),
        both(latency["arrival_offer_idle"]),
        latency["ack"]["p99_ms"],
        f"{results['service']['abandoned_share'] or 0:.1%}",
        latency["late"]["p99_ms"],
        both(fsync),
        "yes" if report["sound"] else "NO",
        "yes" if kept_up(report) else "no",
        report["load"],
    ]
