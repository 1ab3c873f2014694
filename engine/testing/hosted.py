"""A hosted channel that tests can make crash."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import trio

from engine.channel import Channel, ChannelFactory, Port
from engine.plugins import PluginHost
from engine.testing.kit_site import KitSite

RESTART_DELAY_S = 0.01


class HostedChannel:
    """The one channel of a `KitSite`, run by the plugin host.

    Attributes:
        channel: the object that runs now; another one after a crash.
        port: its port.
    """

    def __init__(self, factory: ChannelFactory) -> None:
        self.channel: Any = None
        self.port: Port
        self._factory = factory
        self._crash = trio.Event()
        self._opened = trio.Event()

    def create(self, options: Mapping[str, Any]) -> Channel:
        """The factory that the host is given."""
        return _Crashable(self, self._factory(options))

    async def crash(self) -> None:
        """Make `run` raise, and wait until its successor is open."""
        self._opened = trio.Event()
        self._crash.set()
        await self._opened.wait()

    async def run(self, channel: Channel, port: Port, task_status: trio.TaskStatus[None]) -> None:
        """Run a channel until it ends or is to crash."""
        self._crash = trio.Event()
        async with trio.open_nursery() as nursery:
            await nursery.start(channel.run, port)
            self.channel, self.port = channel, port
            task_status.started()
            self._opened.set()
            await self._crash.wait()
            raise RuntimeError("a crash that the test asked for")


class _Crashable:
    """Runs a channel so that it can be made to crash."""

    def __init__(self, hosted: HostedChannel, channel: Channel) -> None:
        self.capabilities = channel.capabilities
        self._hosted = hosted
        self._channel = channel

    async def run(self, port: Port, *, task_status: trio.TaskStatus[None]) -> None:
        """Serve until cancelled or made to crash."""
        await self._hosted.run(self._channel, port, task_status)


@asynccontextmanager
async def host_channel(site: KitSite, factory: ChannelFactory) -> AsyncIterator[HostedChannel]:
    """Run a channel on a kit's site through the plugin host."""
    hosted = HostedChannel(factory)
    plugin = site.service.site.channels[site.channel].plugin
    host = PluginHost(
        site.service,
        site.tokens,
        site.mounts,
        factories={plugin: hosted.create},
        first_delay_s=RESTART_DELAY_S,
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(host.run)
        yield hosted
        nursery.cancel_scope.cancel()
