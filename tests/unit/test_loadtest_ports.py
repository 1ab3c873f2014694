"""Two floods on one machine never get the same ports."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from loadtest import ports
from loadtest.errors import FloodError
from loadtest.ports import free_ports

ASK = "from loadtest.ports import free_ports; print(*[free_ports(3).start for _ in range(50)]); input()"


def test_rows_are_given_once() -> None:
    rows = [free_ports(3) for _ in range(20)]
    assert len({port for row in rows for port in row}) == 60


def test_processes_get_different_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ASK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        theirs = {start + one for start in map(int, other.stdout.readline().split()) for one in range(3)}
        assert len(theirs) == 150
        # Nothing but what the other process has is left to choose from.
        low = min(theirs)
        monkeypatch.setattr(ports, "_rows", lambda count: range(low, low + 1))
        with pytest.raises(FloodError, match=f"no 3 ports in a row are free from {low} to {low + 2}"):
            free_ports(3)
        other.kill()
    assert free_ports(3).start == low, "what a process had is free when it has ended"


def test_what_listens_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(ports, "_rows", lambda count: range(port, port + 1))
        with pytest.raises(FloodError, match="no 1 ports in a row"):
            free_ports(1)
    assert free_ports(1).start == port


WHOLE = (10_000, 65_534)


@pytest.mark.parametrize(
    ("given_away", "row"),
    [("32768\t60999\n", (10_000, 32_766)), ("1024 65535\n", WHOLE), ("10002 65535", WHOLE)],
)
def test_the_kernel_gives_none_of_them_away(
    given_away: str, row: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "EPHEMERAL", tmp_path / "range")
    ports.EPHEMERAL.write_text(given_away)
    rows = ports._rows(3)
    assert (rows.start, rows.stop) == row
