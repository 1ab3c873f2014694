"""`paidui serve`: puts a site together and runs it.

Core (journal, router, gateway) and edge (console, hosted channels) share this process; statistics, and the
demonstration's players, are parts in processes of their own.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

import structlog
import trio

from console.app import create_console
from engine.cli.keys import site_key, token_key
from engine.cli.logs import set_up_logs
from engine.cli.parts import keep_running, until_parent_ends
from engine.cli.site_options import add_site_options, chosen_site
from engine.auth import Tokens
from engine.config import Address, SiteConfig
from engine.conversations import Conversations
from engine.gateway import serve_gateway
from engine.logins import Logins
from engine.plugins import PluginHost
from engine.service import open_service
from engine.store import Store
from engine.web import Mounts, serve_web

_log = structlog.get_logger(__name__)

Ready = Callable[["Running"], Awaitable[None]]


@dataclass(frozen=True)
class Running:
    """A site that is open.

    Attributes:
        site: its configuration.
        web: where the desk and the customers' pages are.
        gateway: where plugins of other processes connect.
        config_errors: why the configuration file is not in force; empty when it is.
        logins: who may sign in.
    """

    site: SiteConfig
    web: Address
    gateway: Address
    config_errors: Sequence[str]
    logins: Logins

    @property
    def pid(self) -> int:
        """The process to kill in order to see that nothing is lost."""
        return os.getpid()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `paidui serve`."""
    add_site_options(parser)
    parser.add_argument("--quiet", action="store_true", help="log warnings only")
    parser.add_argument("--child", action="store_true", help="end when standard input ends")


def run(options: argparse.Namespace) -> int:
    """Run a site until SIGTERM or Ctrl-C."""
    set_up_logs(quiet=options.quiet)
    site = chosen_site(options)
    shared = part_options(options)
    trio.run(partial(run_site, site, ready=announce, parts=[["stats", *shared]], child=options.child))
    return 0


def part_options(options: argparse.Namespace) -> list[str]:
    """What a part needs in order to find the same site."""
    ports = [] if options.port is None else ["--port", str(options.port)]
    return ["--config", str(options.config), *ports, *(["--quiet"] if options.quiet else [])]


async def announce(running: Running) -> None:
    """Say where to go; the first administrator's password is shown this once."""
    password = await running.logins.first_user()
    print(f"paidui: {running.site.name} is open: http://{running.web}/ (gateway {running.gateway})")
    for error in running.config_errors:
        print(f"paidui: the configuration file is not in force: {error}", file=sys.stderr)
    if password is not None:
        print(f"paidui: first sign-in: login admin   password {password}   (shown only now)")
    sys.stdout.flush()
