"""What each agent was doing when: intervals without gaps and overlaps.

An interval ends when the agent's state, reason, lock or activity changes. Changes at one and the
same microsecond leave no interval of length zero behind.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from engine.stats.ledger import Ledger
from engine.stats.rows import AgentStateRow

SIGNED_OUT, SIGNING_OUT, NOT_READY, READY = "signed_out", "signing_out", "not_ready", "ready"


@dataclass(slots=True)
class AgentNow:
    """What an agent has declared and has in hand; `engaged` has those that are parked in it."""

    presence: str = SIGNED_OUT
    reason: int | None = None
    signing_out: bool = False
    locked: bool = False
    offers: int = 0
    connecting: int = 0
    engaged: int = 0
    parked: int = 0
    joined: int = 0
    wrap_ups: int = 0

    def state(self) -> str:
        """Return the one word for what the agent has declared."""
        return SIGNING_OUT if self.signing_out else self.presence

    def activity(self) -> str:
        """Return the one word for what the agent has in hand, the most demanding first."""
        if self.engaged > self.parked:
            return "engaged"
        if self.joined:
            return "joined"
        if self.connecting:
            return "connecting"
        if self.wrap_ups:
            return "wrap_up"
        if self.offers:
            return "offered"
        return "parked" if self.parked else "idle"


class AgentStates:
    """Keeps ``agent_states``."""

    def __init__(self) -> None:
        self.rows: Ledger[AgentStateRow] = Ledger()
        self._now: dict[int, AgentNow] = {}

    def now(self, agent: int) -> AgentNow:
        """Return an agent's present; whoever changes it calls :meth:`changed` then."""
        now = self._now.get(agent)
        if now is None:
            now = self._now[agent] = AgentNow()
        return now

    def keep_only(self, configured: Collection[int], at: int, seq: int) -> None:
        """Forget the lock of agents who left the configuration: the core does, without an event."""
        for agent, now in self._now.items():
            if now.locked and agent not in configured:
                now.locked = False
                self.changed(agent, at, seq)

    def changed(self, agent: int, at: int, seq: int) -> None:
        """Begin a new interval if the agent's present differs from the open one."""
        now = self._now[agent]
        state, activity = now.state(), now.activity()
        row = self.rows.open.get(agent)
        if row is not None:
            if (
                row.state == state
                and row.activity == activity
                and row.locked == now.locked
                and row.reason == now.reason
            ):
                return
            if row.started_at == at:
                del self.rows.open[agent]
            else:
                row.ended_at = at
                row.seq = seq
                self.rows.close(agent)
        self.rows.add(agent, AgentStateRow(agent, at, state, now.reason, now.locked, activity, seq))
