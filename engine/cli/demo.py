"""`paidui demo`: a bank's contact centre on this machine, alive from the first second."""

from __future__ import annotations

import argparse
import json
import secrets
import socket
import sys
from functools import partial
from importlib import resources
from pathlib import Path

import trio

from engine.cli.logs import log_words, set_up_logs
from engine.cli.serve import Running, part_options, run_site
from engine.cli.site_options import DEMO_CONFIG, with_ports
from engine.config import SiteConfig, load_site
from engine.errors import ConfigError
from loadtest.secured import add_tls_options

LOGIN = "you"
PORTS = ("web", "gateway", "stats")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `paidui demo`."""
    parser.add_argument(
        "--for", dest="seconds", type=float, metavar="SECONDS", help="end by itself after this long"
    )
    parser.add_argument(
        "--data", type=Path, default=Path("paidui-demo"), help="data folder (default: ./paidui-demo)"
    )
    parser.add_argument("--port", type=int, help="first of three ports (default: 8700, 8701 and 8702)")
    parser.add_argument("--empty", action="store_true", help="no simulated customers and agents")
    parser.add_argument("--verbose", dest="quiet", action="store_false", help="log everything")
    parser.set_defaults(log="text")
    parser.add_argument("--seed", type=int, default=1, help="seed of the simulated day (default: 1)")
    add_tls_options(parser.add_argument_group("for the players, where [gateway] has a certificate"))


def run(options: argparse.Namespace) -> int:
    """Prepare the data folder, start everything, tell once where to click."""
    set_up_logs(options)
    if options.seconds is not None and not options.seconds > 0:
        raise ConfigError([f"--for: expected more than 0 seconds, got {options.seconds:g}"])
    site = prepare(options.data, options.port)
    check_ports(site)
    password = login_password(options.data)
    first_start = not (site.data / "journal").exists()

    async def ready(running: Running) -> None:
        await running.ensure_user(LOGIN, password=password, name="You 您", role="supervisor", agent=LOGIN)
        print(tour(running, options, password, first_start=first_start), flush=True)

    options.config = options.data / "bank.toml"
    shared = part_options(options)
    parts = [["keeper", *shared], ["stats", *shared]]
    if not options.empty:
        parts.append(["players", *shared, "--seed", str(options.seed), *_tls_words(options)])
    words = log_words(options)
    trio.run(partial(run_site, site, ready=ready, parts=parts, words=words, seconds=options.seconds))
    return 0


def _tls_words(options: argparse.Namespace) -> list[str]:
    """What the players are told of the gateway's certificate."""
    ca, name = options.tls_ca, options.tls_name
    return [*(["--tls-ca", str(ca)] if ca else []), *(["--tls-name", name] if name else [])]


def prepare(folder: Path, port: int | None) -> SiteConfig:
    """Make the data folder with the demonstration's configuration in it, and read that.

    Raises:
        ConfigError: the folder cannot be written, or the configuration there was edited and is wrong.
    """
    config = folder / "bank.toml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not config.exists():
            config.write_bytes((resources.files("engine.cli") / "demo_bank.toml").read_bytes())
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigError([f"{folder}: {error.strerror}; choose another folder with --data"]) from error
    return with_ports(load_site(config), port)


def check_ports(site: SiteConfig) -> None:
    """Find out before anything starts whether the ports are free.

    Raises:
        ConfigError: naming each port that is taken, and what to do.
    """
    errors = []
    for name in PORTS:
        address = getattr(site, name).bind
        with socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address.host, address.port))
            except OSError as error:
                why = f"cannot be used ({error.strerror}); stop what has it, or use --port 8800"
                errors.append(f"{name}.bind: {address} {why}")
    if errors:
        raise ConfigError(errors)


def login_password(folder: Path) -> str:
    """The generated password of the demonstration's login, the same at every start."""
    path = folder / "login.json"
    if path.exists():
        return str(json.loads(path.read_text("utf-8"))["password"])
    password = secrets.token_urlsafe(9)
    path.touch(mode=0o600)
    path.write_text(json.dumps({"login": LOGIN, "password": password}), "utf-8")
    return password


def command() -> str:
    """How `paidui` is called from the current folder."""
    installed = Path(sys.executable).parent / "paidui"
    try:
        return str(installed.relative_to(Path.cwd()))
    except ValueError:
        return "paidui"


def site_words(options: argparse.Namespace) -> list[str]:
    """The options by which another command finds this demonstration; none when it is the default one."""
    config = [] if options.config == DEMO_CONFIG else ["--config", str(options.config)]
    return config if options.port is None else [*config, "--port", str(options.port)]


def tour(running: Running, options: argparse.Namespace, password: str, *, first_start: bool) -> str:
    """What a newcomer reads: addresses, login, and five things to try."""
    web = running.url
    sql = " ".join([command(), "sql", *site_words(options)])
    explain = " ".join([command(), "explain", "last", *site_words(options)])
    again = (
        "everything that was acknowledged is still here"
        if not first_start
        else "forty simulated agents are at work"
    )
    stop = f"by itself after {options.seconds:g} s" if options.seconds else "Ctrl-C"
    return f"""
  Paidui · {running.site.title.en} {running.site.title.zh} is open: {again}.

    agent's desk      {web}/        login {LOGIN}   password {password}
    customer's chat   {web}/chat/
    statistics        {sql} "select queue, state, count(*) from contacts group by all order by all"
    stop              {stop}; the data stays in {options.data}

  A short tour
    1  Open the chat as a customer, choose a topic, ask something: you see your place in the queue.
    2  Open the desk, log in, press Sign in and be ready: it rings. Accept, answer, end, wrap up.
    3  kill -9 {running.pid}   in the middle of the conversation, start again: nothing is missing.
    4  {sql} --report service_level
    5  {explain} --agent {LOGIN}   says why this agent, and why not that one.
"""
