"""A storm that has blown over, as a command file.

`python -m tests.storm_record --seed 1 --commands 100000 --file storm.bin` writes the commands so that the
Rust crate can play them too, and prints the hash chain that it must come to. In the file each command is its
time (u64), its length (u32, both big-endian) and its MessagePack array; length 0 means that only time passes.
The chain takes, for each, the words of: code, value or detail, the event frames padded with zeros, the state
hash: `chain = mix(chain ^ word)` with the mix of `state_hash`.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from tests.oracle import wire
from tests.oracle.events import Event
from tests.oracle.oracle_executor import OracleExecutor
from tests.oracle.state import mix
from tests.scenario_text import Outcome
from tests.storm import Storm, perform
from tests.storm_config import SMALL, WIDE, Scale
from tests.storm_reach import told


def link(chain: int, outcome: Outcome, state_hash: int) -> int:
    """Return the hash chain one step on."""
    frames = b"".join(wire.event_frame(event) for event in outcome.events)
    padded = frames.ljust(-(-len(frames) // 8) * 8, b"\0")
    words = (int.from_bytes(padded[start : start + 8]) for start in range(0, len(padded), 8))
    for word in (outcome.refused or 0, outcome.value, *words, state_hash):
        chain = mix(chain ^ word)
    return chain


class Recording(NamedTuple):
    """A storm that has blown over: its command file, its hash chain, how often what happened."""

    frames: bytes
    chain: int
    counts: Counter[str]


def event_name(event: Event) -> str:
    """Return an event's kind, with its cause where it has one."""
    cause: IntEnum | None = getattr(event, "cause", None)
    return f"event {type(event).__name__}" + (f": {cause.name.lower()}" if cause is not None else "")


def record(seed: int, commands: int, scale: Scale = SMALL) -> Recording:
    """Let the oracle take a storm and write it down."""
    storm, executor, chain = Storm(seed, scale), OracleExecutor(), 0
    frames, counts = [], Counter[str]()
    for _ in range(commands):
        step = storm.next(executor.oracle)
        outcome = perform(executor, step)
        storm.seen(outcome.events)
        frames.append(wire.command_frame(step.at, step.command))
        chain = link(chain, outcome, executor.state_hash())
        kind = "advance" if step.command is None else type(step.command).__name__
        verdict = "ok" if outcome.refused is None else outcome.refused.name.lower()
        counts[f"command {kind}: {verdict}"] += 1
        counts.update(event_name(event) for event in outcome.events)
        if outcome.refused is None:
            counts.update({f"field {name}" for name in told(step.command)})
    return Recording(b"".join(frames), chain, counts)


def main() -> int:
    """Write a command file, and say what is in it and what chain it comes to."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--commands", type=int, default=10_000)
    options.add_argument("--wide", action="store_true", help="many agents and contacts")
    options.add_argument("--file", type=Path)
    given = options.parse_args()
    recording = record(given.seed, given.commands, WIDE if given.wide else SMALL)
    if given.file:
        given.file.write_bytes(recording.frames)
    lines = [f"{count:8} {name}" for name, count in sorted(recording.counts.items())]
    sys.stdout.write("\n".join([*lines, f"chain {recording.chain:016x}", ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
