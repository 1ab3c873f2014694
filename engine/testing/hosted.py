"""A hosted channel that tests can make crash, and cancel at any one of its awaits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import trio

from engine.channel import Channel, ChannelFactory, Port
from engine.plugins import PluginHost
from engine.testing.kit_site import KitSite

RESTART_DELAY_S = 0.01

_plugin: ContextVar[HostedChannel | None] = ContextVar("paidui_hosted", default=None)
"""Whose tasks these are: a task that a plugin starts inherits it."""


class HostedChannel:
    """The one channel of a `KitSite`, run by the plugin host.

    Attributes:
        channel: the object that runs now; another one after a crash.
        port: its port.
        steps: how many of the plugin's awaits have been counted since `cancel_at`.
        has_cancelled: whether the await that `cancel_at` named has come.
    """

    def __init__(self, factory: ChannelFactory) -> None:
        self.channel: Any = None
        self.port: Port
        self.steps = 0
        self.has_cancelled = False
        self._factory = factory
        self._cancel_at = 0
        self._scope = trio.CancelScope()
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

    def cancel_at(self, step: int) -> None:
        """Cancel everything that the plugin does when so many of its awaits have come; 0 = never."""
        self.steps, self._cancel_at, self.has_cancelled = 0, step, False

    def stepped(self) -> None:
        """A task of the plugin stands at an await."""
        self.steps += 1
        if self.steps == self._cancel_at:
            self.has_cancelled = True
            self._scope.cancel()

    async def run(self, channel: Channel, port: Port, task_status: trio.TaskStatus[None]) -> None:
        """Run a channel until it ends or is to crash."""
        self._crash = trio.Event()
        _plugin.set(self)
        async with trio.open_nursery() as nursery:
            self._scope = nursery.cancel_scope
            await nursery.start(channel.run, port)
            self.channel, self.port = channel, port
            task_status.started()
            self._opened.set()
            await self._crash.wait()
            raise RuntimeError("a crash that the test asked for")
        raise RuntimeError("cancelled at an await that the test has chosen")


class _Crashable:
    """Runs a channel so that it can be made to crash."""

    def __init__(self, hosted: HostedChannel, channel: Channel) -> None:
        self.capabilities = channel.capabilities
        self._hosted = hosted
        self._channel = channel

    async def run(self, port: Port, *, task_status: trio.TaskStatus[None]) -> None:
        """Serve until cancelled or made to crash."""
        await self._hosted.run(self._channel, port, task_status)


class _Steps(trio.abc.Instrument):
    """Tells a hosted channel of each await at which one of its tasks stands."""

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """A task has run up to its next await."""
        if (hosted := task.context.get(_plugin)) is not None:
            hosted.stepped()


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
        longest_delay_s=RESTART_DELAY_S,
    )
    steps = _Steps()
    trio.lowlevel.add_instrument(steps)
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(host.run)
            yield hosted
            nursery.cancel_scope.cancel()
    finally:
        trio.lowlevel.remove_instrument(steps)
