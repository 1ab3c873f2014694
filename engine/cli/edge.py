"""`paidui edge`: the process of the console and the hosted channels, started by `serve` and `demo`."""

from __future__ import annotations

import argparse
import gc
import signal
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

import structlog
import trio
from msgspec.structs import astuple

from console.app import create_console
from engine.auth import Tokens
from engine.cli.logs import add_log_options, set_up_logs
from engine.cli.parts import until_parent_ends
from engine.config import SiteConfig
from engine.edge.handing import receive_site
from engine.edge.link import Link, LinkLost
from engine.edge.opening import open_edge
from engine.errors import PaiduiError
from engine.health import PATHS, HealthPages
from engine.keys import site_key, token_key
from engine.lifecycle import Progress, Supervisor
from engine.logins import Logins
from engine.messages.between import EdgeState
from engine.plugins import PluginHost
from engine.store import Store
from engine.tls import ServerTls, read_again, tls_of
from engine.watchdog import beat, guarded
from engine.web import serve_web
from engine.web_mounts import Mounts

TELL_EVERY_S: Final = 0.5
CHANNELS_FIRST_S: Final = 5.0
"""For so long the pages wait for the channels that have some."""

_log = structlog.get_logger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the edge: what its parent hands over."""
    add_log_options(parser)
    parser.add_argument("--link", type=int, required=True, help="the socket to the core")
    parser.add_argument("--web", type=int, nargs="+", required=True, help="the sockets of the pages")


def run(options: argparse.Namespace) -> int:
    """Serve pages and channels until standard input ends.

    Returns:
        0 when it was told to stop, 1 when the core has gone.
    """
    set_up_logs(options)
    # Ctrl-C and a service manager's SIGTERM reach every process of the site: the parent ends this one.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    code = 0
    try:
        trio.run(_run, options.link, options.web)
    except* LinkLost as lost:
        _log.warning("the edge ends with the core", why=first_of(lost))
        code = 1
    except* PaiduiError as failed:
        _log.error("the edge has failed", error=first_of(failed))
        code = 1
    return code


def first_of(group: BaseExceptionGroup[BaseException]) -> str:
    """The first error of a group, in its own words."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)


async def _run(link_fd: int, web_fds: Sequence[int]) -> None:
    stream = trio.SocketStream(trio.socket.from_stdlib_socket(socket.socket(fileno=link_fd)))
    site = await _site_unless_over(stream)
    if site is None:
        return
    listeners = [
        trio.SocketListener(trio.socket.from_stdlib_socket(socket.socket(fileno=fd))) for fd in web_fds
    ]
    await serve_edge(site, stream, listeners)


async def _site_unless_over(stream: trio.SocketStream) -> SiteConfig | None:
    """Wait for the configuration; None = the parent has ended before it had one to give."""
    site = None
    async with trio.open_nursery() as nursery:

        async def ask() -> None:
            nonlocal site
            site = await receive_site(stream)
            nursery.cancel_scope.cancel()

        nursery.start_soon(ask)
        await until_parent_ends()
        nursery.cancel_scope.cancel()
    return site


async def serve_edge(
    site: SiteConfig, stream: trio.SocketStream, listeners: Sequence[trio.SocketListener]
) -> None:
    """Serve pages and channels until standard input ends.

    Args:
        site: the configuration that is in force in the core.
        stream: to the core, see `engine.edge.door`.
        listeners: where the pages are served.

    Raises:
        LinkLost: the core has gone.
    """
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(Store.of(site))
        tokens, secret = Tokens(token_key(site.data), site.name), site_key(site.data)
        service, link, core = await stack.enter_async_context(open_edge(site, stream, store, secret))
        progress = Progress(service.pulse)
        nursery = await stack.enter_async_context(trio.open_nursery())
        stack.callback(nursery.cancel_scope.cancel)
        nursery.start_soon(beat, service, progress, Supervisor())
        logins = Logins(store, tokens, secret)
        mounts = Mounts(request_log=site.ops.request_log, trusted_proxies=site.web.trusted_proxies)
        mounts.mount("/", create_console(service, store, logins, site), essential=True)
        for path in PATHS:
            mounts.page(path, HealthPages(core.page, open_to_all=False))
        host = PluginHost(service, tokens, mounts)
        # Closed first: the pages say good-bye and end within the server's own grace period.
        stop = trio.Event()
        pages = await stack.enter_async_context(trio.open_nursery())
        stack.callback(stop.set)
        tls = tls_of(site.web.certificate, "web")
        await _open_channels(nursery, host)
        await pages.start(partial(serve_web, tls=tls), mounts, listeners, stop)
        nursery.start_soon(_tell_state, link, host)
        nursery.start_soon(_read_certificate_again, tls)
        # What is there now stays: the cycle collector need not walk it.
        gc.collect()
        gc.freeze()
        with guarded(progress, site.ops.stuck_after_s):
            await until_parent_ends()


async def _open_channels(nursery: trio.Nursery, host: PluginHost) -> None:
    """Start the channels; who has waited for the pages finds theirs, too, unless one takes too long."""
    opened = trio.Event()

    async def run() -> None:
        async with trio.open_nursery() as running:
            await running.start(host.run)
            opened.set()

    nursery.start_soon(run)
    with trio.move_on_after(CHANNELS_FIRST_S):
        await opened.wait()


async def _tell_state(link: Link, host: PluginHost) -> None:
    """Tell the core that the pages are open, and how the channels are, whenever that has changed."""
    said = None
    while True:
        channels = {name: astuple(one) for name, one in host.health.items()}
        if channels != said:
            link.send(EdgeState(channels=channels))
            said = channels
        await trio.sleep(TELL_EVERY_S)


async def _read_certificate_again(tls: ServerTls | None) -> None:
    """At each SIGHUP, which the parent passes on."""
    with trio.open_signal_receiver(signal.SIGHUP) as signals:
        async for _ in signals:
            if tls is not None:
                read_again(tls)
