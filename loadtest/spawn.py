"""A site of one's own for the length of a flood: configuration, process, tokens, statistics."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import engine
from engine.auth import Tokens as Issuer
from engine.keys import token_key
from loadtest.drive_live import Tokens
from loadtest.errors import FloodError
from loadtest.link import Address
from loadtest.ports import free_ports
from loadtest.scenario import Scenario
from loadtest.site_file import LOOPBACK, site_toml

START_S = 60
STOP_S = 30
TOKEN_TTL_S = 86_400
SERVE = ("engine", "serve")
LOG_LINES, LOG_CHARACTERS = 15, 2_000


@dataclass(slots=True)
class SpawnedSite:
    """A running site; `process` is another one after `restart`."""

    folder: Path
    address: Address
    stats: Address
    tokens: Tokens
    analyst: str
    process: subprocess.Popen[bytes]

    @property
    def data(self) -> Path:
        """Where its journal is."""
        return self.folder / "data"

    def kill(self) -> None:
        """Kills the process the hard way (`kill -9`) and waits until it is gone."""
        self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()

    def restart(self) -> None:
        """Starts it again on the same data; does not wait until it listens."""
        self.process = start_serve(self.folder / "site.toml")


def issue_tokens(scenario: Scenario, data: Path) -> tuple[Tokens, str]:
    """Issues the tokens of a flood with the site's own key: of the links, and an analyst's."""
    issuer = Issuer(token_key(data), site_name(scenario))
    channels = {
        name: issuer.issue("plugin", f"flood-{name}", TOKEN_TTL_S, channel=name) for name in scenario.channels
    }
    edge = issuer.issue("edge", "flood", TOKEN_TTL_S, any_agent=True)
    return Tokens(channels, edge), issuer.issue("analyst", "flood", TOKEN_TTL_S)


def site_name(scenario: Scenario) -> str:
    """Returns the name of the site that is spawned for a scenario."""
    return f"flood-{scenario.name}"


@contextmanager
def spawned_site(
    scenario: Scenario, folder: Path | None, module: Sequence[str] = SERVE
) -> Iterator[SpawnedSite]:
    """Runs `paidui serve` until the block is left.

    Args:
        scenario: what the site is configured for.
        folder: where configuration and data go, to be kept; `None` = temporary.
        module: another module, and its words, than `engine serve`.

    Raises:
        FloodError: the site did not start; the end of its log is in the text.
    """
    with tempfile.TemporaryDirectory(prefix="paidui-flood-") as temporary:
        home = Path(temporary) if folder is None else folder
        home.mkdir(parents=True, exist_ok=True)
        web_port, gateway_port, stats_port = free_ports(3)
        text = site_toml(scenario, home / "data", (web_port, gateway_port, stats_port))
        config = home / "site.toml"
        config.write_text(text, encoding="utf-8")
        tokens, analyst = issue_tokens(scenario, home / "data")
        process = start_serve(config, module)
        gateway, stats = Address(LOOPBACK, gateway_port), Address(LOOPBACK, stats_port)
        site = SpawnedSite(home, gateway, stats, tokens, analyst, process)
        try:
            wait_for(gateway, process)
            yield site
        except FloodError as error:
            raise FloodError(f"{error}\nthe end of the site's log:\n{_tail(home / 'serve.log')}") from error
        finally:
            stop(site.process)


def start_serve(config: Path, module: Sequence[str] = SERVE) -> subprocess.Popen[bytes]:
    """Starts `paidui serve` as a child that ends with this process; it logs beside its configuration."""
    root = str(Path(engine.__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    with (config.parent / "serve.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", *module, "--config", str(config), "--child", "--quiet"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": path},
        )


def wait_for(gateway: Address, process: subprocess.Popen[bytes]) -> None:
    """Waits until a gateway accepts connections.

    Raises:
        FloodError: the process ended, or it takes too long.
    """
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        if process.poll() is not None:
            raise FloodError(f"paidui serve ended with {process.returncode}")
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex((gateway.host, gateway.port)) == 0:
                return
        time.sleep(0.05)
    raise FloodError(f"paidui serve does not listen on {gateway.host}:{gateway.port} after {START_S} s")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Lets a site stop with its parts, by the end of its standard input; kills it if it does not."""
    # No signal beside it: one that comes while the site stops ends it at once, with its parts still there.
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tail(log: Path) -> str:
    lines = log.read_text("utf-8", errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-LOG_LINES:])[-LOG_CHARACTERS:] or "(it said nothing)"
