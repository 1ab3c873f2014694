"""`paidui` with faults planted in it: a signal makes it stand still in one of three ways.

SIGUSR1 blocks the event loop; SIGUSR2 blocks it and keeps the interpreter from every other thread;
SIGWINCH makes the next append to the journal never return, as a disk that hangs does.
"""

from __future__ import annotations

import re
import signal
import sys
import time
from typing import Any

from engine.cli import main
from engine.journal import sqlite

FOR_EVER_S = 86_400.0
hanging = False
append = sqlite.SqliteJournal.append


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


if __name__ == "__main__":
    sqlite.SqliteJournal.append = append_or_hang  # type: ignore[method-assign]
    signal.signal(signal.SIGUSR1, block)
    signal.signal(signal.SIGUSR2, hold_the_interpreter)
    signal.signal(signal.SIGWINCH, hang_disk)
    sys.exit(main())
