"""The smallest strategy of one's own, for the sample configuration and for whoever wants to see one run."""

from __future__ import annotations

from engine.strategies import Choice


def longest_idle(choice: Choice) -> str | None:
    """Choose who is idle longest, whatever else is in hand."""
    return max(choice.candidates, key=lambda one: one.idle_us).name
