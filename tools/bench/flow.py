"""Builds and runs the core's own benchmark, `crates/router_core/benches/flow`."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
# The core's parts end by then, so that the floods fit into twelve minutes as well.
WHOLE_RUN_S = 540
BEGUN = time.monotonic()


@cache
def binary() -> str:
    """Builds the benchmark and returns where it is."""
    command = [
        "cargo",
        "bench",
        "-q",
        "--locked",
        "-p",
        "router_core",
        "--no-run",
        "--message-format",
        "json",
    ]
    built = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in built.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "flow":
            return str(message["executable"])
    raise RuntimeError("cargo names no benchmark called flow; see crates/router_core/Cargo.toml")


def run(*words: object, prefix: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Runs the benchmark with these words and returns what it measured.

    Raises:
        subprocess.SubprocessError: it failed (a replay ended in another state), or took too long.
    """
    command = [*prefix, binary(), *map(str, words)]
    quiet = subprocess.DEVNULL if prefix else None
    done = subprocess.run(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=quiet,
        text=True,
        check=True,
        timeout=max(1.0, WHOLE_RUN_S - (time.monotonic() - BEGUN)),
    )
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def load() -> str:
    """Returns the load average of the last minute."""
    return f"{os.getloadavg()[0]:.2f}"
