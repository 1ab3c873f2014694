"""Events for the tests of the statistics, with times in milliseconds."""

from __future__ import annotations

from engine.model import AgentReady, AgentSignedIn, Arrived, Event, OfferMade, Queued, QueuedCause

KEY = bytes(range(16))
T = 1_700_000_000_000_000


def at(ms: float) -> int:
    return T + round(ms * 1_000)


def arrived(ms: float, contact: int) -> Arrived:
    return Arrived(at=at(ms), contact=contact, channel=1, key=KEY, queue=1, weight=1)


def queued(ms: float, contact: int, *, queue: int = 1, tier: int = 2, since: float | None = None) -> Queued:
    return Queued(
        at=at(ms),
        contact=contact,
        channel=1,
        queue=queue,
        tier=tier,
        enqueued_at=at(ms if since is None else since),
        head_start_us=90_000_000,
        cause=QueuedCause.ARRIVAL,
    )


def offer_made(ms: float, offer: int, contact: int, agent: int) -> OfferMade:
    return OfferMade(
        at=at(ms),
        offer=offer,
        contact=contact,
        channel=1,
        queue=1,
        agent=agent,
        deadline=at(ms + 20_000),
        config=1,
    )


def signed_in(ms: float, agent: int) -> list[Event]:
    return [AgentSignedIn(at=at(ms), agent=agent), AgentReady(at=at(ms), agent=agent)]
