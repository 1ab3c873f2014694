"""Who gives way does so with every thread."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SHOWN = """
import os, threading
from engine.background import give_way
give_way(3)
def show():
    print(os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0) == os.SCHED_BATCH)
show()
thread = threading.Thread(target=show)
thread.start()
thread.join()
"""


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="the policy is Linux's")
def test_others_go_first() -> None:
    done = subprocess.run([sys.executable, "-c", SHOWN], capture_output=True, text=True, check=True)
    expected = f"{min(19, os.getpriority(os.PRIO_PROCESS, 0) + 3)} True\n"
    assert done.stdout == expected * 2
