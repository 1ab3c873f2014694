"""The inbox: what waits for the next batch, in two lanes, bounded in bytes."""

from __future__ import annotations

import math
from collections import deque

import msgspec
import trio

INBOX_BYTES = 64 * 1024 * 1024
ARRIVALS_BYTES = 16 * 1024 * 1024
"""Arrivals are refused from here on: a quarter of the inbox, so that what is in hand can go on."""

BATCH_COMMANDS = 4_096
BATCH_BYTES = 1024 * 1024
URGENT_SHARE = 0.75
"""How much of a batch the urgent lane may take while others wait: nobody starves."""

PART_BYTES = 200
"""What a part costs beside its frames; many small parts are memory, too."""


class Part(msgspec.Struct, frozen=True, gc=False):
    """Frames of one source that stand together.

    Attributes:
        source: who is answered.
        first_request_no: the first frame's number in its source; the others follow without a gap.
        frames: scanned, length-prefixed command frames.
        commands: how many.
        came_s: when it came, in seconds of `time.perf_counter`.
    """

    source: int
    first_request_no: int
    frames: bytes
    commands: int
    came_s: float = math.inf

    @property
    def cost(self) -> int:
        """Bytes that it counts for."""
        return len(self.frames) + PART_BYTES


class Inbox:
    """Parts in the order in which they came; the urgent lane (agents, the desk) goes first.

    Who puts asks `room` first: the inbox itself takes everything.
    """

    def __init__(self, limit_bytes: int = INBOX_BYTES, arrivals_bytes: int = ARRIVALS_BYTES) -> None:
        self._urgent: deque[Part] = deque()
        self._common: deque[Part] = deque()
        self._limit_bytes = limit_bytes
        self._arrivals_bytes = min(arrivals_bytes, limit_bytes)
        self.waiting_bytes = 0
        self.filled = trio.Event()

    def __len__(self) -> int:
        return len(self._urgent) + len(self._common)

    def has_room(self, cost: int, *, arrivals: bool) -> bool:
        """Whether `cost` bytes may come in; arrivals are refused first."""
        limit = self._arrivals_bytes if arrivals else self._limit_bytes
        return self.waiting_bytes + cost <= limit

    def put(self, part: Part, *, urgent: bool) -> None:
        """Take a part in."""
        (self._urgent if urgent else self._common).append(part)
        self.waiting_bytes += part.cost
        self.filled.set()

    def take(self) -> list[Part]:
        """Remove and return the next batch's parts: at most a batch's commands and bytes."""
        taken: list[Part] = []
        share = URGENT_SHARE if self._common else 1.0
        count, size = self._move(taken, self._urgent, int(BATCH_COMMANDS * share), int(BATCH_BYTES * share))
        self._move(taken, self._common, BATCH_COMMANDS - count, BATCH_BYTES - size)
        if not self:
            self.filled = trio.Event()
        return taken

    def _move(self, taken: list[Part], lane: deque[Part], commands: int, limit_bytes: int) -> tuple[int, int]:
        count = size = 0
        while lane:
            part = lane[0]
            fits = count + part.commands <= commands and size + len(part.frames) <= limit_bytes
            # A single part may be larger than a batch (`configure`): then it is one by itself.
            if not fits and taken:
                break
            taken.append(lane.popleft())
            self.waiting_bytes -= part.cost
            count += part.commands
            size += len(part.frames)
        return count, size


class Pace:
    """When a connection reads on: it has until the end of the commit that is under way.

    What it has read stands in the next batch; what comes until then can be read at once rather than
    piece by piece, each of which would wake a task.

    Attributes:
        committing: whether a batch is on its way to the disk; the service's task says so.
    """

    def __init__(self) -> None:
        self.committing = False
        self._over: trio.Event | None = None  # while somebody waits

    async def wait(self) -> bool:
        """Wait for the end of the commit that is under way; False at once when there is none."""
        if not self.committing:
            return False
        if self._over is None:
            self._over = trio.Event()
        await self._over.wait()
        return True

    async def let_read(self) -> None:
        """Let those who waited read, before the next batch is made; called behind a commit."""
        if self._over is not None:
            self._over.set()
            self._over = None
            # They run in the same round as the first of these, in any order.
            await trio.lowlevel.cancel_shielded_checkpoint()
            await trio.lowlevel.cancel_shielded_checkpoint()
