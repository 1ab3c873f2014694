"""The site at a glance, for everybody's strip of figures: computed once, encoded once, sent to all."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from console.desk_view import Titles, titles
from console.sight import ALL, Sight
from engine.config import SiteConfig
from engine.views import AgentOverview, ChannelOverview, ContactCounts, Overview


class QueueFigures(msgspec.Struct, frozen=True):
    """A queue; `longest_wait_ms` is 0 when nobody waits, `hours` is open, closing or closed."""

    name: str
    title: Titles
    waiting: int
    longest_wait_ms: int
    hours: str


class AgentFigures(msgspec.Struct):
    """Agents, each counted once, under the first of these that applies.

    Signed out; locked; talking (engaged, connecting, or in a contact that another serves); ringing (an
    offer); wrap-up; not ready; ready, that is idle.
    """

    ready: int = 0
    talking: int = 0
    wrap_up: int = 0
    not_ready: int = 0
    locked: int = 0
    signed_out: int = 0
    ringing: int = 0


class ChannelFigures(msgspec.Struct, frozen=True):
    """How a channel is, see `engine.views.ChannelOverview`; `reason` is one line."""

    name: str
    title: Titles
    state: str
    reason: str
    failures: int
    gone_since_ms: int | None
    kept_until_ms: int | None


MAX_LOCKED = 50
MAX_REASON = 200


class OverviewMessage(msgspec.Struct, frozen=True, tag="overview"):
    """The figures, as they are sent.

    Attributes:
        locked_agents: the names behind `agents.locked`, in the configuration's order, at most `MAX_LOCKED`.
        draining: the site is about to stop; it takes no arrivals in, and who talks may finish.
        channels: those in sight.
    """

    now_ms: int
    queues: list[QueueFigures]
    agents: AgentFigures
    locked_agents: list[str]
    contacts: ContactCounts
    draining: bool = False
    channels: list[ChannelFigures] = []


def overview_message(
    site: SiteConfig,
    overview: Overview,
    now_us: int,
    sight: Sight = ALL,
    *,
    draining: bool = False,
    channels: Sequence[ChannelOverview] = (),
) -> OverviewMessage:
    """Make the figures from the router's overview, as far as they are in sight."""
    overview = sight.of(overview)
    queues = [
        QueueFigures(
            one.name,
            titles(site.queues.get(one.name)),
            one.waiting,
            0 if one.oldest_enqueued_at_us is None else max(0, now_us - one.oldest_enqueued_at_us) // 1_000,
            one.hours,
        )
        for one in overview.queues
    ]
    agents, locked = AgentFigures(), []
    for agent in overview.agents:
        group = group_of(agent)
        setattr(agents, group, getattr(agents, group) + 1)
        if group == "locked":
            locked.append(agent.name)
    return OverviewMessage(
        now_us // 1_000,
        queues,
        agents,
        locked[:MAX_LOCKED],
        overview.contacts,
        draining,
        [_channel(site, one) for one in channels if sight.has_channel(one.name)],
    )


def _channel(site: SiteConfig, one: ChannelOverview) -> ChannelFigures:
    lines = one.reason.splitlines() or [""]
    times = (None if at_us is None else at_us // 1_000 for at_us in (one.gone_since_us, one.kept_until_us))
    named = titles(site.channels.get(one.name))
    return ChannelFigures(one.name, named, one.state, lines[0][:MAX_REASON], one.failures, *times)


def group_of(agent: AgentOverview) -> str:
    """Return under which of the figures an agent is counted."""
    groups = (
        ("signed_out", agent.presence == "signed_out"),
        ("locked", agent.locked),
        ("talking", agent.engaged + agent.connecting + agent.joined > 0),
        ("ringing", agent.offers > 0),
        ("wrap_up", agent.wrap_ups > 0),
        ("not_ready", agent.presence == "not_ready"),
    )
    return next((name for name, applies in groups if applies), "ready")
