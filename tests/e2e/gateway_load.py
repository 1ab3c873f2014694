"""Arrivals at a pace over several connections, in a process of its own: what was answered, and how soon.

An open loop: each tick's arrivals are sent at the tick, whatever has come back, and latency counts from
then. Who was let in leaves again at once, so that nothing piles up but what the flood itself does.

Run as `python -m tests.e2e.gateway_load PORT TOKEN CONNECTIONS`; reads lines `PER_TICK SECONDS`, writes one
line of JSON for each.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import msgpack

from tests.e2e.gateway_server import token

ROOT = Path(__file__).resolve().parents[2]
TICK_S = 0.005
WINDOW_S = 5.0
WELCOME, ACK, REFUSED, PING = 129, 130, 131, 134
LEFT = -1.0


def framed(body: list[Any]) -> bytes:
    packed: bytes = msgpack.packb(body)
    return len(packed).to_bytes(4, "big") + packed


class Result:
    """Of one phase: how many were sent, let in, refused, and the latencies of those who were let in."""

    def __init__(self) -> None:
        self.sent = 0
        self.busy = 0
        self.other = 0
        self.retry_after_ms: set[int] = set()
        self.latency_ms: list[float] = []
        self.came_at: list[float] = []

    def windows_p99_ms(self, seconds: float) -> list[float]:
        """The p99 of each five seconds, or of each third of a short phase."""
        window_s = min(WINDOW_S, seconds / 3)
        windows: dict[int, list[float]] = {}
        for at, ms in zip(self.came_at, self.latency_ms, strict=True):
            windows.setdefault(int((at - self.came_at[0]) / window_s), []).append(ms)
        return [p99(sorted(window)) for window in windows.values()]

    def as_json(self, seconds: float) -> str:
        waits = self.retry_after_ms or {0}
        return json.dumps(
            {
                "seconds": seconds,
                "sent": self.sent,
                "busy": self.busy,
                "other": self.other,
                "retry_least_ms": min(waits),
                "retry_most_ms": max(waits),
                "windows_p99_ms": self.windows_p99_ms(seconds),
                "latency_ms": sorted(self.latency_ms),
            }
        )


class Link:
    """One connection."""

    def __init__(self, port: int, its_token: str, number: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(framed([128, 1, its_token, f"load-{number}", None]))
        self.number = number
        self.decoder = msgpack.Unpacker(raw=False)
        self.buffer = b""
        self.next_no = 0
        self.arrivals = 0
        self.sent_at: dict[int, float] = {}
        self.names: Any = None
        while self.names is None:
            for body in self.bodies():
                self.names = body[4] if body[0] == WELCOME else self.names
        self.channel, self.queue = self.names["channel"]["line"], self.names["queue"]["all"]

    def bodies(self) -> list[Any]:
        data = self.socket.recv(262_144)
        if not data:
            raise SystemExit(f"load-{self.number}: the gateway closed")
        self.buffer += data
        bodies, at = [], 0
        while len(self.buffer) - at >= 4:
            end = at + 4 + int.from_bytes(self.buffer[at : at + 4], "big")
            if end > len(self.buffer):
                break
            bodies.append(msgpack.unpackb(self.buffer[at + 4 : end]))
            at = end
        self.buffer = self.buffer[at:]
        return bodies

    def arrive(self, count: int, now: float) -> None:
        frames = []
        for _ in range(count):
            key = bytes([self.number]) + self.arrivals.to_bytes(15, "big")
            frames.append(framed([3, 1, self.channel, key, self.queue, 0, 1, []]))
            self.arrivals += 1
            self.sent_at[self.next_no] = now
            self.next_no += 1
        self.socket.sendall(b"".join(frames))

    def hear(self, result: Result) -> None:
        """Take what came; who was let in leaves."""
        leaving = []
        for body in self.bodies():
            now = time.perf_counter()
            if body[0] == ACK:
                for request_no, _, code, value in body[3]:
                    sent_at = self.sent_at.pop(request_no)
                    if sent_at == LEFT:
                        continue
                    if code:
                        result.other += 1
                        continue
                    result.latency_ms.append((now - sent_at) * 1_000)
                    result.came_at.append(now)
                    leaving.append(framed([4, 1, self.channel, value]))
                    self.sent_at[self.next_no] = LEFT
                    self.next_no += 1
            elif body[0] == REFUSED:
                was_arrival = self.sent_at.pop(body[2]) != LEFT
                result.busy += body[3] == "busy" and was_arrival
                result.other += body[3] != "busy" or not was_arrival
                result.retry_after_ms.add(body[5])
            elif body[0] == PING:
                leaving.append(framed([135, 1, body[2]]))
        if leaving:
            self.socket.sendall(b"".join(leaving))


class Load:
    """Several connections."""

    def __init__(self, port: int, its_token: str, connections: int) -> None:
        self.links = [Link(port, its_token, number) for number in range(connections)]
        self.selector = selectors.DefaultSelector()
        for link in self.links:
            self.selector.register(link.socket, selectors.EVENT_READ, link)

    def play(self, per_tick: float, seconds: float) -> Result:
        """One phase; ends when everything is answered."""
        result = Result()
        began = time.perf_counter()
        ticks, owed = 0, 0.0
        while (due := began + ticks * TICK_S) < began + seconds:
            self.hear_until(due, result)
            owed += per_tick
            count, owed = int(owed), owed - int(owed)
            if count:
                self.links[ticks % len(self.links)].arrive(count, time.perf_counter())
                result.sent += count
            ticks += 1
        while any(link.sent_at for link in self.links):
            self.hear_until(time.perf_counter() + TICK_S, result)
        return result

    def hear_until(self, due: float, result: Result) -> None:
        while (left := due - time.perf_counter()) > 0:
            for key, _ in self.selector.select(left):
                key.data.hear(result)

    def until_told(self) -> None:
        """Answer pings until standard input has something."""
        with selectors.DefaultSelector() as both:
            both.register(sys.stdin, selectors.EVENT_READ)
            for link in self.links:
                both.register(link.socket, selectors.EVENT_READ, link)
            while True:
                for key, _ in both.select():
                    if key.data is None:
                        return
                    key.data.hear(Result())


class Loader:
    """The process, for a test."""

    def __init__(self, process: Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.stdin, self.stdout = process.stdin, process.stdout

    def begin(self, per_tick: float, seconds: float) -> None:
        """Begin a phase."""
        print(per_tick, seconds, file=self.stdin, flush=True)

    def result(self) -> dict[str, Any]:
        """Wait for its end."""
        line = self.stdout.readline()
        assert line, "the load ended by itself"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def play(self, per_tick: float, seconds: float) -> dict[str, Any]:
        self.begin(per_tick, seconds)
        return self.result()


@contextmanager
def load(port: int, connections: int) -> Iterator[Loader]:
    """Run the load in a process of its own."""
    command = [sys.executable, "-m", "tests.e2e.gateway_load", str(port), token("plugin"), str(connections)]
    with Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, text=True) as process:
        loader = Loader(process)
        try:
            yield loader
        finally:
            loader.stdin.close()
            process.wait(timeout=30)


def p99(latencies_ms: list[float]) -> float:
    """The 99th percentile of a sorted list."""
    return latencies_ms[min(len(latencies_ms) - 1, int(len(latencies_ms) * 0.99))]


def main() -> None:
    port, its_token, connections = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    all_links = Load(port, its_token, connections)
    while True:
        all_links.until_told()
        if not (line := sys.stdin.readline()):
            return
        per_tick, seconds = map(float, line.split())
        print(all_links.play(per_tick, seconds).as_json(seconds), flush=True)


if __name__ == "__main__":
    main()
