"""Instructions per input, counted by callgrind: the one figure that neighbours do not change."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.bench import flow
from tools.bench.table import show, title

INPUTS = 20_000
POPULATIONS = (
    (1_000, 1_000, 200),
    (10_000, 100_000, 200),
    (100_000, 1_000_000, 200),
    (100_000, 1_000_000, 5_000),
)
TOP = 10
MISSING = "valgrind is missing (Debian: apt-get install valgrind)"


@dataclass(frozen=True)
class Counted:
    """What callgrind counted at one population."""

    per_input: float
    top: list[tuple[str, float]]


class Missing(Exception):
    """It cannot be measured here."""


class Grown(Exception):
    """A larger floor costs more instructions per input than was allowed."""


def run(quick: bool, allowed: float | None = None) -> None:
    """Prints instructions per input, their growth, and where they are spent.

    Raises:
        Grown: with as many signatures as the first population, a later one grew beyond `allowed` percent.
        Missing: there is no valgrind, and STRICT=1 allows no skipped check.
    """
    title("instructions per input (callgrind), and how they grow with the floor")
    if shutil.which("valgrind") is None:
        if os.environ.get("STRICT") == "1":
            raise Missing(MISSING)
        print(f"not measured: {MISSING}", flush=True)
        return
    sizes = POPULATIONS[:2] if quick else POPULATIONS
    results = [count(*size) for size in sizes]
    first = results[0].per_input
    rows = [
        [
            f"{agents:,} / {waiting:,} / {signatures:,}",
            f"{each.per_input:,.0f}",
            f"{each.per_input / first - 1:+.0%}",
        ]
        for (agents, waiting, signatures), each in zip(sizes, results, strict=True)
    ]
    show(["agents / waiting / signatures", "instructions per input", "growth"], rows)
    grown = max(
        each.per_input / first - 1
        for size, each in zip(sizes, results, strict=True)
        if size[2] == sizes[0][2]
    )
    print(f"largest growth at {sizes[0][2]} signatures: {grown:.1%}; target 5 %", flush=True)
    title("where they go: own share of instructions, first and last but one population")
    last = results[-2] if len(results) > 2 else results[-1]
    pairs = zip(results[0].top, last.top, strict=False)
    show(
        ["at the smallest", "", "at the larger", ""],
        [[small, f"{a:.1%}", large, f"{b:.1%}"] for (small, a), (large, b) in pairs],
    )
    if allowed is not None and grown * 100 > allowed:
        raise Grown(f"{grown:.1%} more instructions per input, {allowed:g} % are allowed")


def count(agents: int, waiting: int, signatures: int, inputs: int = INPUTS) -> Counted:
    """Counts the instructions of a fixed piece of a fixed trace."""
    with tempfile.TemporaryDirectory(prefix="paidui-bench-") as folder:
        file = Path(folder) / "callgrind.out"
        prefix = ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={file}"]
        given = flow.run("instructions", agents, waiting, signatures, inputs, prefix=prefix)[0]["inputs"]
        text = subprocess.run(
            ["callgrind_annotate", "--show-percs=no", "--auto=no", "--threshold=100", str(file)],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    return read(text, given)


def read(text: str, inputs: int) -> Counted:
    """Reads the total and the own cost of each function from callgrind_annotate's report."""
    own: dict[str, int] = {}
    total = 0
    for line in text.splitlines():
        counted, _, name = line.strip().partition("  ")
        if not re.fullmatch(r"[\d,]+", counted.strip()):
            total_line = re.match(r"\s*([\d,]+)\s+PROGRAM TOTALS", line)
            total = int(total_line[1].replace(",", "")) if total_line else total
            continue
        if name.startswith("PROGRAM TOTALS"):
            total = int(counted.replace(",", ""))
            continue
        own[_short(name)] = own.get(_short(name), 0) + int(counted.replace(",", ""))
    top = sorted(own.items(), key=lambda item: -item[1])[:TOP]
    return Counted(total / inputs, [(name, cost / total) for name, cost in top])


def _short(name: str) -> str:
    """Leaves file, object, hash and the standard library's crate names out of a function's name."""
    name = re.sub(r"\[.*\]$", "", name.partition(":")[2] or name).strip()
    name = re.sub(r"::h[0-9a-f]{16}(?=\b|$)", "", name)
    name = re.sub(r"\b(router_core|alloc|core|std|collections|btree)::", "", name)
    return name if len(name) <= 70 else name[:67] + "..."
