"""A site that stands still says where and ends itself; a router that is not sound ends its site."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest
import trio

from engine import model
from engine.watchdog import EXIT_BROKEN, EXIT_STUCK
from engine.wire_client import Disconnected, connect
from tests.e2e.serve_process import ROOT, Serve

BLOCKED = ("-m", "tests.e2e.blocked_site")
QUICK = "stuck_after_s = 2"


async def arrive(site: Serve, number: int) -> int:
    token = site.token("plugin", channel="line")
    async with connect(f"127.0.0.1:{site.gateway}", token, "line") as line:
        names = line.welcome.names
        channel, queue = names["channel"]["line"], names["queue"]["all"]
        key = number.to_bytes(16, "big")
        return await line.request(model.Arrive(channel=channel, key=key, queue=queue))


@pytest.mark.slow  # it waits until the watchdog has seen enough
async def test_a_blocked_loop_ends_the_process_with_its_stacks(tmp_path: Path) -> None:
    site = Serve(tmp_path, ops=QUICK)
    async with site.running("--log", "json", program=BLOCKED):
        contact = await arrive(site, 1)
        site.tell(signal.SIGUSR1)
        assert await site.end() == EXIT_STUCK
    (said,) = [line for line in site.log_lines() if line["level"] == "critical"]
    assert said["stuck_s"] >= 2
    assert any("blocked_site.py" in frame and "in block" in frame for frame in said["stacks"])
    async with site.running("--log", "json"):
        assert await arrive(site, 1) == contact  # nothing that was acknowledged is gone


@pytest.mark.slow  # as above
async def test_a_held_interpreter_ends_the_process_too(tmp_path: Path) -> None:
    site = Serve(tmp_path, ops=QUICK)
    async with site.running("--log", "json", program=BLOCKED):
        site.tell(signal.SIGUSR2)
        assert await site.end() == 1
    assert "hold_the_interpreter" in site.log()
    assert "Timeout (" in site.log()


@pytest.mark.slow  # as above
async def test_a_disk_that_hangs_ends_the_process(tmp_path: Path) -> None:
    site = Serve(tmp_path, ops=QUICK)
    async with site.running("--log", "json", program=BLOCKED), trio.open_nursery() as nursery:
        site.tell(signal.SIGWINCH)
        nursery.start_soon(lost_arrival, site)
        assert await site.end() == EXIT_STUCK
    (said,) = [line for line in site.log_lines() if line["level"] == "critical"]
    assert any("append_or_hang" in frame for frame in said["stacks"])


async def lost_arrival(site: Serve) -> None:
    """An arrival of which nobody ever hears: the loop is well, the journal is not."""
    answered = False
    try:
        await arrive(site, 7)
        answered = True
    except* Disconnected:
        pass
    assert not answered


@pytest.mark.slow  # a process that starts and ends
async def test_a_panic_of_the_core_ends_the_site_with_a_line(tmp_path: Path) -> None:
    site = Serve(tmp_path)
    async with site.running("--log", "json", program=BLOCKED), trio.open_nursery() as nursery:
        site.tell(signal.SIGURG)
        nursery.start_soon(lost_arrival, site)
        assert await site.end() == EXIT_BROKEN
    (said,) = [line for line in site.log_lines() if line["level"] == "critical"]
    assert said["error"] == "batch 3: an offer without a contact"
    async with site.running("--log", "json"):
        assert await arrive(site, 7) == 1  # it had been made durable, and is applied by the next start


PLANTED = """
import engine.router

class PanicException(BaseException):
    pass

def check(self):
    raise PanicException("an eligible pair is offered 4")

engine.router.Router.check = check
"""


@pytest.mark.slow  # a process that starts and ends
async def test_a_router_that_is_not_sound_ends_the_site(tmp_path: Path) -> None:
    """The statistics process finds it; the whole site ends with a code of its own, and says the batch."""
    (tmp_path / "sitecustomize.py").write_text(PLANTED, "utf-8")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    site = Serve(tmp_path, {"PYTHONPATH": path}, ops="check_every_s = 1")
    async with site.running("--log", "json"):
        assert await site.end() == EXIT_BROKEN
    said = [line for line in site.log_lines() if line["level"] == "critical"]
    assert len(said) == 2
    assert "batch " in said[0]["error"]
    assert "an eligible pair is offered" in said[0]["error"]
    assert said[1]["exit_code"] == EXIT_BROKEN


@pytest.mark.slow  # a process that starts and ends
async def test_a_service_manager_is_told(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    listener = trio.socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    with listener:
        await listener.bind(str(path))
        site = Serve(tmp_path, {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "5000000"})
        async with site.running("--log", "json"):
            told = []
            with trio.fail_after(30):
                while told.count("WATCHDOG=1") < 2 or "READY=1" not in told:
                    told += (await listener.recv(4096)).decode().splitlines()
            site.tell(signal.SIGTERM)
            with trio.fail_after(30):
                while "STOPPING=1" not in told:
                    told += (await listener.recv(4096)).decode().splitlines()
            assert await site.end() == 0
    states = {state for state in told if not state.startswith("STATUS=")}
    assert states == {"READY=1", "STOPPING=1", "WATCHDOG=1"}
    assert "STATUS=served is open" in told
