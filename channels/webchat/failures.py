"""What a page is told when something of it was not taken."""

from __future__ import annotations

import trio

from channels.webchat import protocol
from channels.webchat.limits import Buckets
from engine.errors import Busy, Malformed, Refused


class NotTaken(Exception):
    """What the page is told instead."""

    def __init__(self, failure: protocol.Failure) -> None:
        """Keeps what to tell."""
        super().__init__(failure.text)
        self.failure = failure


def admit(buckets: Buckets, key: str, what: str, external_id: str | None = None) -> None:
    """Take one of `key`'s.

    Raises:
        NotTaken: it has none now.
    """
    wait_s = buckets.take(key, trio.current_time())
    if wait_s > 0:
        raise NotTaken(
            protocol.Failure(
                code="too_fast",
                text=f"too many {what}; try again later",
                external_id=external_id,
                retry_after_ms=int(wait_s * 1000) + 1,
            )
        )


def busy(error: Busy, external_id: str | None = None) -> protocol.Failure:
    """It was not taken, and may be said again."""
    return protocol.Failure(
        code="busy", text=str(error), external_id=external_id, retry_after_ms=error.retry_after_ms
    )


def refused(error: Refused) -> protocol.Failure:
    """The engine's own word for why."""
    return protocol.Failure(code=error.name, text=str(error), field=error.field or None)


def over(external_id: str) -> protocol.Failure:
    """Nothing can be said in it any more."""
    return protocol.Failure(code="ended", text="the chat is over; start a new one", external_id=external_id)


def malformed(error: Malformed, external_id: str | None = None) -> protocol.Failure:
    """A field is wrong; the text names it."""
    return protocol.Failure(code="malformed", text=str(error), external_id=external_id)
