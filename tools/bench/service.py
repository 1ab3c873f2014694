"""The whole service under the client in Rust: saturation, open loops below it, statistics, memory."""

from __future__ import annotations

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
CONTACTS = 2_000_000
EDGES = 4
US = 1_000_000

METHOD = """\
`paidui serve` with journal (fsync) and statistics, the client in Rust on the same processors; scenario
`lifecycles`: five commands and nine events a life, over a plugin's connection and four for agents.
"saturation" = so many contacts always wait, nobody talks, each agent answers at once. "per CPU-second" =
lifecycles over the processor time (user + system, all threads) of the engine's process alone. The open loops
are at shares of that saturation's rate, talks as long as keeps the agents 93 % busy, 1.3 times the rate in
every other second and 0.7 times in the rest; each latency begins at the moment that was planned."""


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
        for share in SHARES:
            played = scenario(agents, share * full.per_s, seconds)
            with statistics.lag(played) as looked:
                below = play(site, played, tick=looked.tick)
            rows.append(_row(f"{share:.0%}", below))
            if share == SHARES[0]:
                at_ease = looked.seen.summary_ms()
        show(HEADING, rows)
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


HEADING = (
    "load", "lifecycles/s", "per CPU-second", "freed → offer p50 / p99 / p99.9 / max ms",
    "idle → offer p50 / p99 / p99.9 / max ms", "ack p99 ms", "client late p99 ms", "load average",
)  # fmt: skip


def _row(name: str, run: Run) -> list[str]:
    latency = run.results["latency"]

    def spread(figures: dict[str, Any]) -> str:
        if not figures["count"]:
            return "–"
        return " / ".join(f"{figures[key]:.1f}" for key in ("p50_ms", "p99_ms", "p999_ms", "max_ms"))

    return [
        name,
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
