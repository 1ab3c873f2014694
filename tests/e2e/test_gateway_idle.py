"""Thousands of sockets that say nothing: held, cheap, and the one above each limit is told so by name.

The figures are printed (`pytest -s`). Run as `python -m tests.e2e.test_gateway_idle PORT TOKEN` it is who
holds the sockets: reads lines `ADDRESS COUNT`, opens so many from there, says how many are welcome and what
the last one that was not was told; answers pings meanwhile.
"""

from __future__ import annotations

import resource
import selectors
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from subprocess import PIPE, Popen

import pytest

from engine.gateway_limits import RESERVED_FILES
from engine.model import Closing, Hello, Ping, Pong, encode_frame
from engine.wire_client import decode_frames
from tests.e2e.gateway_load import Loader, load, p99
from tests.e2e.gateway_server import server, token

pytestmark = pytest.mark.alone  # ratios of latencies

ROOT = Path(__file__).resolve().parents[2]
FROM_ELSEWHERE = 10
SOCKET_KIB = 40
"""About twice what one took when this was written."""
TWICE = 2.0


class Holder:
    """The process that holds the sockets, for the test."""

    def __init__(self, process: Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.stdin, self.stdout = process.stdin, process.stdout

    def open(self, address: str, count: int) -> tuple[int, str]:
        """Open so many; how many are welcome, and what the last other one was told."""
        print(address, count, file=self.stdin, flush=True)
        welcome, _, told = self.stdout.readline().strip().partition(" ")
        return int(welcome), told


@contextmanager
def holder(port: int) -> Iterator[Holder]:
    command = [sys.executable, "-m", "tests.e2e.test_gateway_idle", str(port), token("edge")]
    with Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, text=True) as process:
        held = Holder(process)
        try:
            yield held
        finally:
            held.stdin.close()
            process.wait(timeout=60)


def p99_ms(loader: Loader) -> float:
    return median(p99(loader.play(1, 1)["latency_ms"]) for _ in range(3))


def idle(folder: Path, most: int) -> None:
    limits = f"max_connections = {most}\nmax_from_address = {most - FROM_ELSEWHERE}"
    with server(folder, limits) as site, load(site.port, 1) as loader, holder(site.port) as sockets:
        loader.play(1, 1)
        quiet_ms, before_kib = p99_ms(loader), site.memory_kib()
        here = most - FROM_ELSEWHERE - 1  # and the one of the load
        assert sockets.open("127.0.0.1", here) == (here, "")
        each_kib = (site.memory_kib() - before_kib) / here
        held_ms = p99_ms(loader)
        welcome, told = sockets.open("127.0.0.1", 1)
        assert welcome == 0
        text = f"{most - FROM_ELSEWHERE} connections from 127.0.0.1 are open; close one first"
        assert told == f"too_many_from_address: {text}"
        assert sockets.open("127.0.0.2", FROM_ELSEWHERE) == (FROM_ELSEWHERE, "")
        welcome, told = sockets.open("127.0.0.3", 1)
        assert welcome == 0
        assert told.startswith(f"too_many_connections: {most} connections are open")
        print(
            f"\n{here + FROM_ELSEWHERE} idle sockets, {each_kib:.1f} KiB each"
            f"\np99 {held_ms:.1f} ms beside them, {quiet_ms:.1f} ms without: ratio {held_ms / quiet_ms:.2f}"
        )
        assert each_kib < SOCKET_KIB
        assert held_ms <= TWICE * quiet_ms


@pytest.mark.slow  # hundreds of sockets
def test_hundreds_of_idle_sockets(tmp_path: Path) -> None:
    idle(tmp_path, 500)


@pytest.mark.torture
def test_ten_thousand_idle_sockets(tmp_path: Path) -> None:
    most = 10_000 + 1 + FROM_ELSEWHERE
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < most + RESERVED_FILES:
        pytest.skip(f"needs {most + RESERVED_FILES} open files, the hard limit is {hard}: raise LimitNOFILE")
    idle(tmp_path, most)


def hold(port: int, its_token: str) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    hello = encode_frame(Hello(token=its_token, name="idle"))
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is sys.stdin:
                line = sys.stdin.readline()
                if not line:
                    return
                address, count = line.split()
                print(*opened(selector, port, hello, address, int(count)), flush=True)
            else:
                answer(key.fileobj)


def opened(
    selector: selectors.BaseSelector, port: int, hello: bytes, address: str, count: int
) -> tuple[int, str]:
    welcome, told = 0, ""
    for _ in range(count):
        one = socket.create_connection(("127.0.0.1", port), source_address=(address, 0))
        one.sendall(hello)
        (first, *_), _ = decode_frames(one.recv(65_536))
        if isinstance(first, Closing):
            told = f"{first.code}: {first.text}"
            one.close()
            continue
        welcome += 1
        selector.register(one, selectors.EVENT_READ)
        if welcome % 100 == 0:
            for key, _ in selector.select(0):
                answer(key.fileobj)
    return welcome, told


def answer(one: object) -> None:
    if not isinstance(one, socket.socket):
        return
    data = one.recv(65_536)
    if not data:
        raise SystemExit("the gateway closed an idle socket")
    for frame in decode_frames(data)[0]:
        if isinstance(frame, Ping):
            one.sendall(encode_frame(Pong(n=frame.n)))


if __name__ == "__main__":
    hold(int(sys.argv[1]), sys.argv[2])
