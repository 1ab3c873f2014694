"""kill -9 under flood: what was acknowledged is there, once, and nobody is stuck.

KILLS=20 in the environment kills more often than the three times of the default.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
import trio

from engine import model
from engine.auth import Tokens
from engine.config import load_site
from engine.follower import Follower
from engine.returning import Desks
from engine.router import decode_events
from engine.service import Service, open_service
from engine.store import Store
from engine.testing.fixtures import SECRET
from engine.wire_client import Client, Disconnected, connect

KILLS = int(os.environ.get("KILLS", "3"))
AGENTS = 20
PIECE = 50
MOST_LIVE = 500
SITE = """
[site]
name = "killed"
[gateway]
bind = "127.0.0.1:0"
[channels.line]
plugin = "socket"
account = "line"
instant = true
[queues.all]
offer_timeout_ms = 60000
wrap_up_ms = 0
""" + "\n".join(f"[agents.a{number}]\ncapacity = {{ line = 3 }}" for number in range(AGENTS))


Asked = tuple[str, int, int]
"""A command that was sent: its name, the agent, the offer or contact."""


@dataclass
class Ledger:
    """What was acknowledged, kept outside the process that is killed."""

    contacts: dict[int, int] = field(default_factory=dict)  # arrival number -> contact
    accepted: dict[int, int] = field(default_factory=dict)  # offer -> agent
    served: set[int] = field(default_factory=set)
    sent: int = 0


@asynccontextmanager
async def running(config: Path) -> AsyncIterator[tuple[str, trio.Process]]:
    """A serving process; killed for good at the end if it still lives."""
    process = await trio.lowlevel.open_process(
        [sys.executable, "-m", "engine.testing.runner", str(config)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path.cwd(),
    )
    try:
        assert process.stdout is not None
        with trio.fail_after(30):
            line = await process.stdout.receive_some()
        yield f"127.0.0.1:{int(line)}", process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                await stream.aclose()


def token(kind: str, **claims: str) -> str:
    return Tokens(SECRET, "killed").issue(kind, kind, 600, **claims)


def arrival(client: Client, number: int) -> bytes:
    names = client.welcome.names
    command = model.Arrive(
        channel=names["channel"]["line"], key=number.to_bytes(16, "big"), queue=names["queue"]["all"]
    )
    return model.encode_frame(command)


async def flood(address: str, ledger: Ledger) -> None:
    """Arrivals in pieces, while not too many of them are live; ends when the server dies."""
    async with connect(address, token("plugin", channel="line"), "flood") as client:
        numbers: dict[int, int] = {}  # request -> arrival
        live = 0
        while True:
            if not numbers and live < MOST_LIVE:
                piece = range(ledger.sent, ledger.sent + PIECE)
                ledger.sent += PIECE
                first = await client.send(b"".join(arrival(client, number) for number in piece), PIECE)
                numbers.update(enumerate(piece, first))
            for frame in await client.incoming():
                if isinstance(frame, model.Ack):
                    for request_no, _, code, contact in frame.results:
                        assert code == 0, f"arrival refused: {code}"
                        ledger.contacts[numbers.pop(request_no)] = contact
                        live += 1
                elif isinstance(frame, model.Events):
                    live -= sum(isinstance(event, model.Ended) for _, event in frame.events)


async def work(address: str, ledger: Ledger) -> None:
    """Agents who accept whatever is offered and end it at once; ends when the server dies."""
    async with connect(address, token("edge"), "desks") as client:
        agents = sorted(client.welcome.names["agent"].values())
        asked: dict[int, Asked] = {}
        await client.send_control(model.Attach(agents=agents))
        await ask(client, asked, [("sign_in", agent, 0) for agent in agents])
        while True:
            todo: list[Asked] = []
            for frame in await client.incoming():
                if isinstance(frame, model.Ack):
                    note(ledger, asked, frame)
                elif isinstance(frame, Desks):
                    todo += left_from_before(frame)
                elif isinstance(frame, model.Events):
                    for _, event in frame.events:
                        if isinstance(event, model.OfferMade):
                            todo.append(("accept", event.agent, event.offer))
                        elif isinstance(event, model.Engaged):
                            todo.append(("end", event.agent, event.contact))
            await ask(client, asked, todo)


def left_from_before(desks: Desks) -> list[Asked]:
    """What a returning edge finds on its agents' desks."""
    offers = [("accept", desk.agent, one.offer) for desk in desks.desks for one in desk.offers]
    return offers + [("end", desk.agent, one.contact) for desk in desks.desks for one in desk.contacts]


