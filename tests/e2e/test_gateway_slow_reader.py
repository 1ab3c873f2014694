"""A subscriber that stops reading: cut, nobody else notices, and it comes back without a gap or a repeat.

The figures are ratios of neighbouring phases of one run; they are printed (`pytest -s`).
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from engine.bus import SUBSCRIBER_BYTES
from engine.model import Closing, Events, Hello, Welcome, encode_frame
from engine.wire_client import decode_frames
from tests.e2e.gateway_load import Loader, load, p99
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


def phase(loader: Loader, seconds: float, per_tick: int) -> float:
    result = loader.play(per_tick, seconds)
    assert result["busy"] == result["other"] == 0
    return p99(result["latency_ms"])


def phases(
    site: Server, loader: Loader, pairs: int, seconds: float, per_tick: int, system_bytes: int
) -> Iterator[tuple[float, Follower]]:
    """ABBA: p99 with a slow reader over p99 without one."""
    for number in range(pairs):
        with_first = number % 2 == 1
        without_ms = 0.0 if with_first else phase(loader, seconds, per_tick)
        slow = Follower(site, None, system_bytes)
        with_ms = phase(loader, seconds, per_tick)
        slow.read_to_the_end()
        without_ms = without_ms or phase(loader, seconds, per_tick)
        yield with_ms / without_ms, slow


def stop_reading(
    folder: Path,
    subscriber_bytes: int,
    pairs: int,
    seconds: float,
    per_tick: int,
    system_bytes: int,
    enough: float = 0.0,
) -> list[float]:
    """Everything but the judgement of the ratios, which are returned; two or more, until one is `enough`."""
    with server(folder, "", subscriber_bytes) as site, load(site.port, 2) as loader:
        phase(loader, 2, per_tick)
        before_kib, first = site.memory_kib(), Follower(site)
        start = first.seq
        first.socket.close()
        measured: list[tuple[float, Follower]] = []
        for pair in phases(site, loader, pairs, seconds, per_tick, system_bytes):
            measured.append(pair)
            if len(measured) >= 2 and min(ratio for ratio, _ in measured) <= enough:
                break
        after_kib = site.memory_kib()
        last = Follower(site)
        witness = Follower(site, resume_seq=start)
        while witness.places[-1:] < [(last.seq, 0)]:
            witness.read_some()
        for _, slow in measured:
            check_return(site, slow, witness.places)
        last.socket.close()
        witness.socket.close()
    ratios = [ratio for ratio, _ in measured]
    closings = [slow.closing.code if slow.closing else "lost" for _, slow in measured]
    print(
        f"\np99 of the others beside a slow reader over p99 without: median {median(ratios):.2f}"
        f" of {', '.join(f'{ratio:.2f}' for ratio in ratios)}"
        f"\ncut: {', '.join(closings)}; memory {before_kib / 1024:.1f} -> {after_kib / 1024:.1f} MiB"
    )
    return ratios


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
    """Two seconds are too few for a p99: one slow fsync is most of it. Chance is not in all of six pairs."""
    ratios = stop_reading(tmp_path, 100_000, 6, 2, PER_TICK, FEW_SYSTEM_BYTES, enough=MOST_RATIO)
    assert min(ratios) <= MOST_RATIO


@pytest.mark.torture
def test_a_reader_that_stops_hurts_nobody_at_the_full_bound(tmp_path: Path) -> None:
    ratios = stop_reading(tmp_path, SUBSCRIBER_BYTES, 4, 40, 2 * PER_TICK, SYSTEM_BYTES)
    assert median(ratios) <= MOST_RATIO
