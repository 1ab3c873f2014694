"""The plugin host: one channel's trouble is its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from engine import plugins
from engine.auth import Tokens
from engine.channel import Capabilities, Connect, Effect, Ended, Port
from engine.errors import BadToken, ConfigError, Malformed, UnknownContact, UnknownQueue
from engine.identities import IdentityKey
from engine.plugins import PluginHost
from engine.service import Service
from engine.testing.fixtures import SECRET, SMALL_SITE, MemoryStore, small_service
from engine.web_mounts import Mounts

TWO = SMALL_SITE.replace('[channels.voice]\nplugin = "socket"', '[channels.voice]\nplugin = "bad"')


class Good:
    """Reads its effects and keeps them."""

    capabilities = Capabilities(max_message_bytes=10)

    def __init__(self) -> None:
        self.effects: list[Effect] = []
        self.port: Port

    async def run(self, port: Port, *, task_status: trio.TaskStatus[None]) -> None:
        self.port = port
        task_status.started()
        async for effect in port.effects():
            self.effects.append(effect)


class Bad:
    """Does what the test tells it."""

    capabilities = Capabilities()

    def __init__(self, behave: Callable[[Port, trio.TaskStatus[None]], Any]) -> None:
        self.behave = behave

    async def run(self, port: Port, *, task_status: trio.TaskStatus[None]) -> None:
        await self.behave(port, task_status)


@asynccontextmanager
async def hosted(
    folder: Path, behave: Callable[[Port, trio.TaskStatus[None]], Any], **options: Any
) -> AsyncIterator[tuple[Service, PluginHost, Good, Mounts]]:
    good, mounts = Good(), Mounts()
    factories = {"echo": lambda _: good, "bad": lambda _: Bad(behave)}
    async with (
        small_service(folder, text=TWO, store=MemoryStore()) as service,
        trio.open_nursery() as nursery,
    ):
        tokens = Tokens(SECRET, "small")
        host = PluginHost(service, tokens, mounts, factories=factories, first_delay_s=0.01, **options)
        await nursery.start(host.run)
        yield service, host, good, mounts
        nursery.cancel_scope.cancel()


async def until(is_so: Callable[[], bool]) -> None:
    with trio.fail_after(5):
        while not is_so():
            await trio.sleep(0.005)


async def crash(port: Port, task_status: trio.TaskStatus[None]) -> None:
    task_status.started()
    raise RuntimeError("boom")


async def never_start(port: Port, task_status: trio.TaskStatus[None]) -> None:
    await trio.sleep_forever()


async def give_up(port: Port, task_status: trio.TaskStatus[None]) -> None:
    task_status.started()


async def read_nothing(port: Port, task_status: trio.TaskStatus[None]) -> None:
    task_status.started()
    await trio.sleep_forever()


@pytest.mark.parametrize(("behave", "reason"), [(crash, "boom"), (give_up, "returned")])
async def test_a_channel_that_ends_is_started_again(tmp_path: Path, behave: Any, reason: str) -> None:
    async with hosted(tmp_path, behave) as (_, host, good, _mounts):
        await until(lambda: host.health["voice"].failures >= 3)
        assert reason in host.health["voice"].reason
        assert host.health["chat"].state == "open"
        contact = (await good.port.arrive("one", queue="cards")).contact
        await until(lambda: bool(good.effects))
        assert good.effects[0].contact == contact


async def crash_when_stopped(port: Port, task_status: trio.TaskStatus[None]) -> None:
    task_status.started()
    try:
        await trio.sleep_forever()
    finally:
        raise RuntimeError("boom")


async def test_a_channel_that_crashes_while_it_is_stopped_harms_nobody(tmp_path: Path) -> None:
    async with hosted(tmp_path, crash_when_stopped) as (_, host, _good, _mounts):
        await until(lambda: host.health["voice"].state == "open")
    assert "boom" in host.health["voice"].reason, "and it is said"


async def test_a_channel_that_never_starts_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "START_WITHIN_S", 0.05)
    async with hosted(tmp_path, never_start) as (_, host, _good, _mounts):
        assert host.health["chat"].state == "open"
        await until(lambda: host.health["voice"].failures >= 1)
        assert "TooSlowError" in host.health["voice"].reason


async def test_a_channel_that_hangs_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "HANGS_AFTER_S", 0.05)
    monkeypatch.setattr(plugins, "LOOK_EVERY_S", 0.01)
    async with hosted(tmp_path, read_nothing) as (service, host, _good, _mounts):
        await trio.sleep(0.1)
        assert host.health["voice"].failures == 0, "with nothing to do it does not hang"
        await host._ports["voice"].arrive("one", queue="loans")
        await until(lambda: host.health["voice"].failures >= 1)
        assert "ChannelHangs" in host.health["voice"].reason
        assert service.overview().contacts.waiting == 1


async def test_what_was_not_finished_comes_again(tmp_path: Path) -> None:
    seen: list[str] = []

    async def crash_on_connect(port: Port, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        async for effect in port.effects():
            if isinstance(effect, Connect):
                seen.append(effect.effect_id)
                if len(seen) == 1:
                    raise RuntimeError("in the middle")
                await port.connected(effect.contact)

    async with hosted(tmp_path, crash_on_connect) as (service, host, _good, _mounts):
        contact = (await host._ports["voice"].arrive("one", queue="loans")).contact
        ann = service.desk("ann")
        await ann.sign_in()
        await ann.accept(ann.state().offers[0].offer)
        await until(lambda: service.contact_state(contact).state == "engaged")
        assert seen[0] == seen[1]


async def test_who_served_is_noted_when_it_is_over(tmp_path: Path) -> None:
    async with hosted(tmp_path, read_nothing) as (service, _host, good, _mounts):
        assert service.conversations is not None
        store, ann = service.conversations.store, service.desk("ann")
        await ann.sign_in()
        contact = (await good.port.arrive("one", queue="cards", customer="visitor")).contact
        await ann.accept(ann.state().offers[0].offer)
        await ann.end(contact)
        await until(lambda: any(isinstance(effect, Ended) for effect in good.effects))
        assert await store.last_agent([IdentityKey("channel", "visitor", "chat")], 0) == "ann"
        left = (await good.port.arrive("two", queue="loans", customer="visitor")).contact
        await good.port.abandon(left)
        await until(lambda: sum(isinstance(effect, Ended) for effect in good.effects) == 2)
        assert await store.last_agent([IdentityKey("channel", "visitor", "chat")], 0) == "ann", (
            "nobody served the other"
        )


async def test_a_mount_goes_with_its_run(tmp_path: Path) -> None:
    async def app(scope: object, receive: object, send: object) -> None:
        await trio.lowlevel.checkpoint()

    async def mount_and_crash(port: Port, task_status: trio.TaskStatus[None]) -> None:
        port.mount(app, "/voice")
        await crash(port, task_status)

    async with hosted(tmp_path, mount_and_crash) as (_, host, _good, _mounts):
        await until(lambda: host.health["voice"].failures >= 2)
        assert "boom" in host.health["voice"].reason


async def test_after_a_restart_connect_is_asked_again(tmp_path: Path) -> None:
    asked: list[int] = []

    async def note(port: Port, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        async for effect in port.effects():
            if isinstance(effect, Connect):
                asked.append(effect.contact)

    async with hosted(tmp_path, note) as (service, host, _good, _mounts):
        contact = (await host._ports["voice"].arrive("one", queue="loans")).contact
        ann = service.desk("ann")
        await ann.sign_in()
        await ann.accept(ann.state().offers[0].offer)
        await until(lambda: asked == [contact])
    async with hosted(tmp_path, note) as (_, host, _good, _mounts):
        await until(lambda: asked == [contact, contact])
        assert [one.state for one in await host._ports["voice"].contacts()] == []  # a new store knows nobody


async def test_a_port_keeps_channels_apart(tmp_path: Path) -> None:
    async with hosted(tmp_path, read_nothing) as (_, host, good, _mounts):
        voice, chat = host._ports["voice"], good.port
        contact = (await chat.arrive("one", queue="cards")).contact
        assert chat.state(contact) == "waiting"
        assert chat.position(contact) == 0
        assert voice.state(contact) is None
        assert voice.position(contact) is None
        for act in (voice.message(contact, "hello", "m1"), voice.abandon(contact), voice.history(contact)):
            with pytest.raises(UnknownContact):
                await act
        token = chat.token("customer-1")
        assert chat.verify(token) == "customer-1"
        with pytest.raises(BadToken):
            voice.verify(token)
        assert [one.external_id for one in await chat.contacts()] == ["one"]


async def test_wrong_arguments_are_named(tmp_path: Path) -> None:
    async with hosted(tmp_path, read_nothing) as (service, _, good, _mounts):
        with pytest.raises(UnknownQueue):
            await good.port.arrive("one", queue="nowhere")
        with pytest.raises(ValueError, match="external_id"):
            await good.port.arrive("", queue="cards")
        contact = (await good.port.arrive("one", queue="cards", requires={"cards": 5})).contact
        with pytest.raises(Malformed, match="at most 10 bytes"):
            await good.port.message(contact, "more than ten", "m1")
        assert service.overview().contacts.waiting == 1


async def test_a_wrong_plugin_or_option_is_named(tmp_path: Path) -> None:
    def refuse(options: Mapping[str, object]) -> Good:
        raise ConfigError(["colour: unknown"])

    async with small_service(tmp_path, text=TWO) as service:
        with pytest.raises(ConfigError) as caught:
            PluginHost(service, Tokens(SECRET, "small"), Mounts(), factories={"echo": refuse})
        assert caught.value.errors == [
            "channels.chat.options: colour: unknown",
            "channels.voice.plugin: expected one of echo, socket, got 'bad'",
        ]
