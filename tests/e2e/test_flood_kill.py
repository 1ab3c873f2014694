"""`kill -9` in the middle of a flood: nothing acknowledged is lost, nothing happens twice."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import trio

from engine.journal import JournalReader
from loadtest.books import ask_server
from loadtest.drive_live import flood
from loadtest.ledger import Ledger
from loadtest.scenario import load_scenario
from loadtest.spawn import SpawnedSite, spawned_site, wait_for

EVERY_S = (0.3, 1.5)
KILLS = int(os.environ.get("FLOOD_KILLS", "10"))
DRAIN_S = 3_600
OFTEN = "\n[journal]\nsnapshot_every = 2000\nsegment_batches = 2000\n"
"""Read at the first start after a kill: most starts then go on from a snapshot."""


async def kill_now_and_then(site: SpawnedSite, times: int, rng: random.Random, took_s: list[float]) -> None:
    config = site.folder / "site.toml"
    config.write_text(config.read_text() + OFTEN)
    for _ in range(times):
        await trio.sleep(rng.uniform(*EVERY_S))
        site.kill()
        begun = time.perf_counter()
        site.restart()
        await trio.to_thread.run_sync(wait_for, site.address, site.process)
        took_s.append(time.perf_counter() - begun)


async def flood_and_kill(site: SpawnedSite, times: int, seconds: float, took_s: list[float]) -> Ledger:
    scenario = load_scenario("surge").resized(rate_per_s=200, agents=200, duration_s=seconds, warmup_s=0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(kill_now_and_then, site, times, random.Random(times), took_s)
        # The kills may take longer than the arrivals: whatever came has all the time that it needs to end.
        return await flood(
            scenario,
            site.address,
            site.tokens,
            edges=2,
            watch=lambda progress: None,
            stubborn=True,
            drain_s=DRAIN_S,
        )


def check(tmp_path: Path, times: int, seconds: float) -> list[float]:
    """Flood and kill, and hold what the site has against the ledger; return how long the starts took."""
    took_s: list[float] = []
    scenario = load_scenario("surge").resized(rate_per_s=200, agents=200)
    with spawned_site(scenario, tmp_path) as site:
        ledger = trio.run(partial(flood_and_kill, site, times, seconds, took_s))
        server = ask_server(site.stats, site.analyst, len(ledger.acknowledged))
    assert site.process.returncode == 0, "it stopped in order, its parts before it"
    assert len(ledger.acknowledged) > 100 * seconds
    assert ledger.missing() == set(), "acknowledged and never heard of again"
    assert ledger.doubled == 0
    assert ledger.counts["sent_home"] == 0, "an agent or a contact was stuck and had to be helped"
    assert server is not None
    assert server["missing"] == 0
    assert server["arrived"] == len(ledger.acknowledged), "none lost, none twice"
    assert {fate: server[fate] for fate in ledger.fates()} == ledger.fates()
    assert sum(server[state] for state in ("waiting", "offered", "connecting", "engaged")) == 0
    return sorted(took_s)


@pytest.mark.slow  # a site starts ten times
def test_kills_in_a_flood(tmp_path: Path, show: Callable[[str], None]) -> None:
    took = check(tmp_path, times=KILLS, seconds=2 * KILLS)
    with closing(JournalReader(tmp_path / "data" / "journal")) as reader:
        assert reader.snapshots.newest_seq() > 0
    p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
    show(f"{len(took)} starts of the whole site after kill -9: p50 {p50:.2f} s, p99 {p99:.2f} s")
