"""`paidui serve`: puts a site together and runs it.

This process is the core: journal, router, gateway. The edge (console, hosted channels), the statistics, the
keeper and the demonstration's players are parts in processes of their own.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog
import trio

from engine.attachments import Attachments
from engine.auth import Tokens
from engine.cli.edge_part import edge_part, end_silent, listen_for_pages
from engine.cli.logs import add_log_options, log_words, set_up_logs
from engine.cli.parts import Part, until_parent_ends
from engine.cli.site_options import add_site_options, chosen_site
from engine.config import Address, SiteConfig
from engine.edge.door import EdgeDoor
from engine.errors import ConfigError, PaiduiError
from engine.gateway import Gateway
from engine.health import PATHS, Health, HealthPages
from engine.keys import site_key, token_key
from engine.lifecycle import Progress, Supervisor, drained, written_pid
from engine.logins import Logins
from engine.plugins import check_channels
from engine.service import Service, open_service
from engine.store import Store
from engine.tls import ServerTls, read_again, tls_of
from engine.watchdog import EXIT_BROKEN, InvariantBroken, beat, guarded, is_panic
from engine.web import serve_web
from engine.web_mounts import Mounts

_log = structlog.get_logger(__name__)

PRIVATE = 0o077
"""Journal, store and statistics are for this user alone; the parts inherit it."""

EDGE_FIRST_S = 5.0
"""For so long the other parts wait for it: people do, too."""

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
        service: the running service.
        progress: when its task got on last.
        gateway_tls: what the gateway proves itself with; None = nothing.
        door: where the edge comes in.
        edge: the process of the pages and the hosted channels.
    """

    site: SiteConfig
    web: Address
    gateway: Address
    config_errors: Sequence[str]
    logins: Logins
    store: Store
    service: Service
    progress: Progress
    gateway_tls: ServerTls | None
    door: EdgeDoor
    edge: Part

    @property
    def url(self) -> str:
        """Where a browser finds the pages, without a slash at the end."""
        return f"{'http' if self.site.web.certificate is None else 'https'}://{self.web}"

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Within the block other commands find this process, and nothing stands still in silence."""
        with guarded(self.progress, self.site.ops.stuck_after_s), written_pid(self.site.data):
            yield

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
    add_log_options(parser)
    parser.add_argument("--child", action="store_true", help="end when standard input ends")


def run(options: argparse.Namespace) -> int:
    """Run a site until SIGTERM or Ctrl-C.

    Returns:
        0 when it was told to stop and closed everything in order, 1 when it failed, `EXIT_BROKEN` when its
        router broke an invariant. A site that stands still ends itself with `EXIT_STUCK`.
    """
    set_up_logs(options)
    site = chosen_site(options)
    shared = part_options(options)
    parts = [["keeper", *shared], ["stats", *shared]]
    try:
        words = log_words(options)
        trio.run(partial(run_site, site, ready=announce, parts=parts, words=words, child=options.child))
    except InvariantBroken as error:
        _log.critical("the router broke an invariant: the site ends", error=str(error), exit_code=EXIT_BROKEN)
        return EXIT_BROKEN
    except PaiduiError:
        raise
    except Exception as error:
        _log.critical("the site has failed", exc_info=error, exit_code=1)
        return 1
    except BaseException as error:
        if not is_panic(error):
            raise
        _log.critical("the router has failed: the site ends", error=str(error), exit_code=EXIT_BROKEN)
        return EXIT_BROKEN
    return 0


def part_options(options: argparse.Namespace) -> list[str]:
    """What a part needs in order to find the same site."""
    ports = [] if options.port is None else ["--port", str(options.port)]
    return ["--config", str(options.config), *ports, *log_words(options)]


async def announce(running: Running) -> None:
    """Say where to go; the first administrator's password is shown this once."""
    password = await running.logins.first_user()
    print(f"paidui: {running.site.name} is open: {running.url}/ (gateway {running.gateway})")
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
    words: Sequence[str] = (),
    seconds: float | None = None,
    child: bool = False,
) -> None:
    """Run a site until a signal, or for some seconds.

    Args:
        site: its configuration.
        ready: told once everything is open.
        parts: subcommands that run in processes of their own, beside the edge.
        words: how the edge logs.
        seconds: end by itself after this long.
        child: end when standard input ends.

    Raises:
        ConfigError: an address is taken, or there is no usable configuration.
        JournalError: the journal is damaged; the text names the batch.
        InvariantBroken: the router is not sound.
    """
    os.umask(PRIVATE)
    stop = trio.Event()
    supervisor = Supervisor()
    try:
        async with AsyncExitStack() as stack:
            site_up = await _open(stack, site, stop, supervisor, words)
            # What is there now stays: the cycle collector need not walk it while contacts wait.
            gc.collect()
            gc.freeze()
            nursery = await stack.enter_async_context(trio.open_nursery())
            with site_up.kept():
                # Whoever fails again and again gets its keeper, too.
                with trio.move_on_after(EDGE_FIRST_S):
                    await site_up.door.opened.wait()
                for part in parts:
                    nursery.start_soon(Part(part).keep_running)
                await site_up.door.opened.wait()
                await ready(site_up)
                supervisor.tell("READY=1", f"STATUS={site.name} is open")
                nursery.start_soon(_tell_drain, site_up, supervisor)
                await _until_told(site_up, stop, seconds, child=child)
                supervisor.tell("STOPPING=1", f"STATUS={site.name} stops")
                _log.info("the site stops", seq=site_up.service.seq)
                nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        raise _first(group) from group


