"""Rewrite what the scenarios expect: by the router if it is built, else by the oracle.

`python -m tests.rewrite_scenarios [--oracle] [--check] [NAME...]`; a diff is committed only when it is
understood, because the text is the specification.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from tests.oracle.oracle_executor import OracleExecutor
from tests.scenario_text import Executor, Player, parse, render

FOLDER = Path(__file__).parent / "scenarios"


def rewritten(text: str, executor: Executor) -> str:
    """Return a scenario's text with what the executor answers."""
    player = Player(executor)
    return render([player.play(block) for block in parse(text)])


def chosen_executor() -> Callable[[], Executor]:
    """Return the router, or the oracle where the extension is not built."""
    if find_spec("engine._router") is None:
        return OracleExecutor
    from tests.oracle.router_executor import RouterExecutor

    return RouterExecutor


def main() -> int:
    """Rewrite the named scenarios, or all; return 1 if `--check` finds a difference."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("names", nargs="*", help="scenarios without .txt; all if none")
    options.add_argument("--oracle", action="store_true", help="by the oracle in any case")
    options.add_argument("--check", action="store_true", help="write nothing, name what differs")
    given = options.parse_args()
    executor = OracleExecutor if given.oracle else chosen_executor()
    paths = [FOLDER / f"{name}.txt" for name in given.names] or sorted(FOLDER.glob("*.txt"))
    changed = []
    for path in paths:
        old = path.read_text("utf-8")
        try:
            new = rewritten(old, executor())
        except ValueError as error:
            raise SystemExit(f"{path.name}: {error}") from error
        if new != old:
            changed.append(path.name)
            if not given.check:
                path.write_text(new, "utf-8")
    by = "the oracle" if executor is OracleExecutor else "the router"
    sys.stdout.write(f"{len(paths)} scenarios by {by}, {len(changed)} changed: {' '.join(changed)}\n")
    return 1 if given.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