async def ask(client: Client, asked: dict[int, Asked], todo: list[Asked]) -> None:
    if not todo:
        return
    commands = {
        "sign_in": lambda agent, _: model.SignIn(agent=agent),
        "accept": lambda agent, offer: model.Accept(agent=agent, offer=offer),
        "end": lambda agent, contact: model.End(agent=agent, contact=contact),
    }
    frames = b"".join(model.encode_frame(commands[kind](agent, number)) for kind, agent, number in todo)
    first = await client.send(frames, len(todo))
    asked.update(enumerate(todo, first))


def note(ledger: Ledger, asked: dict[int, Asked], ack: model.Ack) -> None:
    for request_no, _, code, _ in ack.results:
        kind, agent, number = asked.pop(request_no)
        if code == 0 and kind == "accept":
            ledger.accepted[number] = agent
        elif code == 0 and kind == "end":
            ledger.served.add(number)


async def until_it_dies(job, address: str, ledger: Ledger) -> None:  # type: ignore[no-untyped-def]
    try:
        await job(address, ledger)
    except* (Disconnected, OSError):
        pass


async def kill_under_flood(config: Path, ledger: Ledger, after: int) -> None:
    """Kill as soon as `after` more arrivals are acknowledged: in the middle, however slow the machine."""
    enough = len(ledger.contacts) + after
    async with running(config) as (address, process), trio.open_nursery() as nursery:
        for job in (flood, flood, work):
            nursery.start_soon(until_it_dies, job, address, ledger)
        with trio.fail_after(30):
            while len(ledger.contacts) < enough:
                await trio.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        with trio.fail_after(10):
            await process.wait()


def check_journal(data: Path, ledger: Ledger) -> None:
    """Conservation over the recovered journal, from its events alone and from the core's own check."""
    follower = Follower(data / "journal")
    arrived: Counter[int] = Counter()
    keys: Counter[bytes] = Counter()
    over: Counter[int] = Counter()
    for batch in follower.poll():
        for event in decode_events(batch.events):
            if isinstance(event, model.Arrived):
                arrived[event.contact] += 1
                keys[event.key] += 1
            elif isinstance(event, model.Ended | model.Abandoned | model.Blocked):
                over[event.contact] += 1
    follower.router.check()
    assert max(arrived.values()) == 1
    assert max(keys.values()) == 1, "an arrival became two contacts"
    assert max(over.values(), default=1) == 1, "a contact ended twice"
    assert len(arrived) == sum(follower.router.overview().contacts) + len(over)
    for number, contact in ledger.contacts.items():
        assert arrived[contact], f"acknowledged contact {contact} is gone"
        assert keys[number.to_bytes(16, "big")], f"acknowledged arrival {number} is gone"
    assert ledger.served <= set(over), "an acknowledged end is gone"
    follower.close()


async def check_answers(service: Service, ledger: Ledger) -> None:
    """Repeats are answered as before: the same contact, and the accepted offer is still the agent's."""
    for number, contact in random.Random(1).sample(sorted(ledger.contacts.items()), 200):
        command = model.Arrive(channel=1, key=number.to_bytes(16, "big"), queue=1)
        assert await service.command(command) == contact, "a redelivery made another contact"
    for offer, agent in list(ledger.accepted.items())[-200:]:
        await service.command(model.Accept(agent=agent, offer=offer))


async def drain(service: Service) -> None:
    """Every contact reaches an agent and ends: nobody is stuck."""
    async with trio.open_nursery() as nursery:
        for name in service.site.agents:
            nursery.start_soon(serve_all, service, name)


async def serve_all(service: Service, name: str) -> None:
    desk = service.desk(name)
    await desk.sign_in()
    with desk.events() as events:
        while any(msgspec.structs.astuple(service.overview().contacts)):
            state = desk.state()
            for contact in state.contacts:
                await desk.end(contact.contact)
            for offer in state.offers:
                await desk.accept(offer.offer)
            if not state.contacts and not state.offers:
                with trio.move_on_after(0.05):
                    await events.receive()


@pytest.mark.slow  # it starts a process for each kill
async def test_kill_9_under_flood_loses_nothing(tmp_path: Path) -> None:
    config = tmp_path / "site.toml"
    config.write_text(SITE)
    moments = random.Random(20_261_122)
    ledger = Ledger()
    for _ in range(KILLS):
        await kill_under_flood(config, ledger, moments.randrange(200, 4_000))
        check_journal(tmp_path / "data", ledger)
    assert ledger.accepted
    assert ledger.served
    site = load_site(config)
    with trio.fail_after(60):
        async with (
            Store.of(site) as store,
            open_service(site, store=store, secret=SECRET) as service,
        ):
            await check_answers(service, ledger)
            await drain(service)
    check_journal(tmp_path / "data", ledger)
