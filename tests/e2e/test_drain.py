"""SIGTERM while customers talk, ring and wait: nobody new, nothing lost, the same order after it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trio
import trio_websocket

from engine import model
from engine.errors import Draining
from engine.follower import Follower
from engine.wire_client import Client, Disconnected, connect
from tests.e2e.serve_process import ROOT, Serve

CUSTOMERS = 6


def arrival(client: Client, number: int) -> model.Arrive:
    names = client.welcome.names
    return model.Arrive(
        channel=names["channel"]["line"], key=number.to_bytes(16, "big"), queue=names["queue"]["all"]
    )


async def sign_in(desks: Client) -> list[int]:
    agents = [desks.welcome.names["agent"][name] for name in ("ann", "bob")]
    await desks.send_control(model.Attach(agents=agents))
    for agent in agents:
        await desks.request(model.SignIn(agent=agent, command_id=agent.to_bytes(16, "big")))
    return agents


async def next_of(client: Client, kind: type[Any], *, seen: list[Any]) -> Any:
    """The next event or frame of a kind; `seen` keeps what came beside it."""
    with trio.fail_after(30):
        while True:
            for index, one in enumerate(seen):
                if isinstance(one, kind):
                    return seen.pop(index)
            for frame in await client.incoming():
                events = [event for _, event in frame.events] if isinstance(frame, model.Events) else []
                seen += events or [frame]


def state_of(site: Serve) -> tuple[list[int], list[int]]:
    """From the journal: the live contacts by when they came, and the agents' missed offers."""
    follower = Follower(site.site.data / "journal")
    for _ in follower.poll():
        pass
    router = follower.router
    live = [contact for contact in range(1, router.next_contact) if router.contact(contact) is not None]
    live.sort(key=lambda contact: router.contact(contact).enqueued_at)  # type: ignore[union-attr]
    desks = [router.desk(line.agent) for line in router.overview().agents]
    follower.close()
    return live, [desk.misses for desk in desks if desk is not None]


async def serve_all(desks: Client, agents: Sequence[int], count: int) -> list[int]:
    """Accept and end whatever rings, one after the other; return the contacts in the order of ringing."""
    seen: list[Any] = []
    served = []
    while len(served) < count:
        offer = await next_of(desks, model.OfferMade, seen=seen)
        served.append(offer.contact)
        await desks.request(model.Accept(agent=offer.agent, offer=offer.offer))
        await desks.request(model.End(agent=offer.agent, contact=offer.contact))
    return served


@pytest.mark.slow  # two processes that start and stop
async def test_a_drain_loses_nothing(tmp_path: Path) -> None:
    site = Serve(tmp_path)
    async with site.running("--log", "json"):
        lines = connect(f"127.0.0.1:{site.gateway}", site.token("plugin", channel="line"), "line")
        desk = connect(f"127.0.0.1:{site.gateway}", site.token("edge", any_agent=True), "desks")
        async with lines as line, desk as desks:
            await sign_in(desks)
            contacts = [await line.request(arrival(line, number)) for number in range(CUSTOMERS)]
            seen: list[Any] = []
            first = await next_of(desks, model.OfferMade, seen=seen)
            second = await next_of(desks, model.OfferMade, seen=seen)
            assert [first.contact, second.contact] == contacts[:2]
            await desks.request(model.Accept(agent=first.agent, offer=first.offer))
            assert (await site.ask("/readyz")).status_code == 200

            site.tell(signal.SIGTERM)
            for client in (line, desks):
                told = await next_of(client, model.Refusal, seen=seen)
                assert (told.request_no, told.code) == (None, "draining")
            answer = await site.ask("/readyz")
            assert (answer.status_code, set(answer.json()["not_ready"])) == (503, {"draining"})
            assert (await site.ask("/livez")).status_code == 200
            with pytest.raises(Draining) as refused:
                await line.request(arrival(line, 99))
            assert 0 < refused.value.retry_after_ms <= 60_000
            # Whoever came before is answered as before, and may leave.
            await line.request(model.Abandon(channel=arrival(line, 0).channel, contact=contacts[-1]))
            assert site.process.returncode is None
            await desks.request(model.End(agent=first.agent, contact=first.contact))
            with pytest.raises(Disconnected, match="draining"):
                await next_of(line, model.Welcome, seen=[])
        assert await site.end() == 0
    left, _ = state_of(site)
    assert left == contacts[1:-1]

    async with site.running("--log", "json"):
        async with connect(f"127.0.0.1:{site.gateway}", site.token("edge", any_agent=True), "desks") as desks:
            again, misses = state_of(site)
            assert again == left
            assert misses == [0, 0]
            # Both ring again, withdrawn by the stop and offered once more in the old order.
            for agent in sorted(desks.welcome.names["agent"].values()):
                await desks.send_control(model.Attach(agents=[agent]))
            rings = {desk.agent: desk.offers for desk in await desks_of(desks, 2)}
            first_two = sorted(one.contact for offers in rings.values() for one in offers)
            assert first_two == left[:2]
            for agent, (offer,) in sorted(rings.items(), key=lambda pair: pair[1][0].contact):
                await desks.request(model.Accept(agent=agent, offer=offer.offer))
                await desks.request(model.End(agent=agent, contact=offer.contact))
            assert await serve_all(desks, [], len(left) - 2) == left[2:]
        site.tell(signal.SIGINT)
        assert await site.end() == 0
    assert state_of(site) == ([], [0, 0])


