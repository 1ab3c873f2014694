"""Agreement: the same steps for the oracle and for somebody else, and everything compared after each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from tests.oracle import commands as cmd
from tests.oracle import wire
from tests.oracle.auditor import Auditor
from tests.oracle.auditor_capacity import Capacity
from tests.oracle.oracle_executor import OracleExecutor
from tests.scenario_text import Block, Executor, Outcome, render
from tests.scenario_write import command_lines
from tests.storm import Step, Storm, perform
from tests.storm_config import SMALL, Scale

FACTS_EVERY = 7
"""Steps between two looks at everything that can be read."""
SNAPSHOT_EVERY = 101
RECENT_CONTACTS = 40


class Candidate(Executor, Protocol):
    """Whoever is compared with the oracle."""

    def facts(self, contacts: range, agents: range) -> dict[str, Any]:
        """Return everything that the service can read."""


class Comparison:
    """An oracle and a candidate that take the same steps."""

    def __init__(self, candidate: Candidate, facts_every: int = FACTS_EVERY) -> None:
        self.facts_every = facts_every
        self.oracle = OracleExecutor()
        self.candidate = candidate
        self.auditor = Auditor()
        self.capacity = Capacity()
        self.steps = 0

    def take(self, step: Step) -> tuple[Outcome, str | None]:
        """Let both take a step; return the oracle's outcome and what differs, or None."""
        expected = perform(self.oracle, step)
        try:
            return expected, self._difference(step, expected)
        except Exception as error:  # the candidate's own assertions are differences too
            return expected, f"the candidate failed: {error!r}"
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise
            return expected, f"the candidate panicked: {error}"

    def _difference(self, step: Step, expected: Outcome) -> str | None:
        self.steps += 1
        got = perform(self.candidate, step)
        if _plain(expected) != _plain(got):
            return _both(expected, got)
        if isinstance(step.command, cmd.Configure) and expected.refused is None:
            self.auditor.know(step.command.config)
        self.auditor.feed(got.events)
        self.capacity.feed(step.command, got.events)
        if self.steps % SNAPSHOT_EVERY == 0 and not self.candidate.snapshot():
            return "the snapshot is not the same"
        self.candidate.check()
        pairs = self._answers()
        return next((_both(*pair) for pair in pairs if pair[0] != pair[1]), None)

    def _answers(self) -> Iterator[tuple[object, object]]:
        """Yield what both answer to the same questions."""
        yield self.oracle.state_hash(), self.candidate.state_hash()
        yield self.oracle.next_deadline(), self.candidate.next_deadline()
        if self.steps % self.facts_every == 0:
            latest = self.oracle.oracle.next_contact
            contacts = range(max(1, latest - RECENT_CONTACTS), latest + 2)
            agents = range(1, max(self.oracle.oracle.agents, default=1) + 2)
            ours, theirs = (one.facts(contacts, agents) for one in (self.oracle, self.candidate))
            yield from (((name, ours[name]), (name, theirs[name])) for name in ours)


def _plain(outcome: Outcome) -> list[Any]:
    return [outcome.refused, outcome.value, [wire.event_fields(event) for event in outcome.events]]


def _both(expected: object, got: object) -> str:
    return f"the oracle\n    {expected}\nthe candidate\n    {got}"


def storm(seed: int, steps: int, candidate: Candidate, scale: Scale = SMALL) -> tuple[list[Step], str | None]:
    """Let a storm blow over both; return the steps that were taken, and what the last one showed."""
    comparison, storm = Comparison(candidate), Storm(seed, scale)
    taken = []
    for _ in range(steps):
        step = storm.next(comparison.oracle.oracle)
        taken.append(step)
        outcome, difference = comparison.take(step)
        if difference is not None:
            return taken, difference
        storm.seen(outcome.events)
    return taken, None


def replay(steps: Sequence[Step], candidate: Candidate) -> tuple[int, str] | None:
    """Return the place of the first step that shows a difference, and the difference."""
    comparison = Comparison(candidate, facts_every=1)
    for place, step in enumerate(steps):
        _, difference = comparison.take(step)
        if difference is not None:
            return place, difference
    return None


def shortened(steps: Sequence[Step], candidate: Callable[[], Candidate], attempts: int = 2000) -> list[Step]:
    """Return fewer steps that still show a difference: leave out ever smaller pieces."""
    kept = list(steps)
    size = len(kept) // 2
    while size >= 1 and attempts > 0:
        start = 0
        while start < len(kept) and attempts > 0:
            attempts -= 1
            trial = kept[:start] + kept[start + size :]
            found = replay(trial, candidate())
            if found is None:
                start += size
            else:
                kept = trial[: found[0] + 1]
        size //= 2
    return kept


def as_scenario(steps: Sequence[Step]) -> str:
    """Return steps as a scenario without answers."""
    return render(Block(0, (), tuple(command_lines(step.at, step.command)), ()) for step in steps)
