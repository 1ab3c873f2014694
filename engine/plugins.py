"""The plugin host: finds channels, runs each on its own, and starts it again when it fails.

A crash, a hang or a return ends that channel alone. It is started anew on a new object, after a
delay that doubles up to half a minute; what it had not finished comes again. A channel that keeps
the thread, which it shares with the service, is named while it does, and ended when it lets go.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from contextlib import AbstractContextManager
from importlib.metadata import entry_points

import structlog
import trio

from engine.channel import Channel, ChannelFactory
from engine.channel_health import IN_ANOTHER_PROCESS, ChannelHealth
from engine.config import ChannelSection
from engine.errors import ConfigError
from engine.facade import Facade
from engine.faults import Faults
from engine.port import CustomerTokens, Mounting, ServicePort
from engine.thread_watch import BLOCKED_AFTER_S, Blocked, Watchdog, channel_in_charge

ENTRY_POINTS = "paidui.channels"
FIRST_DELAY_S, LONGEST_DELAY_S = 0.5, 30.0
HEALTHY_S = 60.0
"""After so long a run the delay begins anew."""

START_WITHIN_S = 30.0
HANGS_AFTER_S = 60.0
LOOK_EVERY_S = 5.0

_log = structlog.get_logger(__name__)


class ChannelHangs(Exception):
    """A channel does not read its effects."""


class ChannelBlocks(Exception):
    """A channel has kept the service's thread."""


class PluginHost:
    """Runs the hosted channels of a site.

    Args:
        service: the running service, with a store.
        tokens: for customers' tokens.
        mounts: the web server.
        factories: plugin name -> factory; None = the entry points of `paidui.channels`.
        first_delay_s: how long after its first failure a channel is started again.
        longest_delay_s: the delay doubles up to this.
        blocked_after_s: how long a channel may keep the thread in one step.
        faults: what is to go wrong, in a test.

    Attributes:
        health: channel name -> how it is.

    Raises:
        ConfigError: a channel's plugin or option is wrong; all of them are named.
    """

    def __init__(
        self,
        service: Facade,
        tokens: CustomerTokens,
        mounts: Mounting,
        *,
        factories: Mapping[str, ChannelFactory] | None = None,
        first_delay_s: float = FIRST_DELAY_S,
        longest_delay_s: float = LONGEST_DELAY_S,
        blocked_after_s: float = BLOCKED_AFTER_S,
        faults: Faults | None = None,
    ) -> None:
        self._sections = {
            name: one for name, one in service.site.channels.items() if one.plugin != IN_ANOTHER_PROCESS
        }
        self._service = service
        self._first_delay_s, self._longest_delay_s = first_delay_s, longest_delay_s
        self._factories = discover() if factories is None else factories
        check_channels(self._sections, self._factories)
        self._ports = {
            name: ServicePort(service, section, tokens, mounts, faults)
            for name, section in self._sections.items()
        }
        self._watchdog = Watchdog(self._blocked, blocked_after_s)
        self._blocks = {name: _Blocks() for name in self._sections}
        self._resumed: set[str] = set()
        self._trio: trio.lowlevel.TrioToken | None = None
        self.health = {name: ChannelHealth() for name in self._sections}
        service.hosted = self.health

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run all channels until cancelled; started when each has been started, or has failed, once."""
        try:
            self._trio = trio.lowlevel.current_trio_token()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watchdog.run)
                async with trio.open_nursery() as starting:
                    for name in self._sections:
                        starting.start_soon(nursery.start, self._supervise, name)
                task_status.started()
        finally:
            for port in self._ports.values():
                port.close()

    def _held(self, name: str) -> AbstractContextManager[None]:
        return self._service.leases.channels.held(self._service.names.id("channel", name))

    def _create(self, section: ChannelSection) -> Channel:
        return self._factories[section.plugin](section.options)

    def _blocked(self, blocked: Blocked) -> None:
        """Said in the watchdog's thread: end the channel as soon as it lets go."""
        if self._trio is not None and (blocks := self._blocks.get(blocked.channel)) is not None:
            blocks.where = blocked.stack
            self._trio.run_sync_soon(blocks.seen.set)

    async def _supervise(self, name: str, *, task_status: trio.TaskStatus[None]) -> None:
        channel_in_charge.set(name)
        health, port = self.health[name], self._ports[name]
        delay_s = self._first_delay_s
        once = _Once(task_status)
        while True:
            began = trio.current_time()
            health.state = "starting"
            try:
                await self._run_once(name, health, once)
                health.reason = "run() returned"
            except* Exception as errors:
                # With `except`, what fails while the host is stopped would go through, for it comes in one
                # group with Cancelled; and when the host's scope has taken that out, it would end the site.
                health.reason = _reason(errors)
                _log.error(
                    "a channel has failed", channel=name, reason=health.reason, trace=traceback.format_exc()
                )
            finally:
                port.release()
            health.state = "failed"
            health.failures += 1
            once.started()
            if trio.current_time() - began > HEALTHY_S:
                delay_s = self._first_delay_s
            _log.error(
                "a channel has ended and is started again",
                channel=name,
                **({"seq": self._service.seq} | port.in_hand),
                reason=health.reason,
                delay_s=delay_s,
            )
            await trio.sleep(delay_s)
            delay_s = min(2 * delay_s, self._longest_delay_s)

    async def _run_once(self, name: str, health: ChannelHealth, once: _Once) -> None:
        port = self._ports[name]
        if name not in self._resumed:
            await port.resume()
            self._resumed.add(name)
        channel = self._create(self._sections[name])
        health.max_message_bytes = channel.capabilities.max_message_bytes
        port.adopt(channel.capabilities)
        blocks = self._blocks[name] = _Blocks()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(blocks.watch)
            with trio.fail_after(START_WITHIN_S):
                await nursery.start(_run, channel, port, nursery.cancel_scope)
            health.state = "open"
            once.started()
            nursery.start_soon(_watch, port, self._held(name))


