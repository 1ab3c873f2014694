"""A thread that looks whether the service's thread still goes round, and names who keeps it.

Hosted plugins share one thread with the service. One that computes for seconds, or waits in a call
that is not trio's, stops everybody: offers, deadlines, acknowledgements. Nobody can take the thread
from it; but who it is can be said at once, and afterwards it can be ended.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from types import FrameType
from typing import NamedTuple

import structlog
import trio

BLOCKED_AFTER_S = 2.0
"""Longer than any step of the service's own; a deadline is late by so much."""

BEAT_EVERY_S = 0.25
STACK_LINES = 12

channel_in_charge: ContextVar[str] = ContextVar("paidui_channel", default="")
"""Which hosted channel's task this is; a task that a plugin starts inherits it."""

_log = structlog.get_logger(__name__)


class Blocked(NamedTuple):
    """The thread is kept.

    Attributes:
        channel: whose task it is; "" when it is no hosted channel's.
        stack: where it stands.
    """

    channel: str
    stack: str


class Watchdog:
    """Watches the thread in which it is made.

    Args:
        tell: called in the watching thread, once for each time that the thread is kept.
        blocked_after_s: how long a single step may take.
    """

    def __init__(self, tell: Callable[[Blocked], None], blocked_after_s: float = BLOCKED_AFTER_S) -> None:
        self._tell = tell
        self._blocked_after_s = blocked_after_s
        self._watched = threading.get_ident()
        self._beats = 0
        self._stop = threading.Event()

    async def run(self) -> None:
        """Beat until cancelled, and let a thread see that the beat goes on."""
        thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        thread.start()
        try:
            while True:
                self._beats += 1
                await trio.sleep(min(BEAT_EVERY_S, self._blocked_after_s / 4))
        finally:
            self._stop.set()

    def _watch(self) -> None:
        told = seen = -1
        while not self._stop.wait(self._blocked_after_s):
            beats = self._beats
            if beats == seen and beats != told:
                told = beats
                self._look()
            seen = beats

    def _look(self) -> None:
        frame = sys._current_frames().get(self._watched)
        if frame is None:
            return
        if frame.f_code.co_name == "get_events":
            return  # it waits for something to do; only the beat's clock stands still
        stack = "".join(traceback.format_stack(frame)[-STACK_LINES:])
        blocked = Blocked(_channel_of(frame), stack)
        _log.error("the service's thread is kept and nobody is served", channel=blocked.channel, stack=stack)
        self._tell(blocked)


def _channel_of(frame: FrameType | None) -> str:
    """The hosted channel whose task runs: trio's loop has the task, and the task the channel's name."""
    while frame is not None:
        task = frame.f_locals.get("task") if frame.f_globals.get("__name__") == "trio._core._run" else None
        if isinstance(task, trio.lowlevel.Task):
            return task.context.get(channel_in_charge, "")
        frame = frame.f_back
    return ""
