"""Two channels side by side in one service: while one misbehaves, the other's contacts go through."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio

from engine import plugins, port
from engine.auth import Tokens
from engine.channel import Capabilities, Known, Port
from engine.config import read_site
from engine.errors import Busy, Malformed
from engine.plugins import PluginHost
from engine.port_limits import AT_ONCE, WAITING, Gate
from engine.service import Service, open_service
from engine.store import Store
from engine.testing.channel_checks import until
from engine.testing.fixtures import SECRET
from engine.web_mounts import Mounts
from tests.channels.pigeon import Pigeon, Provider, provider_running

pytestmark = pytest.mark.slow  # a store and a journal on the disk, and a provider on a socket

SITE = """
[site]
name = "two"
[gateway]
bind = "127.0.0.1:0"
[queues.desk]
offer_timeout_ms = 60000
wrap_up_ms = 0
[queues.other]
offer_timeout_ms = 60000
[agents.ann]
capacity = { good = 3 }
[channels.good]
plugin = "good"
account = "good"
instant = true
[channels.bad]
plugin = "bad"
account = "bad"
instant = true
"""
Behave = Callable[[Port, trio.TaskStatus[None]], Awaitable[None]]


class Bad:
    """Does what the test tells it."""

    capabilities = Capabilities()

    def __init__(self, behave: Behave) -> None:
        self._behave = behave

    async def run(self, port: Port, *, task_status: trio.TaskStatus[None]) -> None:
        await self._behave(port, task_status)


@dataclass
class Two:
    """A service with a good and a bad channel."""

    service: Service
    host: PluginHost
    provider: Provider
    served: int = 0

    async def serve(self, count: int) -> None:
        """Let so many customers of the good channel come, be answered, and go."""
        ann = self.service.desk("ann")
        if ann.state().presence == "signed_out":
            await ann.sign_in()
        for _ in range(count):
            self.served += 1
            who = f"customer {self.served}"
            await self.provider.confirmed(self.provider.happens("open", who))
            await until("the agent has an offer", lambda: bool(ann.state().offers))
            offer = ann.state().offers[0]
            await ann.accept(offer.offer)
            await ann.say(offer.contact, "hello", "a1")
            await until("the customer is answered", lambda who=who: self.provider.inbox[who] == ["hello"])
            await ann.end(offer.contact)
            await until("the customer is told", lambda who=who: who in self.provider.ended)


@asynccontextmanager
async def two(folder: Path, behave: Behave, **options: float) -> AsyncIterator[Two]:
    site = read_site(SITE, folder)
    site.data.mkdir(parents=True)
    async with (
        provider_running() as provider,
        Store(site.data / "store.sqlite") as store,
        open_service(site, store=store, secret=SECRET) as service,
        trio.open_nursery() as nursery,
    ):
        factories = {"good": lambda _: Pigeon(provider.port), "bad": lambda _: Bad(behave)}
        host = PluginHost(
            service,
            Tokens(SECRET, "two"),
            Mounts(),
            factories=factories,
            first_delay_s=0.01,
            longest_delay_s=0.01,
            **options,
        )
        await nursery.start(host.run)
        yield Two(service, host, provider)
        nursery.cancel_scope.cancel()


async def crash(port: Port, task_status: trio.TaskStatus[None]) -> None:
    task_status.started()
    await trio.lowlevel.checkpoint()
    raise RuntimeError("boom")


async def crash_at_once(port: Port, task_status: trio.TaskStatus[None]) -> None:
    raise RuntimeError("boom")


async def never_start(port: Port, task_status: trio.TaskStatus[None]) -> None:
    await trio.sleep_forever()


async def read_nothing(port: Port, task_status: trio.TaskStatus[None]) -> None:
    task_status.started()
    await port.arrive("one", queue="other")
    await trio.sleep_forever()


@pytest.mark.parametrize("behave", [crash, crash_at_once, never_start, read_nothing])
async def test_a_crash_or_a_hang_harms_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behave: Behave
) -> None:
    for name in ("START_WITHIN_S", "HANGS_AFTER_S", "LOOK_EVERY_S"):
        monkeypatch.setattr(plugins, name, 0.02)
    async with two(tmp_path, behave) as site:
        health = site.host.health
        while health["bad"].failures < 5:
            before = health["good"].failures
            await site.serve(2)
            assert health["good"].failures == before or behave is read_nothing
        assert site.served >= 2


async def most_between(site: Two, done: list[str], arrivals: int) -> int:
    """How many of the bad channel's arrivals go before one of the good channel's, at most."""
    most = 0
    for number in range(arrivals):
        before = len(done)
        await site.provider.confirmed(site.provider.happens("open", f"in the flood {number}"))
        most = max(most, len(done) - before)
    return most


FLOOD = WAITING + AT_ONCE + 200


async def flooded(folder: Path) -> tuple[int, int, int]:
    """What is between the good channel's arrivals, how many are done and how many refused."""
    done: list[str] = []
    refused: list[str] = []
    begun = trio.Event()

    async def flood(port: Port, task_status: trio.TaskStatus[None]) -> None:
        async def one(number: int) -> None:
            try:
                await port.arrive(f"flood {number}", queue="other")
            except Busy:
                refused.append("busy")
            else:
                done.append("done")
                begun.set()

        task_status.started()
        async with trio.open_nursery() as nursery:
            for number in range(FLOOD):
                nursery.start_soon(one, number)
        await trio.sleep_forever()

    async with two(folder, flood) as site:
        await begun.wait()
        most = await most_between(site, done, 5)
        contacts = site.service.overview().contacts
        assert contacts.waiting >= 5 + len(done)
        return most, len(done), len(refused)


