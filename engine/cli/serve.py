"""`paidui serve`: puts a site together and runs it.

Core (journal, router, gateway) and edge (console, hosted channels) share this process; statistics, and the
demonstration's players, are parts in processes of their own.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog
import trio

from console.app import create_console
from engine.auth import Tokens
from engine.cli.logs import set_up_logs
from engine.cli.parts import keep_running, until_parent_ends
from engine.cli.site_options import add_site_options, chosen_site
from engine.config import Address, SiteConfig
from engine.errors import ConfigError, PaiduiError
from engine.gateway import Gateway
from engine.keys import site_key, token_key
from engine.logins import Logins
from engine.plugins import PluginHost, check_channels
from engine.service import open_service
from engine.store import Store
from engine.web import serve_web
from engine.web_mounts import Mounts

_log = structlog.get_logger(__name__)

PRIVATE = 0o077
"""Journal, store and statistics are for this user alone; the parts inherit it."""

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
        store: who is there.
    """

    site: SiteConfig
    web: Address
    gateway: Address
    config_errors: Sequence[str]
    logins: Logins
    store: Store

    @property
    def pid(self) -> int:
        """The process to kill in order to see that nothing is lost."""
        return os.getpid()

    async def ensure_user(self, login: str, *, password: str, name: str, role: str, agent: str) -> None:
        """Add a person unless the login exists already."""
        if await self.store.credentials(login) is None:
            await self.logins.add_user(login, name=name, password=password, role=role, agent=agent)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `paidui serve`."""
    add_site_options(parser, required=True)
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


async def run_site(
    site: SiteConfig,
    *,
    ready: Ready,
    parts: Sequence[Sequence[str]] = (),
    seconds: float | None = None,
    child: bool = False,
) -> None:
    """Run a site until a signal, or for some seconds.

    Args:
        site: its configuration.
        ready: told once everything is open.
        parts: subcommands that run in processes of their own.
        seconds: end by itself after this long.
        child: end when standard input ends.

    Raises:
        ConfigError: an address is taken, or there is no usable configuration.
        JournalError: the journal is damaged; the text names the batch.
    """
    os.umask(PRIVATE)
    stop = trio.Event()
    try:
        async with AsyncExitStack() as stack:
            site_up = await _open(stack, site, stop)
            # What is there now stays: the cycle collector need not walk it while contacts wait.
            gc.collect()
            gc.freeze()
            nursery = await stack.enter_async_context(trio.open_nursery())
            for part in parts:
                nursery.start_soon(keep_running, part)
            await ready(site_up)
            await _until_told(stop, seconds, child=child)
            nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        raise _first(group) from group


async def _open(stack: AsyncExitStack, site: SiteConfig, stop: trio.Event) -> Running:
    """Open journal, store, gateway, channels and pages, in this order; the stack closes them in reverse."""
    check_channels(site.channels)
    make_folder(site.data)
    store = await stack.enter_async_context(Store(site.data / "store.sqlite"))
    if not (site.data / "journal").exists() and await store.highest_contact():
        why = "its journal is gone, but store.sqlite has the conversations of contacts that stood in it"
        raise ConfigError([f"{site.data}: {why}; restore both from one copy, or move store.sqlite away too"])
    tokens, secret = Tokens(token_key(site.data), site.name), site_key(site.data)
    service = await stack.enter_async_context(open_service(site, store=store, secret=secret))
    logins = Logins(store, tokens, secret)
    mounts = Mounts()
    mounts.mount("/", create_console(service, store, logins, site), essential=True)
    nursery = await stack.enter_async_context(trio.open_nursery())
    stack.callback(nursery.cancel_scope.cancel)
    # Closed first: the pages say good-bye and end within the server's own grace period.
    pages = await stack.enter_async_context(trio.open_nursery())
    stack.callback(stop.set)
    web_port = await pages.start(serve_web, mounts, site.web.bind, stop)
    await nursery.start(PluginHost(service, tokens, mounts).run)
    ports = await nursery.start(Gateway(service, tokens).serve, site.gateway.bind, site.gateway.socket)
    web, gateway = Address(site.web.bind.host, web_port), Address(site.gateway.bind.host, ports.tcp)
    return Running(site, web, gateway, tuple(service.config_errors), logins, store)


def make_folder(data: Path) -> None:
    """Make the data folder.

    Raises:
        ConfigError: it cannot be made or written.
    """
    try:
        data.mkdir(parents=True, exist_ok=True)
        probe = data / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigError(
            [f"site.data: {data}: {error.strerror}; choose a folder that can be written"]
        ) from error


async def _until_told(stop: trio.Event, seconds: float | None, *, child: bool) -> None:
    """Return after a signal, the given time, or the parent's end; `stop` is set by then."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_until_signal, stop)
        if child:
            nursery.start_soon(_then_stop, until_parent_ends, stop)
        if seconds is not None:
            nursery.start_soon(_then_stop, partial(trio.sleep, seconds), stop)
        await stop.wait()
        nursery.cancel_scope.cancel()


async def _until_signal(stop: trio.Event) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            stop.set()


async def _then_stop(wait: Callable[[], Awaitable[None]], stop: trio.Event) -> None:
    await wait()
    stop.set()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that ended the site: what a person can mend goes first."""
    flat: list[BaseException] = []
    for error in group.exceptions:
        flat.append(_first(error) if isinstance(error, BaseExceptionGroup) else error)
    return next((error for error in flat if isinstance(error, PaiduiError)), flat[0])
