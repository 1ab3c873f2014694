"""What waiting contacts cost in memory, in every process of a running site."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import trio

from engine.model import Ack, Arrive, Refusal, encode_frame
from engine.stats.client import AskError, ask
from engine.wire_client import Client, connect
from loadtest.scenario import load_scenario
from loadtest.spawn import SpawnedSite, spawned_site
from tools.bench import flow
from tools.bench.table import show, title

WAITING, QUICK_WAITING = 100_000, 20_000
ALLOWED_MB = 200
SCENARIO = "thousand"
IN_FLIGHT = 2_000
"""Arrivals on the way at once: far fewer than the inbox takes."""
SETTLED_S = 120
LOOK_EVERY_S = 0.5
WAITED_S = 20
"""What the start, or the arrivals themselves, have used is given back by then."""

MB = 1_000_000


class Unsettled(Exception):
    """The statistics have not counted in time what waits."""


def run(quick: bool) -> None:
    """Fills a real site's queues over a socket, nobody signed in, and prints what each process holds."""
    waiting = QUICK_WAITING if quick else WAITING
    title(f"memory: {waiting:,} waiting contacts in a running site, all of its processes")
    with spawned_site(load_scenario(SCENARIO), None) as site:
        settle(site, 0)
        time.sleep(WAITED_S)
        empty = dict(proportional_kb(site.process.pid))
        trio.run(fill, site, waiting)
        settle(site, waiting)
        at_once = dict(proportional_kb(site.process.pid))
        time.sleep(WAITED_S)
        full = dict(proportional_kb(site.process.pid))
    rows = [_row(name, empty.get(name, 0), full[name], waiting) for name in full]
    total = _row("together", sum(empty.values()), sum(full.values()), waiting)
    show(["process", "before", "with them", "more", "bytes a contact"], [*rows, total])
    now_mb, later_mb = _more_mb(empty, at_once), _more_mb(empty, full)
    print(
        f"allowed for 100,000: {ALLOWED_MB} MB; {waiting:,} take {later_mb:.0f} MB more than none once they"
        f" have waited for {WAITED_S} s, {now_mb:.0f} MB when the last has just come."
        f" Proportional set sizes; load {flow.load()}",
        flush=True,
    )


def _more_mb(before: dict[str, int], after: dict[str, int]) -> float:
    return (sum(after.values()) - sum(before.values())) * 1024 / MB


async def fill(site: SpawnedSite, contacts: int) -> None:
    """Let so many contacts arrive over one plugin's socket, spread over all queues."""
    channel, token = next(iter(site.tokens.channels.items()))
    address = f"{site.address.host}:{site.address.port}"
    async with connect(address, token, "memory", listen=True) as client:
        names = client.welcome.names
        queues = list(names["queue"].values())
        for first in range(0, contacts, IN_FLIGHT):
            frames = [
                encode_frame(
                    Arrive(
                        channel=names["channel"][channel],
                        key=number.to_bytes(16, "big"),
                        queue=queues[number % len(queues)],
                    )
                )
                for number in range(first, min(first + IN_FLIGHT, contacts))
            ]
            await client.send(b"".join(frames), len(frames))
            await _answered(client, len(frames))


async def _answered(client: Client, count: int) -> None:
    while count:
        for frame in await client.incoming():
            if isinstance(frame, Refusal):
                raise ValueError(f"an arrival was refused: {frame.code}: {frame.text}")
            if isinstance(frame, Ack):
                refused = [result for result in frame.results if result[2]]
                if refused:
                    raise ValueError(f"an arrival was refused with code {refused[0][2]}")
                count -= len(frame.results)


def settle(site: SpawnedSite, waiting: int) -> None:
    """Wait until the statistics have counted so many contacts that wait.

    Raises:
        Unsettled: they have not within two minutes.
    """
    url = f"http://{site.stats.host}:{site.stats.port}"
    until_s = time.monotonic() + SETTLED_S
    found: object = "no answer"
    while time.monotonic() < until_s:
        try:
            rows = ask(url, site.analyst, "SELECT count(*) FROM contacts WHERE state = 'waiting'").rows
            found = rows[0][0]
        except AskError as error:  # it is only starting
            found = error
        if found == waiting:
            return
        time.sleep(LOOK_EVERY_S)
    raise Unsettled(f"expected {waiting} waiting contacts, the statistics say: {found}")


def proportional_kb(root: int) -> Iterator[tuple[str, int]]:
    """Yield a process and its children, each with its proportional set size in KiB."""
    for pid, name in _tree(root, "core"):
        text = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8")
        line = next(line for line in text.splitlines() if line.startswith("Pss:"))
        yield name, int(line.split()[1])


def _tree(pid: int, name: str) -> Iterator[tuple[int, str]]:
    yield pid, name
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            children = (task / "children").read_text("utf-8").split()
        except FileNotFoundError:
            continue  # a thread that has just ended
        for child in children:
            words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            part = words[words.index(b"engine") + 1].decode() if b"engine" in words else "?"
            yield from _tree(int(child), part)


def _row(name: str, before_kb: int, after_kb: int, contacts: int) -> list[object]:
    more = (after_kb - before_kb) * 1024
    before, after = (f"{kb * 1024 / MB:.1f} MB" for kb in (before_kb, after_kb))
    return [name, before, after, f"{more / MB:.1f} MB", f"{more / contacts:.0f}"]
