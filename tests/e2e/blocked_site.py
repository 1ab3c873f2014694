"""`paidui` with faults planted in it: a signal makes it stand still in one of three ways, or its core panic.

SIGUSR1 blocks the event loop; SIGUSR2 blocks it and keeps the interpreter from every other thread;
SIGWINCH makes the next append to the journal never return, as a disk that hangs does; SIGURG makes the next
batch panic in the router.
"""

from __future__ import annotations

import re
import signal
import sys
import time
from typing import Any

from engine.cli import main
from engine.journal import sqlite
from engine.router import Router

FOR_EVER_S = 86_400.0
hanging = False
append = sqlite.SqliteJournal.append


class PanicException(BaseException):
    """As the extension's: no `Exception`, and known by its name alone."""


def block(*_: Any) -> None:
    """A loop that waits without giving way."""
    time.sleep(FOR_EVER_S)


def hold_the_interpreter(*_: Any) -> None:
    """A pattern that backtracks for ever inside one call of C."""
    re.match(r"(a+)+$", "a" * 64 + "b")


def hang_disk(*_: Any) -> None:
    global hanging  # noqa: PLW0603
    hanging = True


def append_or_hang(self: sqlite.SqliteJournal, *given: Any) -> int:
    if hanging:
        time.sleep(FOR_EVER_S)
    return append(self, *given)


def panic(*_: Any) -> None:
    def apply_batch(*_: Any) -> None:
        raise PanicException("batch 3: an offer without a contact")

    Router.apply_batch = apply_batch  # type: ignore[assignment,method-assign]


if __name__ == "__main__":
    sqlite.SqliteJournal.append = append_or_hang  # type: ignore[method-assign]
    signal.signal(signal.SIGUSR1, block)
    signal.signal(signal.SIGUSR2, hold_the_interpreter)
    signal.signal(signal.SIGWINCH, hang_disk)
    signal.signal(signal.SIGURG, panic)
    sys.exit(main())
