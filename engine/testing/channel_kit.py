"""The channel kit: one call that proves a channel right, whoever wrote it.

    async def test_my_channel(tmp_path):
        await check_channel(tmp_path, open_my_channel, plugin="mine")

`open_my_channel(site)` is an async context manager that brings the channel up on a `KitSite` and
gives a `ChannelDriver`: the customer's side of the channel, as customers see it. The kit plays the
agents and reads the engine and the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import trio

from engine.testing.channel_checks import CHECKS, check_service_restart
from engine.testing.kit_site import ChannelDriver, KitSite, OpenDriver, open_kit_site

__all__ = ["ChannelDriver", "KitSite", "OpenDriver", "check_channel", "open_kit_site"]

WITHIN_S = 10.0
"""Longer than anything here takes on a busy machine; what hangs fails instead."""


async def check_channel(
    folder: Path,
    open_driver: OpenDriver,
    *,
    plugin: str,
    options: Mapping[str, object] | None = None,
    instant: bool = True,
) -> None:
    """Run every check, each on a site of its own.

    Args:
        folder: an empty folder.
        open_driver: brings the channel up.
        plugin: the configuration's `plugin`.
        options: the configuration's `[channels.under_test.options]`.
        instant: the configuration's `instant`.

    Raises:
        AssertionError: the channel breaks the contract; the message says where.
        trio.TooSlowError: something that has to happen did not.
    """
    for check in CHECKS:
        with trio.fail_after(WITHIN_S):
            async with (
                open_kit_site(folder / check.__name__, plugin, options or {}, instant) as site,
                open_driver(site) as driver,
            ):
                await check(site, driver)
    with trio.fail_after(2 * WITHIN_S):
        await check_service_restart(
            lambda: open_kit_site(folder / "service_restart", plugin, options or {}, instant), open_driver
        )
