"""SQLite in memory answers the two questions of FreeSWITCH's mod_callcenter over its tables' idea.

The statements stand in statements.sql. mod_callcenter asks the first one for every waiting member,
every 100 ms, on tables without an index; here each question is asked once and only when its answer can
have changed, which is kinder to SQL than what runs in production.
"""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from tools.bench.trace import NOBODY, Decision, Step, Trace

TEXT = (Path(__file__).parent / "statements.sql").read_text("utf-8")
STATEMENTS = dict(re.findall(r"-- title: ([^\n]+)\n(.*?)(?=-- title: |\Z)", TEXT, re.DOTALL))


class Sql:
    """One floor; see the module."""

    def __init__(self, trace: Trace) -> None:
        self.base = sqlite3.connect(":memory:", isolation_level=None)
        self.base.executescript(STATEMENTS["tables"])
        tiers = [(queue, agent) for queue, agents in enumerate(trace.serves) for agent in agents]
        self.base.executemany("INSERT INTO tier VALUES (?, ?)", tiers)
        agents = ((position,) for position in range(trace.agents))
        self.base.executemany("INSERT INTO agent VALUES (?, 'logged out', 'waiting', 0)", agents)
        self.base.executescript(STATEMENTS["indexes"])
        self.ask = self.base.execute

    def drop_indexes(self) -> None:
        """Leaves the tables as mod_callcenter has them."""
        self.base.executescript(STATEMENTS["no indexes"])

    def step(self, step: Step) -> Decision:
        """Works one input off and returns who got whom."""
        kind, at, first, second = step
        if kind == "a":
            return self.arrive(at, first, second)
        if kind == "e":
            self.ask("DELETE FROM member WHERE contact = ?", (second,))
            self.ask("UPDATE agent SET state = 'waiting', free_since = ? WHERE position = ?", (at, first))
            return self.freed(first)
        if kind == "x":
            self.ask("UPDATE member SET state = 'answered' WHERE contact = ?", (second,))
            self.ask("UPDATE agent SET state = 'in a call' WHERE position = ?", (first,))
        elif kind == "b":
            self.ask("DELETE FROM member WHERE contact = ?", (first,))
        elif kind == "n":
            self.ask("UPDATE agent SET status = 'on break' WHERE position = ?", (first,))
        else:
            self.ask("UPDATE agent SET status = 'available', free_since = ? WHERE position = ?", (at, first))
            return self.freed(first)
        return NOBODY

    def arrive(self, at: int, queue: int, contact: int) -> Decision:
        """Inserts a member and asks for its agent."""
        self.ask("INSERT INTO member VALUES (?, ?, ?, 'waiting')", (contact, queue, at))
        found = self.ask(STATEMENTS["agent for a member"], (queue,)).fetchone()
        return NOBODY if found is None else self.offer(found[0], contact)

    def freed(self, agent: int) -> Decision:
        """Asks for the agent's next member, if the agent takes one."""
        mine = "SELECT 1 FROM agent WHERE position = ? AND status = 'available' AND state = 'waiting'"
        if self.ask(mine, (agent,)).fetchone() is None:
            return NOBODY
        found = self.ask(STATEMENTS["member for an agent"], (agent,)).fetchone()
        return NOBODY if found is None else self.offer(agent, found[0])

    def offer(self, agent: int, contact: int) -> Decision:
        """Marks both."""
        self.ask("UPDATE agent SET state = 'receiving' WHERE position = ?", (agent,))
        self.ask("UPDATE member SET state = 'trying' WHERE contact = ?", (contact,))
        return agent, contact
