"""The configuration on its way from the core to its edge: an edited file counts at the next start of both."""

from __future__ import annotations

import pickle
from typing import Final

import trio

from engine.config import SiteConfig
from engine.edge.link import LinkLost

LENGTH_BYTES: Final = 4
"""A length, big-endian, stands before it."""


async def hand_over_site(stream: trio.SocketStream, site: SiteConfig) -> None:
    """Give the edge the configuration as the core has read it."""
    data = pickle.dumps(site)
    await stream.send_all(len(data).to_bytes(LENGTH_BYTES, "big") + data)


async def receive_site(stream: trio.SocketStream) -> SiteConfig:
    """Take what `hand_over_site` gives; only the parent has the other end, so it may be unpickled.

    Raises:
        LinkLost: the core has gone.
    """
    size = int.from_bytes(await _exactly(stream, LENGTH_BYTES), "big")
    site = pickle.loads(await _exactly(stream, size))  # noqa: S301
    assert isinstance(site, SiteConfig)
    return site


async def _exactly(stream: trio.SocketStream, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = await stream.receive_some(size - len(data))
        if not more:
            raise LinkLost("the core is gone")
        data += more
    return data
