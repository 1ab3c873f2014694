"""kill -9 under flood: what was acknowledged is there, once, and nobody is stuck.

KILLS=200 in the environment kills more often than the twenty times of the default. How long each start
took, the process' own included, is printed.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import trio

from engine import model
from engine.auth import Tokens
from engine.config import load_site
from engine.journal import JournalReader
from engine.replay import Replay
from engine.returning import Desks
from engine.router import decode_events
from engine.service import Service, open_service
from engine.store import Store
from engine.testing.fixtures import SECRET
from engine.verify import verify
from engine.wire_client import Client, Disconnected, connect

KILLS = int(os.environ.get("KILLS", "20"))
AGENTS = 20
PIECE = 50
MOST_LIVE = 500
SITE = """
[site]
name = "killed"
[gateway]
bind = "127.0.0.1:0"
[journal]
snapshot_every = 2000
segment_batches = 150
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


class Start(NamedTuple):
    """How long a start took: the whole process, and of it until the state was back and durable."""

    process_s: float
    state_s: float


@asynccontextmanager
async def running(config: Path, took: list[Start]) -> AsyncIterator[tuple[str, trio.Process]]:
    """A serving process; killed for good at the end if it still lives. How long its start took is noted."""
    begun = time.perf_counter()
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
        port, back_ms = map(int, line.split())
        took.append(Start(time.perf_counter() - begun, back_ms / 1_000))
        yield f"127.0.0.1:{port}", process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                await stream.aclose()


def token(kind: str, **claims: Any) -> str:
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
    async with connect(address, token("edge", any_agent=True), "desks") as client:
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


async def kill_under_flood(config: Path, ledger: Ledger, after: int, took: list[Start]) -> None:
    """Kill as soon as `after` more arrivals are acknowledged: in the middle, however slow the machine."""
    enough = len(ledger.contacts) + after
    async with running(config, took) as (address, process), trio.open_nursery() as nursery:
        for job in (flood, flood, work):
            nursery.start_soon(until_it_dies, job, address, ledger)
        with trio.fail_after(30):
            while len(ledger.contacts) < enough:
                await trio.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        with trio.fail_after(10):
            await process.wait()


class Books:
    """The journal's rows read on from kill to kill, and what they say happened to each contact."""

    def __init__(self) -> None:
        self.replay = Replay()
        self.arrived: Counter[int] = Counter()
        self.keys: Counter[bytes] = Counter()
        self.over: Counter[int] = Counter()
        self.snapshots = 0
        self.segments = 0

    def read_on(self, data: Path) -> None:
        """Read what came since; that it goes on from what was read before, the chain proves."""
        with closing(JournalReader(data / "journal")) as reader:
            for row in reader.read(self.replay.seq):
                self.take(self.replay.apply(row).events)
            self.snapshots = max(self.snapshots, reader.snapshots.newest_seq())
            self.segments = len(reader.segments())

    def take(self, events: bytes) -> None:
        """Note one batch's events."""
        for event in decode_events(events):
            if isinstance(event, model.Arrived):
                self.arrived[event.contact] += 1
                self.keys[event.key] += 1
            elif isinstance(event, model.Ended | model.Abandoned | model.Blocked):
                self.over[event.contact] += 1

    def check(self, ledger: Ledger) -> None:
        """Conservation over the recovered journal, from its events alone and from the core's own check."""
        router = self.replay.router
        router.check()
        assert max(self.arrived.values()) == 1
        assert max(self.keys.values()) == 1, "an arrival became two contacts"
        assert max(self.over.values(), default=1) == 1, "a contact ended twice"
        assert len(self.arrived) == sum(router.overview().contacts) + len(self.over)
        for number, contact in ledger.contacts.items():
            assert self.arrived[contact], f"acknowledged contact {contact} is gone"
            assert self.keys[number.to_bytes(16, "big")], f"acknowledged arrival {number} is gone"
        assert ledger.served <= set(self.over), "an acknowledged end is gone"


def told(took: list[Start], books: Books) -> str:
    """How long the starts took; no clock decides here."""
    lines = []
    for what, ordered in (
        ("process", sorted(start.process_s for start in took)),
        ("state back", sorted(start.state_s for start in took)),
    ):
        p50, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
        lines.append(f"{len(took)} starts after kill -9, {what}: p50 {p50:.3f} s, p99 {p99:.3f} s")
    lines.append(
        f"{books.replay.seq} batches, {len(books.arrived)} contacts, {books.segments} segments, newest "
        f"snapshot {books.snapshots}; load average {os.getloadavg()[0]:.1f}"
    )
    return "\n".join(lines)


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
async def test_kill_9_under_flood_loses_nothing(tmp_path: Path, show: Callable[[str], None]) -> None:
    config = tmp_path / "site.toml"
    config.write_text(SITE)
    moments = random.Random(20_261_122)
    ledger = Ledger()
    took: list[Start] = []
    books = Books()
    for _ in range(KILLS):
        await kill_under_flood(config, ledger, moments.randrange(200, 4_000), took)
        books.read_on(tmp_path / "data")
        books.check(ledger)
    assert books.snapshots > 0, "no start has gone on from a snapshot"
    show(told(took[1:], books))
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
    books.read_on(tmp_path / "data")
    books.check(ledger)
    whole = Books()
    whole.read_on(tmp_path / "data")
    assert whole.replay.router.state_hash() == books.replay.router.state_hash(), "rows have changed"
    assert verify(tmp_path / "data" / "journal", lambda well: None, stopped=True) == []
