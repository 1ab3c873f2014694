"""Parts that run in processes of their own: started, restarted with a growing delay, ended with their parent.

A part reads its standard input and ends at its end. The parent holds the other end of the pipe, so a part
never outlives it, not even after `kill -9`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import structlog
import trio

from engine.watchdog import EXIT_BROKEN, InvariantBroken

_log = structlog.get_logger(__name__)

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
HEALTHY_S = 60.0
"""Whoever ran this long before it ended starts again at once."""
STOP_S = 5.0


async def keep_running(arguments: Sequence[str]) -> None:
    """Run `paidui` with these arguments until cancelled; start it again when it ends.

    Raises:
        InvariantBroken: the part has found that the router is not sound.
    """
    delay_s = FIRST_DELAY_S
    while True:
        started = trio.current_time()
        code = await _run_once(arguments)
        if code == EXIT_BROKEN:
            raise InvariantBroken(f"found by the part {arguments[0]}; its log line names the batch")
        if trio.current_time() - started > HEALTHY_S:
            delay_s = FIRST_DELAY_S
        _log.error("a part has ended and is started again", part=arguments[0], code=code, delay_s=delay_s)
        await trio.sleep(delay_s)
        delay_s = min(delay_s * 2, LONGEST_DELAY_S)


async def _run_once(arguments: Sequence[str]) -> int:
    command = [sys.executable, "-m", "engine", *arguments]
    process = await trio.lowlevel.open_process(command, stdin=subprocess.PIPE)
    try:
        return await process.wait()
    finally:
        with trio.CancelScope(shield=True):
            await _stop(process)


async def _stop(process: trio.Process) -> None:
    if process.stdin is not None:
        await process.stdin.aclose()
    with trio.move_on_after(STOP_S):
        await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()


async def until_parent_ends() -> None:
    """Return when standard input has reached its end: the parent is gone or wants us to stop."""
    stdin = trio.lowlevel.FdStream(sys.stdin.fileno())
    while await stdin.receive_some(1024):
        pass
