"""A running engine for one check of the channel kit, and what a channel has to show it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
import trio

from engine.auth import Tokens
from engine.config import read_site
from engine.desk import Desk
from engine.service import Service, open_service
from engine.store import Store
from engine.testing.fixtures import SECRET
from engine.web_mounts import Mounts

CHANNEL = "under_test"
QUEUE = "desk"
_SITE = """
[site]
name = "kit"
[gateway]
bind = "127.0.0.1:0"
[routing]
retry_after_ms = 100
[queues.desk]
offer_timeout_ms = 60000
wrap_up_ms = 0
[agents.ann]
capacity = {{ under_test = 3 }}
[channels.under_test]
plugin = "{plugin}"
account = "kit"
instant = {instant}
connect_timeout_ms = 60000
"""


class ChannelDriver(Protocol):
    """A channel's customers. `who` is the external id of a customer's request.

    Three attributes are optional, and rules that need them are not certified without them: `hosted`, the
    `HostedChannel` of a plugin that the host runs, `outside`, an `Outside`, and `files`, of a channel that
    takes them, a `CustomerFiles`. So is the method
    `customer_is_done(who)`: the kit will not ask for that customer again.
    """

    async def customer_opens(self, who: str) -> int:
        """Bring a contact into the queue `desk`; said again, it is a redelivery. Return the contact."""
        ...

    async def customer_says(self, who: str, text: str, message_id: str) -> None:
        """Send a message, stored when this returns; said again with the same id, it is a redelivery.

        A customer who never opened must get an error, whichever the channel has.
        """
        ...

    async def customer_leaves(self, who: str) -> None:
        """Go away for good."""
        ...

    async def seen_by_customer(self, who: str, count: int) -> list[str]:
        """Wait until `count` messages of agents have reached the customer; return all, in order."""
        ...

    async def told_of_end(self, who: str) -> None:
        """Wait until the customer has been told that it is over."""
        ...

    async def position_shown(self, who: str) -> int | None:
        """Return how many stand before the customer, as he is told; None when nothing is told."""
        ...

    async def restart(self) -> None:
        """Make the channel crash and wait until it is open again."""
        ...


class Outside(Protocol):
    """What a plugin connects to, or what connects to it: a provider, a network, its customers' pages.

    A driver whose channel has one gives it as its attribute `outside`.
    """

    async def goes_away(self) -> None:
        """Break every connection, and let nobody connect. What customers do meanwhile waits outside."""
        ...

    async def comes_back(self) -> None:
        """Be there again, under the same address."""
        ...

    def takes_nothing(self) -> None:
        """Stay connected, and take nothing that is written to customers."""
        ...

    def takes_again(self) -> None:
        """Take it, and what has been held back."""
        ...


class CustomerFiles(Protocol):
    """What customers send and get beside words."""

    async def sends(self, who: str, name: str, content: bytes, message_id: str) -> None:
        """Send a file, stored when this returns; said again with the same id, it is a redelivery."""
        ...

    async def seen(self, who: str, count: int) -> list[tuple[str, bytes]]:
        """Wait until `count` files of agents have reached the customer; return all, in order."""
        ...


@dataclass
class KitSite:
    """A running engine for one check.

    Attributes:
        channel: the channel's name in the configuration; its queue is `queue`.
        mounts: what a hosted channel mounts is served here.
        tokens: issues customers' and plugins' tokens.
        folder: a place for sockets and files.
    """

    service: Service
    store: Store
    tokens: Tokens
    mounts: Mounts
    folder: Path
    channel: str = CHANNEL
    queue: str = QUEUE

    @property
    def ann(self) -> Desk:
        """The one agent."""
        return self.service.desk("ann")


OpenDriver = Callable[[KitSite], AbstractAsyncContextManager[ChannelDriver]]


@asynccontextmanager
async def open_kit_site(
    folder: Path, plugin: str, options: Mapping[str, object], instant: bool = True
) -> AsyncIterator[KitSite]:
    """Run an engine with one queue, one agent and the channel under test."""
    await trio.Path(folder).mkdir(parents=True, exist_ok=True)
    text = _SITE.format(plugin=plugin, instant=str(instant).lower())
    if options:
        text += "[channels.under_test.options]\n"
        text += "".join(f"{key} = {msgspec.json.encode(value).decode()}\n" for key, value in options.items())
    site = read_site(text, folder)
    await trio.Path(site.data).mkdir(parents=True, exist_ok=True)
    async with (
        Store(site.data / "store.sqlite") as store,
        open_service(site, store=store, secret=SECRET) as service,
    ):
        yield KitSite(service, store, Tokens(SECRET, "kit"), Mounts(), folder)
