"""`paidui explain` and `paidui replay` as a newcomer runs them, beside the living demonstration."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest.ports import free_ports
from tests.e2e.conftest import ROOT

PAIDUI = [sys.executable, "-m", "engine"]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Path]:
    """The demonstration's configuration, while its simulated people are at work."""
    port = free_ports(3).start
    command = [*PAIDUI, "demo", "--data", str(tmp_path), "--port", str(port), "--for", "60"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        tour = ""
        for line in process.stdout:
            tour += line
            if "says why this agent, and why not that one" in line:
                break
        else:
            raise AssertionError(f"the demonstration did not open:\n{tour}")
        yield tmp_path / "bank.toml"
        process.send_signal(signal.SIGINT)  # without a drain


def paidui(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PAIDUI, *words], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow  # starts a whole site with its statistics and its simulated people
def test_why_not_me(demo: Path) -> None:
    site = ("--config", str(demo))
    for _ in range(60):
        done = paidui("explain", "last", "--agent", "you", "--json", *site)
        if done.returncode == 0:
            break
    told = json.loads(done.stdout)
    assert told["choice"]["why"]["eligible"] is True
    assert [reason["predicate"] for reason in told["asked"]["reasons"] if not reason["holds"]] != []
    seq = str(told["choice"]["seq"])
    words = ("explain", str(told["contact"]), "--agent", "you", "--at", seq, "--language", "en", *site)
    text = paidui(*words).stdout
    assert f"Why {told['choice']['agent']}?" in text
    assert "→ you signs in, ready" in text
    replay = paidui("replay", "--json", *site)
    assert replay.returncode == 0, replay.stdout + replay.stderr
    hashes = [json.loads(paidui("replay", "--json", "--until", seq, *site).stdout) for _ in range(2)]
    for field in ("chain", "events", "state", "commands", "events_count"):
        assert hashes[0][field] == hashes[1][field]
    assert hashes[0]["seq"] == int(seq)
