"""Whether the site gets on and is ready, over the real server and the real store."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import trio
from prometheus_client.parser import text_string_to_metric_families

from engine import health as health_module
from engine.channel_health import ChannelHealth
from engine.config import Address
from engine.health import PATHS, Health, HealthPages, from_this_machine
from engine.lifecycle import Progress, Pulse
from engine.service import Service
from engine.store import Store
from engine.testing.fixtures import small_service
from engine.web import serve_web
from engine.web_mounts import Mounts


@dataclass
class SomeEdge:
    channels: dict[str, ChannelHealth]
    is_open: bool = True


class Watched(NamedTuple):
    service: Service
    store: Store
    health: Health
    edge: SomeEdge
    url: str


@asynccontextmanager
async def watched(folder: Path, *, open_to_all: bool = False) -> AsyncIterator[Watched]:
    async with Store(folder / "store.sqlite") as store, small_service(folder, store=store) as service:
        edge = SomeEdge({"chat": ChannelHealth("open")})
        health = Health(service, store, edge, Progress(service.pulse), None)
        health.opened = True
        mounts, shutdown = Mounts(), trio.Event()
        for path in PATHS:
            mounts.page(path, HealthPages(health.page, open_to_all=open_to_all))
        async with trio.open_nursery() as nursery:
            port = await nursery.start(serve_web, mounts, Address("127.0.0.1", 0), shutdown)
            yield Watched(service, store, health, edge, f"http://127.0.0.1:{port}")
            shutdown.set()


async def get(url: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(url, headers=headers)


async def test_a_site_that_is_well_says_so(tmp_path: Path) -> None:
    async with watched(tmp_path) as site:
        for path in ("/livez", "/readyz"):
            answer = await get(site.url + path)
            assert (answer.status_code, answer.json()) == (200, {"ok": True})
        metrics = await get(site.url + "/metrics")
        assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
        families = {family.name for family in text_string_to_metric_families(metrics.text)}
        assert {"paidui_contacts_waiting", "paidui_build_info", "paidui_batches"} <= families


async def test_readiness_names_what_is_missing(tmp_path: Path) -> None:
    async with watched(tmp_path) as site:
        site.edge.channels["chat"].state = "failed"
        site.service.config_errors = ["one", "two"]
        site.service.drain.begin(60)
        site.health.opened = False
        site.edge.is_open = False
        answer = await get(site.url + "/readyz")
        assert answer.status_code == 503
        assert set(answer.json()["not_ready"]) == {"channels.chat", "draining", "edge", "start"}
        assert "2 errors" in answer.json()["warnings"]["configuration"]
        assert (await get(site.url + "/livez")).status_code == 200


async def test_a_store_that_is_gone_is_named(tmp_path: Path) -> None:
    async with watched(tmp_path) as site:
        with closing(sqlite3.connect(tmp_path / "store.sqlite")) as store:
            store.execute("DROP TABLE conversations")
        answer = await get(site.url + "/readyz")
        assert set(answer.json()["not_ready"]) == {"store"}


async def test_a_journal_that_is_closed_is_named(tmp_path: Path) -> None:
    async with watched(tmp_path) as site:
        await site.service._writer.close()
        assert set((await get(site.url + "/readyz")).json()["not_ready"]) == {"journal"}


async def test_a_task_that_does_not_get_on_is_not_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watched(tmp_path) as site:
        monkeypatch.setattr(health_module, "LIVE_WITHIN_S", -1.0)
        for path in ("/livez", "/readyz"):
            answer = await get(site.url + path)
            assert answer.status_code == 503
            assert "no progress" in answer.json()["not_ready"]["core"]


def test_progress_is_turns_or_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("engine.lifecycle.time.monotonic", lambda: now[0])
    pulse = Pulse()
    progress = Progress(pulse)

    def after(seconds: float, *, work: bool = False) -> float:
        now[0] += seconds
        progress.look(work=work)
        return progress.stuck_s()

    assert after(50) == 0  # it rests
    assert after(7, work=True) == 7  # it rests though there is work: nobody has woken it
    pulse.turn()
    assert after(5) == 0  # a batch has begun
    assert after(5) == 5  # and does not end
    pulse.turn()
    assert after(5) == 0
    pulse.rest()
    assert after(500) == 0


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
async def test_figures_do_not_leave_by_a_proxy(tmp_path: Path, header: str) -> None:
    async with watched(tmp_path) as site:
        assert (await get(site.url + "/metrics", **{header: "10.0.0.1"})).status_code == 404
        site.edge.channels["chat"].state = "failed"
        assert (await get(site.url + "/readyz", **{header: "10.0.0.1"})).json() == {"ok": False}


async def test_figures_do_not_leave_by_a_public_name(tmp_path: Path) -> None:
    async with watched(tmp_path) as site:
        assert (await get(site.url + "/metrics", Host="bank.example")).status_code == 404
        assert (await get(site.url + "/metrics", Host="localhost")).status_code == 200


async def test_an_address_of_its_own_shows_all(tmp_path: Path) -> None:
    async with watched(tmp_path, open_to_all=True) as site:
        assert (await get(site.url + "/metrics", Host="bank.example")).status_code == 200


@pytest.mark.parametrize(
    ("client", "host", "there"),
    [
        (("127.0.0.1", 5), b"127.0.0.1:8700", True),
        (("::1", 5), b"[::1]:8700", True),
        (("10.1.2.3", 5), b"127.0.0.1:8700", False),
        (None, b"127.0.0.1", False),
        (("127.0.0.1", 5), b"", False),
    ],
)
def test_who_is_on_this_machine(client: Any, host: bytes, there: bool) -> None:
    assert from_this_machine({"client": client, "headers": [(b"host", host)]}) is there
