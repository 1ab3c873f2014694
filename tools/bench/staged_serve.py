"""`paidui serve` with a stop-watch in each stage of the hot path; writes what they say.

Only the bench starts it: `python -m tools.bench.staged_serve serve --config ...`. SIGUSR2 begins what is
measured, another one ends it. The watches cost something, too: shares are what they are for.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import Any

from engine import bus, gateway_connection, router, service
from engine.cli import main
from engine.journal import sqlite, writer

OUTPUT = "PAIDUI_BENCH_STAGES"
NAMES = (
    "reading: the sockets' system calls",
    "reading: split, check and number (Rust)",
    "queue: take in, gather, stamp",
    "apply (Rust)",
    "hash of the events",
    "encode answers and events, by connection (Rust)",
    "sending: the sockets' system calls",
    "journal's thread",
)
READ, FEED, QUEUE, APPLY, HASH, ENCODE, SEND, JOURNAL = NAMES

spent_ns: Counter[str] = Counter()
counts: Counter[str] = Counter()
_open: list[int] = []


def watched(stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with its own processor time put to a stage; what is watched inside is not its own."""

    @wraps(function)
    def timed(*arguments: Any, **options: Any) -> Any:
        _open.append(0)
        begun_ns = time.thread_time_ns()
        try:
            return function(*arguments, **options)
        finally:
            took_ns = time.thread_time_ns() - begun_ns
            spent_ns[stage] += took_ns - _open.pop()
            counts[stage] += 1
            if _open:
                _open[-1] += took_ns

    return timed


class WatchedIntake:
    """A connection's reader with a watch."""

    def __init__(self, *arguments: Any) -> None:
        inner = router.Intake(*arguments)
        self.limit_head_starts = inner.limit_head_starts
        self.feed = watched(FEED, inner.feed)


def append(journal: sqlite.SqliteJournal, *arguments: Any) -> int:
    """The journal's append: this thread's processor time, and how long it takes by the clock."""
    begun_ns, clock_ns = time.thread_time_ns(), time.perf_counter_ns()
    try:
        return plain_append(journal, *arguments)
    finally:
        spent_ns[JOURNAL] += time.thread_time_ns() - begun_ns
        spent_ns["commit by the clock"] += time.perf_counter_ns() - clock_ns
        counts[JOURNAL] += 1


async def wait(appending: writer.Appending) -> int:
    """The service's wait for a commit, by the clock."""
    begun_ns = time.perf_counter_ns()
    try:
        return await plain_wait(appending)
    finally:
        spent_ns["wait by the clock"] += time.perf_counter_ns() - begun_ns


class WatchedOs:
    """The two system calls of a connection."""

    read = staticmethod(watched(READ, os.read))
    write = staticmethod(watched(SEND, os.write))


plain_append, plain_wait = sqlite.SqliteJournal.append, writer.Appending.wait


def put_watches() -> None:
    """Puts a watch into each stage."""
    vars(gateway_connection).update(Intake=WatchedIntake, os=WatchedOs)
    for owner, name, stage in (
        (service.Service, "submit", QUEUE),
        (service.Service, "_begin", QUEUE),
        (router.Router, "apply_batch", APPLY),
        (service, "events_hash", HASH),
        (bus.Bus, "publish", ENCODE),
    ):
        setattr(owner, name, watched(stage, getattr(owner, name)))
    vars_set(sqlite.SqliteJournal, append=append)
    vars_set(writer.Appending, wait=wait)


def vars_set(owner: type, **functions: Callable[..., Any]) -> None:
    """Puts functions in the place of methods."""
    for name, function in functions.items():
        setattr(owner, name, function)


class Window:
    """What is measured lies between two signals; the second one writes it down."""

    def __init__(self) -> None:
        self._begun_ns: int | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Takes a signal."""
        if self._begun_ns is None:
            spent_ns.clear()
            counts.clear()
            self._begun_ns = time.process_time_ns()
            return
        cpu_ns = time.process_time_ns() - self._begun_ns
        said = json.dumps({"spent_ns": spent_ns, "counts": counts, "cpu_ns": cpu_ns})
        Path(os.environ[OUTPUT]).write_text(said, encoding="utf-8")


if __name__ == "__main__":
    put_watches()
    signal.signal(signal.SIGUSR2, Window())
    raise SystemExit(main())
