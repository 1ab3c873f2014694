"""Parts that run in processes of their own: started, restarted with a growing delay, ended with their parent.

A part reads its standard input and ends at its end. The parent holds the other end of the pipe, so a part
never outlives it, not even after `kill -9`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import structlog
import trio

from engine.watchdog import EXIT_BROKEN, InvariantBroken

_log = structlog.get_logger(__name__)

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
HEALTHY_S = 60.0
"""Whoever ran this long before it ended starts again at once."""
STOP_S = 5.0


class Given(NamedTuple):
    """What a part is given at its start beside its words.

    Attributes:
        words: more of them.
        files: file descriptors that it inherits.
    """

    words: Sequence[str] = ()
    files: Sequence[int] = ()


class Part:
    """One part of a site.

    Args:
        words: what `paidui` is called with.
        give: entered around each start, gives what is the part's alone.
        stop_s: how long it may take to end before it is killed.
    """

    def __init__(
        self,
        words: Sequence[str],
        *,
        give: Callable[[], AbstractContextManager[Given]] = lambda: nullcontext(Given()),
        stop_s: float = STOP_S,
    ) -> None:
        self._words = words
        self._give = give
        self._stop_s = stop_s
        self._process: trio.Process | None = None
        self._scope = trio.CancelScope()
        self._over = trio.Event()

    @property
    def pid(self) -> int | None:
        """Its process, if it runs."""
        return None if self._process is None else self._process.pid

    def signal(self, number: int) -> None:
        """Send it a signal, if it runs; what it kills is started again."""
        if self._process is not None:
            self._process.send_signal(number)

    async def end(self) -> None:
        """End it and `keep_running`; return when both are over."""
        self._scope.cancel()
        with trio.CancelScope(shield=True):
            await self._over.wait()

    async def keep_running(self) -> None:
        """Run it until cancelled, or told to `end`; start it again when it ends by itself.

        Raises:
            InvariantBroken: the part has found that the router is not sound.
        """
        try:
            with self._scope:
                await self._keep_running()
        finally:
            self._over.set()

    async def _keep_running(self) -> None:
        delay_s = FIRST_DELAY_S
        while True:
            started = trio.current_time()
            code = await self._run_once()
            if code == EXIT_BROKEN:
                raise InvariantBroken(f"found by the part {self._words[0]}; its log line names the batch")
            if trio.current_time() - started > HEALTHY_S:
                delay_s = FIRST_DELAY_S
            _log.error(
                "a part has ended and is started again", part=self._words[0], code=code, delay_s=delay_s
            )
            await trio.sleep(delay_s)
            delay_s = min(delay_s * 2, LONGEST_DELAY_S)

    async def _run_once(self) -> int:
        with self._give() as given:
            command = [sys.executable, "-m", "engine", *self._words, *given.words]
            process = await trio.lowlevel.open_process(command, stdin=subprocess.PIPE, pass_fds=given.files)
        self._process = process
        try:
            return await process.wait()
        finally:
            with trio.CancelScope(shield=True):
                await self._stop(process)
            self._process = None

    async def _stop(self, process: trio.Process) -> None:
        if process.stdin is not None:
            await process.stdin.aclose()
        with trio.move_on_after(self._stop_s):
            await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until_parent_ends() -> None:
    """Return when standard input has reached its end: the parent is gone or wants us to stop."""
    # A copy, which is closed here: standard input itself stays for whoever waits for it next.
    async with trio.lowlevel.FdStream(os.dup(sys.stdin.fileno())) as stdin:
        while await stdin.receive_some(1024):
            pass
