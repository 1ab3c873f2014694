"""The channel kit: one call that proves a channel right, whoever wrote it.

    async def test_my_channel(tmp_path):
        await check_channel(tmp_path, open_my_channel, plugin="mine")

`open_my_channel(site)` is an async context manager that brings the channel up on a `KitSite` and
gives a `ChannelDriver`: the customer's side of the channel, as customers see it. The kit plays the
agents and reads the engine and the store. What is wrong is a `BrokenRule`: it names the rule, what
was expected and what was seen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio

from engine.testing import channel_faults, channel_files
from engine.testing.channel_checks import CHECKS, PATIENCE_S, check_service_restart, until
from engine.testing.hosted import HostedChannel, host_channel
from engine.testing.kit_site import (
    ChannelDriver,
    CustomerFiles,
    KitSite,
    OpenDriver,
    Outside,
    open_kit_site,
)
from engine.testing.rules import RULES, BrokenRule, Rule, broken, under

__all__ = [
    "RULES",
    "BrokenRule",
    "Certificate",
    "ChannelDriver",
    "CustomerFiles",
    "HostedChannel",
    "KitSite",
    "OpenDriver",
    "Outside",
    "Rule",
    "check_channel",
    "host_channel",
    "open_kit_site",
    "until",
]

LONG = 30
"""A check that goes through a plugin's awaits may take so many times the patience of one step."""


@dataclass(frozen=True)
class Certificate:
    """What the kit has found.

    Attributes:
        rules: the names of the rules that the channel keeps.
        not_checked: rule -> why it could not be checked.
    """

    rules: frozenset[str] = frozenset()
    not_checked: Mapping[str, str] = field(default_factory=dict)


async def check_channel(
    folder: Path,
    open_driver: OpenDriver,
    *,
    plugin: str,
    options: Mapping[str, object] | None = None,
    instant: bool = True,
    only: Collection[str] = tuple(RULES),
    buffered: int = 0,
    patience_s: float = 10.0,
) -> Certificate:
    """Check every rule, each check on a site of its own.

    Args:
        folder: an empty folder.
        open_driver: brings the channel up.
        plugin: the configuration's `plugin`.
        options: the configuration's `[channels.under_test.options]`.
        instant: the configuration's `instant`.
        only: names of rules; checks of others are left out.
        buffered: how many messages the plugin may hold by itself for a customer who takes none; a queue
            of its own that is bounded, say.
        patience_s: how long one thing may take before it counts as not having happened.

    Returns:
        The rules that hold, and those that could not be checked because the driver gives no hold.

    Raises:
        BrokenRule: the channel breaks the contract; the message says where, and what to look at.
    """
    kit = _Kit(folder, open_driver, plugin, options or {}, instant)
    PATIENCE_S.set(patience_s)
    channel_faults.BUFFERED.set(buffered)
    for rule, check in CHECKS:
        if rule in only:
            with under(rule, check.__name__), _within(2 * patience_s):
                async with kit.running(check.__name__) as (site, driver):
                    await check(site, driver)
    not_checked = await _check_faults(kit, only, patience_s)
    if "survives_restarts" in only:
        with under("survives_restarts", "check_service_restart"), _within(4 * patience_s):
            await check_service_restart(lambda: kit.site("service_restart"), open_driver)
    return Certificate(frozenset(only) - not_checked.keys(), not_checked)


async def _check_faults(kit: _Kit, only: Collection[str], patience_s: float) -> dict[str, str]:
    """The checks that need a hold on the plugin, on its outside, or on its customers' files."""
    not_checked = {}
    for rule, part, check in (
        ("holds_back", "outside", channel_faults.the_outside_takes_nothing),
        ("reconnects", "outside", channel_faults.the_outside_goes_and_comes_back),
        ("survives_cancellation", "hosted", channel_faults.cancelled_at_each_await),
        ("survives_cancellation", "hosted", channel_faults.cancelled_while_it_starts),
        ("survives_crashes", "restart", channel_faults.a_crash_loses_nothing),
        ("carries_files", "files", channel_files.files_reach_the_other_side),
    ):
        if rule not in only:
            continue
        with under(rule, check.__name__), _within(LONG * patience_s):
            async with kit.running(check.__name__) as (site, driver):
                hold = getattr(driver, part, None)
                if hold is None:
                    not_checked[rule] = f"the driver has no `{part}`"
                else:
                    run: Callable[..., Awaitable[None]] = check
                    await run(site, driver, hold)
    return not_checked


@dataclass(frozen=True)
class _Kit:
    folder: Path
    open_driver: OpenDriver
    plugin: str
    options: Mapping[str, object]
    instant: bool

    def site(self, name: str) -> AbstractAsyncContextManager[KitSite]:
        """Open the site of one check; the same one again when it is asked for again."""
        return open_kit_site(self.folder / name, self.plugin, self.options, self.instant)

    @asynccontextmanager
    async def running(self, name: str) -> AsyncIterator[tuple[KitSite, ChannelDriver]]:
        """Open a site and the channel on it."""
        async with self.site(name) as site, self.open_driver(site) as driver:
            yield site, driver


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """End a check that hangs, and take the broken rule out of the groups in which nurseries wrap it."""
    try:
        with trio.move_on_after(seconds) as scope:
            yield
    except BaseExceptionGroup as group:
        found = group.subgroup(BrokenRule)
        if found is None:
            raise
        raise _leaf(found) from None
    if scope.cancelled_caught:
        raise broken("the check comes to its end", f"nothing more happened within {seconds:g} s")


def _leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
