"""A gateway with journal and store in a process of its own, for tests that measure it.

Run as `python -m tests.e2e.gateway_server SITE.toml [SUBSCRIBER_BYTES]`; ends with its standard input.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen

import trio

from engine.auth import Tokens
from engine.cli.logs import set_up_logs
from engine.cli.parts import until_parent_ends
from engine.config import load_site
from engine.gateway import Gateway
from engine.service import open_service
from engine.store import Store
from engine.testing.fixtures import SECRET

ROOT = Path(__file__).resolve().parents[2]
KEY = b"k" * 32
SITE = """
[site]
name = "measured"
[gateway]
bind = "127.0.0.1:0"
{gateway}
[channels.line]
plugin = "socket"
account = "line"
[queues.all]
offer_timeout_ms = 60000
wrap_up_ms = 0
[agents.ann]
capacity = {{ line = 1 }}
"""


class Server:
    """The running process.

    Attributes:
        port: the gateway's.
        pid: for its memory.
    """

    def __init__(self, process: Popen[str], port: int) -> None:
        self.port = port
        self.pid = process.pid

    def memory_kib(self) -> int:
        """What it holds of the machine's memory now."""
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

    def processor_s(self) -> float:
        """What it has used of processors so far, all its threads, in seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def token(kind: str) -> str:
    claims: dict[str, dict[str, object]] = {"plugin": {"channel": "line"}, "edge": {"any_agent": True}}
    return Tokens(KEY, "measured").issue(kind, "measured", 3_600, **claims.get(kind, {}))


@contextmanager
def server(folder: Path, gateway: str = "", subscriber_bytes: int | None = None) -> Iterator[Server]:
    """Run one; `gateway` is more of `[gateway]`."""
    folder.mkdir(exist_ok=True)
    config = folder / "site.toml"
    config.write_text(SITE.format(gateway=gateway), "utf-8")
    command = [sys.executable, "-m", "tests.e2e.gateway_server", str(config)]
    command += [] if subscriber_bytes is None else [str(subscriber_bytes)]
    with Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield Server(process, int(process.stdout.readline()))
        finally:
            process.stdin.close()
            process.wait(timeout=120)


async def main() -> None:
    set_up_logs(Namespace(quiet=True, log=None))  # standard output has the port alone
    site = load_site(sys.argv[1])
    async with (
        Store(site.data / "store.sqlite") as store,
        open_service(site, store=store, secret=SECRET) as service,
        trio.open_nursery() as nursery,
    ):
        if len(sys.argv) > 2:
            service.bus.subscriber_bytes = int(sys.argv[2])
        ports = await nursery.start(Gateway(service, Tokens(KEY, site.name)).serve, site.gateway.bind)
        print(ports.tcp, flush=True)
        await until_parent_ends()
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main)
