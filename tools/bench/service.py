"""The whole service under the client in Rust: saturation, open loops below it, statistics, memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from loadtest.drive_live import Progress
from loadtest.drive_rust import Saturation, play_rust
from loadtest.errors import FloodError
from loadtest.machine import probe_fsync
from loadtest.scenario import Scenario, load_scenario
from loadtest.spawn import SpawnedSite, spawned_site
from tools.bench import flow
from tools.bench.processes import CpuClock, child_of, cpu_s, rss_mib
from tools.bench.stages import Tick, measure
from tools.bench.statistics import Statistics
from tools.bench.table import show, title

# agents, contacts that always wait
PROFILES = ((800, 960), (1_000, 1_000), (10_000, 10_000))
QUICK = ((1_000, 1_000),)
STAGES_AGENTS = 1_000
SHARES = (0.2, 0.5, 0.8)
# Of the saturation's rate: how the highest rate that an open loop keeps up with is looked for.
STEPS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.65, 0.8)
STEP_S = 4
TRIES = 2
KEPT_UP = 0.97
LATE_MS = 100.0
CONTACTS = 2_000_000
EDGES = 4
US = 1_000_000

METHOD = """\
`paidui serve` with journal (fsync) and statistics, the client in Rust on the same processors; scenario
`lifecycles`: five commands and nine events a life, over a plugin's connection and four for agents.
"saturation" = so many contacts always wait, nobody talks, each agent answers at once. "per CPU-second" =
lifecycles over the processor time (user + system, all threads) of the engine's process alone. In the open
loops talks are as long as keeps the agents 93 % busy, the rate is 1.3 times in every other second and 0.7
times in the rest; each latency begins at the moment that was planned.
An open loop costs more for each life than the saturation does, whose batches are huge, and there an agent is
taken by the way to and fro, too, three times a life: with 1,000 agents at 50,000/s a talk lasts 19 ms. Half
of the saturation's rate can therefore be more than anybody could serve. So there are shares of two rates:
"of saturation", the stricter one, which the targets are judged by; and "of the open loop", of the highest
rate among steps up to the saturation's (4 s each, the first that fails twice ends it) that was kept up with:
nothing lost or doubled, at least 97 % as many lives completed as planned, the client not late itself (p99
below 100 ms)."""


@dataclass(frozen=True)
class Run:
    """One flood and what the engine used for it."""

    results: dict[str, Any]
    engine_cpu_s: float
    load: str

    @property
    def per_s(self) -> float:
        """Lifecycles per second."""
        return float(self.results["lifecycles"] / self.results["window_s"])

    @property
    def per_cpu_s(self) -> float:
        """Lifecycles per second of the engine's processor time."""
        return float(self.results["lifecycles"] / max(self.engine_cpu_s, 0.01))


def run(quick: bool, seconds: float = 10) -> None:
    """Prints everything for each profile."""
    title("the service: contact lifecycles over sockets, journal on")
    print(METHOD, flush=True)
    for agents, waiting in QUICK if quick else PROFILES:
        try:
            saturation_per_s = _profile(agents, waiting, min(seconds, 4) if quick else seconds)
            if agents == STAGES_AGENTS:
                _stages(agents, saturation_per_s / 2, min(seconds, 4) if quick else seconds)
        except FloodError as error:
            print(f"{agents:,} agents: not measured: {error}", flush=True)


def scenario(agents: int, rate_per_s: float, seconds: float) -> Scenario:
    """The scenario at a size; the warm-up is a fifth of it."""
    whole = load_scenario("lifecycles")
    return whole.resized(agents=agents, rate_per_s=rate_per_s, duration_s=seconds, warmup_s=seconds / 5)


def play(
    site: SpawnedSite,
    played: Scenario,
    saturation: Saturation | None = None,
    tick: Tick = lambda at_us: None,
) -> Run:
    """One flood, the engine's processor time beside it."""
    clock = CpuClock(site.process.pid)

    def ticked(at_us: int) -> None:
        clock.note(at_us)
        tick(at_us)

    results = play_rust(
        played, site.address, site.tokens, edges=EDGES, watch=_quiet, saturation=saturation, tick=ticked
    )
    if not cast(dict[str, Any], results["conservation"])["holds"]:
        raise FloodError(f"contacts were lost or doubled: {results['conservation']}")
    until_us = int((played.warmup_s + played.duration_s) * US)
    return Run(results, clock.used_s(int(played.warmup_s * US), until_us), flow.load())


def _stages(agents: int, rate_per_s: float, seconds: float) -> None:
    """Prints where the time goes at a rate."""
    title(f"the service: where the engine's processor time goes at {rate_per_s:,.0f} lifecycles/s")
    played = scenario(agents, rate_per_s, seconds)
    measure(played, lambda site, tick: int(play(site, played, tick=tick).results["lifecycles"]))


