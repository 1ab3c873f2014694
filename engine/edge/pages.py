"""The core's health, shown at the edge's address: who asks there asks the core."""

from __future__ import annotations

from typing import Final

import trio

from engine.edge.link import Link
from engine.health import HealthPage
from engine.messages.between import Asked, Page

WITHIN_S: Final = 5.0
SILENT: Final = HealthPage(503, b'{"ok":false,"not_ready":{"core":"has not answered"}}')


class CorePages:
    """Asks the core for its pages.

    Args:
        link: to the core.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._next = 0
        self._waiting: dict[int, _Wanted] = {}

    async def page(self, path: str, trusted: bool) -> HealthPage:
        """Return the page at a path; a core that does not answer is not ready."""
        number, self._next = self._next, self._next + 1
        wanted = self._waiting[number] = _Wanted()
        self._link.send(Asked(number=number, path=path, trusted=trusted))
        try:
            with trio.move_on_after(WITHIN_S):
                await wanted.here.wait()
        finally:
            del self._waiting[number]
        return wanted.page

    def take(self, page: Page) -> None:
        """Take a page that the core has sent."""
        if (wanted := self._waiting.get(page.number)) is not None:
            wanted.page = HealthPage(page.status, page.body, page.content_type)
            wanted.here.set()


class _Wanted:
    """A page that somebody waits for."""

    def __init__(self) -> None:
        self.here = trio.Event()
        self.page = SILENT
