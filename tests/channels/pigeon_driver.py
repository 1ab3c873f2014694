"""The customers of the pigeon channel, for the channel kit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from engine.channel import Channel
from engine.testing.channel_checks import until
from engine.testing.channel_kit import HostedChannel, KitSite, host_channel
from tests.channels.pigeon import Provider, provider_running


class PigeonDriver:
    """Does what customers do at the provider, and sees there what they see."""

    def __init__(self, site: KitSite, provider: Provider) -> None:
        self.site = site
        self.outside = self.provider = provider
        self.hosted: HostedChannel

    async def customer_opens(self, who: str) -> int:
        await self.provider.confirmed(self.provider.happens("open", who))
        conversation = await self.site.store.by_external_id(self.site.channel, who)
        assert conversation is not None
        assert conversation.contact is not None
        return conversation.contact

    async def customer_says(self, who: str, text: str, message_id: str) -> None:
        await self.provider.confirmed(self.provider.happens("say", who, text=text, id=message_id))

    async def customer_leaves(self, who: str) -> None:
        await self.provider.confirmed(self.provider.happens("leave", who))

    async def seen_by_customer(self, who: str, count: int) -> list[str]:
        await until(f"{who} has {count} messages", lambda: len(self.provider.inbox[who]) >= count)
        return list(self.provider.inbox[who])

    async def told_of_end(self, who: str) -> None:
        await until(f"{who} is told of the end", lambda: who in self.provider.ended)

    async def position_shown(self, who: str) -> int | None:
        return None

    async def restart(self) -> None:
        await self.hosted.crash()


def opener(
    create: Callable[[int], Channel],
) -> Callable[[KitSite], AbstractAsyncContextManager[PigeonDriver]]:
    """Return what brings a kind of pigeon up on a site; its provider keeps what it has had."""
    providers: dict[object, Provider] = {}

    @asynccontextmanager
    async def open_driver(site: KitSite) -> AsyncIterator[PigeonDriver]:
        async with provider_running() as provider:
            before = providers.setdefault(site.folder, provider)
            provider.inbox, provider.ended, provider.taken = before.inbox, before.ended, before.taken
            driver = PigeonDriver(site, provider)
            async with host_channel(site, lambda _: create(provider.port)) as driver.hosted:
                yield driver

    return open_driver
