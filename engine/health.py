"""`/livez`, `/readyz`, `/metrics`: whether the site gets on, whether it takes contacts in, its figures.

Liveness is the service's task getting on, not this page being answered. Readiness names what is not ready.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from ipaddress import ip_address
from typing import Any, Final, NamedTuple, Protocol

import httpx
import msgspec
import trio

from engine.channel_health import ChannelHealth
from engine.config import Address
from engine.config_servers import is_loopback
from engine.lifecycle import Progress
from engine.metrics import CONTENT_TYPE, SiteFigures, exposition
from engine.service import Service
from engine.store import Store

LIVE_WITHIN_S: Final = 10.0
"""Longer without progress and the site is not live; `[ops] stuck_after_s` is when it ends itself."""

STORE_WITHIN_S: Final = 2.0
STATISTICS_WITHIN_S: Final = 1.0
FORWARDED: Final = (
    b"forwarded",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-proto",
    b"x-real-ip",
    b"via",
)
PATHS: Final = ("/livez", "/readyz", "/metrics")


class Edge(Protocol):
    """What is needed of `engine.edge.door.EdgeDoor`."""

    @property
    def channels(self) -> Mapping[str, ChannelHealth]:
        """Hosted channel -> how it is."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether its pages are open."""
        ...


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `/livez` and `/readyz` say; `not_ready` and `warnings` map a part to a sentence."""

    ok: bool
    not_ready: dict[str, str] = {}
    warnings: dict[str, str] = {}


class HealthPage(NamedTuple):
    """An answer over HTTP."""

    status: int
    body: bytes
    content_type: str = "application/json"


Pages = Callable[[str, bool], Awaitable[HealthPage]]
"""Gives the page at a path, for somebody who is trusted or not."""

NOTHING: Final = HealthPage(404, b'{"error":{"code":"not_found","message":"nothing is served here"}}')


class Health:
    """Looks at the site's parts when somebody asks.

    Args:
        service: the running service.
        store: its store.
        edge: the process of the pages and the hosted channels.
        progress: when the service's task got on last.
        statistics: where the statistics process answers; None = it does not run.

    Attributes:
        opened: whether the start is over.
    """

    def __init__(
        self,
        service: Service,
        store: Store,
        edge: Edge,
        progress: Progress,
        statistics: Address | None,
    ) -> None:
        self._service = service
        self._store = store
        self._edge = edge
        self._progress = progress
        self._statistics = statistics
        self._figures = SiteFigures(service, edge.channels)
        self.opened = False

    def live(self) -> Verdict:
        """Say whether the service's task gets on."""
        stuck_s = self._progress.stuck_s()
        if stuck_s <= LIVE_WITHIN_S:
            return Verdict(True)
        return Verdict(False, {"core": f"there is work, and no progress for {stuck_s:.0f} s"})

    async def ready(self) -> Verdict:
        """Say whether the site takes contacts in."""
        service, missing = self._service, dict(self.live().not_ready)
        if not self.opened:
            missing["start"] = "is not over"
        if service.drain.begun:
            missing["draining"] = "the site is about to stop and takes no arrivals in"
        if not service.journal_open:
            missing["journal"] = "is not open"
        if not service.router.config_hash():
            missing["configuration"] = "none is in force"
        if not await self._store_answers():
            missing["store"] = f"has not answered within {STORE_WITHIN_S:.0f} s"
        if not self._edge.is_open:
            missing["edge"] = "the process of the pages and hosted channels is not there; the log says why"
        for name, health in self._edge.channels.items():
            if health.state != "open":
                missing[f"channels.{name}"] = f"is {health.state}; the log says why"
        errors = len(service.config_errors)
        warnings = (
            {"configuration": f"the file has {errors} errors; the earlier one is in force"} if errors else {}
        )
        return Verdict(not missing, missing, warnings)

    async def page(self, path: str, trusted: bool) -> HealthPage:
        """Return what is shown at one of `PATHS`.

        Args:
            path: which.
            trusted: whether names and figures are for who asks.
        """
        if path == "/livez":
            return _verdict(self.live(), trusted)
        if path == "/readyz":
            return _verdict(await self.ready(), trusted)
        if path == "/metrics" and trusted:
            return HealthPage(200, await self.figures(), CONTENT_TYPE)
        return NOTHING

    async def figures(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        self._figures.statistics_lag = await self._lag()
        self._figures.edge_is_open = self._edge.is_open
        return exposition(self._service, self._figures)

    async def _store_answers(self) -> bool:
        with trio.move_on_after(STORE_WITHIN_S):
            try:
                await self._store.highest_contact()
            except Exception:  # whatever it is, it is not ready
                return False
            return True
        return False

    async def _lag(self) -> int | None:
        if self._statistics is None:
            return None
        with trio.move_on_after(STATISTICS_WITHIN_S):
            try:
                async with httpx.AsyncClient(trust_env=False) as client:
                    answer = await client.get(f"http://{self._statistics}/healthz")
                return int(answer.json()["lag"])
            except (httpx.HTTPError, ValueError, KeyError):
                return None
        return None


class HealthPages:
    """The three pages as an ASGI application.

    Args:
        page: gives a page, as `Health.page` does.
        open_to_all: whether figures and names are for whoever asks; otherwise for programs on this machine
            that no proxy stands in front of, and everybody else gets a status alone.
    """

    def __init__(self, page: Pages, *, open_to_all: bool) -> None:
        self._page = page
        self._open_to_all = open_to_all

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        if scope["method"] in ("GET", "HEAD"):
            trusted = self._open_to_all or from_this_machine(scope)
            page = await self._page(scope["path"], trusted)
        else:
            page = HealthPage(405, b'{"error":{"code":"method_not_allowed","message":"GET or HEAD"}}')
        await _send(send, page)


def from_this_machine(scope: Mapping[str, Any]) -> bool:
    """Whether a request comes from this machine, by its own name, and through no proxy.

    A proxy on this machine either keeps the public name in `Host`, as the desk needs it, or says that it is
    one in a header.
    """
    headers = {bytes(name).lower(): bytes(value) for name, value in scope["headers"]}
    if any(name in headers for name in FORWARDED):
        return False
    client = scope.get("client")
    host = headers.get(b"host", b"").decode("latin-1")
    name = host[1 : host.find("]")] if host.startswith("[") else host.partition(":")[0]
    return client is not None and _loopback(client[0]) and is_loopback(name)


def _loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _verdict(verdict: Verdict, trusted: bool) -> HealthPage:
    shown = verdict if trusted else Verdict(verdict.ok)
    return HealthPage(200 if verdict.ok else 503, msgspec.json.encode(shown))


async def _send(send: Any, page: HealthPage) -> None:
    headers = [
        (b"content-type", page.content_type.encode()),
        (b"content-length", str(len(page.body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": page.status, "headers": headers})
    await send({"type": "http.response.body", "body": page.body})