class _Blocks:
    """Whether a run of a channel has kept the thread, and where."""

    def __init__(self) -> None:
        self.seen = trio.Event()
        self.where = ""

    async def watch(self) -> None:
        """Raise when it has."""
        await self.seen.wait()
        raise ChannelBlocks(
            f"it has kept the thread that it shares with the service; it stood at\n{self.where}"
        )


class _Once:
    """Says `started` once, however often a channel is started."""

    def __init__(self, task_status: trio.TaskStatus[None]) -> None:
        self._task_status: trio.TaskStatus[None] | None = task_status

    def started(self) -> None:
        """Say it, the first time."""
        if self._task_status is not None:
            self._task_status.started()
            self._task_status = None


async def _run(
    channel: Channel, port: ServicePort, scope: trio.CancelScope, *, task_status: trio.TaskStatus[None]
) -> None:
    await channel.run(port, task_status=task_status)
    scope.cancel()


async def _watch(port: ServicePort, held: AbstractContextManager[None]) -> None:
    """Look whether the channel reads its effects; while it is open its contacts are kept."""
    with held:
        while True:
            await trio.sleep(LOOK_EVERY_S)
            await port.settle()
            if port.stalled_s() > HANGS_AFTER_S:
                raise ChannelHangs(f"it has not asked for its effects for {port.stalled_s():.0f} s")


def check_channels(
    channels: Mapping[str, ChannelSection], factories: Mapping[str, ChannelFactory] | None = None
) -> None:
    """Make every hosted channel once, and throw it away: are its plugin and its options right?

    Args:
        channels: channel name -> its section.
        factories: plugin name -> factory; None = the entry points of `paidui.channels`.

    Raises:
        ConfigError: with every plugin and option that is wrong.
    """
    known = discover() if factories is None else factories
    errors = []
    for name, section in channels.items():
        if section.plugin == IN_ANOTHER_PROCESS:
            continue
        if (factory := known.get(section.plugin)) is None:
            listed = ", ".join(sorted([*known, IN_ANOTHER_PROCESS]))
            errors.append(f"channels.{name}.plugin: expected one of {listed}, got {section.plugin!r}")
            continue
        try:
            factory(section.options)
        except ConfigError as error:
            errors += [f"channels.{name}.options: {one}" for one in error.errors]
    if errors:
        raise ConfigError(errors)


def _reason(error: Exception) -> str:
    """Say an error in one line, the innermost one of a group."""
    while isinstance(error, ExceptionGroup) and isinstance(error.exceptions[0], Exception):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


def discover() -> dict[str, ChannelFactory]:
    """Return the installed channels by name."""
    return {point.name: point.load() for point in entry_points(group=ENTRY_POINTS)}
