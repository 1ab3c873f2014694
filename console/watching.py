"""Lists that a page watches while it shows them: colleagues to ask, and for supervisors the site's contacts.

A list is drawn once for all who watch the same, once a second and at once for who begins to watch. It is
bounded: who has more than a list holds looks for a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, Literal, NamedTuple, Protocol

import msgspec
import structlog
import trio

from console.desk_view import Titles, titles
from console.outgoing import Outgoing
from console.overview import group_of
from console.sight import ALL, Sight
from engine.config import SiteConfig
from engine.facade import Facade
from engine.store import Preview, Store
from engine.views import AgentOverview, ContactState, Overview

WATCH_S: Final = 1.0
MAX_COLLEAGUES: Final = 50
MAX_CONTACTS: Final = 100
"""Of those in conversation, and as many again of those who wait."""

STATES_FIRST: Final = ("ready", "talking", "wrap_up", "ringing", "not_ready", "locked", "signed_out")
WAITING, OFFERED, SCHEDULED = 0, 1, 4

_log: Final = structlog.get_logger(__name__)


class Watch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="watch"):
    """Watch one list from now on, or none; `search` is part of a colleague's name."""

    what: Literal["colleagues", "contacts"] | None = None
    search: Annotated[str, msgspec.Meta(max_length=100)] = ""


class ColleagueView(msgspec.Struct, frozen=True):
    """An agent; `state` as in the overview, `contacts` in hand now; `reachable`: may be invited."""

    name: str
    title: Titles
    state: str
    contacts: int
    reachable: bool


class ColleaguesMessage(msgspec.Struct, frozen=True, tag="colleagues"):
    """The agents whose name has `search` in it, those who are free first; `more` are left out."""

    search: str
    agents: list[ColleagueView]
    more: int


class ContactView(msgspec.Struct, frozen=True):
    """A live contact: since `since_ms` in conversation with `agent`, or waiting; or scheduled for then.

    Attributes:
        position: how many are before it in its queue, while it waits.
        wait_ms: for how long it will probably go on waiting, from (P50) and to (P90); None = cannot be told.
    """

    contact: int
    channel: str
    queue: str
    customer: str | None
    state: str
    agent: str | None
    participants: tuple[str, ...]
    on_hold: bool
    parked: bool
    since_ms: int
    position: int | None
    wait_ms: tuple[int, int] | None


class ContactsMessage(msgspec.Struct, frozen=True, tag="contacts"):
    """The site's contacts, the longest first in each state; `more` are left out."""

    contacts: list[ContactView]
    more: int


class Watcher(Protocol):
    """One open socket."""

    @property
    def outgoing(self) -> Outgoing:
        """What is to be sent to it."""
        ...


class Watching:
    """Who watches what. `run` must be running."""

    def __init__(self, service: Facade, store: Store, site: SiteConfig) -> None:
        self._service = service
        self._store = store
        self._site = site
        self._watchers: dict[Watcher, tuple[Watch, Sight]] = {}
        self._new: set[Watcher] = set()
        self._changed = trio.Event()

    def watch(self, watcher: Watcher, watch: Watch, sight: Sight = ALL) -> None:
        """Show a watcher what is in its sight of this list, in place of the one before."""
        self.forget(watcher)
        if watch.what is not None:
            self._watchers[watcher] = (watch, sight)
            self._new.add(watcher)
            self._changed.set()

    def forget(self, watcher: Watcher) -> None:
        """Show a watcher nothing more."""
        self._watchers.pop(watcher, None)
        self._new.discard(watcher)

    async def run(self) -> None:
        """Push until cancelled."""
        due = trio.current_time()
        while True:
            with trio.move_on_at(due) if self._watchers else trio.CancelScope():
                await self._changed.wait()
            self._changed = trio.Event()
            whom = set(self._new)
            if trio.current_time() >= due:
                whom, due = set(self._watchers), trio.current_time() + WATCH_S
            self._new.clear()
            try:
                await self._show(whom)
            except Exception:
                # A fault of ours; a list can wait, desks cannot.
                _log.exception("a list failed", seq=self._service.seq)

    async def _show(self, whom: Iterable[Watcher]) -> None:
        drawn: dict[tuple[Watch, Sight], str] = {}
        overview: Overview | None = None
        for watcher in whom:
            if (wanted := self._watchers.get(watcher)) is None:
                continue
            if wanted not in drawn:
                watch, sight = wanted
                message: ColleaguesMessage | ContactsMessage
                if watch.what == "contacts":
                    message = await self._contacts(sight)
                else:
                    overview = overview or self._service.overview()
                    message = colleagues_message(self._site, overview, watch.search, sight)
                drawn[wanted] = msgspec.json.encode(message).decode()
            if self._watchers.get(watcher) is wanted:
                watcher.outgoing.put(drawn[wanted], "list")

    async def _contacts(self, sight: Sight) -> ContactsMessage:
        states, more = live_contacts(self._service, sight)
        previews = await self._store.previews([state.contact for state in states])
        views = [_contact(self._service, state, previews.get(state.contact)) for state in states]
        return ContactsMessage(views, more)


