"""The recorded trace that everybody answers; written by the core's benchmark."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

# kind, at_us, first, second: r(eady) agent, n(ot ready) agent, a(rrive) signature contact,
# x = accept agent contact, e(nd) agent contact, b = abandon contact
Step = tuple[str, int, int, int]
# agent (by position, from 0), contact; (-1, 0) = nothing to decide or nobody there
Decision = tuple[int, int]
NOBODY: Decision = (-1, 0)


@dataclass
class Trace:
    """Who can serve what, what happened, what was decided."""

    agents: int
    serves: list[list[int]]
    """By signature: the agents that meet it."""
    steps: list[Step] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    measured_from: int = 0


def read(path: Path) -> Trace:
    """Reads a trace."""
    with path.open("r", encoding="ascii") as lines:
        agents, signatures = map(int, next(lines).split())
        trace = Trace(agents, [[] for _ in range(signatures)])
        for line in lines:
            kind, *words = line.split()
            numbers = list(map(int, words))
            if kind == "t":
                trace.serves[numbers[0]] = numbers[1:]
            elif kind == "m":
                trace.measured_from = len(trace.steps)
            else:
                at_us, first, second, agent, contact = numbers
                trace.steps.append((kind, at_us, first, second))
                trace.decisions.append((agent, contact))
    return trace
