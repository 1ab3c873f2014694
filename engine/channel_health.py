"""How a site's hosted channels are, as one process of it tells the others."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from engine.config import SiteConfig

IN_ANOTHER_PROCESS: Final = "socket"
"""The plugin of a channel that nobody hosts here: it connects to the gateway."""


class ChannelHealth(msgspec.Struct):
    """How a hosted channel is.

    Attributes:
        state: "starting", "open", or "failed" while it waits to be started again.
        failures: how often it has ended.
        reason: why it ended last.
    """

    state: Literal["starting", "open", "failed"] = "starting"
    failures: int = 0
    reason: str = ""


def hosted(site: SiteConfig) -> dict[str, ChannelHealth]:
    """Return the site's hosted channels, none of which is open yet."""
    return {name: ChannelHealth() for name, one in site.channels.items() if one.plugin != IN_ANOTHER_PROCESS}