async def desks_of(client: Client, count: int) -> list[Any]:
    """The desks that a returning edge is shown."""
    seen: list[Any] = []
    found: list[Any] = []
    with trio.fail_after(30):
        while len(found) < count:
            for frame in await client.incoming():
                seen.append(frame)
                found += getattr(frame, "desks", [])
    return found


@pytest.mark.slow  # a process that starts and stops
async def test_the_second_sigterm_does_not_wait(tmp_path: Path) -> None:
    site = Serve(tmp_path, drain_s=86_400)
    async with site.running("--log", "json"):
        lines = connect(f"127.0.0.1:{site.gateway}", site.token("plugin", channel="line"), "line")
        desk = connect(f"127.0.0.1:{site.gateway}", site.token("edge", any_agent=True), "desks")
        async with lines as line, desk as desks:
            await sign_in(desks)
            contact = await line.request(arrival(line, 1))
            seen: list[Any] = []
            offer = await next_of(desks, model.OfferMade, seen=seen)
            await desks.request(model.Accept(agent=offer.agent, offer=offer.offer))
            site.tell(signal.SIGTERM)
            await next_of(line, model.Refusal, seen=seen)
            assert site.process.returncode is None
            site.tell(signal.SIGTERM)
            with pytest.raises(Disconnected, match="draining"):
                await next_of(line, model.Welcome, seen=[])
        assert await site.end() == 0
    assert state_of(site)[0] == [contact]
    said = [line["event"] for line in site.log_lines()]
    assert "the site stops" in said
    assert "the drain is over" not in said


@pytest.mark.slow  # a process that starts and stops
async def test_an_idle_site_ends_at_once_and_pages_are_told(tmp_path: Path) -> None:
    site = Serve(tmp_path, drain_s=86_400)
    async with site.running("--log", "json"):
        stream = await trio.open_tcp_stream("127.0.0.1", site.web)
        async with stream, trio.open_nursery() as nursery:
            page = await trio_websocket.wrap_client_stream(
                nursery, stream, f"127.0.0.1:{site.web}", "/chat/ws", extra_headers=[("origin", site.url)]
            )
            site.tell(signal.SIGTERM)
            said = []
            with trio.fail_after(30), suppress(trio_websocket.ConnectionClosed):
                while True:
                    said.append(await page.get_message())
            assert "draining" in said[-1]
        assert await site.end() == 0


@pytest.mark.slow  # a process that starts and stops
async def test_paidui_drain_waits_until_it_is_over(tmp_path: Path) -> None:
    site = Serve(tmp_path)
    command = [sys.executable, "-m", "engine", "drain", "--config", str(site.config)]
    async with site.running("--log", "json"):
        done = await trio.run_process(command, cwd=ROOT, capture_stdout=True)
        assert b"has ended" in done.stdout
        assert await site.end() == 0
    again = await trio.run_process(command, cwd=ROOT, capture_stderr=True, check=False)
    assert again.returncode == 1
    assert b"does not run" in again.stderr
