"""What a figure was measured on: processor, memory, load, and what an fsync costs there."""

import os
import platform
import tempfile
import time
from pathlib import Path

from loadtest.histogram import Histogram

PROBE_SYNCS = 50
PROBE_BYTES = 4_096


def probe_fsync(folder: Path) -> dict[str, float | int | None]:
    """Times small appends with fsync in `folder`: the floor under every durable acknowledgement."""
    times = Histogram()
    with tempfile.NamedTemporaryFile(dir=folder, prefix="fsync-probe-") as file:
        for _ in range(PROBE_SYNCS):
            begin_ns = time.monotonic_ns()
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
            times.add((time.monotonic_ns() - begin_ns) // 1_000)
    return times.summary_ms()


def describe_machine() -> dict[str, object]:
    """Returns what a reader needs to judge a latency: the machine and how busy it is."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _first_of("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": os.cpu_count(),
        "memory_mib": _memory_mib(),
        "python": platform.python_version(),
        "load_average": [round(value, 2) for value in os.getloadavg()],
    }


def _first_of(path: str, key: str) -> str | None:
    try:
        for line in Path(path).read_text("utf-8").splitlines():
            if line.startswith(key):
                return line.partition(":")[2].strip()
    except OSError:
        return None
    return None


def _memory_mib() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
