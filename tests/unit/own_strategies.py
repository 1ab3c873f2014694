"""Strategies of a site's own, good ones and others; the tests run them in their own processes."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from engine.strategies import Choice

seen: list[int] = []


def last_one(choice: Choice) -> str | None:
    """Whoever stands last, so that it is not what the fallback would do."""
    print("what it prints is nobody's answer")
    return choice.candidates[-1].name


def by_turns(choice: Choice) -> str | None:
    """Keeps in mind how often it was asked."""
    seen.append(choice.choice)
    return choice.candidates[(len(seen) - 1) % len(choice.candidates)].name


def nobody(choice: Choice) -> str | None:
    """Leaves it to the fallback."""
    return None


def slow(choice: Choice) -> str | None:
    """Takes longer than it has."""
    time.sleep(0.6)
    return choice.candidates[-1].name


def hangs(choice: Choice) -> str | None:
    """Never returns."""
    while True:
        time.sleep(60)


def raises(choice: Choice) -> str | None:
    """Cannot be asked."""
    raise KeyError("regulars")


def nonsense(choice: Choice) -> Any:
    """Answers with what is no name, then with nobody's name."""
    seen.append(choice.choice)
    return 7 if len(seen) % 2 else "zoe"


def dies(choice: Choice) -> str | None:
    """Kills its process in the middle of the choice, the first time."""
    flag = os.environ["OWN_STRATEGY_FLAG"]
    if not os.path.exists(flag):  # noqa: PTH110 - as a site's own may be written
        open(flag, "w").close()  # noqa: PTH123
        os.kill(os.getpid(), signal.SIGKILL)
    return choice.candidates[-1].name


not_a_function = 7
