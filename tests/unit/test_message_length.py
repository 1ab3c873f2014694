"""What an agent writes is refused, before it is stored, when the channel cannot carry it."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from engine.auth import Tokens
from engine.channel import Capabilities, Port
from engine.edge.door import EdgeDoor
from engine.errors import ConfigError, Malformed
from engine.messages.between import EdgeState
from engine.model import Attach, Connected, Message, MessageOut, MessageStored, Refusal
from engine.plugins import PluginHost
from engine.service import Service
from engine.testing.fixtures import SECRET, SMALL_SITE, MemoryStore, small_service, small_site
from engine.web_mounts import Mounts
from tests.unit.gateway_site import arrive, edge, plugin, served, wait_for

SHORT = SMALL_SITE.replace('plugin = "socket"', 'plugin = "socket"\nmax_message_bytes = 8')
TOO_LONG = "channel voice takes at most 8 bytes of UTF-8, this message has 9"


async def test_a_plugin_elsewhere_gets_no_message_longer_than_its_section_says(tmp_path: Path) -> None:
    store = MemoryStore()
    async with served(tmp_path, text=SHORT, store=store) as (service, address), plugin(address) as voice:
        bob = service.desk("bob")
        await bob.sign_in()
        contact = await voice.request(arrive(voice, 1))
        await bob.accept(bob.state().offers[0].offer)
        await voice.request(Connected(channel=voice.welcome.names["channel"]["voice"], contact=contact))
        with pytest.raises(Malformed, match=f"text: {TOO_LONG}; write it shorter"):
            await bob.say(contact, "很长的", "m1")
        async with edge(address) as desks:
            await desks.send_control(Attach(agents=[bob.number]))
            await desks.send_control(Message(contact=contact, external_id="m2", text="much more"))
            refusal = await wait_for(desks, Refusal)
            assert (refusal.code, refusal.text) == (
                "malformed",
                f"message 'm2': text: {TOO_LONG}; write it shorter, or in parts",
            )
            await desks.send_control(Message(contact=contact, external_id="m3", text="也好 ?"))
            await wait_for(desks, MessageStored)
        assert (await wait_for(voice, MessageOut)).text == "也好 ?"
        assert [one.text for one in store.all_messages] == ["也好 ?"]


class Short:
    """A hosted channel for short messages."""

    capabilities = Capabilities(max_message_bytes=5)

    async def run(self, port: Port, *, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        async for _ in port.effects():
            pass


async def in_a_chat(service: Service) -> int:
    assert service.conversations is not None
    ann = service.desk("ann")
    await ann.sign_in()
    contact, _ = await service.conversations.arrive("chat", "li", queue="cards")
    await ann.accept(ann.state().offers[0].offer)
    return contact


async def test_a_hosted_channel_gets_no_message_longer_than_it_can_carry(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service, trio.open_nursery() as nursery:
        host = PluginHost(service, Tokens(SECRET, "small"), Mounts(), factories={"echo": lambda _: Short()})
        await nursery.start(host.run)
        contact = await in_a_chat(service)
        with pytest.raises(Malformed, match="text: channel chat takes at most 5 bytes"):
            await service.desk("ann").say(contact, "123456", "m1")
        await service.desk("ann").say(contact, "12345", "m2")
        nursery.cancel_scope.cancel()


async def test_the_core_knows_what_the_edge_s_channels_can_carry(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service, trio.open_nursery() as nursery:
        door = EdgeDoor(service.site, nursery)
        door.unlock(service, lambda *_: trio.sleep_forever())
        door.state(EdgeState(channels={"chat": ("open", 0, "", 5)}))
        contact = await in_a_chat(service)
        with pytest.raises(Malformed, match="text: channel chat takes at most 5 bytes"):
            await service.desk("ann").say(contact, "123456", "m1")


@pytest.mark.parametrize(
    ("section", "error"),
    [
        ("[channels.chat]\nmax_message_bytes = 5", "a hosted plugin says it itself; take it out"),
        ("[channels.voice]\nmax_message_bytes = 0", "expected 1..16384, got 0"),
        ("[channels.voice]\nmax_message_bytes = 16385", "expected 1..16384, got 16385"),
    ],
)
def test_wrong_limits_are_named(tmp_path: Path, section: str, error: str) -> None:
    name = section.split("]", maxsplit=1)[0].strip("[")
    with pytest.raises(ConfigError) as caught:
        small_site(tmp_path, SMALL_SITE.replace(f"[{name}]", section))
    assert caught.value.errors == [f"{name}.max_message_bytes: {error}"]
