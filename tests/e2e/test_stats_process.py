"""The statistics process as it runs beside a site: killed at any moment, it loses and doubles nothing.

How long a process takes to start, to catch up or to answer is the machine's affair: no clock bounds it here.
What is waited for comes, or the process is over, or it answers again and again and writes nothing.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from engine.auth import Tokens
from engine.keys import token_key
from engine.model import Accept, Arrive, End, SignIn
from engine.stats.client import AskError, ask, ask_report
from engine.stats.database import FILE
from engine.stats.reports import report_names
from tests.unit.stats_kit import ANN, CARDS, SITE, WEBCHAT, Script, everything, following

ANSWERS = 2_000
"""So often a process may say in a row that it has written no more; where it has no time it says nothing."""
PORT = re.compile(r'"port": (\d+), "event": "statistics answer"')
CONFIG = (
    SITE.replace('name = "one"', 'name = "one"\ndata = "data"')
    + """
[stats]
bind = "127.0.0.1:0"
flush_ms = 10
query_timeout_ms = 600000
memory_limit_mb = 128
process_limit_mb = 1024
"""
)


@dataclass
class Process:
    """A running statistics process."""

    child: subprocess.Popen[str]
    url: str
    token: str

    def seq(self) -> int:
        """What it has written."""
        return int(self.health()["applied_seq"])

    def health(self) -> dict[str, int]:
        """What it says of itself."""
        told: dict[str, int] = httpx.get(f"{self.url}/healthz", timeout=None).json()
        return told

    def wait_for(self, seq: int) -> None:
        """Return when everything up to `seq` is written."""
        last, answers = -1, 0
        while (now := self.seq()) < seq:
            assert self.child.poll() is None, f"it ended before batch {seq} was written"
            last, answers = now, answers + 1 if now == last else 0
            assert answers < ANSWERS, f"batch {seq} was never written, {now} was"
            time.sleep(0.01)


@contextmanager
def running(config: Path) -> Iterator[Process]:
    data = config.parent / "data"
    token = Tokens(token_key(data), "one").issue("analyst", "mei", 600)
    with subprocess.Popen(
        [sys.executable, "-m", "engine", "stats", "--config", str(config)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            yield Process(child, f"http://127.0.0.1:{_port(child)}", token)
        finally:
            child.kill()


def _port(child: subprocess.Popen[str]) -> str:
    assert child.stderr is not None
    said = []
    for line in child.stderr:
        said.append(line)
        if match := PORT.search(line):
            return match[1]
    pytest.fail(f"it ended with {child.wait()}: {''.join(said)}")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    config = tmp_path / "site.toml"
    config.write_text(CONFIG, encoding="utf-8")
    return config


def serve_contacts(script: Script, first: int, count: int) -> None:
    """Contacts that come, are accepted and end, each in three batches."""
    for contact in range(first, first + count):
        ms = contact * 10_000
        key = contact.to_bytes(16, "big")
        script.do(ms, Arrive(channel=WEBCHAT, key=key, queue=CARDS))
        script.do(ms + 700, Accept(agent=ANN, offer=contact))
        script.do(ms + 2_000, End(agent=ANN, contact=contact))


@pytest.mark.slow  # starts a process several times
def test_killed_between_and_during_writes_it_ends_with_the_rows_of_a_rebuild(config: Path) -> None:
    data = config.parent / "data"
    script = Script(data, CONFIG)
    script.do(1_000, SignIn(agent=ANN))
    contact = 1
    seen = []
    for kill in range(3):
        with running(config) as process:
            before = script.seq
            while script.seq < before + 60:
                serve_contacts(script, contact, 2)
                contact += 2
                if process.seq() > before + 10 * kill:
                    break
            seen.append(process.seq())
            process.child.send_signal(signal.SIGKILL)
            process.child.wait()
    assert seen == sorted(seen)
    serve_contacts(script, contact, 3)
    with running(config) as process:
        process.wait_for(script.seq)
        law = "SELECT arrived, served, missing FROM conservation"
        ((arrived, served, missing),) = ask(process.url, process.token, law).rows
        assert arrived == served == contact + 2, "all arrived, all were served"
        assert missing == 0
        faults = ask_report(process.url, process.token, "audits").rows
        assert [audit for audit, count in faults if count] == []
        process.child.terminate()
        assert process.child.wait() == 0
    script.close()
    with following(data, script.site) as (_, database):
        after_kills = everything(database)
    (data / FILE).unlink()
    with following(data, script.site) as (writer, database):
        writer.step()
        writer.flush()
        assert everything(database) == after_kills


@pytest.mark.slow  # starts a process
def test_process_answers_survives_hostile_sql_and_ends_with_its_parent(config: Path) -> None:
    script = Script(config.parent / "data", CONFIG)
    script.do(1_000, SignIn(agent=ANN))
    serve_contacts(script, 1, 3)
    with running(config) as process:
        process.wait_for(script.seq)
        url, token = process.url, process.token
        with pytest.raises(AskError, match=r"[Aa]llocat|stopped"):
            # Some functions know neither the database's memory limit nor an interrupt.
            ask(url, token, "SELECT repeat('x', 2000000000)")
        with pytest.raises(AskError, match="not available in FROM"):
            ask(url, token, "SELECT * FROM read_text('/etc/passwd')")
        serve_contacts(script, 4, 1)
        process.wait_for(script.seq)
        assert ask(url, token, "SELECT count(*), sum(talk_ms) FROM contacts").rows == [[4, 4 * 1_300]]
        for name in report_names():
            assert ask_report(url, token, name).columns
        assert process.health() == {"applied_seq": script.seq, "journal_seq": script.seq, "lag": 0}
        assert process.child.stdin is not None
        process.child.stdin.close()
        assert process.child.wait() == 0
    script.close()


@pytest.mark.slow  # starts a process
def test_second_process_and_missing_journal_say_what_is_wrong(config: Path) -> None:
    command = [sys.executable, "-m", "engine", "stats", "--config", str(config)]
    none = subprocess.run(command, capture_output=True, text=True, check=False)
    assert none.returncode == 1
    assert "there is no journal yet" in none.stderr
    assert "Traceback" not in none.stderr
    script = Script(config.parent / "data", CONFIG)
    with running(config):
        second = subprocess.run(command, capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert "another process has" in second.stderr
        assert "Traceback" not in second.stderr
    script.close()
