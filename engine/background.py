"""How the parts behind the service let it go first: nobody waits for them, and an agent waits for it."""

from __future__ import annotations

import os
from contextlib import suppress


def give_way(niceness: int) -> None:
    """Let others have the processor first, from here on and for every thread to come.

    Beside the niceness, where Linux has it, `SCHED_BATCH`: who wakes in it interrupts nobody. On two
    processors a slice of the statistics, some milliseconds, is else most of the longest waits for an offer.

    Args:
        niceness: how much, 1 to 19.
    """
    os.nice(niceness)
    if hasattr(os, "SCHED_BATCH"):
        with suppress(OSError):  # a sandbox may have none of it: the niceness is there
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
