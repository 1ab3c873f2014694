"""How a site's channels are: hosted ones as their process tells the others, and who is behind the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

import msgspec

from engine.config import MAX_MESSAGE_BYTES, SiteConfig
from engine.conversations import number_of
from engine.names import Names
from engine.views import ChannelOverview

IN_ANOTHER_PROCESS: Final = "socket"
"""The plugin of a channel that nobody hosts here: it connects to the gateway."""


class ChannelHealth(msgspec.Struct):
    """How a hosted channel is.

    Attributes:
        state: "starting", "open", or "failed" while it waits to be started again.
        failures: how often it has ended.
        reason: why it ended last.
        max_message_bytes: the longest message that it can carry, once it has been open.
    """

    state: Literal["starting", "open", "failed"] = "starting"
    failures: int = 0
    reason: str = ""
    max_message_bytes: int = MAX_MESSAGE_BYTES


class Away(NamedTuple):
    """A channel behind which nobody is.

    Attributes:
        since_us: since when, Unix microseconds; the start of the site at the earliest.
        until_us: until when its contacts are kept; 0 = for ever.
    """

    since_us: int
    until_us: int


def hosted(site: SiteConfig) -> dict[str, ChannelHealth]:
    """Return the site's hosted channels, none of which is open yet."""
    return {name: ChannelHealth() for name, one in site.channels.items() if one.plugin != IN_ANOTHER_PROCESS}


def channels_now(
    site: SiteConfig, names: Names, health: Mapping[str, ChannelHealth], away: Mapping[int, Away]
) -> list[ChannelOverview]:
    """Return how every channel is that is in force, in the configuration's order.

    Args:
        site: the configuration file's content.
        names: of what is in force.
        health: hosted channel -> how it is.
        away: number of a channel behind which nobody is -> since when.
    """
    numbers = {name: number_of(names, "channel", name) for name in site.channels}
    return [
        _now(name, health.get(name), away.get(number))
        for name, number in numbers.items()
        if number is not None
    ]


def _now(name: str, health: ChannelHealth | None, away: Away | None) -> ChannelOverview:
    since_us, until_us = (None, None) if away is None else (away.since_us, away.until_us or None)
    if health is None:
        state = "connected" if away is None else "gone"
        return ChannelOverview(name, state, gone_since_us=since_us, kept_until_us=until_us)
    return ChannelOverview(name, health.state, health.reason, health.failures, since_us, until_us)
