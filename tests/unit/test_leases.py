"""Leases of agents and graces of plugins: virtual time, real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from engine.auth import Tokens
from engine.bus import ForAll
from engine.channel import Capabilities, Port
from engine.clock import ManualClock
from engine.config import Address
from engine.errors import ConfigError
from engine.gateway import Gateway
from engine.model import (
    AgentSignedOut,
    AnyEvent,
    Arrive,
    Attach,
    Connected,
    Detach,
    EndedBy,
    LeaseLostEvent,
    OfferMade,
    Queued,
    QueuedCause,
    Withdrawn,
)
from engine.plugins import PluginHost
from engine.service import Service
from engine.subscription import Subscription
from engine.testing.fixtures import SECRET, SMALL_SITE, MemoryStore, small_service, small_site
from engine.views import ChannelOverview
from engine.web_mounts import Mounts
from engine.wire_client import Disconnected, connect
from tests.unit.gateway_site import edge, plugin, served

Clock = trio.testing.MockClock
LEASE_S, GRACE_S = 60.0, 300.0
SHORT = SMALL_SITE.replace("[routing]", "[routing]\nagent_lease_s = 7")
"""A lease that is over before a client that reads nothing is cut for its silence."""


def arrive(service: Service, key: int, queue: str = "cards", channel: str = "chat") -> Arrive:
    names = service.names
    return Arrive(channel=names.id("channel", channel), key=key.to_bytes(16), queue=names.id("queue", queue))


async def until(events: Subscription, kind: type[AnyEvent]) -> list[AnyEvent]:
    """Everything that happens up to the end of the batch that has an event of a kind."""
    seen: list[AnyEvent] = []
    async for _, _, batch in events:
        seen += [event for _, event in batch]
        if any(isinstance(event, kind) for event in seen):
            break
    return seen


async def settled(service: Service) -> None:
    """Let everything happen that can happen now: sockets, then what they have asked for."""
    for _ in range(3):
        await trio.testing.wait_all_tasks_blocked(0.02)
        await service.desk("bob").unlock()


async def presence(service: Service, agent: str) -> str:
    await settled(service)
    return service.desk_state(agent).presence


# ----- agents -------------------------------------------------------------------------------------


@asynccontextmanager
async def in_a_chat(folder: Path, text: str = SMALL_SITE) -> AsyncIterator[tuple[Service, str, Subscription]]:
    """Ann, whom nobody holds yet, in a chat; another chat waits behind it."""
    async with served(folder, text=text) as (service, address):
        ann = service.desk("ann")
        await ann.sign_in()
        await service.command(arrive(service, 1))
        await ann.accept(ann.state().offers[0].offer)
        with service.subscribe(ForAll()) as events:
            yield service, address, events


async def test_a_closed_laptop_frees_its_contacts_after_the_lease(tmp_path: Path, mock_clock: Clock) -> None:
    async with in_a_chat(tmp_path, SHORT) as (service, address, events):
        bob = service.desk("bob")
        place = service.router.contact(1)
        assert place is not None
        async with edge(address) as client:
            await client.send_control(Attach(agents=[service.desk("ann").number]))
            await settled(service)
            mock_clock.jump(30)
            assert await presence(service, "ann") == "ready"
        await settled(service)
        mock_clock.jump(6)
        assert await presence(service, "ann") == "ready"
        mock_clock.jump(1)
        seen = await until(events, LeaseLostEvent)
        lost, queued, gone = seen[-3:]
        assert isinstance(lost, LeaseLostEvent)
        assert (lost.agent, lost.contacts) == (service.desk("ann").number, (1,))
        assert isinstance(queued, Queued)
        assert (queued.cause, queued.enqueued_at) == (QueuedCause.LEASE_LOST, place.enqueued_at)
        assert isinstance(gone, AgentSignedOut)
        assert service.leases.lost_at_us == {lost.agent: service.clock.now_us()}
        await service.desk("ann").sign_in()
        assert service.leases.lost_at_us == {}
        assert service.desk("ann").state().offers[0].contact == 1, "the same agent may have it again"
        assert bob.state().offers == []


async def test_two_who_hold_an_agent_must_both_be_gone(tmp_path: Path, mock_clock: Clock) -> None:
    async with in_a_chat(tmp_path, SHORT) as (service, address, _), AsyncExitStack() as stack:
        number = service.desk("ann").number
        first = await stack.enter_async_context(edge(address))
        async with edge(address) as second:
            for client in (first, second):
                await client.send_control(Attach(agents=[number]), Attach(agents=[number]))
            await settled(service)
        await settled(service)
        mock_clock.jump(14)
        assert await presence(service, "ann") == "ready"
        await first.send_control(Detach(agents=[number]))
        await settled(service)
        mock_clock.jump(7)
        assert await presence(service, "ann") == "signed_out"


async def test_a_short_reconnect_changes_nothing(tmp_path: Path, mock_clock: Clock) -> None:
    async with in_a_chat(tmp_path) as (service, address, _):
        number = service.desk("ann").number
        for _ in range(3):
            async with edge(address) as client:
                await client.send_control(Attach(agents=[number]))
                await settled(service)
            await settled(service)
            mock_clock.jump(LEASE_S - 1)
            assert await presence(service, "ann") == "ready"
        state = service.contact_state(1)
        assert state is not None
        assert (state.state, state.agent) == ("engaged", "ann")


async def test_after_a_start_leases_begin_anew(tmp_path: Path, mock_clock: Clock) -> None:
    async with in_a_chat(tmp_path):
        pass
    mock_clock.jump(10 * LEASE_S)
    async with served(tmp_path) as (service, _):
        await settled(service)
        mock_clock.jump(LEASE_S - 1)
        assert await presence(service, "ann") == "ready"
        assert await presence(service, "bob") == "signed_out"
        mock_clock.jump(1)
        assert await presence(service, "ann") == "signed_out"
        state = service.contact_state(1)
        assert state is not None
        assert state.state == "waiting"
        assert list(service.leases.lost_at_us) == [service.desk("ann").number]


@pytest.mark.parametrize(("lease_s", "expected"), [(0, "ready"), (7, "signed_out")])
async def test_the_lease_is_configured(
    tmp_path: Path, mock_clock: Clock, lease_s: int, expected: str
) -> None:
    text = SMALL_SITE.replace("[routing]", f"[routing]\nagent_lease_s = {lease_s}")
    async with in_a_chat(tmp_path, text) as (service, address, _):
        async with edge(address) as client:
            await client.send_control(Attach(agents=[service.desk("ann").number]))
            await settled(service)
        await settled(service)
        mock_clock.jump(7)
        assert await presence(service, "ann") == expected


@pytest.mark.parametrize(
    ("section", "key"), [("[routing]", "agent_lease_s = 86401"), ("[channels.voice]", "grace_s = -1")]
)
def test_what_is_out_of_range_is_named(tmp_path: Path, section: str, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        small_site(tmp_path, SMALL_SITE.replace(section, f"{section}\n{key}"))
    assert len(caught.value.errors) == 1
    assert f"{section.strip('[]')}.{key.split(maxsplit=1)[0]}" in caught.value.errors[0]


# ----- plugins ------------------------------------------------------------------------------------


async def test_a_plugin_that_is_gone_keeps_its_contacts_for_its_grace(
    tmp_path: Path, mock_clock: Clock
) -> None:
    async with served(tmp_path) as (service, address):
        voice, bob = service.names.id("channel", "voice"), service.desk("bob")
        await bob.sign_in()
        for key in range(1, 5):
            await service.command(arrive(service, key, "loans", "voice"))
        await bob.accept(bob.state().offers[0].offer)
        await service.command(Connected(channel=voice, contact=1))
        await service.desk("ann").sign_in()
        async with plugin(address):
            await settled(service)
            mock_clock.jump(3 * GRACE_S)
            await settled(service)
            assert states(service) == ["engaged", "offered", "waiting", "waiting"]
        await settled(service)
        mock_clock.jump(GRACE_S - 1)
        await settled(service)
        assert states(service) == ["engaged", "offered", "waiting", "waiting"]
        with service.subscribe(ForAll()) as events:
            mock_clock.jump(1)
            seen: list[AnyEvent] = []
            while sum(isinstance(event, Withdrawn) for event in seen) < 3:
                seen += await until(events, Withdrawn)
        assert {event.by for event in seen if isinstance(event, Withdrawn)} == {EndedBy.ENGINE}
        assert states(service) == ["engaged", "withdrawn", "withdrawn", "withdrawn"]
        await bob.transfer(1, "loans")
        assert states(service)[0] == "offered"
        await settled(service)
        mock_clock.jump(GRACE_S)
        await settled(service)
        assert states(service)[0] == "withdrawn", "what comes to wait while it is still gone"


async def test_who_is_behind_a_channel_and_since_when_nobody_is(tmp_path: Path, mock_clock: Clock) -> None:
    clock = ManualClock()
    async with served(tmp_path, clock=clock) as (service, address):
        voice = service.names.id("channel", "voice")
        await settled(service)
        began_us = service.clock.now_us()
        until_us = began_us + round(GRACE_S * 1_000_000)
        assert channel_now(service, "voice") == ChannelOverview("voice", "gone", "", 0, began_us, until_us)
        assert channel_now(service, "chat") == ChannelOverview("chat", "starting", "", 0, began_us, until_us)
        clock.advance_ms(7_000)
        async with plugin(address), plugin(address):
            await settled(service)
            assert channel_now(service, "voice") == ChannelOverview("voice", "connected")
        await settled(service)
        gone = channel_now(service, "voice")
        assert (gone.state, gone.gone_since_us) == ("gone", began_us + 7_000_000)
        await service.command(arrive(service, 1, "loans", "voice"))
        for _ in range(3):
            clock.advance_ms(round(GRACE_S * 1_000))
            mock_clock.jump(GRACE_S)
            await settled(service)
        assert states(service) == ["withdrawn"]
        assert channel_now(service, "voice") == gone, "since it went, however often it is looked for"
        assert not service.leases.channels.is_held(voice)


async def test_a_channel_without_grace_keeps_its_contacts_for_ever(tmp_path: Path) -> None:
    async with served(tmp_path, text=SMALL_SITE.replace("exclusive = true", "grace_s = 0")) as (service, _):
        await settled(service)
        gone = channel_now(service, "voice")
        assert (gone.state, gone.kept_until_us) == ("gone", None)
        assert gone.gone_since_us is not None


def channel_now(service: Service, name: str) -> ChannelOverview:
    return next(one for one in service.channels_now() if one.name == name)


def states(service: Service) -> list[str]:
    found = [service.contact_state(number) for number in range(1, 5)]
    return [one.state for one in found if one is not None]


TWO = SMALL_SITE.replace('[channels.voice]\nplugin = "socket"', '[channels.voice]\nplugin = "bad"')


class Fails:
    """Opens, and fails when it is told to; opens no more when it may not."""

    capabilities = Capabilities()

    def __init__(self) -> None:
        self.may_open = True
        self.fail = trio.Event()
        self.opened = trio.Event()

    async def run(self, port: Port, *, task_status: trio.TaskStatus[None]) -> None:
        if not self.may_open:
            raise RuntimeError("still broken")
        task_status.started()
        self.opened.set()
        await self.fail.wait()
        raise RuntimeError("boom")


async def test_a_hosted_channel_that_fails_has_the_same_grace(tmp_path: Path, mock_clock: Clock) -> None:
    channel = Fails()
    factories: dict[str, Any] = {"echo": lambda _: Fails(), "bad": lambda _: channel}
    async with (
        small_service(tmp_path, text=TWO, store=MemoryStore()) as service,
        trio.open_nursery() as nursery,
    ):
        host = PluginHost(service, Tokens(SECRET, "small"), Mounts(), factories=factories)
        await nursery.start(host.run)
        await service.command(arrive(service, 1, "loans", "voice"))
        mock_clock.jump(2 * GRACE_S)
        await settled(service)
        assert states(service) == ["waiting"]
        channel.opened = trio.Event()
        channel.fail.set()
        await settled(service)
        channel.fail = trio.Event()
        mock_clock.jump(0.5)
        await channel.opened.wait()
        mock_clock.jump(2 * GRACE_S)
        await settled(service)
        assert states(service) == ["waiting"], "it was started again in time"
        channel.may_open = False
        channel.fail.set()
        await settled(service)
        mock_clock.jump(GRACE_S)
        await settled(service)
        failed = channel_now(service, "voice")
        assert (failed.state, failed.reason, failed.failures) == ("failed", "RuntimeError: still broken", 3)
        assert failed.gone_since_us is not None
        assert failed.kept_until_us == failed.gone_since_us + GRACE_S * 1_000_000
        assert channel_now(service, "chat") == ChannelOverview("chat", "open")
        assert states(service) == ["withdrawn"]
        nursery.cancel_scope.cancel()


async def test_an_offer_goes_on_with_the_next_agent(tmp_path: Path, mock_clock: Clock) -> None:
    async with in_a_chat(tmp_path) as (service, address, events):
        bob = service.desk("bob")
        await bob.sign_in()
        async with edge(address) as client:
            await client.send_control(Attach(agents=[bob.number]))
            await service.command(arrive(service, 2, "loans"))
            await settled(service)
            assert bob.state().offers != []
        await settled(service)
        mock_clock.jump(LEASE_S)
        seen = await until(events, LeaseLostEvent)
        made = [event for event in seen if isinstance(event, OfferMade) and event.contact == 2]
        assert [one.agent for one in made] == [bob.number, service.desk("ann").number]


async def test_a_service_that_stops_takes_nothing_from_anybody(tmp_path: Path, mock_clock: Clock) -> None:
    async with small_service(tmp_path, text=SHORT) as service, trio.open_nursery() as outer:
        ann, tokens = service.desk("ann"), Tokens(SECRET, "small")
        await ann.sign_in()
        async with trio.open_nursery() as nursery:
            ports = await nursery.start(Gateway(service, tokens).serve, Address("127.0.0.1", 0))
            token = tokens.issue("edge", "edge-under-test", 60, any_agent=True)
            await outer.start(_attached, f"127.0.0.1:{ports.tcp}", token, ann.number)
            await settled(service)
            assert service.leases.agents.is_held(ann.number)
            nursery.cancel_scope.cancel()
        assert not service.leases.agents.is_held(ann.number)
        mock_clock.jump(10 * LEASE_S)
        assert await presence(service, "ann") == "ready"


async def _attached(address: str, token: str, agent: int, *, task_status: trio.TaskStatus[None]) -> None:
    async with connect(address, token, "edge") as client:
        await client.send_control(Attach(agents=[agent]))
        task_status.started()
        with suppress(Disconnected):
            while True:
                await client.incoming()
