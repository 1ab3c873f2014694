"""A service with a pigeon channel that kills its own process: `CONFIG PROVIDER_PORT WHERE NTH`.

WHERE is `before_send`, `after_send` or `after_done`, and the NTH effect is the one that it happens
at; 0 = never. One agent greets every customer three times and says good-bye.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import trio

from engine.auth import Tokens
from engine.config import load_site
from engine.plugins import PluginHost
from engine.service import Service, open_service
from engine.store import Store
from engine.testing.fixtures import SECRET
from engine.web_mounts import Mounts
from tests.channels.pigeon import Pigeon, line

GREETINGS = ("hello", "how are you?", "good-bye")


class Mortal(Pigeon):
    """Dies at one of its effects."""

    def __init__(self, port: int, where: str, nth: int) -> None:
        super().__init__(port)
        self._where = where
        self._left = nth

    async def send(self, stream: trio.SocketStream, message: dict[str, Any]) -> None:
        self._left -= 1
        self._dies("before_send")
        if self._where == "after_send" and self._left == 0:
            await stream.send_all(line(message))
            self._dies("after_send")
        await super().send(stream, message)
        self._dies("after_done")

    def _dies(self, where: str) -> None:
        if self._left == 0 and self._where == where:
            os.kill(os.getpid(), signal.SIGKILL)


async def work(service: Service) -> None:
    """The agent: takes whoever comes, and repeats after a restart what may not have been stored."""
    ann = service.desk("ann")
    await ann.sign_in()
    while True:
        for offer in ann.state().offers:
            await ann.accept(offer.offer)
        for contact in ann.state().contacts:
            for number, text in enumerate(GREETINGS):
                await ann.say(contact.contact, text, f"a{number}")
            await ann.end(contact.contact)
        await trio.sleep(0.005)


async def main(config: str, port: int, where: str, nth: int) -> None:
    site = load_site(config)
    await trio.Path(site.data).mkdir(parents=True, exist_ok=True)
    async with (
        Store(site.data / "store.sqlite") as store,
        open_service(site, store=store, secret=SECRET) as service,
        trio.open_nursery() as nursery,
    ):
        host = PluginHost(
            service,
            Tokens(SECRET, site.name),
            Mounts(),
            factories={"pigeon": lambda _: Mortal(port, where, nth)},
        )
        await nursery.start(host.run)
        nursery.start_soon(work, service)


if __name__ == "__main__":
    trio.run(main, sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
