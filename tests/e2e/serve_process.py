"""The real `paidui serve` in a process of its own, with what it says and what it logs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import trio

from engine.auth import Tokens
from engine.config import SiteConfig, load_site
from engine.keys import token_key
from loadtest.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0
SITE = """
[site]
name = "{name}"
data = "data"
drain_s = {drain_s}

[web]
bind = "127.0.0.1:{web}"
{web_more}

[gateway]
bind = "127.0.0.1:{gateway}"
{gateway_more}

[stats]
bind = "127.0.0.1:{stats}"

[ops]
{ops}

[channels.line]
plugin = "socket"

[channels.webchat]
plugin = "webchat"

[channels.webchat.options]
visitors_per_minute = 600

[queues.all]
offer_timeout_ms = 600000
wrap_up_ms = 0

[agents.ann]
capacity = {{ line = 1, webchat = 1 }}

[agents.bob]
capacity = {{ line = 1, webchat = 1 }}
"""


class Serve:
    """A site that can be started, told things, and started again.

    Args:
        folder: where its configuration, data and log stand.
        environment: beside this process's own.
        **more: lines of the sections: `web_more`, `gateway_more`, `ops`; `drain_s`.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None, **more: Any) -> None:
        self.folder = folder
        self.web, self.gateway, stats = free_ports(3)
        words = {"name": "served", "drain_s": 60, "web_more": "", "gateway_more": "", "ops": "", **more}
        self.config = folder / "site.toml"
        text = SITE.format(web=self.web, gateway=self.gateway, stats=stats, **words)
        self.config.write_text(text, "utf-8")
        self.site: SiteConfig = load_site(self.config)
        self.url = f"http://127.0.0.1:{self.web}"
        self._environment = {**os.environ, **(environment or {})}
        self.process: trio.Process

    @asynccontextmanager
    async def running(
        self, *options: str, program: tuple[str, ...] = ("-m", "engine")
    ) -> AsyncIterator[None]:
        """Run it until the block is left; killed for good if it still lives then."""
        log = (self.folder / "serve.log").open("ab")
        self.process = await trio.lowlevel.open_process(
            [sys.executable, *program, "serve", "--config", str(self.config), *options],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        log.close()
        try:
            await self._until_open()
            yield
        finally:
            if self.process.returncode is None:
                self.process.kill()
            with trio.CancelScope(shield=True):
                await self.process.wait()
                if self.process.stdout is not None:
                    await self.process.stdout.aclose()

    async def _until_open(self) -> None:
        assert self.process.stdout is not None
        said = b""
        with trio.fail_after(PATIENCE_S):
            while b"is open" not in said:
                more = await self.process.stdout.receive_some()
                assert more, f"it did not open: {self.log()}"
                said += more

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    async def end(self) -> int:
        """Wait for its end; return its exit code."""
        with trio.fail_after(PATIENCE_S):
            return await self.process.wait()

    def log(self) -> str:
        """What it has logged."""
        return (self.folder / "serve.log").read_text("utf-8")

    def log_lines(self) -> list[dict[str, Any]]:
        """The same, line by line."""
        return [json.loads(line) for line in self.log().splitlines()]

    def token(self, kind: str, **claims: Any) -> str:
        """A token of this site."""
        return Tokens(token_key(self.site.data), self.site.name).issue(kind, kind, 600, **claims)

    async def ask(self, path: str, **options: Any) -> httpx.Response:
        """Get a page."""
        async with httpx.AsyncClient(trust_env=False, **options) as client:
            return await client.get(self.url + path)
