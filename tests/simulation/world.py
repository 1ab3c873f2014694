"""A site in virtual time with everything that can go wrong: one run from one seed.

The service, its journal, the plugin host and the ports are the real ones. What is not: time (trio's
MockClock), the thread around the journal (its work is done in place, so that a run repeats itself),
the store (in memory, it outlives a process) and the outside of the channel, a provider in memory.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import trio

from engine import model
from engine.auth import Tokens
from engine.bus import ForAll, SlowReader
from engine.channel import Capabilities, Connect, Ended, MessageOut, Port
from engine.clock import MICROS_PER_SECOND, SystemClock
from engine.config import SiteConfig, read_site
from engine.errors import Busy, NotDurable, Refused
from engine.faults import Faults, InjectedFault
from engine.follower import Follower
from engine.journal import Appending, Journal, JournalWriter, NewBatch
from engine.plugins import PluginHost
from engine.router import decode_events
from engine.service import Service, open_service
from engine.testing.fixtures import SECRET, MemoryStore
from engine.web_mounts import Mounts

CUSTOMERS = 24
STORM_S = 600.0
CALM_S = 3_600.0
HOUR_S, MONTH_S = 3_600, 30 * 86_400
AGENTS = ("ann", "bob", "eve")
RATES = {
    "effect_given": 0.02,
    "effect_confirmed": 0.05,
    "channel_send": 0.05,
    "channel_slow": 0.05,
    "journal_slow": 0.02,
    "commit_unknown": 0.015,
    "clock_leaps": 0.003,
    "reader_slow": 0.05,
}
SITE = """
[site]
name = "storm"
[gateway]
bind = "127.0.0.1:0"
[routing]
retry_after_ms = 1000
[channels.pigeon]
plugin = "pigeon"
account = "loft"
connect_timeout_ms = 20000
[queues.desk]
offer_timeout_ms = 10000
wrap_up_ms = 3000
""" + "\n".join(f"[agents.{name}]\ncapacity = {{ pigeon = 2 }}" for name in AGENTS)
OVER = model.Ended | model.Abandoned | model.Blocked | model.Withdrawn


class LeapingClock(SystemClock):
    """Virtual time as a machine shows it, which may be wrong by a month after a restart, or leap ahead."""

    def __init__(self, off_s: float, faults: Faults) -> None:
        super().__init__()
        self._off_us = int(off_s * MICROS_PER_SECOND)
        self._faults = faults

    def now_us(self) -> int:
        if self._faults.strikes("clock_leaps"):
            leap_s = HOUR_S if self._faults.between("clock_leaps", 0, 1) < 0.8 else MONTH_S
            self._off_us += leap_s * MICROS_PER_SECOND
        return 1_700_000_000 * MICROS_PER_SECOND + int(trio.current_time() * MICROS_PER_SECOND) + self._off_us


class InPlace(Appending):
    """A batch that goes to the journal when somebody waits for it."""

    def __init__(self, append: Callable[[], Awaitable[int]]) -> None:
        self._append = append

    async def wait(self) -> int:
        return await self._append()


class WriterInPlace(JournalWriter):
    """The real journal without its thread, and with a disk that is slow or fails."""

    def __init__(self, open_journal: Callable[[], Journal], faults: Faults) -> None:
        super().__init__(open_journal)
        self._faults = faults
        self._failed = False

    async def start(self) -> None:
        self._journal = self._open_journal()

    async def read(self, work: Callable[[Journal], Any]) -> Any:
        assert self._journal is not None
        return work(self._journal)

    def begin(self, batch: NewBatch) -> Appending:
        return InPlace(partial(self.append, batch))

    async def append(self, batch: NewBatch) -> int:
        assert self._journal is not None
        with trio.CancelScope(shield=True):
            await trio.sleep(0.001)
            if self._faults.strikes("journal_slow"):
                await trio.sleep(self._faults.between("journal_slow", 0.1, 15))
        unknown = self._faults.strikes("commit_unknown")
        if self._failed or (unknown and self._faults.between("commit_unknown", 0, 1) < 0.5):
            self._failed = True
            raise NotDurable("the journal failed: it is not known whether the batch is there")
        seq = self._journal.append(*msgspec.structs.astuple(batch))
        if unknown:
            self._failed = True
            raise NotDurable("the journal failed: it is not known whether the batch is there")
        return seq

    async def close(self) -> None:
        if self._journal is not None:
            self._journal.close()


class Outside:
    """The provider: delivers what customers do until it is confirmed, takes messages once by their key."""

    def __init__(self) -> None:
        self.todo: dict[int, tuple[str, str, str]] = {}  # number -> (kind, who, text)
        self.inbox: defaultdict[str, list[str]] = defaultdict(list)
        self.ended: Counter[str] = Counter()
        self.contacts: dict[str, int] = {}
        self.said: defaultdict[str, list[str]] = defaultdict(list)
        self._keys: set[str] = set()
        self._number = 0

    def happens(self, kind: str, who: str, text: str = "") -> None:
        self._number += 1
        self.todo[self._number] = (kind, who, text)

    def take(self, key: str, who: str, text: str | None) -> None:
        if key in self._keys:
            return
        self._keys.add(key)
        if text is None:
            self.ended[who] += 1
        else:
            self.inbox[who].append(text)


class Plugin:
    """The channel of that provider."""

    capabilities = Capabilities()

    def __init__(self, outside: Outside, faults: Faults) -> None:
        self._outside = outside
        self._faults = faults

    async def run(self, port: Port, *, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._take_in, port)
            async for effect in port.effects():
                await self._carry_out(port, effect)

    async def _take_in(self, port: Port) -> None:
        while True:
            for number, (kind, who, text) in list(self._outside.todo.items()):
                try:
                    contact = (await port.arrive(who, queue="desk")).contact
                    self._outside.contacts[who] = contact
                    if kind == "say":
                        await port.message(contact, text, text)
                    elif kind == "leave":
                        await port.abandon(contact)
                except Busy as busy:
                    await trio.sleep(busy.retry_after_ms / 1_000)
                    break
                except Refused:
                    pass  # it is over, and perhaps forgotten: that is an answer, too
                del self._outside.todo[number]
            await trio.sleep(0.2)

    async def _carry_out(self, port: Port, effect: Any) -> None:
        if isinstance(effect, Connect):
            try:
                await port.connected(effect.contact)
            except Refused:
                return  # it has ended, or its time was over
        if not isinstance(effect, MessageOut | Ended):
            return
        who = await port.external_id(effect.contact)
        assert who is not None
        if self._faults.strikes("channel_slow"):
            await trio.sleep(self._faults.between("channel_slow", 0.1, 30))
        self._faults.strike("channel_send")
        self._outside.take(effect.effect_id, who, effect.text if isinstance(effect, MessageOut) else None)
        self._faults.strike("channel_send")  # taken, and the answer was lost


class World:
    """One run.

    Args:
        folder: an empty folder.
        seed: where every die begins.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.seed = seed
        self.dice = Random(seed)
        self.faults = Faults(seed, RATES)
        self.site: SiteConfig = read_site(SITE, folder)
        self.site.data.mkdir(parents=True)
        self.store = MemoryStore()
        self.outside = Outside()
        self.lives = 0
        self._storm_ends_s = STORM_S

    async def run(self) -> None:
        """The storm, then the calm in which everything has to finish."""
        async with trio.open_nursery() as nursery:
            for number in range(CUSTOMERS):
                nursery.start_soon(self._customer, f"c{number}", Random(f"{self.seed}/{number}"))
            while trio.current_time() < STORM_S:
                await self._live(STORM_S)
        self.faults.on = False
        await self._live(STORM_S + CALM_S)
        if left := self.left():
            raise AssertionError(f"liveness: an hour after the last fault there is still {left}")

    def left(self) -> list[str]:
        """What is not finished."""
        who = [f"{one} was not told of the end" for one in self.outside.said if not self.outside.ended[one]]
        return [*who, *(f"undelivered {one}" for one in self.outside.todo.values())]

    async def _customer(self, who: str, dice: Random) -> None:
        await trio.sleep(dice.uniform(0, STORM_S * 0.8))
        self.outside.said[who] = []
        self.outside.happens("open", who)
        for number in range(dice.randint(1, 3)):
            await trio.sleep(dice.uniform(0, 20))
            text = f"{who} says {number}"
            self.outside.said[who].append(text)
            for _ in range(dice.choice((1, 1, 3))):
                self.outside.happens("say", who, text)
        if dice.random() < 0.3:
            await trio.sleep(dice.uniform(0, 60))
            self.outside.happens("leave", who)

    async def _live(self, until_s: float) -> None:
        """One life of the process, to its first journal error."""
        self.lives += 1
        off_s = self.dice.choice((0, 0, -HOUR_S, HOUR_S, MONTH_S, -MONTH_S)) if self.faults.on else 0
        try:
            async with open_service(
                self.site,
                LeapingClock(off_s, self.faults),
                store=self.store,
                secret=SECRET,
                open_writer=lambda open_journal: WriterInPlace(open_journal, self.faults),
            ) as service:
                await self._serve(service, until_s)
        except* NotDurable:
            self.check()
        await trio.sleep(1)

    async def _serve(self, service: Service, until_s: float) -> None:
        async with trio.open_nursery() as nursery:
            host = PluginHost(
                service,
                Tokens(SECRET, "storm"),
                Mounts(),
                factories={"pigeon": lambda _: Plugin(self.outside, self.faults)},
                blocked_after_s=1e6,  # that thread lives in real time
                faults=self.faults,
            )
            await nursery.start(host.run)
            nursery.start_soon(self._read, service)
            for name in AGENTS:
                nursery.start_soon(self._agent, service, name, Random(f"{self.seed}/{self.lives}/{name}"))
            while trio.current_time() < until_s:
                await trio.sleep(1)
                if not self.faults.on and not self.left():
                    break
            nursery.cancel_scope.cancel()

    async def _read(self, service: Service) -> None:
        """A follower of everything that stops reading now and then."""
        subscription = service.subscribe(ForAll())
        while True:
            try:
                await anext(subscription)
            except SlowReader as cut:
                subscription = service.subscribe(ForAll(), cut.seq)
            if self.faults.strikes("reader_slow"):
                await trio.sleep(self.faults.between("reader_slow", 1, 60))

    async def _agent(self, service: Service, name: str, dice: Random) -> None:
        """Takes most of what is offered, answers every customer twice, and ends."""
        desk = service.desk(name)
        await desk.sign_in()
        while True:
            await trio.sleep(dice.uniform(0.2, 3))
            state = desk.state()
            try:
                if state.locked:
                    await desk.unlock()
                for offer in state.offers:
                    if not self.faults.on or dice.random() < 0.7:
                        await desk.accept(offer.offer)
                for one in state.contacts:
                    if one.state == "engaged":
                        await desk.say(one.contact, f"answer 0 to {one.contact}", "a0")
                        await trio.sleep(dice.uniform(0.1, 5))
                        await desk.say(one.contact, f"answer 1 to {one.contact}", "a1")
                        await desk.end(one.contact)
            except (Refused, InjectedFault):
                continue  # it was withdrawn, or the customer has left meanwhile

    def check(self) -> str:
        """Look at everything that must hold at any time; return a hash of all events."""
        follower = Follower(self.site.data / "journal")
        whole, at_us = hashlib.sha256(), 0
        arrived: Counter[int] = Counter()
        over: Counter[int] = Counter()
        for batch in follower.poll():
            assert batch.at >= at_us, f"batch {batch.seq} is stamped before the one ahead of it"
            at_us = batch.at
            whole.update(f"{batch.seq} {batch.at} ".encode() + batch.events)
            for event in decode_events(batch.events):
                arrived[getattr(event, "contact", 0)] += isinstance(event, model.Arrived)
                over[getattr(event, "contact", 0)] += isinstance(event, OVER)
        follower.router.check()
        live = sum(follower.router.overview().contacts)
        follower.close()
        assert max(arrived.values(), default=0) <= 1, "a contact arrived twice"
        assert max(over.values(), default=0) <= 1, "a contact ended twice"
        assert arrived.total() == live + over.total(), "conservation: arrived = live + ended"
        for who, contact in self.outside.contacts.items():
            assert arrived[contact] == 1, f"{who} was told contact {contact}, which is not in the journal"
        return whole.hexdigest()

    def check_end(self) -> None:
        """Look at what both sides have of each other, once everything has finished."""
        rows = {one.external_id: one for one in self.store.conversations}
        for who, said in self.outside.said.items():
            messages = [one for one in self.store.all_messages if one.conversation == rows[who].id]
            stored = [one.text for one in messages if one.sender == "customer"]
            assert stored == said, f"{who} said {said}, stored is {stored}"
            sent = [one.text for one in messages if one.sender == "agent"]
            assert self.outside.inbox[who] == sent, f"{who} was sent {sent}, got {self.outside.inbox[who]}"
            assert self.outside.ended[who] == 1, f"{who} was told {self.outside.ended[who]} times of the end"
        assert set(rows) == set(self.outside.said)
