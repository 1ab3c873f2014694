"""A service with its gateway in a process of its own, and its keeper, for tests that kill it.

Its argument is the configuration file. It says its port on standard output, and in how many milliseconds
the state was back, and ends when its standard input ends.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

import trio

from engine.auth import Tokens
from engine.cli.logs import set_up_logs
from engine.cli.parts import Part
from engine.config import load_site
from engine.gateway import Gateway
from engine.service import open_service
from engine.store import Store
from engine.testing.fixtures import SECRET


async def run(config: str) -> None:
    """Serve until standard input ends."""
    site = load_site(config)
    await trio.Path(site.data).mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    async with (
        Store.of(site) as store,
        open_service(site, store=store, secret=SECRET) as service,
        trio.open_nursery() as nursery,
    ):
        back_ms = round((time.perf_counter() - begun) * 1_000)
        nursery.start_soon(Part(["keeper", "--config", config, "--quiet"]).keep_running)
        gateway = Gateway(service, Tokens(SECRET, site.name))
        ports = await nursery.start(gateway.serve, site.gateway.bind)
        sys.stdout.write(f"{ports.tcp} {back_ms}\n")
        sys.stdout.flush()
        await _until_input_ends()
        nursery.cancel_scope.cancel()


async def _until_input_ends() -> None:
    # Not in a worker thread: a read that cannot be cancelled would keep the process alive.
    async with trio.lowlevel.FdStream(os.dup(0)) as standard_input:
        while await standard_input.receive_some():
            pass


if __name__ == "__main__":
    set_up_logs(argparse.Namespace(quiet=True, log=None))
    trio.run(run, sys.argv[1])
