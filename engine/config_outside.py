"""The keys of queues with a strategy from outside: who is asked, for how long, and what decides otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from engine.config_table import Table
from engine.config_types import OutsideSection, QueueSection
from engine.model import Strategy

OUTSIDE: Final = Strategy.OUTSIDE.name.lower()
FALLBACKS: Final = tuple(one.name.lower() for one in Strategy if one is not Strategy.OUTSIDE)
MAX_OUTSIDE: Final = 64
"""Each of these queues has a process of its own."""
MAX_TIMEOUT_MS: Final = 10_000
_FUNCTION: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
_KEYS: Final = ("function", "fallback", "choice_timeout_ms")


def read_outside(table: Table) -> OutsideSection | None:
    """Read the keys of one queue; None for a queue that asks nobody outside."""
    function = table.optional_text("function")
    fallback = table.choice("fallback", FALLBACKS, FALLBACKS[0])
    timeout_ms = table.integer("choice_timeout_ms", 1, MAX_TIMEOUT_MS, 200)
    if table.values.get("strategy") != OUTSIDE:
        for key in _KEYS:
            if key in table.values:
                table.error(key, f'says nothing; the queue\'s strategy is not "{OUTSIDE}"')
        return None
    if "function" not in table.values:
        table.error("function", 'is missing; name the function that is asked, "package.module:name"')
    elif function is not None and not _FUNCTION.fullmatch(function):
        table.error("function", f'expected "package.module:name", got "{function}"')
    return OutsideSection(function or "", fallback, timeout_ms)


def check_outside(file: Table, queues: Mapping[str, QueueSection]) -> None:
    """Report more queues than can have a process of their own."""
    asking = [name for name, queue in queues.items() if queue.outside is not None]
    for name in asking[MAX_OUTSIDE:]:
        file.error(f"queues.{name}.strategy", f'at most {MAX_OUTSIDE} queues can have "{OUTSIDE}"')
