"""The edge beside a real service: over a real socket, from the real journal."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trio
import trio.testing

from channels.echo.plugin import Echo
from engine.bus import ForAgents, ForChannel
from engine.edge.link import MOST_UNANSWERED, Link, LinkLost
from engine.edge.opening import Edge
from engine.errors import Busy, Draining, Malformed, UnknownContact, UnknownQueue, WrongState
from engine.facade import Facade
from engine.messages.between import ByHand
from engine.model import (
    Accept,
    Arrive,
    Connected,
    HoursState,
    Message,
    MessageOut,
    Queued,
    Refusal,
    SignIn,
)
from engine.plugins import PluginHost
from engine.service import Service
from engine.subscription import EventBatch, Subscription
from engine.testing.edge import edge_beside
from engine.testing.fixtures import SECRET, MemoryStore, small_service
from engine.views import ChannelOverview
from engine.web_mounts import Mounts
from tests.unit.gateway_site import TOKENS, arrive, plugin, served, wait_for

KEY = bytes(16)


class Site(NamedTuple):
    core: Service
    edge: Edge
    store: MemoryStore


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Site]:
    store = MemoryStore()
    async with (
        small_service(folder, store=store) as core,
        edge_beside(core, store, SECRET) as edge,
    ):
        with trio.fail_after(20):
            yield Site(core, edge, store)


async def notice_in(subscription: Subscription) -> Any:
    while isinstance(item := await subscription.receive(), EventBatch):
        pass
    return item


async def until(true: Callable[[], bool]) -> None:
    while not true():
        await trio.sleep(0.005)


async def test_everybody_reads_what_he_has_written(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        service = site.edge.service
        for number in range(50):
            agent = "ann" if number % 2 else "bob"
            desk = service.desk(agent)
            await desk.sign_in()
            assert desk.state().presence == "ready"
            await desk.sign_out()
            assert desk.state().presence == "signed_out"
        assert service.seq == site.core.seq
        assert service.router.state_hash() == site.core.router.state_hash()


async def test_a_refusal_is_the_cores_own(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        service = site.edge.service
        with pytest.raises(UnknownContact):
            await service.release(4711)
        with pytest.raises(UnknownQueue):
            await service.command(Arrive(channel=1, key=KEY, queue=999))
        contact = await ada(service)
        with pytest.raises(WrongState):
            await service.move(contact, "loans")
        with pytest.raises(Malformed, match="key"):
            await service.command(Arrive(channel=1, key=b"short", queue=1))
        assert await service.command(SignIn(agent=service.names.id("agent", "ann"))) == 0


async def ada(service: Facade) -> int:
    assert service.conversations is not None
    contact, _ = await service.conversations.arrive("chat", "ada", queue="cards", customer_name="Ada")
    return contact


async def test_events_and_messages_pass_both_ways_in_order(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        core, edge = site.core, site.edge.service
        ann = core.names.id("agent", "ann")
        chat = core.names.id("channel", "chat")
        with (
            edge.subscribe(ForAgents([ann]), notices=True) as at_the_desk,
            core.subscribe(ForChannel(chat), notices=True) as in_the_core,
            edge.subscribe(ForChannel(chat), notices=True) as in_the_edge,
        ):
            await edge.desk("ann").sign_in()
            contact = await ada(core)
            await edge.followed(core.seq)
            (offer,) = edge.desk("ann").state().offers
            await edge.desk("ann").accept(offer.offer)
            await core.command(Connected(channel=chat, contact=contact))
            # The core tells of it at once; the edge tells it only where it can see who is engaged.
            assert core.conversations is not None
            await core.conversations.customer_says("chat", contact, "hello", "1")
            notice = await notice_in(at_the_desk)
            assert (notice.contact, notice.agents, notice.sender) == (contact, (ann,), "customer")
            assert edge.desk("ann").state().contacts[0].state == "engaged"
            await edge.desk("ann").say(contact, "hi", "2")
            senders = [(await notice_in(in_the_core)).sender for _ in range(2)]
            assert senders == ["customer", "agent"]
            assert [(await notice_in(in_the_edge)).sender for _ in range(2)] == senders
            edge.desk("ann").typing(contact, True)
            assert (await notice_in(in_the_core)).on is True
            assert (await notice_in(in_the_edge)).on is True
            await edge.desk("ann").end(contact)
            # Nothing was told twice: what comes next is an event.
            assert isinstance(await in_the_edge.receive(), EventBatch)
            assert isinstance(await in_the_core.receive(), EventBatch)


async def test_a_plugin_of_another_process_talks_with_a_desk_at_the_edge(tmp_path: Path) -> None:
    store = MemoryStore()
    async with (
        served(tmp_path, store=store) as (core, address),
        edge_beside(core, store, SECRET) as edge,
        plugin(address) as voice,
    ):
        with trio.fail_after(20):
            bob = core.names.id("agent", "bob")
            desk = edge.service.desk("bob")
            with desk.events() as events:
                await desk.sign_in()
                contact = await voice.request(arrive(voice, 1))
                await edge.service.followed(core.seq)
                await edge.service.command(Accept(agent=bob, offer=desk.state().offers[0].offer))
                names = voice.welcome.names
                await voice.request(Connected(channel=names["channel"]["voice"], contact=contact))
                await voice.send_control(Message(contact=contact, external_id="m1", text="from far"))
                notice = await notice_in(events)
                assert notice.contact == contact
                await desk.say(contact, "from near", "m2")
                assert (await wait_for(voice, MessageOut)).text == "from near"


async def test_an_edge_that_comes_later_knows_what_was(tmp_path: Path) -> None:
    store = MemoryStore()
    async with small_service(tmp_path, store=store) as core:
        await core.desk("ann").sign_in()
        contact = await ada(core)
        async with edge_beside(core, store, SECRET) as edge:
            assert edge.service.desk("ann").state().offers[0].contact == contact
            chat = core.names.id("channel", "chat")
            with trio.fail_after(5), edge.service.subscribe(ForChannel(chat), resume_from=0) as again:
                kinds = [type(event) for _, _, batch in [await anext(again)] for _, event in batch]
            assert Queued in kinds


async def test_presence_at_the_edge_is_presence_in_the_core(tmp_path: Path) -> None:
    store = MemoryStore()
    async with small_service(tmp_path, store=store) as core:
        ann, chat = core.names.id("agent", "ann"), core.names.id("channel", "chat")
        leases = core.leases
        async with edge_beside(core, store, SECRET) as edge:
            with edge.service.leases.agents.held(ann), edge.service.leases.agents.held(ann):
                with edge.service.leases.channels.held(chat):
                    await until(lambda: leases.agents.is_held(ann) and leases.channels.is_held(chat))
                await until(lambda: not leases.channels.is_held(chat))
                assert leases.agents.is_held(ann)
            await until(lambda: not leases.agents.is_held(ann))
            scope = edge.service.leases.agents.held(ann)
            scope.__enter__()
            await until(lambda: leases.agents.is_held(ann))
        # The edge is gone without a word: whom it held is held no more.
        await until(lambda: not leases.agents.is_held(ann))


async def test_a_lost_lease_shows_at_the_edge_until_the_agent_is_back(tmp_path: Path) -> None:
    store = MemoryStore()
    async with small_service(tmp_path, store=store) as core:
        ann = core.names.id("agent", "ann")
        core.leases.lost_at_us[ann] = 5
        async with edge_beside(core, store, SECRET) as edge:
            await until(lambda: edge.service.leases.lost_at_us == {ann: 5})
            await edge.service.desk("ann").sign_in()
            assert edge.service.leases.lost_at_us == {}
            await until(lambda: core.leases.lost_at_us == {})


async def test_how_the_channels_are_shows_at_the_edge(tmp_path: Path) -> None:
    store = MemoryStore()
    async with (
        served(tmp_path, store=store) as (core, address),
        edge_beside(core, store, SECRET) as edge,
        trio.open_nursery() as nursery,
    ):
        with trio.fail_after(20):
            seen = edge.service.channels_now
            assert [(one.name, one.state) for one in seen()] == [("chat", "starting"), ("voice", "gone")]
            assert seen() == core.channels_now(), "it knows it before its pages open"
            host = PluginHost(edge.service, TOKENS, Mounts(), factories={"echo": lambda _: Echo("cards")})
            await nursery.start(host.run)
            async with plugin(address):
                there = [ChannelOverview("chat", "open"), ChannelOverview("voice", "connected")]
                await until(lambda: seen() == there)
            await until(lambda: seen()[1].state == "gone")
            assert seen()[1].gone_since_us == core.leases.away[core.names.id("channel", "voice")].since_us
            nursery.cancel_scope.cancel()


async def test_what_a_supervisor_closes_at_the_edge_is_noted_in_the_core(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        await site.edge.service.set_hours("cards", HoursState.CLOSED)
        assert site.edge.service.hours("cards") == "closed"
        await until(lambda: site.core.by_hand.of("cards") is not None)
        noted = site.core.by_hand.of("cards")
        assert noted is not None
        assert noted.state is HoursState.CLOSED


async def test_a_drain_reaches_the_edge(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        site.core.drain.begin(30)
        with trio.fail_after(5):
            await site.edge.service.drain.told.wait()
        with pytest.raises(Draining) as refused:
            await ada(site.edge.service)
        assert 5_000 <= refused.value.retry_after_ms <= 40_000
        assert not site.store.conversations


async def test_too_many_unanswered_are_refused_and_not_kept() -> None:
    ours, theirs = socket.socketpair()
    link = Link(trio.SocketStream(trio.socket.from_stdlib_socket(ours)))
    async with trio.open_nursery() as nursery:
        for _ in range(MOST_UNANSWERED):
            nursery.start_soon(link.request, SignIn(agent=1))
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(Busy):
            await link.request(SignIn(agent=1))
        nursery.cancel_scope.cancel()
    ours.close()
    theirs.close()


async def test_an_edge_ends_with_its_core(tmp_path: Path) -> None:
    store = MemoryStore()
    with pytest.RaisesGroup(LinkLost, flatten_subgroups=True, allow_unwrapped=True):
        async with small_service(tmp_path, store=store) as core, edge_beside(core, store, SECRET) as edge:
            await edge.link._stream.send_all(b"\xff\xff\xff\xff")  # no frame: the core hangs up
            await trio.sleep_forever()


async def test_the_edges_frames_are_for_the_edge_alone(tmp_path: Path) -> None:
    async with served(tmp_path) as (core, address), plugin(address) as voice:
        await voice.send_control(ByHand(queue="cards", state=HoursState.CLOSED, at=1))
        refusal = await wait_for(voice, Refusal)
        assert refusal.code == "malformed"
        assert core.by_hand.of("cards") is None
