"""The process of pages and hosted channels dies, or stands still: the core decides on, pages come back."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trio

from engine import model
from engine.wire_client import Client, connect
from loadtest.ports import free_ports
from tests.e2e.serve_process import PATIENCE_S, Serve
from tests.e2e.test_drain import arrival, next_of, sign_in
from tools.bench.processes import child_of

pytestmark = pytest.mark.slow  # processes that start and stop
CONTACTS = 100


@asynccontextmanager
async def both_sides(site: Serve) -> AsyncIterator[tuple[Client, Client]]:
    """A plugin of another process, and desks of another edge."""
    address = f"127.0.0.1:{site.gateway}"
    async with (
        connect(address, site.token("plugin", channel="line"), "line") as line,
        connect(address, site.token("edge", any_agent=True), "desks") as desks,
    ):
        yield line, desks


async def serve_one(line: Client, desks: Client, number: int) -> None:
    """A whole contact; every step of it is acknowledged."""
    contact = await line.request(arrival(line, number))
    offer = await next_of(desks, model.OfferMade, seen=[])
    assert offer.contact == contact
    await desks.request(model.Accept(agent=offer.agent, offer=offer.offer))
    await line.request(model.Connected(channel=line.welcome.names["channel"]["line"], contact=contact))
    await desks.request(model.End(agent=offer.agent, contact=contact))


async def pages_answer(site: Serve) -> None:
    """Nobody is refused meanwhile: the core keeps the address open."""
    with trio.fail_after(PATIENCE_S):
        while (await site.ask("/readyz", timeout=PATIENCE_S)).status_code != 200:
            await trio.sleep(0.05)


async def test_a_killed_edge_comes_back_and_nobody_else_noticed(tmp_path: Path) -> None:
    site = Serve(tmp_path)
    async with site.running("--log", "json"), both_sides(site) as (line, desks):
        await sign_in(desks)
        await serve_one(line, desks, 1)
        before = child_of(site.process.pid, "edge")
        os.kill(before, signal.SIGKILL)
        for number in range(2, 12):
            await serve_one(line, desks, number)
        await pages_answer(site)
        after = child_of(site.process.pid, "edge")
        assert after != before
        assert (await site.ask("/api/site")).status_code == 200
        assert (await site.ask("/chat/")).status_code == 200
        figures = (await site.ask("/metrics")).text
        assert 'paidui_channel_open{channel="webchat"} 1.0' in figures
        site.tell(signal.SIGTERM)
        assert await site.end() == 0
    ended = [line for line in site.log_lines() if line["event"] == "a part has ended and is started again"]
    assert [(one["part"], one["code"]) for one in ended] == [("edge", -signal.SIGKILL)]


async def test_an_edge_that_stands_still_holds_up_no_decision(tmp_path: Path) -> None:
    site = Serve(tmp_path)
    async with site.running(), both_sides(site) as (line, desks):
        await sign_in(desks)
        edge = child_of(site.process.pid, "edge")
        os.kill(edge, signal.SIGSTOP)
        try:
            for number in range(CONTACTS):
                await serve_one(line, desks, number)
            state = Path(f"/proc/{edge}/stat").read_text("ascii").rpartition(")")[2].split()[0]
            assert state == "T", "it stood still all the time"
        finally:
            os.kill(edge, signal.SIGCONT)
        await pages_answer(site)
        assert child_of(site.process.pid, "edge") == edge
        figures = (await site.ask("/metrics")).text
        assert f'paidui_contacts_ended_total{{outcome="served"}} {CONTACTS}.0' in figures


async def test_a_site_without_its_edge_is_not_ready_and_says_so(tmp_path: Path) -> None:
    (ops,) = free_ports(1)
    site = Serve(tmp_path, ops=f'bind = "127.0.0.1:{ops}"')
    async with site.running(), httpx.AsyncClient(trust_env=False) as client:
        ready = f"http://127.0.0.1:{ops}/readyz"
        assert (await client.get(ready)).status_code == 200
        os.kill(child_of(site.process.pid, "edge"), signal.SIGKILL)
        missing: dict[str, str] = {}
        with trio.fail_after(PATIENCE_S):
            while not missing:
                missing = (await client.get(ready)).json().get("not_ready", {})
            assert set(missing) == {"edge", "channels.webchat"}
            while (await client.get(ready)).status_code != 200:
                await trio.sleep(0.05)
        assert (await client.get(f"http://127.0.0.1:{ops}/livez")).status_code == 200
