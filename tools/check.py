"""Run every check there is, the test runner last so that its summary closes the output.

`--only lint` and `--only torture` run a part. With PAIDUI_INSTALL=1 what is missing on the system
(Debian's Chromium, PostgreSQL and valgrind) is installed; with STRICT=1 a skipped check is a failure.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
WEB = ROOT / "console" / "web"
PYTHON = str(BIN / "python")


@dataclass(frozen=True)
class Check:
    """One command that must exit 0."""

    name: str
    command: tuple[str, ...]
    folder: Path = ROOT
    settings: tuple[tuple[str, str], ...] = ()
    """Environment variables of its own."""


LINT = (
    Check("Python format", (str(BIN / "ruff"), "format", "--check", "-q", ".")),
    Check("Python lint", (str(BIN / "ruff"), "check", "-q", ".")),
    Check("Python types", (str(BIN / "mypy"), "--no-error-summary")),
    Check("extension stub", (PYTHON, "-m", "mypy.stubtest", "engine._router", "--concise")),
    Check("import contracts", (str(BIN / "lint-imports"), "--no-cache")),
    Check("Rust format", ("cargo", "fmt", "--all", "--check")),
    Check(
        "Rust lint",
        ("cargo", "clippy", "-q", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"),
    ),
    Check("console types", ("npx", "--no-install", "vue-tsc", "--noEmit"), WEB),
)
TESTS = (
    Check("Rust tests", ("cargo", "test", "-q", "--release", "--locked")),
    Check("console tests", ("npx", "--no-install", "vitest", "run", "--reporter=dot"), WEB),
)
# Neighbours do not change them. What is allowed only ever goes down; docs/benchmarks.md has the target.
GROWTH = Check(
    "instructions per input as the floor grows",
    (PYTHON, "tools/bench.py", "--only", "growth", "--quick", "--max-growth", "8.5"),
)
ALONE = Check("Python tests that measure", (PYTHON, "-m", "pytest", "-q", "-m", "alone and not torture"))
# A file's tests stay together: they share what is expensive to start, a site and a browser.
PYTEST = Check(
    "Python tests",
    (
        *(PYTHON, "-m", "pytest", "-q", "-m", "not alone and not torture"),
        *("-n", "logical", "--maxprocesses", "4", "--dist", "loadfile", "--no-loadscope-reorder"),
    ),
)
TORTURE = Check("torture", (PYTHON, "-m", "pytest", "-q", "-m", "torture or not torture"))
STORMS = Check("Rust tests, every assertion on", ("cargo", "test", "-q", "--profile", "torture", "--locked"))
# Not with every assertion on: many millions of contacts are played, and the storms have the assertions.
TRUTHS = Check(
    "queueing theory, whole",
    (
        "cargo",
        "test",
        "-q",
        "--release",
        "--locked",
        "-p",
        "router_sim",
        "--test",
        "truths",
        "--",
        "--nocapture",
    ),
    settings=(("TRUTHS", "long"),),
)
PROGRAMS = {
    "chromium": ("chromium", "fonts-noto-cjk"),
    "initdb": ("postgresql",),
    "valgrind": ("valgrind",),
}
"""What is not from a language's registry, and Debian's packages of it."""
TORTURE_SIZES = {
    "AGREEMENT_COMMANDS": "1000000",
    "CUTS": "1000",
    "FLOOD_KILLS": "200",
    "FUZZED_FRAMES": "500000",
    "KILLS": "200",
    "SIMULATION_SEEDS": "300",
    "STORM_SEEDS": "200",
    "STORM_STEPS": "50000",
}


def main() -> int:
    """Run the chosen checks; 0 only when each of them passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("lint", "torture"), help="run a part")
    parser.add_argument("pytest", nargs="*", help="arguments for pytest, after --")
    options = parser.parse_args()
    if options.only == "lint":
        return report([check for check in LINT if not passed(check)])
    bring_programs()
    if options.only == "torture":
        os.environ.update({key: os.environ.get(key, value) for key, value in TORTURE_SIZES.items()})
        return report([check for check in (STORMS, TRUTHS, TORTURE) if not passed(check)])
    tests: tuple[Check, ...] = (ALONE, PYTEST)
    if options.pytest:
        tests = (Check("Python tests", (PYTHON, "-m", "pytest", "-q", *options.pytest)),)
    return report([check for check in (*LINT, *TESTS, GROWTH, *tests) if not passed(check)])


def passed(check: Check) -> bool:
    """Run one check with its output shown; say how long it took."""
    print(f"-- {check.name}", flush=True)
    started = time.monotonic()
    done = subprocess.run(
        check.command, cwd=check.folder, env={**os.environ, **dict(check.settings)}, check=False
    )
    word = "ok" if done.returncode == 0 else "FAILED"
    if "pytest" not in check.command or word == "FAILED":
        print(f"   {word} in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return done.returncode == 0


def report(failed: list[Check]) -> int:
    """Name what failed."""
    if failed:
        print(f"failed: {', '.join(check.name for check in failed)}", file=sys.stderr)
    return 1 if failed else 0


def is_there(program: str) -> bool:
    """Whether a program is installed; Debian keeps PostgreSQL's server out of the path."""
    return shutil.which(program) is not None or any(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))


def bring_programs() -> None:
    """Install Debian's Chromium, PostgreSQL and valgrind where allowed; otherwise say the line that does."""
    packages = [name for program, names in PROGRAMS.items() if not is_there(program) for name in names]
    if not packages:
        return
    line = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    if os.environ.get("PAIDUI_INSTALL") == "1":
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        subprocess.run(line, env=quiet, stdout=subprocess.DEVNULL, check=False)
    else:
        print(
            "paidui: tests in a browser, on PostgreSQL or with counted instructions are skipped; for them: "
            f"`{' '.join(line)}`, or PAIDUI_INSTALL=1 make test"
        )


if __name__ == "__main__":
    raise SystemExit(main())
