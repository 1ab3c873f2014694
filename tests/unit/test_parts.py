"""Parts: what is started is started again, ended with its parent, and killed where it stands still."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trio

from engine.cli.edge_part import end_silent
from engine.cli.parts import Given, Part
from engine.config import SiteConfig
from engine.edge.door import EdgeDoor
from engine.testing.fixtures import small_site

PATIENCE_S = 60


class Starts:
    """Starts real edges that nobody lets in; counts them."""

    def __init__(self, site: SiteConfig, nursery: trio.Nursery) -> None:
        self.door = EdgeDoor(site, nursery)
        self.count = 0

    @contextmanager
    def give(self) -> Iterator[Given]:
        self.count += 1
        ours, theirs = socket.socketpair()
        with theirs, socket.create_server(("127.0.0.1", 0)) as web:
            self.door.connect(trio.SocketStream(trio.socket.from_stdlib_socket(ours)))
            files = [theirs.fileno(), web.fileno()]
            yield Given(["--quiet", "--link", str(files[0]), "--web", str(files[1])], files)

    async def until(self, count: int) -> None:
        with trio.fail_after(PATIENCE_S):
            while self.count < count:
                await trio.sleep(0.02)


async def test_an_edge_that_stands_still_is_killed_and_another_one_started(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        starts = Starts(small_site(tmp_path), nursery)
        edge = Part(["edge"], give=starts.give)
        nursery.start_soon(edge.keep_running)
        await starts.until(1)
        pid = edge.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        starts.door.connected = False
        starts.door.left.set()
        nursery.start_soon(end_silent, starts.door, edge)
        await starts.until(2)
        await edge.end()
        assert edge.pid is None
        nursery.cancel_scope.cancel()
    assert not Path(f"/proc/{pid}").exists()


async def test_a_part_that_is_ended_is_not_started_again(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        starts = Starts(small_site(tmp_path), nursery)
        edge = Part(["edge"], give=starts.give, stop_s=PATIENCE_S)
        nursery.start_soon(edge.keep_running)
        await starts.until(1)
        await edge.end()
        assert starts.count == 1
        nursery.cancel_scope.cancel()
