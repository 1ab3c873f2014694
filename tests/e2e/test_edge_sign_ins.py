"""A console of another make on a real site: its agents' own logins open their desks, and close them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import trio

from engine.model import Attach, Detached, Ready, SignIn
from engine.wire_client import Client, NotTaken, connect
from tests.e2e.serve_process import PATIENCE_S, ROOT, Serve


async def paidui(site: Serve, *words: str) -> str:
    """Run a command beside the site; what it says."""
    command = [sys.executable, "-m", "engine", *words, "--config", str(site.config)]
    done = await trio.run_process(command, cwd=ROOT, capture_stdout=True, stderr=subprocess.STDOUT)
    return bytes(done.stdout).decode()


async def lost_agents(client: Client) -> list[int]:
    """Whom the gateway takes from an edge next."""
    with trio.fail_after(PATIENCE_S):
        while True:
            for frame in await client.incoming():
                if isinstance(frame, Detached):
                    assert frame.code == "over"
                    return frame.agents


@pytest.mark.slow  # a process that starts and stops, and four beside it
async def test_a_login_opens_a_desk_and_its_end_closes_it(tmp_path: Path) -> None:
    site = Serve(tmp_path)
    async with (
        site.running(),
        httpx.AsyncClient(trust_env=False) as ann,
        httpx.AsyncClient(trust_env=False) as bob,
    ):
        token = (await paidui(site, "token", "edge")).strip()
        async with connect(f"127.0.0.1:{site.gateway}", token, "another make") as console:
            for name, browser in (("ann", ann), ("bob", bob)):
                password = (await paidui(site, "user", "add", name)).split()[3]
                asked = {"login": name, "password": password}
                answer = await browser.post(f"{site.url}/api/auth/login", json=asked)
                agent = console.welcome.names["agent"][name]
                await console.send_control(Attach(agents=[agent], access=[answer.json()["access"]]))
                await console.request(SignIn(agent=agent))
            await ann.post(f"{site.url}/api/auth/logout")
            await paidui(site, "user", "disable", "bob")
            lost: list[int] = []
            while len(lost) < 2:
                lost += await lost_agents(console)
            for agent in lost:
                with pytest.raises(NotTaken, match="not_allowed"):
                    await console.request(Ready(agent=agent))
        assert set(lost) == {console.welcome.names["agent"][name] for name in ("ann", "bob")}