async def _open(
    stack: AsyncExitStack,
    site: SiteConfig,
    stop: trio.Event,
    supervisor: Supervisor,
    words: Sequence[str],
) -> Running:
    """Open journal, store, gateway and the edge's door, in this order; the stack closes them in reverse."""
    check_channels(site.channels)
    make_folder(site.data)
    tls_of(site.web.certificate, "web")  # the edge's: what is wrong with it is said here, and nothing starts
    gateway_tls = tls_of(site.gateway.certificate, "gateway")
    listeners = await listen_for_pages(stack, site)
    nursery = await stack.enter_async_context(trio.open_nursery())
    stack.callback(nursery.cancel_scope.cancel)
    # Begun before the rest: it takes as long to load as this process takes to open.
    door = EdgeDoor(site, nursery)
    edge = edge_part(door, listeners, words)
    nursery.start_soon(edge.keep_running)
    nursery.start_soon(end_silent, door, edge)
    store = await stack.enter_async_context(Store.of(site))
    await Attachments(site.data / "attachments", store).sweep()
    if not (site.data / "journal").exists() and await store.highest_contact():
        why = f"its journal is gone, but {store.place} has the conversations of contacts that stood in it"
        raise ConfigError([f"{site.data}: {why}; restore both from one copy, or take another store too"])
    tokens, secret = Tokens(token_key(site.data), site.name), site_key(site.data)
    service = await stack.enter_async_context(open_service(site, store=store, secret=secret))
    progress = Progress(service.pulse)
    nursery = await stack.enter_async_context(trio.open_nursery())
    stack.callback(nursery.cancel_scope.cancel)
    nursery.start_soon(beat, service, progress, supervisor)
    health = Health(service, store, door, progress, site.stats.bind)
    door.unlock(service, health.page)
    stack.push_async_callback(edge.end)
    await _show_health(nursery, site, health, stop)
    gateway_open = partial(Gateway(service, tokens).serve, tls=gateway_tls)
    ports = await nursery.start(gateway_open, site.gateway.bind, site.gateway.socket)
    health.opened = True
    return Running(
        site,
        Address(site.web.bind.host, int(listeners[0].socket.getsockname()[1])),
        Address(site.gateway.bind.host, ports.tcp),
        tuple(service.config_errors),
        Logins(store, tokens, secret),
        store,
        service,
        progress,
        gateway_tls,
        door,
        edge,
    )


async def _show_health(nursery: trio.Nursery, site: SiteConfig, health: Health, stop: trio.Event) -> None:
    """Serve the health pages to all, where the operator wants them; the edge has them beside the desk."""
    if site.ops.bind is not None:
        mounts = Mounts()
        for path in PATHS:
            mounts.page(path, HealthPages(health.page, open_to_all=True))
        await nursery.start(partial(serve_web, setting="ops.bind"), mounts, site.ops.bind, stop)


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


async def _until_told(running: Running, stop: trio.Event, seconds: float | None, *, child: bool) -> None:
    """Return after a signal, the given time, or the parent's end; `stop` is set by then."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_until_signal, running, stop)
        if child:
            nursery.start_soon(_then_stop, until_parent_ends, stop)
        if seconds is not None:
            nursery.start_soon(_then_stop, partial(trio.sleep, seconds), stop)
        await stop.wait()
        nursery.cancel_scope.cancel()


async def _tell_drain(running: Running, supervisor: Supervisor) -> None:
    await running.service.drain.told.wait()
    supervisor.tell("STOPPING=1", f"STATUS={running.site.name} drains")


async def _until_signal(running: Running, stop: trio.Event) -> None:
    """SIGTERM drains, the second one and Ctrl-C stop at once; SIGHUP reads the certificates again."""
    # What comes while everything is being closed is given back to these: it is no reason to break off.
    for late in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(late, lambda *_: None)
    async with trio.open_nursery() as nursery:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
            async for number in signals:
                if number == signal.SIGHUP:
                    running.edge.signal(number)
                    if running.gateway_tls is not None:
                        read_again(running.gateway_tls)
                elif number == signal.SIGINT or running.service.drain.begun:
                    stop.set()
                else:
                    drain = partial(drained, running.service, running.site.drain_s)
                    nursery.start_soon(_then_stop, drain, stop)


async def _then_stop(wait: Callable[[], Awaitable[None]], stop: trio.Event) -> None:
    await wait()
    stop.set()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that ended the site: what a person can mend goes first."""
    flat: list[BaseException] = []
    for error in group.exceptions:
        flat.append(_first(error) if isinstance(error, BaseExceptionGroup) else error)
    return next((error for error in flat if isinstance(error, PaiduiError)), flat[0])
