"""The one guarded web server: hypercorn's protocol code on trio, with limits, mounts and a bounded stop.

Plugins and the console never open a port of their own: they hand an ASGI application to `Mounts`, and
everything they serve passes through the guard of `engine.web_guard`.
"""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework

from engine.config_types import Address
from engine.errors import ConfigError
from engine.tls import ServerTls, accepted
from engine.web_guard import GuardedTCPServer, QuietLogger, log
from engine.web_mounts import AsgiApp, Mounts


@dataclass(frozen=True, slots=True)
class WebLimits:
    """What one connection may cost.

    Attributes:
        websocket_message_bytes: a longer message closes the socket with 1009.
        websocket_ping_s: between pings; a browser's pong is what keeps `read_timeout_s` away.
        read_timeout_s: silence after which a connection is closed: three missed pings.
        keep_alive_s: until an idle connection, or one that dribbles its headers, is closed.
        send_timeout_s: until a client that does not read is cut; also bounds the stop.
        graceful_s: requests in flight get this long at the stop; the bound of the whole stop is
            `graceful_s + send_timeout_s`.
        max_connections: more are closed at once, so that idle sockets cannot eat all file descriptors.
    """

    websocket_message_bytes: int = 64 * 1024
    websocket_ping_s: float = 20.0
    read_timeout_s: float = 65.0
    keep_alive_s: float = 15.0
    send_timeout_s: float = 5.0
    graceful_s: float = 3.0
    max_connections: int = 8192


def _hypercorn_config(limits: WebLimits) -> Config:
    config = Config()
    config.websocket_max_message_size = limits.websocket_message_bytes
    config.websocket_ping_interval = limits.websocket_ping_s
    config.read_timeout = limits.read_timeout_s  # type: ignore[assignment]  # annotated int, any number works
    config.keep_alive_timeout = limits.keep_alive_s
    config.graceful_timeout = limits.graceful_s
    config.include_server_header = False
    config.accesslog = None
    config.errorlog = log
    config.logger_class = QuietLogger
    config.loglevel = "INFO"
    return config


async def listen(bind: Address, setting: str) -> list[trio.SocketListener]:
    """Listen on an address.

    Args:
        bind: port 0 lets the system choose.
        setting: what the configuration calls `bind`, for the error.

    Raises:
        ConfigError: it cannot be listened on; names `setting`.
    """
    try:
        return await trio.open_tcp_listeners(bind.port, host=bind.host, backlog=512)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            why = "another program listens there; stop it or choose another port"
        else:
            why = f"cannot listen there ({error.strerror or error}); choose a host and port of this machine"
        raise ConfigError([f"{setting}: {bind}: {why}"]) from error


async def serve_web(
    mounts: Mounts | Mapping[str, AsgiApp],
    bind: Address | Sequence[trio.SocketListener],
    shutdown: trio.Event,
    *,
    limits: WebLimits | None = None,
    setting: str = "web.bind",
    tls: ServerTls | None = None,
    task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve the mounted applications until `shutdown` is set, then stop within a bounded time.

    Args:
        mounts: prefix to application, or `Mounts` when some come and go.
        bind: where to listen; port 0 lets the system choose, `task_status` reports which. Or listeners that
            somebody has opened, which are closed at the end.
        shutdown: when set, no connection is accepted any more, WebSocket handlers are told through
            ``closing``, and whatever runs after the grace period is cancelled.
        limits: see `WebLimits`.
        setting: what the configuration calls `bind`, for the error.
        tls: HTTPS; None = HTTP.
        task_status: gets the port.

    Raises:
        ConfigError: the address cannot be listened on; names `setting`.
    """
    limits = limits or WebLimits()
    if not isinstance(mounts, Mounts):
        mounts = _mounts_of(mounts)
    listeners = await listen(bind, setting) if isinstance(bind, Address) else list(bind)
    context = WorkerContext(None)
    async with trio.open_nursery() as lifespans:
        await lifespans.start(mounts.run)
        async with trio.open_nursery() as connections:
            async with trio.open_nursery() as acceptor:
                handler = _connection_handler(mounts, limits, context, tls)
                acceptor.start_soon(
                    partial(trio.serve_listeners, handler, listeners, handler_nursery=connections)
                )
                task_status.started(int(listeners[0].socket.getsockname()[1]))
                await shutdown.wait()
                acceptor.cancel_scope.cancel()
            mounts.closing.set()
            await context.terminated.set()
            connections.cancel_scope.deadline = trio.current_time() + limits.graceful_s
        mounts.stop()
        lifespans.cancel_scope.deadline = trio.current_time() + limits.graceful_s


def _mounts_of(apps: Mapping[str, AsgiApp]) -> Mounts:
    mounts = Mounts()
    for prefix, app in apps.items():
        mounts.mount(prefix, app, essential=True)
    return mounts


def _connection_handler(
    mounts: Mounts, limits: WebLimits, context: WorkerContext, tls: ServerTls | None
) -> Callable[[trio.SocketStream], Awaitable[None]]:
    config = _hypercorn_config(limits)
    app = ASGIWrapper(cast(ASGIFramework, mounts))
    connected = 0

    async def handle(stream: trio.SocketStream) -> None:
        nonlocal connected
        if connected >= limits.max_connections:
            await trio.aclose_forcefully(stream)
            return
        connected += 1
        try:
            if (carried := await accepted(stream, tls)) is not None:
                await GuardedTCPServer(app, config, context, carried, limits.send_timeout_s).run()
        finally:
            connected -= 1

    return handle
