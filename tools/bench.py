"""The figures of docs/benchmarks.md, in one run: the core alone, then full lifecycles over sockets.

Nothing here asserts: figures depend on the machine and its neighbours, whose load is printed beside them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Run the benchmarks one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rate", type=float, default=2_000, help="contacts/s of the full flood (default: 2000)"
    )
    parser.add_argument("--seconds", type=float, default=20, help="length of each flood (default: 20)")
    options = parser.parse_args()
    flood = [sys.executable, "-m", "engine", "flood", "thousand", "--duration", str(options.seconds)]
    runs = [
        ["cargo", "bench", "-q", "--locked", "-p", "router_core"],
        [*flood, "--rate", str(options.rate)],
        [*flood, "--rate", str(options.rate / 2)],
    ]
    codes = []
    for command in runs:
        print(f"\n== {' '.join(command).replace(sys.executable, 'python')}", flush=True)
        codes.append(subprocess.run(command, cwd=ROOT, check=False).returncode)
    return max(codes)


if __name__ == "__main__":
    raise SystemExit(main())
