"""Random commands through the core: the rows agree with its state, and every audit is empty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.model import Configured
from engine.names import Names
from engine.router import Router
from engine.stats.database import FILE, Database, Mark
from engine.stats.decoding import decode_frames
from engine.stats.history import History
from engine.views import HOURS
from tests.storm_record import record
from tests.unit.stats_kit import rows

STATES = ("waiting", "offered", "connecting", "engaged", "scheduled")
PRESENCE = ("signed_out", "not_ready", "ready")
COMMANDS = 2_500


def steps(frames: bytes) -> Iterator[tuple[int, bytes]]:
    """Time and command of each step; no command = only time passes."""
    place = 0
    while place < len(frames):
        at = int.from_bytes(frames[place : place + 8], "big")
        length = int.from_bytes(frames[place + 8 : place + 12], "big")
        place += 12 + length
        yield at, frames[place - length : place]


def same_as_the_core(history: History, router: Router) -> None:
    overview = router.overview()
    counted = Counter(row.state for row in history.contacts.open.values())
    assert tuple(counted[state] for state in STATES) == tuple(overview.contacts)
    for contact, row in history.contacts.open.items():
        line = router.contact(contact)
        assert line is not None
        assert (row.channel, row.queue, row.state, row.agent or 0) == (
            line.channel, line.queue, STATES[line.state], line.agent
        )  # fmt: skip
        assert (row.arrived_at, row.enqueued_at) == (line.arrived_at, line.enqueued_at)
    for queue in overview.queues:
        hours = history.queues.hours.open.get(queue.queue)
        assert (HOURS[0] if hours is None else hours.state) == HOURS[queue.hours]
    for agent in overview.agents:
        now = history.agents.now(agent.agent)
        assert (now.presence, now.signing_out, now.locked) == (
            PRESENCE[agent.presence], agent.signing_out, agent.locked
        )  # fmt: skip
        if not agent.signing_out:
            assert (now.reason or 0) == agent.reason
        in_hand = (now.offers, now.connecting, now.engaged, now.wrap_ups, now.joined)
        assert in_hand == (agent.offers, agent.connecting, agent.engaged, agent.wrap_ups, agent.joined)


@pytest.mark.slow  # the oracle makes the storm
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_rows_agree_with_the_core_in_a_storm(seed: int, tmp_path: Path) -> None:
    database = Database(tmp_path / FILE, "storm", memory_limit_mb=256, time_zone="UTC", threads=1)
    history, router = History(), Router()
    for seq, (at, command) in enumerate(steps(record(seed, COMMANDS).frames), 1):
        frames = router.apply_raw(at, command)[2] if command else router.advance(at)
        events = decode_frames(frames)
        history.apply(seq, events)
        if any(isinstance(event, Configured) for event in events):
            overview = router.overview()
            agents = {line.agent for line in overview.agents}
            history.configured(agents, {line.queue for line in overview.queues}, at)
        if seq % 250 == 0:
            same_as_the_core(history, router)
            database.write(history, Mark("storm", seq, at, "", seq), Names().as_dict())
    same_as_the_core(history, router)
    states = dict(rows(database, "SELECT state, count(*) FROM contacts GROUP BY ALL"))
    assert min(states["served"], states["abandoned"]) >= 10
    assert rows(database, "SELECT missing FROM conservation") == [(0,)]
    for (audit,) in rows(database, "SELECT view_name FROM duckdb_views() WHERE view_name LIKE 'audit_%'"):
        assert rows(database, f"SELECT count(*) FROM {audit}") == [(0,)], audit
    database.close()
