"""A distributor as one would write it in Python: a heap per queue on both sides, dead entries left in.

It has what the core's trace needs and no more: offers with a deadline, acceptance, the longest idle
agent, first come first served over all queues that an agent serves. No recognition of repeats, no
snapshot, no state hash.
"""

from __future__ import annotations

from heapq import heappop, heappush

from tools.bench.trace import NOBODY, Decision, Step, Trace

OFFER_TIMEOUT_US = 20_000_000


class Plain:
    """One floor; see the module."""

    def __init__(self, trace: Trace) -> None:
        self.queues_of: list[list[int]] = [[] for _ in range(trace.agents)]
        for queue, agents in enumerate(trace.serves):
            for agent in agents:
                self.queues_of[agent].append(queue)
        self.idle: list[list[tuple[int, int]]] = [[] for _ in trace.serves]
        self.lines: list[list[tuple[int, int]]] = [[] for _ in trace.serves]
        self.idle_since: list[int | None] = [None] * trace.agents
        self.ready = [False] * trace.agents
        self.busy = [False] * trace.agents
        self.waiting: set[int] = set()
        self.offers: dict[int, tuple[int, int]] = {}
        self.offer_to: dict[int, int] = {}
        self.deadlines: list[tuple[int, int]] = []
        self.made = 0
        self.events: list[tuple[str, int, int, int]] = []

    def step(self, step: Step) -> Decision:
        """Works one input off and returns who got whom."""
        kind, at, first, second = step
        self.events.clear()
        while self.deadlines and self.deadlines[0][0] <= at:
            _, offer = heappop(self.deadlines)
            if offer in self.offers:
                raise NotImplementedError("every offer of the trace is taken")
        if kind == "a":
            return self.arrive(at, first, second)
        if kind == "x":
            del self.offers[self.offer_to.pop(second)]
            self.events.append(("engaged", at, first, second))
        elif kind == "e":
            self.busy[first] = False
            self.events.append(("ended", at, first, second))
            return self.freed(at, first)
        elif kind == "b":
            self.waiting.remove(first)
            self.events.append(("abandoned", at, 0, first))
        elif kind == "n":
            self.ready[first] = False
            self.idle_since[first] = None
            self.events.append(("not_ready", at, first, 0))
        else:
            self.ready[first] = True
            self.events.append(("ready", at, first, 0))
            return NOBODY if self.busy[first] else self.freed(at, first)
        return NOBODY

    def arrive(self, at: int, queue: int, contact: int) -> Decision:
        """Offers to the longest idle agent, or queues."""
        self.events.append(("arrived", at, 0, contact))
        idle = self.idle[queue]
        while idle:
            since, agent = heappop(idle)
            if self.idle_since[agent] == since:
                return self.offer(at, agent, contact)
        self.waiting.add(contact)
        heappush(self.lines[queue], (at, contact))
        self.events.append(("queued", at, 0, contact))
        return NOBODY

    def freed(self, at: int, agent: int) -> Decision:
        """Offers the longest waiting contact of the agent's queues, or has the agent wait."""
        if not self.ready[agent]:
            return NOBODY
        best, best_line = None, None
        for queue in self.queues_of[agent]:
            line = self.lines[queue]
            while line and line[0][1] not in self.waiting:
                heappop(line)
            if line and (best is None or line[0] < best):
                best, best_line = line[0], line
        if best is not None and best_line is not None:
            heappop(best_line)
            self.waiting.remove(best[1])
            return self.offer(at, agent, best[1])
        self.idle_since[agent] = at
        for queue in self.queues_of[agent]:
            heappush(self.idle[queue], (at, agent))
        return NOBODY

    def offer(self, at: int, agent: int, contact: int) -> Decision:
        """Makes an offer with a deadline."""
        self.idle_since[agent] = None
        self.busy[agent] = True
        self.made += 1
        self.offers[self.made] = (agent, contact)
        self.offer_to[contact] = self.made
        heappush(self.deadlines, (at + OFFER_TIMEOUT_US, self.made))
        self.events.append(("offer_made", at, agent, contact))
        return agent, contact
