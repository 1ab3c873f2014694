"""Many ASGI applications behind one server: prefixes, lifespans, security headers."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import trio

from engine.config_types import Network
from engine.web_proxies import seen_through

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]

_log: Final = logging.getLogger("paidui.web")

NOT_FOUND: Final = 404

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

SECURITY_HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
"""Added to every response that does not set the header itself, as a chat window sets its frame-ancestors."""


@dataclass(slots=True, eq=False)
class _Mount:
    """One application under its prefix, with its lifespan."""

    prefix: str
    app: AsgiApp
    essential: bool
    ready: trio.Event
    stop: trio.Event
    failed: bool = False


class Mounts:
    """The ASGI application that hands each request to the longest matching prefix.

    Applications may come and go while the server runs. Each sees ``root_path`` set to its prefix and, in
    ``scope["state"]["closing"]``, a `trio.Event` that is set when the server begins to stop: a WebSocket
    handler waits for it and says good-bye.

    Args:
        request_log: log each request's method, path and status; never what stands behind "?" or who asks.
        trusted_proxies: whose word on the client's address and protocol counts.
    """

    def __init__(self, *, request_log: bool = False, trusted_proxies: Sequence[Network] = ()) -> None:
        self.closing = trio.Event()
        self._trusted_proxies = trusted_proxies
        self._request_log = request_log
        self._pages: dict[str, AsgiApp] = {}
        self._mounts: dict[str, _Mount] = {}
        self._nursery: trio.Nursery | None = None

    def mount(self, prefix: str, app: AsgiApp, *, essential: bool = False) -> None:
        """Serve an application under a prefix.

        Args:
            prefix: as in "/chat"; "/" takes what no other prefix takes.
            app: any ASGI 3 application, with or without lifespan.
            essential: whether the server ends when the application's lifespan fails; otherwise it
                answers 503 and nothing else is harmed.

        Raises:
            ValueError: the prefix is malformed or taken.
        """
        if not prefix.startswith("/") or "//" in prefix:
            raise ValueError(f'prefix: expected "/name", got {prefix!r}')
        prefix = prefix.rstrip("/")
        if prefix in self._mounts:
            raise ValueError(f"prefix: {prefix or '/'} is already served by another application")
        mount = _Mount(prefix, app, essential, trio.Event(), trio.Event())
        self._mounts[prefix] = mount
        if self._nursery is not None:
            self._nursery.start_soon(_lifespan, mount)

    def page(self, path: str, app: AsgiApp) -> None:
        """Serve one exact path, before whatever has the prefix; `app` needs no lifespan."""
        self._pages[path] = app

    def unmount(self, prefix: str) -> None:
        """Stop serving a prefix; unknown ones are fine."""
        mount = self._mounts.pop(prefix.rstrip("/"), None)
        if mount is not None:
            mount.stop.set()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run the lifespans; on `stop`, shut them down and return."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                mounts = list(self._mounts.values())
                for mount in mounts:
                    nursery.start_soon(_lifespan, mount)
                for mount in mounts:
                    await mount.ready.wait()
                task_status.started()
                await self.closing.wait()
            finally:
                # What is mounted from now on is not served any more, and starts nothing.
                self._nursery = None

    def stop(self) -> None:
        """Shut all lifespans down."""
        for mount in self._mounts.values():
            mount.stop.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or WebSocket."""
        if self._trusted_proxies:
            scope = seen_through(scope, self._trusted_proxies)
        mount = self._find(scope["path"])
        send = partial(_send_guarded, send)
        if self._request_log and scope["type"] == "http":
            send = partial(_send_logged, scope, send)
        if scope["type"] == "http" and (page := self._pages.get(scope["path"])) is not None:
            await page(scope, receive, send)
            return
        if mount is None:
            await _answer(scope, send, 404, "not_found", "nothing is served here")
            return
        if scope["path"] == mount.prefix and scope["type"] == "http":
            await _redirect(send, mount.prefix.rsplit("/", 1)[-1] + "/")
            return
        await mount.ready.wait()
        if mount.failed:
            await _answer(scope, send, 503, "not_started", "this part did not start; see the log")
            return
        inner = dict(scope)
        inner["root_path"] = mount.prefix
        inner["state"] = {**scope.get("state", {}), "closing": self.closing}
        await mount.app(inner, receive, send)

    def _find(self, path: str) -> _Mount | None:
        best: _Mount | None = None
        for mount in self._mounts.values():
            inside = path == mount.prefix or path.startswith(mount.prefix + "/")
            if inside and (best is None or len(best.prefix) < len(mount.prefix)):
                best = mount
        return best


async def _send_guarded(send: Send, message: Message) -> None:
    """Add the security headers that the application has not set."""
    if message["type"] in ("http.response.start", "websocket.http.response.start"):
        headers = list(message.get("headers", ()))
        present = {bytes(name).lower() for name, _ in headers}
        headers.extend(pair for pair in SECURITY_HEADERS if pair[0] not in present)
        message = {**message, "headers": headers}
    await send(message)
    # After a disconnect hypercorn's send returns at once: a handler that only sends would spin here for ever.
    await trio.lowlevel.checkpoint()


async def _send_logged(scope: Scope, send: Send, message: Message) -> None:
    """Log a request by its answer; the path of what is not there may be anything that somebody typed."""
    if message["type"] == "http.response.start":
        status = int(message["status"])
        path = "" if status == NOT_FOUND else scope["path"]
        _log.info("request", extra={"method": scope["method"], "path": path, "status": status})
    await send(message)


async def _answer(scope: Scope, send: Send, status: int, code: str, text: str) -> None:
    body = f'{{"error":{{"code":"{code}","message":"{text}"}}}}'.encode()
    kind = "websocket.http.response" if scope["type"] == "websocket" else "http.response"
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": f"{kind}.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body})


async def _redirect(send: Send, location: str) -> None:
    """Send a client to the folder itself, so that its relative links hold."""
    headers = [(b"location", location.encode()), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 308, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _lifespan(mount: _Mount) -> None:
    """Run one application's lifespan: startup, wait, shutdown."""
    to_app, from_server = trio.open_memory_channel[Message](2)
    started = False

    async def send(message: Message) -> None:
        nonlocal started
        if message["type"] in ("lifespan.startup.failed", "lifespan.shutdown.failed"):
            raise RuntimeError(f"{message['type']}: {message.get('message', '')}")
        if message["type"] == "lifespan.startup.complete":
            started = True
            mount.ready.set()

    async def stop_when_told() -> None:
        await mount.stop.wait()
        await to_app.send({"type": "lifespan.shutdown"})

    await to_app.send({"type": "lifespan.startup"})
    scope = {"type": "lifespan", "asgi": {"spec_version": "2.0", "version": "3.0"}, "state": {}}
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stop_when_told)
            await mount.app(scope, from_server.receive, send)
            nursery.cancel_scope.cancel()
    except* Exception as errors:
        # Before its startup an error is how an application without lifespan says so (ASGI 3).
        told = any("lifespan." in str(error) for error in errors.exceptions)
        mount.failed = started or told
        if mount.failed:
            _log.exception("application failed", extra={"prefix": mount.prefix})
            if mount.essential:
                raise
    finally:
        mount.ready.set()
