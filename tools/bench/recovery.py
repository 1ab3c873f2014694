"""How long a start takes, what a roll costs an append, and what a hundred thousand waiting contacts weigh."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from engine.config import load_site
from engine.config_compile import compile_config
from engine.journal import NO_EVENTS_HASH, Limits, SqliteJournal, events_hash
from engine.journal.making import WRITER_PRAGMAS
from engine.journal.snapshots import SnapshotFolder
from engine.keeper import Keeper, Plan
from engine.model import Abandon, Arrive, Configure, Restarted, encode_frame
from engine.names import Names
from engine.replay import Replay
from tools.bench.table import show, title

WAITING = 10_000
COMMANDS = 200_000
BATCHES_OF = (1, 10, 100)
SITE = """
[site]
name = "recovered"
[web]
bind = "127.0.0.1:0"
[gateway]
bind = "127.0.0.1:0"
[stats]
bind = "127.0.0.1:0"
[channels.line]
plugin = "socket"
[queues.all]
[agents.ann]
capacity = { line = 1 }
"""


STATE_BACK = """
import time
from engine.bus import Bus
from engine.journal import SqliteJournal
from engine.replay import replay
begun = time.perf_counter()
journal = SqliteJournal(folder, "recovered")
replay(journal, Bus())
print(time.perf_counter() - begun)
"""


class Filler:
    """Writes a journal as the service would, without waiting for the disk."""

    def __init__(self, folder: Path) -> None:
        (folder / "site.toml").write_text(SITE)
        self.site = load_site(folder / "site.toml")
        self.folder = self.site.data / "journal"
        WRITER_PRAGMAS["synchronous"] = ("off", 0)
        self.journal = SqliteJournal(self.folder, "recovered", Limits())
        WRITER_PRAGMAS["synchronous"] = ("full", 2)
        self.replay = Replay()
        self.router = self.replay.router
        self._events_hash = NO_EVENTS_HASH
        self._at_us = time.time_ns() // 1_000 - 86_400_000_000
        self._arrivals = 0
        self._oldest = 0
        config, _ = compile_config(self.site, Names.decode(b""))
        self.commit([encode_frame(Restarted()), encode_frame(Configure(config=config))])

    def commit(self, frames: list[bytes]) -> None:
        """Append one batch and apply it."""
        self._at_us += 1_000
        whole = b"".join(frames)
        seq = self.journal.last().seq + 1
        state = self.router.state_hash() if seq % 1_000 == 0 else None
        self.journal.append(self._at_us, len(frames), whole, self._events_hash, state)
        batch = self.router.apply_batch(seq, self._at_us, [(0, 0, whole)])
        self._events_hash = events_hash(batch.events)

    def arrival(self) -> bytes:
        """One more contact."""
        self._arrivals += 1
        return encode_frame(Arrive(channel=1, key=self._arrivals.to_bytes(16, "big"), queue=1))

    def departure(self) -> bytes:
        """The one that came first leaves."""
        self._oldest += 1
        return encode_frame(Abandon(contact=self._oldest, channel=1))

    def fill(self, commands: int, in_a_batch: int, one: Callable[[int], bytes]) -> None:
        """Commit so many commands."""
        for begin in range(0, commands, in_a_batch):
            self.commit([one(number) for number in range(begin, begin + in_a_batch)])


def run(quick: bool) -> None:
    """Prints the tables."""
    starts(5 if quick else 20)
    rolls(2_000 if quick else 20_000)
    weights()


def starts(times: int) -> None:
    """From the start of `paidui serve` until it says that it is open; of it, until the state is back."""
    title(f"start with {WAITING:,} waiting and {COMMANDS:,} commands behind the snapshot, s")
    rows = []
    for in_a_batch in BATCHES_OF:
        with tempfile.TemporaryDirectory(prefix="paidui-recovery-") as temporary:
            folder = Path(temporary)
            snapshot_ms, snapshot_bytes = prepare(folder, in_a_batch)
            kept = folder / "kept"
            shutil.copytree(folder / "data", kept)
            took, back = [], []
            for _ in range(times):
                shutil.rmtree(folder / "data")
                shutil.copytree(kept, folder / "data")
                back.append(float(in_a_process(folder / "data" / "journal", STATE_BACK)[0]))
                shutil.rmtree(folder / "data")
                shutil.copytree(kept, folder / "data")
                took.append(start_s(folder / "site.toml"))
            empty = []
            shutil.rmtree(folder / "data")
            for _ in range(times):
                shutil.rmtree(folder / "data", ignore_errors=True)
                empty.append(start_s(folder / "site.toml"))
        took.sort()
        rows.append(
            [
                in_a_batch,
                COMMANDS // in_a_batch,
                f"{statistics.median(took):.2f}",
                f"{took[-1 if times < 100 else int(times * 0.99)]:.2f}",
                f"{statistics.median(back):.2f}",
                f"{statistics.median(empty):.2f}",
                f"{snapshot_bytes / 1e6:.1f}",
                f"{snapshot_ms:.0f}",
            ]
        )
    heading = ["commands in a batch", "rows", "p50", "p99", "state back", "an empty site", "MB", "written ms"]
    show(heading, rows)
    print(f"{times} starts each, killed between; load average {os.getloadavg()[0]:.1f}")


def prepare(folder: Path, in_a_batch: int) -> tuple[float, int]:
    """Write the journal and its one snapshot, `COMMANDS` before its end."""
    filler = Filler(folder)
    filler.fill(WAITING, 100, lambda number: filler.arrival())
    with closing(Keeper(filler.folder, Plan(100, 400, 1 << 40))) as keeper:
        begun = time.perf_counter()
        keeper.write_snapshot()
        took_ms = (time.perf_counter() - begun) * 1_000
    (found,) = SnapshotFolder(filler.folder).found()
    filler.fill(COMMANDS, in_a_batch, lambda number: filler.departure() if number % 2 else filler.arrival())
    filler.journal.close()
    return took_ms, found.path.stat().st_size


def start_s(config: Path) -> float:
    """Start a site, kill it as soon as it is open, return how long that took."""
    command = [sys.executable, "-m", "engine", "serve", "--config", str(config), "--quiet", "--child"]
    begun = time.perf_counter()
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nothing, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        took = time.perf_counter() - begun
        process.kill()
        process.stdout.read()  # until its parts have ended, too
    if "is open" not in line:
        raise subprocess.SubprocessError(f"the site did not open: {line!r}")
    return took


def rolls(appends: int) -> None:
    """The longest appends around a roll, beside the longest of all others."""
    title(f"appends of 300 bytes around a roll, ms, {appends:,} of them, synced")
    with tempfile.TemporaryDirectory(prefix="paidui-rolls-") as temporary:
        limits = Limits(segment_batches=appends // 20)
        with closing(SqliteJournal(Path(temporary) / "journal", "rolled", limits)) as journal:
            near, far = timed(journal, appends)
    show(
        ["", "appends", "p50", "p99", "longest"],
        [["within 20 of a roll", *_figures(near)], ["all others", *_figures(far)]],
    )


def timed(journal: SqliteJournal, appends: int) -> tuple[list[float], list[float]]:
    """Append and maintain as the writer's thread does; return what took how long near a roll, and else."""
    took, rolled, number = [], [], 1
    for at in range(appends):
        begun = time.perf_counter()
        journal.append(at, 1, bytes(300), NO_EVENTS_HASH)
        journal.maintain()
        took.append((time.perf_counter() - begun) * 1_000)
        if journal._segment.header.number != number:
            number = journal._segment.header.number
            rolled.append(at)
    near = {at + step for at in rolled for step in range(-20, 21)}
    return [one for at, one in enumerate(took) if at in near], [
        one for at, one in enumerate(took) if at not in near
    ]


