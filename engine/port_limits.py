"""What one channel may ask of the engine at a time, and how large a thing it may say.

Every bound is a channel's own: whoever reaches it waits, or is refused by name, and no other
channel is any later for it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import trio

from engine.channel import Known
from engine.errors import Busy, Malformed

AT_ONCE: Final = 16
"""Calls of one channel that are carried out together: so many of its transactions stand before
another channel's next one, and so many share a commit of the journal."""

WAITING: Final = 1_024
"""Calls that may wait for their turn; one more is told `Busy`, and nothing of it is kept."""

TYPING_WINDOW_S: Final = 2.0
TYPING_IN_WINDOW: Final = 8
TYPING_CONTACTS: Final = 1_000
"""Of so many contacts it is known how often they were said to be typing."""

NAME_CHARS: Final = 200
PART_CHARS: Final = 1_000
REQUIREMENT_CHARS: Final = 4_096
PARTS: Final = 64


class Gate:
    """Turns, first come first served.

    Args:
        at_once: how many have a turn together.
        waiting: how many may wait for one.
    """

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._turns = trio.Semaphore(at_once)
        self._waiting = waiting

    @asynccontextmanager
    async def turn(self, retry_after_ms: int | None = None) -> AsyncIterator[None]:
        """Wait for a turn and have it.

        Args:
            retry_after_ms: what one who may not even wait is told; None = everybody may wait.

        Raises:
            Busy: too many wait.
        """
        # Before the refusal, too: who asks again without a pause must not keep the thread.
        await trio.lowlevel.checkpoint()
        if retry_after_ms is not None and self._turns.statistics().tasks_waiting >= self._waiting:
            raise Busy(retry_after_ms)
        async with self._turns:
            yield


class TypingLimit:
    """Lets a contact's typing through some times a window: it is a hint, and never stored."""

    def __init__(self) -> None:
        self._windows: OrderedDict[int, tuple[float, int]] = OrderedDict()

    def lets(self, contact: int, now_s: float) -> bool:
        """Whether it is to be told."""
        since_s, said = self._windows.get(contact, (now_s, 0))
        if now_s - since_s > TYPING_WINDOW_S:
            since_s, said = now_s, 0
        self._windows[contact] = (since_s, said + 1)
        self._windows.move_to_end(contact)
        while len(self._windows) > TYPING_CONTACTS:
            self._windows.popitem(last=False)
        return said < TYPING_IN_WINDOW


def check_size(field: str, value: str | None, most: int) -> None:
    """Refuse a text that is too long, by its name, before anything is made of it.

    Raises:
        Malformed: names the field.
    """
    if value is not None and len(value) > most:
        raise Malformed(f"{field}: expected at most {most} characters, got {len(value)}")


def check_bytes(field: str, text: str, most: int) -> None:
    """Refuse a text of more than `most` bytes of UTF-8; a huge one is not even encoded.

    Raises:
        Malformed: names the field.
    """
    if len(text) > most:
        raise Malformed(f"{field}: expected at most {most} bytes of UTF-8, got {len(text)} characters")
    if (size := len(text.encode("utf-8", "surrogatepass"))) > most:
        raise Malformed(f"{field}: expected at most {most} bytes of UTF-8, got {size}")


def check_arrival(
    queue: str,
    customer_name: str | None,
    customer: str | None,
    requires: str | Mapping[str, int] | None,
    known: Known | None,
) -> None:
    """Refuse an arrival of which a part is out of all proportion.

    Raises:
        Malformed: names the field.
    """
    for field, value in (("queue", queue), ("customer_name", customer_name), ("customer", customer)):
        check_size(field, value, NAME_CHARS)
    if isinstance(requires, str):
        check_size("requires", requires, REQUIREMENT_CHARS)
    elif requires is not None:
        _check_parts("requires", requires, PARTS)
    if known is not None:
        for field, value in (
            ("known.caller", known.caller),
            ("known.dialled", known.dialled),
            ("known.language", known.language),
        ):
            check_size(field, value, PART_CHARS)
        _check_parts("known.regions", dict.fromkeys(known.regions), PARTS)
        _check_parts("known.attributes", known.attributes, PARTS)


def _check_parts(field: str, parts: Mapping[str, object], most: int) -> None:
    if len(parts) > most:
        raise Malformed(f"{field}: expected at most {most} entries, got {len(parts)}")
    for name, value in parts.items():
        check_size(field, name, PART_CHARS)
        check_size(f"{field}.{name}", value if isinstance(value, str) else None, PART_CHARS)
