"""A typed subscription for readers in this process."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from types import TracebackType

import msgspec

from engine.bus import Subscriber
from engine.model import AnyEvent, Events
from engine.notices import MessageNotice, TypingNotice

_decoder = msgspec.msgpack.Decoder(Events)
_LENGTH_BYTES = 4


class EventBatch(msgspec.Struct, frozen=True):
    """Those events of one batch that concern the subscriber, each with its index in the batch."""

    seq: int
    at: int
    events: list[tuple[int, AnyEvent]]


class Subscription:
    """Events as they happen. Iterating gives `(seq, at, [(index, event)])`.

    Attributes:
        subscriber: the bounded queue behind it.
    """

    def __init__(self, subscriber: Subscriber) -> None:
        self.subscriber = subscriber
        self._received: deque[EventBatch | MessageNotice | TypingNotice] = deque()

    @property
    def seq(self) -> int:
        """Resume behind this batch to miss nothing."""
        return self.subscriber.seq

    @property
    def waiting(self) -> bool:
        """Whether something has come that `receive` has not given yet."""
        return bool(self._received) or self.subscriber.waiting

    def __aiter__(self) -> Subscription:
        """Iterate over events, batch by batch."""
        return self

    async def __anext__(self) -> tuple[int, int, list[tuple[int, AnyEvent]]]:
        """Return the next batch's events; wait for them.

        Raises:
            SlowReader: cut; subscribe again with `resume_from=error.seq`.
        """
        while True:
            item = await self.receive()
            if isinstance(item, EventBatch):
                return item.seq, item.at, item.events

    async def receive(self) -> EventBatch | MessageNotice | TypingNotice:
        """Return the next batch's events or, if subscribed with them, the next notice, in one order.

        Raises:
            SlowReader: cut; subscribe again with `resume_from=error.seq`.
        """
        while not self._received:
            for item in await self.subscriber.receive():
                if isinstance(item.body, bytes):
                    self._received.extend(decode_events(item.body))
                else:
                    self._received.append(item.body)
        return self._received.popleft()

    async def raw(self) -> bytes:
        """Return encoded `events` frames, as many as have come; wait when it is none yet."""
        return b"".join(item.body for item in await self.subscriber.receive() if isinstance(item.body, bytes))

    def attach(self, agents: Sequence[int]) -> None:
        """Add agents to a subscription for agents."""
        self.subscriber.attach(agents)

    def close(self) -> None:
        """End it; a second call does nothing."""
        self.subscriber.close()

    def __enter__(self) -> Subscription:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.close()


def decode_events(frames: bytes) -> list[EventBatch]:
    """Decode encoded `events` frames that stand one after the other."""
    batches = []
    view = memoryview(frames)
    at = 0
    while at < len(view):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(view[at:start], "big")
        message = _decoder.decode(view[start:at])
        batches.append(EventBatch(message.seq, message.at, message.events))
    return batches