def colleagues_message(
    site: SiteConfig, overview: Overview, search: str, sight: Sight = ALL
) -> ColleaguesMessage:
    """Make the list of colleagues from the router's overview, as far as they are in sight."""
    wanted = search.strip().casefold()
    found = []
    for agent in sight.of(overview).agents:
        title = titles(site.agents.get(agent.name))
        if any(wanted in name.casefold() for name in (agent.name, *title.values())):
            found.append(_colleague(agent, title))
    found.sort(key=lambda one: STATES_FIRST.index(one.state))
    return ColleaguesMessage(search, found[:MAX_COLLEAGUES], max(0, len(found) - MAX_COLLEAGUES))


def _colleague(agent: AgentOverview, title: Titles) -> ColleagueView:
    return ColleagueView(
        agent.name,
        title,
        group_of(agent),
        agent.engaged + agent.connecting + agent.joined,
        agent.presence != "signed_out" and not agent.signing_out,
    )


class _Line(NamedTuple):
    contact: int
    state: int


def live_contacts(service: Facade, sight: Sight = ALL) -> tuple[list[ContactState], int]:
    """Return the live contacts in sight that a list shows, and how many more there are."""
    lines = [
        _Line(contact, state)
        for channel in service.site.channels
        for contact, state, *_ in service.channel_contacts(service.names.id("channel", channel))
        if sight.queues is None or _is_in_sight(service, contact, sight)
    ]
    served = _oldest(line for line in lines if line.state not in (WAITING, OFFERED, SCHEDULED))
    waiting = _oldest(line for line in lines if line.state in (WAITING, OFFERED))
    scheduled = _oldest(line for line in lines if line.state == SCHEDULED)
    states = [service.contact_state(line.contact) for line in (*served, *waiting, *scheduled)]
    shown = [state for state in states if state is not None]
    return shown, len(lines) - len(shown)


def _is_in_sight(service: Facade, contact: int, sight: Sight) -> bool:
    state = service.contact_state(contact)
    return state is not None and sight.has_queue(state.queue)


def _oldest(lines: Iterable[_Line]) -> Sequence[_Line]:
    return sorted(lines)[:MAX_CONTACTS]


def _contact(service: Facade, state: ContactState, preview: Preview | None) -> ContactView:
    estimate = service.router.estimate(state.contact) if state.state == "waiting" else None
    return ContactView(
        state.contact,
        state.channel,
        state.queue or "",
        preview.conversation.customer if preview else None,
        state.state,
        state.agent,
        state.participants,
        state.on_hold,
        state.parked,
        _since_us(state, preview) // 1_000,
        service.position(state.contact),
        None if estimate is None else (estimate.p50_us // 1_000, estimate.p90_us // 1_000),
    )


def _since_us(state: ContactState, preview: Preview | None) -> int:
    engaged_at_ms: Any = preview.conversation.engaged_at_ms if preview else None
    if state.state == "engaged" and engaged_at_ms:
        return int(engaged_at_ms) * 1_000
    since_us = (
        state.enqueued_at_us if state.state in ("waiting", "offered", "scheduled") else state.arrived_at_us
    )
    return since_us or 0
