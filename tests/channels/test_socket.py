"""A plugin in another process, over the gateway, passes the same kit as hosted channels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from engine import model
from engine.arrival_keys import arrival_key
from engine.config import Address
from engine.gateway import Gateway
from engine.returning import Contacts
from engine.testing.channel_checks import engaged
from engine.testing.channel_kit import KitSite, check_channel, open_kit_site
from engine.wire_client import Client, NotTaken, connect


class SocketDriver:
    """A plugin's program: one connection at a time, and what has to outlive it."""

    def __init__(self, site: KitSite, address: str) -> None:
        self.site = site
        self.address = address
        self.client: Client
        self.contacts: dict[str, int] = {}
        self.live: list[int] | None = None
        self.heard: defaultdict[int, list[str]] = defaultdict(list)
        self.heard_ids: set[int] = set()
        self.ended: set[int] = set()
        self.stored: dict[str, int] = {}
        self.refused: list[model.Refusal] = []
        self.changed = trio.Event()
        self.seq: int | None = None
        self.lost = trio.Event()
        self.open = trio.Event()

    async def run(self) -> None:
        """Connect, and again whenever the connection was given up, behind what was seen."""
        while True:
            self.lost = trio.Event()
            token = self.site.tokens.issue("plugin", "kit", 60, channel=self.site.channel)
            async with connect(self.address, token, "kit", resume_seq=self.seq) as self.client:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self.listen)
                    self.open.set()
                    await self.lost.wait()
                    nursery.cancel_scope.cancel()
                self.seq = self.client.seq

    async def listen(self) -> None:
        while True:
            for frame in await self.client.incoming():
                await self.hear(frame)
            changed, self.changed = self.changed, trio.Event()
            changed.set()

    async def hear(self, frame: object) -> None:
        if isinstance(frame, model.MessageOut) and frame.message_id not in self.heard_ids:
            self.heard_ids.add(frame.message_id)
            self.heard[frame.contact].append(frame.text)
        elif isinstance(frame, model.MessageStored):
            self.stored[frame.external_id] = frame.message_id
        elif isinstance(frame, model.Refusal):
            self.refused.append(frame)
        elif isinstance(frame, Contacts):
            self.live = [line.contact for line in frame.contacts]
        elif isinstance(frame, model.Events):
            for _, event in frame.events:
                if isinstance(event, model.Ended):
                    self.ended.add(event.contact)

    async def customer_opens(self, who: str) -> int:
        welcome = self.client.welcome
        assert welcome.arrival_key is not None
        command = model.Arrive(
            channel=welcome.names["channel"][self.site.channel],
            key=arrival_key(welcome.arrival_key, "kit", who),
            queue=welcome.names["queue"][self.site.queue],
        )
        self.contacts[who] = await self.client.request(command)
        return self.contacts[who]

    async def customer_says(self, who: str, text: str, message_id: str) -> None:
        contact, external_id = self.contacts.get(who, 999), f"{who}-{message_id}"
        self.stored.pop(external_id, None)
        self.refused.clear()
        await self.client.send_control(model.Message(contact=contact, external_id=external_id, text=text))
        while external_id not in self.stored:
            if self.refused:
                raise NotTaken(self.refused[0].code, self.refused[0].text)
            await self.changed.wait()

    async def customer_leaves(self, who: str) -> None:
        channel = self.client.welcome.names["channel"][self.site.channel]
        await self.client.request(model.Abandon(channel=channel, contact=self.contacts[who]))

    async def seen_by_customer(self, who: str, count: int) -> list[str]:
        while len(self.heard[self.contacts[who]]) < count:
            await self.changed.wait()
        return self.heard[self.contacts[who]]

    async def told_of_end(self, who: str) -> None:
        while self.contacts[who] not in self.ended:
            await self.changed.wait()

    async def position_shown(self, who: str) -> int | None:
        return None

    async def restart(self) -> None:
        self.open = trio.Event()
        self.lost.set()
        await self.open.wait()


@asynccontextmanager
async def open_socket(site: KitSite) -> AsyncIterator[SocketDriver]:
    async with trio.open_nursery() as nursery:
        gateway = Gateway(site.service, site.tokens)
        ports = await nursery.start(gateway.serve, Address("127.0.0.1", 0))
        driver = SocketDriver(site, f"127.0.0.1:{ports.tcp}")
        nursery.start_soon(driver.run)
        await driver.open.wait()
        yield driver
        nursery.cancel_scope.cancel()


@pytest.mark.slow  # a site for each of the kit's checks
async def test_the_kit_passes(tmp_path: Path) -> None:
    await check_channel(tmp_path, open_socket, plugin="socket")


async def test_who_comes_back_is_told_its_live_contacts(tmp_path: Path) -> None:
    with trio.fail_after(10):
        async with open_kit_site(tmp_path, "socket", {}) as site, open_socket(site) as driver:
            first = await engaged(site, driver, "one")
            second = await driver.customer_opens("two")
            gone = await driver.customer_opens("three")
            await driver.customer_leaves("three")
            driver.live = None
            await driver.restart()
            while driver.live is None:
                await driver.changed.wait()
            assert driver.live == [first, second]
            assert gone not in driver.live
