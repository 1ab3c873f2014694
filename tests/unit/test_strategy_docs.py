"""The example of the page "write your own strategy" does what the page says, in both languages."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from engine.strategies import Answer, Candidate, Choice
from engine.strategy_worker import LENGTH_BYTES

ROOT = Path(__file__).resolve().parents[2]


def candidate(name: str, loans: int, idle_us: int) -> Candidate:
    return Candidate(name, {"loans": loans}, 2, idle_us, 0, 0, 0, 0, 0, 0)


def choice(number: int, channel: str, *candidates: Candidate, waited_us: int = 0) -> Choice:
    return Choice(number, number, channel, "loans", waited_us, waited_us + 200_000, 0, 0, candidates)


@pytest.mark.slow  # it starts the process that the page speaks of
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_example_runs_as_it_stands_there(language: str, tmp_path: Path) -> None:
    page = (ROOT / f"docs/{language}/strategies.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "my_bank").mkdir()
    (tmp_path / "my_bank/routing.py").write_text(example, "utf-8")
    ann, bob = candidate("ann", 50, 1_000), candidate("bob", 80, 0)
    asked = [
        choice(1, "app", ann, bob),
        choice(2, "app", ann, candidate("cat", 90, 0), bob),
        choice(3, "sms", ann, candidate("cat", 90, 0), bob),
        choice(4, "sms", ann, bob, waited_us=61_000_000),
    ]
    bodies = [msgspec.msgpack.encode(one) for one in asked]
    frames = b"".join(len(body).to_bytes(LENGTH_BYTES, "big") + body for body in bodies)
    command = [sys.executable, "-m", "engine.strategy_worker", "my_bank.routing:choose"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        env={"PYTHONPATH": f"{ROOT}:{tmp_path}"},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(frames)
        process.stdin.flush()
        answers = []
        for _ in range(5):
            size = int.from_bytes(process.stdout.read(LENGTH_BYTES), "big")
            answers.append(msgspec.msgpack.decode(process.stdout.read(size), type=Answer))
        process.stdin.close()
        assert process.wait(timeout=20) == 0, "it ends with whoever asks"
    assert [(one.choice, one.agent, one.fault) for one in answers] == [
        (0, None, ""),
        (1, "bob", ""),
        (2, "bob", ""),
        (3, "cat", ""),
        (4, None, ""),
    ]
