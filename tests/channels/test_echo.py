"""Echo passes the channel kit, and does what its README says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from channels.echo import create
from channels.echo.plugin import Echo
from engine.channel import AttachedFile, NewAttachment
from engine.errors import ConfigError
from engine.testing.channel_checks import engaged, until
from engine.testing.channel_kit import (
    RULES,
    BrokenRule,
    HostedChannel,
    KitSite,
    check_channel,
    host_channel,
    open_kit_site,
)


class EchoFiles:
    """What Echo's customers send and get beside words."""

    def __init__(self, driver: EchoDriver) -> None:
        self.heard: dict[int, list[NewAttachment]] = {}
        self._driver = driver

    async def sends(self, who: str, name: str, content: bytes, message_id: str) -> None:
        new = NewAttachment(name, content)
        await self._driver.hosted.channel.say(self._driver.contacts[who], "", message_id, [new])

    async def seen(self, who: str, count: int) -> list[tuple[str, bytes]]:
        heard = self.heard.setdefault(self._driver.contacts[who], [])
        await until(f"{count} files are heard", lambda: len(heard) >= count)
        return [(one.file_name, one.content) for one in heard if isinstance(one.content, bytes)]


class EchoDriver:
    """Echo's customers; what they have heard outlives a crash, as a customer does."""

    def __init__(self, site: KitSite) -> None:
        self.site = site
        self.hosted: HostedChannel
        self.contacts: dict[str, int] = {}
        self.heard: dict[int, list[str]] = {}
        self.ended: dict[int, str] = {}
        self.files = EchoFiles(self)

    def create(self, options: Mapping[str, Any]) -> Echo:
        channel = create(options)
        channel.heard, channel.ended, channel.files = self.heard, self.ended, self.files.heard
        return channel

    async def customer_opens(self, who: str) -> int:
        contact = await self.hosted.channel.open(who, self.site.queue)
        self.contacts[who] = contact
        return contact

    async def customer_says(self, who: str, text: str, message_id: str) -> None:
        await self.hosted.channel.say(self.contacts.get(who, 999), text, message_id)

    async def customer_leaves(self, who: str) -> None:
        await self.hosted.channel.leave(self.contacts[who])

    async def seen_by_customer(self, who: str, count: int) -> list[str]:
        def heard() -> list[str]:
            return self.heard.get(self.contacts[who], [])

        await until(f"{count} messages are heard", lambda: len(heard()) >= count)
        return list(heard())

    async def told_of_end(self, who: str) -> None:
        await until("the end is told", lambda: self.contacts[who] in self.ended)

    async def position_shown(self, who: str) -> int | None:
        return self.hosted.port.position(self.contacts[who])

    async def restart(self) -> None:
        await self.hosted.crash()


@asynccontextmanager
async def open_echo(site: KitSite) -> AsyncIterator[EchoDriver]:
    driver = EchoDriver(site)
    async with host_channel(site, driver.create) as driver.hosted:
        yield driver


@pytest.mark.slow
@pytest.mark.parametrize("instant", [True, False])
async def test_the_kit_passes(tmp_path: Path, instant: bool) -> None:
    certificate = await check_channel(tmp_path, open_echo, plugin="echo", instant=instant)
    # Its outside are method calls: nothing that could go away, or be full.
    assert set(certificate.not_checked) == {"reconnects", "holds_back"}
    assert certificate.rules == set(RULES) - {"reconnects", "holds_back"}


async def test_an_echo_customer_waits_and_repeats(tmp_path: Path) -> None:
    with trio.fail_after(10):
        async with open_kit_site(tmp_path, "echo", {"queue": "desk"}) as site, open_echo(site) as driver:
            contact = await engaged(site, driver, "echo")
            await site.ann.say(contact, "hello", "a1")
            assert await driver.seen_by_customer("echo", 1) == ["hello"]
            conversation = await site.store.by_contact(contact)
            assert conversation is not None
            texts = [(one.sender, one.text) for one in await site.store.messages(conversation.id)]
            assert texts == [("agent", "hello"), ("customer", "hello")]


async def test_an_echo_customer_repeats_files_too(tmp_path: Path) -> None:
    with trio.fail_after(10):
        async with open_kit_site(tmp_path, "echo", {"queue": "desk"}) as site, open_echo(site) as driver:
            contact = await engaged(site, driver, "echo")
            await site.ann.say(contact, "", "a1", attachments=[NewAttachment("a.txt", b"hello")])
            assert await driver.files.seen("echo", 1) == [("a.txt", b"hello")]
            conversation = await site.store.by_contact(contact)
            assert conversation is not None
            kept = [(one.file_name, one.sha256) for one in await site.store.attachments(conversation.id)]
            assert kept[0] == kept[1]


class Deaf(Echo):
    """Does not read the files that agents send."""

    async def _read(self, contact: int, file: AttachedFile) -> NewAttachment:
        await trio.lowlevel.checkpoint()
        return NewAttachment(file.file_name, b"")


async def test_a_channel_that_loses_a_file_is_told_its_rule(tmp_path: Path) -> None:
    @asynccontextmanager
    async def open_deaf(site: KitSite) -> AsyncIterator[EchoDriver]:
        driver = EchoDriver(site)

        def create_deaf(options: Mapping[str, Any]) -> Echo:
            channel = Deaf(None)
            channel.files = driver.files.heard
            return channel

        async with host_channel(site, create_deaf) as driver.hosted:
            yield driver

    with pytest.raises(BrokenRule) as caught:
        await check_channel(tmp_path, open_deaf, plugin="echo", only={"carries_files"})
    assert caught.value.rule.name == "carries_files"


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(ConfigError, match="colour: unknown"):
        create({"colour": "red"})
