"""Statistics of a journal whose beginning has been let go of: what they begin with.

Contacts that came with a batch that is gone are left out whole: nobody can say when they came, or what
happened to them before. Who works is known from the state behind that batch.
"""

from __future__ import annotations

from engine.model import (
    AgentLocked,
    AgentNotReady,
    AgentReady,
    AgentSignedIn,
    AgentSigningOut,
    Event,
)
from engine.router import Router


def who_works(router: Router) -> list[Event]:
    """Return the events that would have led to the agents' states."""
    events: list[Event] = []
    at = router.now
    for line in router.overview().agents:
        if not line.presence:
            continue
        events.append(AgentSignedIn(at=at, agent=line.agent))
        if line.presence == 1:
            events.append(AgentNotReady(at=at, agent=line.agent, reason=line.reason))
        else:
            events.append(AgentReady(at=at, agent=line.agent))
        if line.locked:
            events.append(AgentLocked(at=at, agent=line.agent, misses=0))
        if line.signing_out:
            events.append(AgentSigningOut(at=at, agent=line.agent))
    return events