def _figures(took: list[float]) -> list[str]:
    took = sorted(took) or [0.0]
    picked = took[len(took) // 2], took[int(len(took) * 0.99)], took[-1]
    return [str(len(took)), *(f"{one:.2f}" for one in picked)]


def weights(waiting: int = 100_000) -> None:
    """What so many waiting contacts add to a process that has a router, and to one that writes a snapshot."""
    title(f"memory of {waiting:,} waiting contacts, MB")
    with tempfile.TemporaryDirectory(prefix="paidui-weights-") as temporary:
        filler = Filler(Path(temporary))
        filler.fill(waiting, 100, lambda number: filler.arrival())
        filler.journal.close()
        follower = in_a_process(
            filler.folder,
            "from engine.follower import Follower\none = Follower(folder)\nfor _ in one.poll(): pass",
        )
        keeper = in_a_process(
            filler.folder,
            "from engine.keeper import Keeper, Plan\n"
            "one = Keeper(folder, Plan(100, 400, 1 << 40)); one.write_snapshot()",
        )
    rows = [["core, or statistics' router", *follower], ["keeper", *keeper]]
    show(["process", "at its most", "afterwards"], rows)


def in_a_process(folder: Path, code: str) -> list[str]:
    """Run code in a process of its own; what it took more than before, at its most and afterwards."""
    whole = (
        "import resource, sys\nfrom pathlib import Path\n"
        "import engine.follower, engine.keeper, structlog, logging\n"
        "structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))\n"
        "now = lambda: int(open('/proc/self/statm').read().split()[1]) * 4096 / 1e6\n"
        "folder, before = Path(sys.argv[1]), now()\n" + code + "\n"
        "most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6\n"
        "print(f'{most - before:.0f} {now() - before:.0f}')\n"
    )
    command = [sys.executable, "-c", whole, str(folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
