"""Where the engine's processor time goes: a site with stop-watches, at half of its saturation."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from loadtest.scenario import Scenario
from loadtest.spawn import SpawnedSite, spawned_site
from tools.bench.staged_serve import JOURNAL, NAMES, OUTPUT
from tools.bench.table import show

US = 1_000_000
Tick = Callable[[int], None]
MODULE = ("tools.bench.staged_serve", "serve")


class Stages:
    """What the watches of one site said."""

    def __init__(self, said: Mapping[str, Mapping[str, int]], cpu_ns: int) -> None:
        self._spent_ns, self._counts, self._cpu_ns = said["spent_ns"], said["counts"], cpu_ns

    def print(self, lives: int) -> None:
        """Prints them as a table; `lives` is how many lifecycles there were in all."""
        batches = self._counts[JOURNAL]
        spent = {name: self._spent_ns.get(name, 0) for name in NAMES}
        spent["the rest: trio's loop, waking, Python between the stages"] = self._cpu_ns - sum(spent.values())
        show(
            ("stage", "us of processor per life", "share", "times a batch"),
            [
                (
                    name,
                    f"{ns / lives / 1e3:.1f}",
                    f"{ns / self._cpu_ns:.0%}",
                    f"{self._counts[name] / batches:.1f}" if name in self._counts else "–",
                )
                for name, ns in spent.items()
            ],
        )
        commit, wait = (self._spent_ns[f"{what} by the clock"] / batches / 1e6 for what in ("commit", "wait"))
        print(
            f"{batches:,} batches, {lives / batches:.1f} lives each; by the clock a commit took {commit:.2f}"
            f" ms in its thread, and the service waited {wait:.2f} ms for it after what it did meanwhile",
            flush=True,
        )


def measure(scenario: Scenario, play: Callable[[SpawnedSite, Tick], int]) -> None:
    """Lets `play` flood a site with stop-watches, and prints them; it returns the lives of the window."""
    with tempfile.TemporaryDirectory(prefix="paidui-bench-") as folder:
        output = Path(folder) / "stages.json"
        os.environ[OUTPUT] = str(output)
        with spawned_site(scenario, None, MODULE) as site:
            marks = [int(scenario.warmup_s * US), int((scenario.warmup_s + scenario.duration_s) * US)]

            def tick(at_us: int) -> None:
                if marks and at_us >= marks[0]:
                    marks.pop(0)
                    site.process.send_signal(signal.SIGUSR2)

            lives = play(site, tick)
        said = json.loads(output.read_text("utf-8"))
    Stages(said, said["cpu_ns"]).print(lives)