def _quiet(progress: Progress) -> None:
    pass


def _profile(agents: int, waiting: int, seconds: float) -> float:
    """Prints one profile; returns its lifecycles per second at saturation."""
    print(f"\n{agents:,} agents, {waiting:,} contacts waiting", flush=True)
    # The rate only has to be one that the scenario can be made for.
    basis = scenario(agents, agents, seconds)
    with spawned_site(basis, None) as site:
        statistics = Statistics(site)
        fsync = probe_fsync(site.folder)
        print(f"fsync of 4 KiB: p50 {fsync['p50_ms']} ms, p99 {fsync['p99_ms']} ms", flush=True)
        statistics.catch_up(0)  # they start after the gateway
        follower = child_of(site.process.pid, "stats")
        used_s = cpu_s(follower)
        full = play(site, basis, Saturation(waiting, CONTACTS))
        arrived = full.results["counts"]["arrivals"]
        behind_s = statistics.catch_up(arrived)
        used_s, seen, rows_written = cpu_s(follower) - used_s, statistics.arrived(), statistics.rows()
        rows = [_row("saturation", full)]
        highest = _highest(site, agents, full.per_s)
        for share, of, per_s in _loads(full.per_s, highest):
            played = scenario(agents, share * per_s, seconds)
            with statistics.lag(played) as looked:
                below = play(site, played, tick=looked.tick)
            rows.append(_row(f"{share:.0%} of {of}", below, share * per_s))
            if (share, of) == (SHARES[0], SATURATION):
                at_ease = looked.seen.summary_ms()
        show(HEADING, rows)
        print(f"highest rate that an open loop kept up with: {highest:,.0f}/s")
        rows_per_s, lives_per_s = (count / max(used_s, 0.01) for count in (rows_written, seen))
        lag = f"p50 {at_ease['p50_ms']} ms, p99 {at_ease['p99_ms']} ms" if behind_s else "not measured"
        print(
            f"statistics: {rows_per_s:,.0f} rows ({lives_per_s:,.0f} lives) per second of their processor"
            f" time in the saturation, caught up {_s(behind_s)} after it;"
            f" behind at {SHARES[0]:.0%}: {lag}",
            flush=True,
        )
        print(f"memory: engine {rss_mib(site.process.pid):.0f} MiB, statistics {rss_mib(follower):.0f} MiB")
        return full.per_s


SATURATION, OPEN_LOOP = "saturation", "the open loop"


def _loads(saturation_per_s: float, highest_per_s: float) -> Iterator[tuple[float, str, float]]:
    """Shares, of what, and how much that is."""
    for of, per_s in ((SATURATION, saturation_per_s), (OPEN_LOOP, highest_per_s)):
        for share in SHARES:
            if per_s:
                yield share, of, per_s


def _highest(site: SpawnedSite, agents: int, saturation_per_s: float) -> float:
    """The highest of the steps that is kept up with, contacts a second; 0 = none."""
    highest = 0.0
    for step in STEPS:
        rate_per_s = step * saturation_per_s
        if not any(_keeps_up(site, agents, rate_per_s) for _ in range(TRIES)):
            break
        highest = rate_per_s
    return highest


def _keeps_up(site: SpawnedSite, agents: int, rate_per_s: float) -> bool:
    below = play(site, scenario(agents, rate_per_s, STEP_S))
    late_ms = below.results["latency"]["late"]["p99_ms"] or 0
    return below.per_s >= KEPT_UP * rate_per_s and late_ms <= LATE_MS


HEADING = (
    "load", "planned/s", "lifecycles/s", "per CPU-second", "freed → offer p50 / p99 / p99.9 / max ms",
    "idle → offer p50 / p99 / p99.9 / max ms", "ack p99 ms", "client late p99 ms", "load average",
)  # fmt: skip


def _row(name: str, run: Run, planned_per_s: float | None = None) -> list[str]:
    latency = run.results["latency"]

    def spread(figures: dict[str, Any]) -> str:
        if not figures["count"]:
            return "–"
        return " / ".join(f"{figures[key]:.1f}" for key in ("p50_ms", "p99_ms", "p999_ms", "max_ms"))

    return [
        name,
        "–" if planned_per_s is None else f"{planned_per_s:,.0f}",
        f"{run.per_s:,.0f}",
        f"{run.per_cpu_s:,.0f}",
        spread(latency["freed_offer"]),
        spread(latency["arrival_offer_idle"]),
        str(latency["ack"]["p99_ms"]),
        str(latency["late"]["p99_ms"] or "–"),
        run.load,
    ]


def _s(seconds: float | None) -> str:
    return "not within two minutes" if seconds is None else f"{seconds:.1f} s"
