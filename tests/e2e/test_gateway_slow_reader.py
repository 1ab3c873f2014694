"""A subscriber that stops reading: cut, nobody else notices, and it comes back without a gap or a repeat.

The figures are ratios of neighbouring phases of one run; they are printed (`pytest -s`). A phase's p99 is
the median over its windows (five seconds, or thirds): one slow fsync spoils one window and not the phase.
The processor time that the engine takes for an arrival does not mind what else the machine does.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pytest

from engine.bus import SUBSCRIBER_BYTES
from engine.model import Closing, Events, Hello, Welcome, encode_frame
from engine.wire_client import decode_frames
from tests.e2e.gateway_load import Loader, load
from tests.e2e.gateway_server import Server, server, token

pytestmark = pytest.mark.alone  # ratios of latencies

PER_TICK = 8
SYSTEM_BYTES = 256 * 1024
FEW_SYSTEM_BYTES = 4_096
"""With so small a window a socket that was full for a minute is looked at again only after another one."""
MOST_RATIO = 1.25
Place = tuple[int, int]
"""Of an event: seq and index."""


class Follower:
    """A subscriber to everything, that reads when it is told to."""

    def __init__(self, site: Server, resume_seq: int | None = None, system_bytes: int = SYSTEM_BYTES) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, system_bytes)
        self.socket.connect(("127.0.0.1", site.port))
        self.socket.settimeout(120)
        self.socket.sendall(encode_frame(Hello(token=token("follower"), name="slow", resume_seq=resume_seq)))
        self.buffer = b""
        self.closing: Closing | None = None
        self.places: list[Place] = []
        while not self.read_some():
            pass

    def read_some(self) -> int:
        """Read once; how many frames came. 0 at the end, too."""
        data = self.socket.recv(1 << 20)
        if not data:
            raise EOFError
        frames, self.buffer = decode_frames(self.buffer + data)
        for frame in frames:
            if isinstance(frame, Events):
                self.places += [(frame.seq, index) for index, _ in frame.events]
            elif isinstance(frame, Closing):
                self.closing = frame
            elif isinstance(frame, Welcome):
                self.seq = frame.seq
        return len(frames)

    def read_to_the_end(self) -> None:
        """Read what there is until the gateway has closed."""
        try:
            while True:
                self.read_some()
        except (EOFError, ConnectionError):
            self.socket.close()

    def read_up_to(self, place: Place) -> None:
        while not self.places or self.places[-1] < place:
            self.read_some()
        self.socket.close()


class Phase(NamedTuple):
    """What the others saw, and what the engine's processor time for one arrival was."""

    p99_ms: float
    processor_us: float


def phase(site: Server, loader: Loader, seconds: float, per_tick: int) -> Phase:
    before_s = site.processor_s()
    result = loader.play(per_tick, seconds)
    assert result["busy"] == result["other"] == 0
    used_us = (site.processor_s() - before_s) * 1e6
    return Phase(median(result["windows_p99_ms"]), used_us / result["sent"])


class Pair(NamedTuple):
    """Two phases that follow one another, one of them beside a slow reader."""

    beside: Phase
    alone: Phase
    slow: Follower

    @property
    def ratio(self) -> float:
        """Of the others' p99."""
        return self.beside.p99_ms / self.alone.p99_ms


def phases(
    site: Server, loader: Loader, pairs: int, seconds: float, per_tick: int, system_bytes: int
) -> Iterator[Pair]:
    """ABBA: with a slow reader, and without one."""
    for number in range(pairs):
        with_first = number % 2 == 1
        alone = None if with_first else phase(site, loader, seconds, per_tick)
        slow = Follower(site, None, system_bytes)
        beside = phase(site, loader, seconds, per_tick)
        slow.read_to_the_end()
        yield Pair(beside, alone or phase(site, loader, seconds, per_tick), slow)


def stop_reading(
    folder: Path, subscriber_bytes: int, pairs: int, seconds: float, per_tick: int, system_bytes: int
) -> list[Pair]:
    """Everything but the judgement of the pairs, which are returned."""
    with server(folder, "", subscriber_bytes) as site, load(site.port, 2) as loader:
        phase(site, loader, 2, per_tick)
        before_kib, first = site.memory_kib(), Follower(site)
        start = first.seq
        first.socket.close()
        measured = list(phases(site, loader, pairs, seconds, per_tick, system_bytes))
        after_kib = site.memory_kib()
        last = Follower(site)
        witness = Follower(site, resume_seq=start)
        while witness.places[-1:] < [(last.seq, 0)]:
            witness.read_some()
        for pair in measured:
            check_return(site, pair.slow, witness.places)
        last.socket.close()
        witness.socket.close()
    ratios = [pair.ratio for pair in measured]
    closings = [pair.slow.closing.code if pair.slow.closing else "lost" for pair in measured]
    print(
        f"\np99 of the others beside a slow reader over p99 without: median {median(ratios):.2f}"
        f" of {', '.join(f'{ratio:.2f}' for ratio in ratios)}"
        f"\nprocessor time for an arrival: {processor_ratio(measured):.2f} times, of"
        f" {median(pair.alone.processor_us for pair in measured):.0f} us"
        f"\ncut: {', '.join(closings)}; memory {before_kib / 1024:.1f} -> {after_kib / 1024:.1f} MiB"
    )
    return measured


def processor_ratio(pairs: list[Pair]) -> float:
    """Of the engine's processor time for an arrival, with a slow reader over without."""
    beside = median(pair.beside.processor_us for pair in pairs)
    return beside / median(pair.alone.processor_us for pair in pairs)


def check_return(site: Server, slow: Follower, all_places: list[Place]) -> None:
    """What it had before the cut and what it gets after its return are all events, each once."""
    assert slow.places, "it had something"
    assert slow.closing is None or slow.closing.code == "slow_reader"
    back = Follower(site, resume_seq=slow.places[-1][0])
    back.read_up_to(all_places[-1])
    had = [place for place in all_places if place[0] > slow.seq]
    assert len(slow.places) < len(had), "it was cut"
    assert slow.places + [place for place in back.places if place <= all_places[-1]] == had


@pytest.mark.slow  # seconds of events have to fill sockets
def test_a_reader_that_stops_hurts_nobody(tmp_path: Path) -> None:
    """Two seconds are too few for a p99: chance is not in all six pairs. Processor time is all of them."""
    pairs = stop_reading(tmp_path, 100_000, 6, 2, PER_TICK, FEW_SYSTEM_BYTES)
    assert processor_ratio(pairs) <= MOST_RATIO
    assert min(pair.ratio for pair in pairs) <= MOST_RATIO


@pytest.mark.torture
def test_a_reader_that_stops_hurts_nobody_at_the_full_bound(tmp_path: Path) -> None:
    pairs = stop_reading(tmp_path, SUBSCRIBER_BYTES, 4, 40, 2 * PER_TICK, SYSTEM_BYTES)
    assert processor_ratio(pairs) <= MOST_RATIO
    assert median(pair.ratio for pair in pairs) <= MOST_RATIO
