"""The text of scenarios: blocks of a comment, one command and what it must answer.

The format is described in tests/scenarios/README.md. Nothing here knows who carries a command out:
an `Executor` is the oracle, or the router behind the binding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import NamedTuple, Protocol

from tests.oracle.commands import Command
from tests.oracle.events import Event
from tests.oracle.refusal import Code
from tests.scenario_arguments import to_us
from tests.scenario_commands import parse_command

SEPARATOR = "----"
TIMES = {"deadline", "enqueued_at", "until", "not_before", "reply_by"}
"""Fields that hold a time although their names do not end so."""


class Outcome(NamedTuple):
    """What a command gave: a value, or a refusal with its detail as the value."""

    refused: Code | None
    value: int
    events: list[Event]


class Executor(Protocol):
    """Whoever carries scenarios out."""

    def apply(self, at: int, command: Command) -> Outcome:
        """Carry a command out."""

    def advance(self, at: int) -> list[Event]:
        """Let time pass."""

    def next_deadline(self) -> int | None:
        """Return the earliest deadline."""

    def position(self, contact: int) -> int | None:
        """Return how many contacts stand before one."""

    def estimate(self, contact: int) -> tuple[int, ...] | None:
        """Return position, contacts ahead, mean, P50 and P90 in microseconds, or None."""

    def state_hash(self) -> int:
        """Return the hash of the whole state."""

    def snapshot(self) -> bool:
        """Go on from a snapshot of oneself; return whether the hash stayed the same."""

    def check(self) -> None:
        """Assert every invariant."""


@dataclass(frozen=True, slots=True)
class Block:
    """One command of a scenario, with the number of its first line."""

    line: int
    comments: tuple[str, ...]
    source: tuple[str, ...]
    expected: tuple[str, ...]

    def render(self) -> str:
        """Return the block as it stands in a file."""
        return "".join(f"{line}\n" for line in (*self.comments, *self.source, SEPARATOR, *self.expected))


def parse(text: str) -> list[Block]:
    """Split a scenario into its blocks.

    Raises:
        ValueError: A block has no command, or no line `----`.
    """
    blocks = []
    numbered = enumerate(text.splitlines(), 1)
    for first, lines in _paragraphs(numbered):
        comments = [line for line in lines if line.startswith("#")]
        rest = lines[len(comments) :]
        if SEPARATOR not in rest or rest[0] == SEPARATOR:
            raise ValueError(f"line {first}: expected a command and a line of {SEPARATOR}")
        cut = rest.index(SEPARATOR)
        blocks.append(Block(first, tuple(comments), tuple(rest[:cut]), tuple(rest[cut + 1 :])))
    return blocks


def _paragraphs(numbered: Iterable[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    first, lines = 0, list[str]()
    for number, line in numbered:
        if line.strip():
            first = first if lines else number
            lines.append(line.rstrip())
        elif lines:
            yield first, lines
            lines = []
    if lines:
        yield first, lines


def render(blocks: Iterable[Block]) -> str:
    """Return the text of a whole scenario."""
    return "\n".join(block.render() for block in blocks)


class Player:
    """Plays blocks one after the other; a command without `@MS` happens at the last one's time."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.at = 0

    def play(self, block: Block) -> Block:
        """Return the block with what the executor answers."""
        try:
            return replace(block, expected=tuple(self._lines(block.source)))
        except (ValueError, KeyError) as error:
            raise ValueError(f"line {block.line}: {block.source[0]}: {error}") from error

    def _lines(self, source: tuple[str, ...]) -> list[str]:
        words = source[0].split()
        if words[0].startswith("@"):
            self.at = to_us(words.pop(0)[1:])
        question = self._question(words)
        if question is not None:
            return question
        outcome = self.executor.apply(self.at, parse_command(words, source[1:]))
        if outcome.refused is not None:
            head = f"refused {outcome.refused.name.lower()} {outcome.value}"
        else:
            head = f"ok {outcome.value}" if outcome.value else "ok"
        return [head, *map(event_line, outcome.events)]

    def _question(self, words: list[str]) -> list[str] | None:
        match words:
            case ["advance"]:
                return [event_line(event) for event in self.executor.advance(self.at)] or ["(none)"]
            case ["next_deadline"]:
                deadline = self.executor.next_deadline()
                return ["-" if deadline is None else to_ms(deadline)]
            case ["position", argument]:
                position = self.executor.position(int(argument.removeprefix("contact=")))
                return ["-" if position is None else str(position)]
            case ["estimate", argument]:
                return [estimate_line(self.executor.estimate(int(argument.removeprefix("contact="))))]
            case ["state_hash"]:
                return [f"{self.executor.state_hash():016x}"]
            case ["snapshot"]:
                return ["same" if self.executor.snapshot() else "different"]
            case ["check"]:
                self.executor.check()
                return ["ok"]
        return None


def to_ms(value: int) -> str:
    """Return microseconds as milliseconds without needless decimals."""
    whole, rest = divmod(value, 1000)
    return f"{whole}.{rest:03}".rstrip("0") if rest else str(whole)


def estimate_line(estimate: tuple[int, ...] | None) -> str:
    """Return what a contact can be told as one line."""
    if estimate is None:
        return "-"
    position, ahead, *waits = estimate
    mean, p50, p90 = map(to_ms, waits)
    return f"position={position} ahead={ahead} mean_ms={mean} p50_ms={p50} p90_ms={p90}"


def snake(name: str) -> str:
    """Return a class's name as scenarios write it."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def event_line(event: Event) -> str:
    """Return an event as one line."""
    fields = [_field(name, getattr(event, name)) for name in event._fields[1:]]
    return " ".join((to_ms(event.at), snake(type(event).__name__), *fields))


def _field(name: str, value: int | bytes | tuple[int, ...]) -> str:
    if isinstance(value, tuple):
        return f"{name}={','.join(map(str, value)) or '-'}"
    if isinstance(value, bytes):
        return (
            f"{name}={int.from_bytes(value)}" if name == "key" else f"{name}={value.hex().rstrip('0') or '-'}"
        )
    if isinstance(value, IntEnum):
        return f"{name}={value.name.lower()}"
    if name in TIMES or name.endswith("_us"):
        return f"{name.removesuffix('_us')}_ms={to_ms(value)}"
    return f"{name}={value}"
