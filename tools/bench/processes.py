"""What a process has used: processor time and memory, from /proc."""

from __future__ import annotations

import os
from bisect import bisect_left
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
US = 1_000_000


def cpu_s(pid: int) -> float:
    """Seconds of processor time that a process has used with all its threads (utime + stime)."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def rss_mib(pid: int) -> float:
    """A process's resident memory."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1_024
    return 0.0


def child_of(pid: int, word: str) -> int:
    """The process that `pid` has started with `word` on its command line."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if int(_stat(int(folder.name))[1]) == pid and word.encode() in words:
                return int(folder.name)
        except (OSError, IndexError):
            continue  # it has just gone
    raise LookupError(f"process {pid} has no child with {word!r} on its command line")


def _stat(pid: int) -> list[str]:
    """The fields behind the name, which may hold anything: state, parent, ..."""
    return Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace").rpartition(")")[2].split()


class CpuClock:
    """A process's processor time, noted along a run's own time."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._at_us: list[int] = []
        self._cpu_s: list[float] = []

    def note(self, at_us: int) -> None:
        """Notes it now."""
        self._at_us.append(at_us)
        self._cpu_s.append(cpu_s(self._pid))

    def used_s(self, from_us: int, until_us: int) -> float:
        """What was used between two times of the run, by the straight line between the notes."""
        return self._at(until_us) - self._at(from_us)

    def _at(self, at_us: int) -> float:
        place = min(max(bisect_left(self._at_us, at_us), 1), len(self._at_us) - 1)
        (left, right), (low, high) = self._at_us[place - 1 : place + 1], self._cpu_s[place - 1 : place + 1]
        return low + (high - low) * (at_us - left) / max(right - left, 1)
