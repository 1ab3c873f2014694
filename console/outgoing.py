"""What waits to be sent to one socket: bounded, with the newest picture in place of older ones."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import trio

MAX_ITEMS: Final = 512
MAX_BYTES: Final = 1 << 20
"""Of either more, the client does not read as fast as its contacts write: it is cut and comes back."""


class Outgoing:
    """A queue of texts for one client.

    Pictures of the whole (desk, overview) go into a slot: a newer one replaces an older one that has not been
    sent, so that only messages can pile up.
    """

    def __init__(self) -> None:
        self._texts: OrderedDict[object, str] = OrderedDict()
        self._bytes = 0
        self._last: str | None = None
        self._changed = trio.Event()

    def put(self, text: str, slot: str | None = None) -> None:
        """Queue a text; beyond the bounds everything is dropped and the socket ends with "slow_reader"."""
        if self._last is not None:
            return
        key: object = slot if slot is not None else object()
        self._bytes += len(text) - len(self._texts.get(key, ""))
        self._texts[key] = text
        if len(self._texts) > MAX_ITEMS or self._bytes > MAX_BYTES:
            self._texts.clear()
            self.end("slow_reader")
        self._changed.set()

    def end(self, code: str) -> None:
        """Let what is queued be sent, then a good-bye, then nothing; the first code stays."""
        if self._last is None:
            self._last = f'{{"type":"bye","code":"{code}"}}'
            self._changed.set()

    async def get(self) -> str | None:
        """Return the next text; wait for it. None: that was the last one."""
        await trio.lowlevel.checkpoint()
        while not self._texts:
            if self._last is not None:
                last, self._last = self._last, ""
                return last or None
            self._changed = trio.Event()
            await self._changed.wait()
        _, text = self._texts.popitem(last=False)
        self._bytes -= len(text)
        return text
