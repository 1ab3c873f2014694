"""Lines of the log that concern a contact name it, and the batch; nothing that anybody wrote is in them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from structlog.testing import capture_logs

from console.acts import Acts, Do, Say
from engine.auth import Tokens
from engine.channel import Capabilities, Connect, Ended, Port
from engine.logins import Identity
from engine.model import Abandon, Arrive, Attach, Message
from engine.plugins import PluginHost
from engine.service import Service
from engine.testing.fixtures import SECRET, MemoryStore, small_service
from engine.web_mounts import Mounts
from engine.wire_client import Disconnected
from tests.unit.gateway_site import arrive, edge, plugin, served

WRITTEN = "my card was stolen"


def line(logged: list[Any], event: str) -> Mapping[str, Any]:
    assert WRITTEN not in str(logged)
    found = [one for one in logged if event in one["event"]]
    assert found, [one["event"] for one in logged]
    return found[0]


class Broken(MemoryStore):
    """A store that cannot keep a message."""

    async def add_message(self, *_: Any, **__: Any) -> Any:
        await trio.lowlevel.checkpoint()
        raise OSError("the disk")


class Fails:
    """A channel that fails at the end of a contact."""

    capabilities = Capabilities()

    def __init__(self) -> None:
        self.failed = trio.Event()

    async def run(self, port: Port, *, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        async for effect in port.effects():
            if isinstance(effect, Connect):
                with suppress(OSError):
                    await port.message(effect.contact, WRITTEN, "1")
            elif isinstance(effect, Ended):
                self.failed.set()
                raise RuntimeError("boom")


async def test_a_hosted_channel_that_fails_names_the_contact_that_it_had_in_hand(tmp_path: Path) -> None:
    channel = Fails()
    async with small_service(tmp_path) as service, trio.open_nursery() as nursery:
        host = PluginHost(service, Tokens(SECRET, "small"), Mounts(), factories={"echo": lambda _: channel})
        await nursery.start(host.run)
        chat, queue = service.names.id("channel", "chat"), service.names.id("queue", "cards")
        with capture_logs() as logged:
            await service.command(Arrive(channel=chat, key=bytes(16), queue=queue))
            contact = await service.command(Arrive(channel=chat, key=b"k" * 16, queue=queue))
            await service.command(Abandon(channel=chat, contact=contact))
            seq = service.seq
            await channel.failed.wait()
            await trio.testing.wait_all_tasks_blocked()
        said = line(logged, "a channel has ended")
        assert (said["contact"], said["seq"], said["channel"]) == (contact, seq, "chat")
        nursery.cancel_scope.cancel()


async def test_a_fault_behind_a_port_names_the_contact(tmp_path: Path) -> None:
    async with small_service(tmp_path, store=Broken()) as service, trio.open_nursery() as nursery:
        asked = trio.Event()
        host = PluginHost(
            service, Tokens(SECRET, "small"), Mounts(), factories={"echo": lambda _: Asks(asked)}
        )
        with capture_logs() as logged:
            await nursery.start(host.run)
            await asked.wait()
        said = line(logged, "what a channel asked for has failed")
        assert (said["contact"], said["channel"], said["error"]) == (1, "chat", "OSError")
        assert said["seq"] == service.seq
        nursery.cancel_scope.cancel()


class Asks:
    """A channel whose customer writes at once."""

    capabilities = Capabilities()

    def __init__(self, asked: trio.Event) -> None:
        self._asked = asked

    async def run(self, port: Port, *, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        arrived = await port.arrive("li", queue="cards")
        with pytest.raises(OSError, match="the disk"):
            await port.message(arrived.contact, WRITTEN, "1")
        self._asked.set()
        await trio.sleep_forever()


async def test_a_message_over_a_socket_that_meets_a_fault_names_the_contact(tmp_path: Path) -> None:
    with capture_logs() as logged:
        async with served(tmp_path, store=Broken()) as (_, address), plugin(address) as voice:
            contact = await voice.request(arrive(voice, 1))
            await voice.send_control(Message(contact=contact, external_id="1", text=WRITTEN))
            with suppress(Disconnected), trio.fail_after(5):
                while True:
                    await voice.incoming()
    said = line(logged, "a message was not stored")
    assert (said["contact"], said["error"]) == (contact, "OSError")
    assert said["seq"] > 0


async def test_a_lost_lease_and_a_gone_plugin_name_their_contacts(
    tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    with capture_logs() as logged:
        async with served(tmp_path) as (service, address):
            bob = service.desk("bob")
            await bob.sign_in()
            async with plugin(address) as voice, edge(address) as desks:
                await desks.send_control(Attach(agents=[bob.number]))
                first = await voice.request(arrive(voice, 1))
                await bob.accept(bob.state().offers[0].offer)
                second = await voice.request(arrive(voice, 2))
            for _ in range(3):
                await trio.testing.wait_all_tasks_blocked(0.02)
                mock_clock.jump(300)
            await released(service, second)
    lost, gone = line(logged, "its lease is lost"), line(logged, "plugin is gone")
    assert lost["contacts"] == [first]
    assert second in gone["first_contacts"]
    assert lost["seq"] > 0
    assert gone["seq"] > 0


async def released(service: Service, contact: int) -> None:
    with trio.fail_after(5_000):
        while (found := service.contact_state(contact)) is None or found.state != "withdrawn":
            await trio.testing.wait_all_tasks_blocked(0.02)


def test_what_is_said_of_an_act_is_numbers_alone(tmp_path: Path) -> None:
    service: Any = type("Site", (), {"seq": 7, "site": type("Of", (), {"agents": {}, "domains": {}})()})()
    store: Any = None
    acts = Acts(service, store, Identity(1, "x", "X", "agent", None, "s"), None)
    say = Say(id="1", contact=5, external_id="e", text=WRITTEN)
    assert acts.named(say) == {"act": "say", "seq": 7, "contact": 5}
    assert acts.named(Do(id="1", act="accept", offer=3)) == {"act": "accept", "seq": 7, "offer": 3}
