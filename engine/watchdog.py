"""What sees to it that a site that stands still does not stand still in silence.

`beat` looks at the service's task once a second, from the event loop. A thread looks at what `beat` saw:
after too long it writes every thread's stack to the log and ends the process, so that whatever started it
starts it again; the journal brings everything back. Should even that thread not get to run, because something
holds the interpreter, `faulthandler` ends the process from outside the interpreter.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import structlog
import trio

from engine.errors import PaiduiError
from engine.facade import Facade
from engine.lifecycle import Progress, Supervisor
from engine.router import Router

EXIT_STUCK: Final = 70
"""The exit code of a process that ended itself because nothing got on."""

EXIT_BROKEN: Final = 71
"""The exit code of a site whose router broke an invariant."""

LOOK_EVERY_S: Final = 1.0
OVERDUE_US: Final = 1_000_000
"""A deadline may be due for so long before a resting task counts as late."""

BACKSTOP_S: Final = 5.0
"""How much later than the thread `faulthandler` acts."""

MOST_PAIRS: Final = 50_000_000
"""Contacts times agents: beyond it one look would take the better part of a minute."""

CHECK_SHARE: Final = 0.05
"""How much of its process's time the check may take."""

_log = structlog.get_logger(__name__)


class InvariantBroken(PaiduiError):
    """The router's state is not what its rules make of the journal; the text names the rule and the seq."""


async def beat(service: Facade, progress: Progress, supervisor: Supervisor) -> None:
    """Look at the service's task until cancelled, and tell the service manager while it gets on."""
    while True:
        progress.look(work=service.behind_us() > OVERDUE_US)
        if supervisor.watchdog and progress.stuck_s() < LOOK_EVERY_S:
            supervisor.tell("WATCHDOG=1")
        await trio.sleep(LOOK_EVERY_S)


@contextmanager
def guarded(progress: Progress, stuck_after_s: float) -> Iterator[None]:
    """End the process when nothing gets on for `stuck_after_s` within the block; 0 = never."""
    if not stuck_after_s:
        yield
        return
    over = threading.Event()
    thread = threading.Thread(
        target=_watch, args=(progress, stuck_after_s, over), name="watchdog", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        faulthandler.cancel_dump_traceback_later()


def _watch(progress: Progress, stuck_after_s: float, over: threading.Event) -> None:
    while True:
        faulthandler.dump_traceback_later(stuck_after_s + BACKSTOP_S, exit=True, file=sys.stderr)
        if over.wait(LOOK_EVERY_S):
            return
        if (stuck_s := progress.stuck_s()) > stuck_after_s:
            _log.critical(
                "nothing gets on: the process ends itself",
                stuck_s=round(stuck_s, 1),
                exit_code=EXIT_STUCK,
                stacks=stacks(),
            )
            os._exit(EXIT_STUCK)


def stacks() -> list[str]:
    """Return where every thread is: files, lines and functions, nothing that a variable holds."""
    with tempfile.TemporaryFile() as file:
        faulthandler.dump_traceback(file=file, all_threads=True)
        file.seek(0)
        return file.read().decode("utf-8", "replace").splitlines()


def is_panic(error: BaseException) -> bool:
    """Whether an error is the core's own: no `Exception`, of a class that cannot be imported."""
    return type(error).__name__ == "PanicException"


class InvariantCheck:
    """Checks every invariant of a router now and then: above all, that no eligible pair is left undecided.

    It works on a follower's router, in a process of its own: that one has made the same decisions from the
    same batches, and nobody waits for it.

    Args:
        every_s: how often; 0 = never. After a long look the next one comes later, see `CHECK_SHARE`.
        clock: seconds that never run backwards.
    """

    def __init__(self, every_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._every_s = every_s
        self._clock = clock
        self._next_s = 0.0
        self._told_too_large = False

    def look(self, router: Router, seq: int) -> bool:
        """Check the router, in which batch `seq` was applied last, if it is time.

        Returns:
            Whether it was checked.

        Raises:
            InvariantBroken: it is not sound.
        """
        now_s = self._clock()
        if not self._every_s or now_s < self._next_s or not router.config_hash():
            return False
        self._next_s = now_s + self._every_s
        if self._too_large(router):
            return False
        try:
            router.check()
        except BaseException as error:
            if not is_panic(error):
                raise
            raise InvariantBroken(f"batch {seq}: {error}") from None
        self._next_s = max(self._next_s, now_s + (self._clock() - now_s) / CHECK_SHARE)
        return True

    def _too_large(self, router: Router) -> bool:
        overview = router.overview()
        pairs = len(overview.agents) * (overview.contacts.waiting + overview.contacts.offered)
        if pairs > MOST_PAIRS and not self._told_too_large:
            self._told_too_large = True
            _log.warning("the invariants are not checked while so many wait", pairs=pairs, most=MOST_PAIRS)
        return pairs > MOST_PAIRS
