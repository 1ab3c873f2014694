"""`kill -9` in the middle of a flood: nothing acknowledged is lost, nothing happens twice."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

import pytest
import trio

from loadtest.books import ask_server
from loadtest.drive_live import flood
from loadtest.ledger import Ledger
from loadtest.scenario import load_scenario
from loadtest.spawn import SpawnedSite, spawned_site, wait_for

EVERY_S = (0.6, 1.8)


async def kill_now_and_then(site: SpawnedSite, times: int, rng: random.Random) -> None:
    for _ in range(times):
        await trio.sleep(rng.uniform(*EVERY_S))
        site.kill()
        site.restart()
        await trio.to_thread.run_sync(wait_for, site.address, site.process)


async def flood_and_kill(site: SpawnedSite, times: int, seconds: float) -> Ledger:
    scenario = load_scenario("surge").resized(rate_per_s=200, agents=200, duration_s=seconds, warmup_s=0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(kill_now_and_then, site, times, random.Random(times))
        return await flood(
            scenario, site.address, site.tokens, edges=2, watch=lambda progress: None, stubborn=True
        )


def check(tmp_path: Path, times: int, seconds: float) -> None:
    scenario = load_scenario("surge").resized(rate_per_s=200, agents=200)
    with spawned_site(scenario, tmp_path) as site:
        ledger = trio.run(partial(flood_and_kill, site, times, seconds))
        server = ask_server(site.stats, site.analyst, len(ledger.acknowledged))
    assert len(ledger.acknowledged) > 100 * seconds
    assert ledger.missing() == set(), "acknowledged and never heard of again"
    assert ledger.doubled == 0
    assert ledger.counts["sent_home"] == 0, "an agent or a contact was stuck and had to be helped"
    assert server is not None
    assert server["missing"] == 0
    assert server["arrived"] == len(ledger.acknowledged), "none lost, none twice"
    assert {fate: server[fate] for fate in ledger.fates()} == ledger.fates()
    assert sum(server[state] for state in ("waiting", "offered", "connecting", "engaged")) == 0


@pytest.mark.slow  # a site starts twenty times
def test_twenty_kills(tmp_path: Path) -> None:
    check(tmp_path, times=20, seconds=40)
