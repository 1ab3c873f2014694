"""The way into the service: who sends commands, what room there is, and who hears the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import perf_counter

from engine.errors import Draining
from engine.inbox import Inbox, Part
from engine.lifecycle import Drain
from engine.metrics import Meter

IN_PROCESS = 0
"""The source of commands that come from this process."""

RETRY_LEAST_MS, RETRY_MOST_MS = 100, 10_000
DRAIN_MEMORY = 0.9
"""How much of the measured rate a new batch leaves standing (exponential average)."""


class TakingIn:
    """The part of the service that takes commands in.

    Args:
        reply: takes the `ack` frames of this process's own commands.

    Attributes:
        drain: whether arrivals are taken in.
        meter: counts batches; None until the start is over.
    """

    def __init__(self, reply: Callable[[bytes], None]) -> None:
        self.drain = Drain()
        self.meter: Meter | None = None
        self._inbox = Inbox()
        self._replies: dict[int, Callable[[bytes], None]] = {IN_PROCESS: reply}
        self._settled: dict[int, Callable[[int, int], None]] = {}
        self._urgent: set[int] = {IN_PROCESS}
        self._next_source = IN_PROCESS + 1
        self._bytes_per_s = 0.0

    def add_source(
        self,
        reply: Callable[[bytes], None],
        *,
        urgent: bool,
        settled: Callable[[int, int], None] | None = None,
    ) -> int:
        """Register a connection.

        Args:
            reply: takes the encoded `ack` frame of each batch that holds its commands, unless a
                subscriber `answers` for it; must not block.
            urgent: its commands go before those of others (agents before arrivals).
            settled: is told how many commands, and how many bytes of them, have been answered.

        Returns:
            The source's number, for `submit`.
        """
        source = self._next_source
        self._next_source += 1
        self._replies[source] = reply
        if urgent:
            self._urgent.add(source)
        if settled is not None:
            self._settled[source] = settled
        return source

    def remove_source(self, source: int) -> None:
        """Forget a connection; what it has submitted is carried out, unanswered."""
        self._replies.pop(source, None)
        self._settled.pop(source, None)
        self._urgent.discard(source)

    def submit(
        self, source: int, first_request_no: int, frames: bytes, count: int, *, arrivals: bool
    ) -> bool:
        """Put scanned command frames into the inbox.

        Args:
            source: who is answered.
            first_request_no: the first frame's number.
            frames: what `Intake.feed` found good, at most a batch's commands.
            count: how many.
            arrivals: there are arrivals among them, which are refused first.

        Returns:
            False when there is no room: nothing was taken, ask again after `retry_after_ms`.
        """
        if arrivals and self.drain.begun:
            return False
        part = Part(source, first_request_no, frames, count, perf_counter())
        if not self._inbox.has_room(part.cost, arrivals=arrivals):
            return False
        self._inbox.put(part, urgent=source in self._urgent)
        return True

    def why_full(self, *, arrivals: bool) -> tuple[str, str]:
        """Return the code and the text of what `submit` did not take."""
        if arrivals and self.drain.begun:
            return "draining", "the site is about to stop and takes no arrivals in"
        return "busy", "too much is waiting"

    def check_intake(self) -> None:
        """Refuse an arrival while the site drains.

        Raises:
            Draining: it takes none in any more.
        """
        if self.drain.begun:
            if self.meter is not None:
                self.meter.refused("draining")
            raise Draining(self.retry_after_ms)

    @property
    def retry_after_ms(self) -> int:
        """When a refused client should ask again: how long the inbox takes at the present rate."""
        if self.drain.begun:
            return self.drain.retry_after_ms()
        if not self._bytes_per_s:
            return RETRY_LEAST_MS
        drain_ms = self._inbox.waiting_bytes * 1_000 / self._bytes_per_s
        return int(min(max(drain_ms, RETRY_LEAST_MS), RETRY_MOST_MS))

    def answer(self, acks: Iterable[tuple[int, bytes]]) -> None:
        """Hand (source, `ack` frame) to whom it concerns; who has gone hears nothing."""
        for source, ack in acks:
            if (reply := self._replies.get(source)) is not None:
                reply(ack)

    def settle(self, parts: Iterable[Part]) -> None:
        """Tell the sources what of theirs has been answered."""
        for part in parts:
            if (settled := self._settled.get(part.source)) is not None:
                settled(part.commands, len(part.frames))

    def _measure(self, size: int, took_us: int) -> None:
        if took_us > 0:
            rate = size * 1_000_000 / took_us
            self._bytes_per_s += (rate - self._bytes_per_s) * (1 - DRAIN_MEMORY)