async def test_a_flood_is_bounded_and_others_go_through(tmp_path: Path) -> None:
    most, _, refused = await flooded(tmp_path)
    # Store and journal are asked some times for an arrival, and so many may stand before it each time.
    assert most <= 6 * AT_ONCE
    assert refused == FLOOD - AT_ONCE - WAITING, "nothing more is kept than may wait"


async def test_without_turns_a_flood_would_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "Gate", lambda: Gate(FLOOD, FLOOD))
    most, _, refused = await flooded(tmp_path)
    assert refused == 0
    assert most > 6 * AT_ONCE, "else the test above shows nothing"


async def test_a_flood_of_typing_is_cut(tmp_path: Path) -> None:
    told = trio.Event()

    async def type_all_the_time(port: Port, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        contact = (await port.arrive("one", queue="other")).contact
        for number in range(5_000):
            await port.typing(contact, number % 2 == 0)
        told.set()
        await trio.sleep_forever()

    notices = []
    async with two(tmp_path, type_all_the_time) as site:
        notify = site.service.bus.notify
        site.service.bus.notify = lambda notice: (notices.append(notice), notify(notice))  # type: ignore[method-assign]
        await told.wait()
        await site.serve(1)
    assert len(notices) < 500


async def test_a_huge_message_is_refused_by_name_before_memory(tmp_path: Path) -> None:
    huge = "x" * (32 * 1024 * 1024)
    refusals: list[str] = []
    done = trio.Event()

    async def say_too_much(port: Port, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        contact = (await port.arrive("one", queue="other")).contact
        many = {str(number): "x" for number in range(100_000)}
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for call in (
            lambda: port.message(contact, huge, "m1"),
            lambda: port.message(contact, "hello", huge),
            lambda: port.arrive("two", queue=huge),
            lambda: port.arrive("two", queue="other", customer_name=huge),
            lambda: port.arrive("two", queue="other", customer=huge),
            lambda: port.arrive("two", queue="other", requires=huge),
            lambda: port.arrive("two", queue="other", known=Known(caller=huge)),
            lambda: port.arrive("two", queue="other", known=Known(attributes={"page": huge})),
            lambda: port.arrive("two", queue="other", known=Known(attributes=many)),
        ):
            with pytest.raises(Malformed) as caught:
                await call()
            refusals.append(str(caught.value).split(":")[0])
        refusals.append("grown" if tracemalloc.get_traced_memory()[1] - before > len(huge) / 2 else "small")
        tracemalloc.stop()
        done.set()
        await trio.sleep_forever()

    async with two(tmp_path, say_too_much) as site:
        await site.serve(1)
        await done.wait()
        await site.serve(1)
        assert site.service.overview().contacts.waiting == 1
    assert refusals == [
        "text",
        "external_id",
        "queue",
        "customer_name",
        "customer",
        "requires",
        "known.caller",
        "known.attributes.page",
        "known.attributes",
        "small",
    ]


async def test_who_keeps_the_thread_is_named_while_he_does(tmp_path: Path) -> None:
    """No other channel can be served meanwhile: that is why code that may block belongs into a process."""
    hosts: list[PluginHost] = []
    kept = 0

    def keep_the_thread() -> None:
        give_up = time.monotonic() + 60
        while not hosts[0]._blocks["bad"].where and time.monotonic() < give_up:
            pass

    async def block(port: Port, task_status: trio.TaskStatus[None]) -> None:
        nonlocal kept
        task_status.started()
        await trio.sleep(0.05)
        if not kept:
            kept = 1
            keep_the_thread()
        await trio.sleep_forever()

    async with two(tmp_path, block, blocked_after_s=0.2) as site:
        hosts.append(site.host)
        await until("it has been ended", lambda: site.host.health["bad"].failures > 0)
        assert "ChannelBlocks" in site.host.health["bad"].reason
        assert "keep_the_thread" in site.host.health["bad"].reason
        await site.serve(2)
        assert site.host.health["good"].failures == 0
