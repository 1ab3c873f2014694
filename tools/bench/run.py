"""Chooses the parts and prints what they were measured on."""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from loadtest.machine import describe_machine, probe_fsync
from tools.bench import core, day, floods, growth, memory, peers, recovery, service, side_by_side
from tools.bench.table import title

PARTS = ("side", "growth", "core", "day", "flood", "service", "memory", "recovery", "peers")


def main() -> int:
    """Runs the chosen parts; 0 unless one of them failed."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=PARTS, help="one part; repeatable")
    parser.add_argument("--quick", action="store_true", help="small populations and short floods: a minute")
    parser.add_argument("--rate", type=float, default=floods.RATE, help="contacts/s of the full flood (2000)")
    parser.add_argument("--seconds", type=float, default=15, help="length of the long floods (15)")
    parser.add_argument(
        "--max-growth", type=float, metavar="PERCENT", help="fail when instructions grow more"
    )
    options = parser.parse_args()
    parts: dict[str, Callable[[bool], None]] = {
        "core": core.run,
        "day": day.run,
        "side": side_by_side.run,
        "growth": partial(growth.run, allowed=options.max_growth),
        "flood": partial(floods.run, rate=options.rate, seconds=options.seconds),
        "service": service.run,
        "memory": memory.run,
        "recovery": recovery.run,
        "peers": peers.run,
    }
    say_machine()
    begun, failed = time.monotonic(), []
    for name in options.only or PARTS:
        try:
            parts[name](options.quick)
        except subprocess.TimeoutExpired:
            print(f"{name}: the rest is not measured, its time is over", flush=True)
            failed += [name] if options.max_growth is not None else []
        except (subprocess.SubprocessError, side_by_side.Disagreement, growth.Grown, growth.Missing) as fault:
            failed.append(name)
            print(f"{name} FAILED: {fault}", flush=True)
    print(f"\n{time.monotonic() - begun:.0f} s in all{f'; failed: {failed}' if failed else ''}", flush=True)
    return 1 if failed else 0


def say_machine() -> None:
    """Prints the machine, how busy it is, and what an fsync costs there."""
    title("measured on")
    machine = describe_machine()
    print(
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_mib']} MiB, {machine['system']},"
        f" Python {machine['python']}, load average {machine['load_average']}"
    )
    with tempfile.TemporaryDirectory(prefix="paidui-bench-") as folder:
        fsync = probe_fsync(Path(folder))
    print(f"fsync of 4 KiB: p50 {fsync['p50_ms']} ms, p99 {fsync['p99_ms']} ms, longest {fsync['max_ms']} ms")
    print(
        "Load averages are those at a measurement's end; on shared processors trust least costs and counts."
    )
