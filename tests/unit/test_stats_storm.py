"""Random commands through the core: the rows agree with its state, and every audit is empty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.model import Configured
from engine.names import Names
from engine.router import History, Router, decode_events
from engine.stats.database import FILE, Database, Mark
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


IN_HAND = """
SELECT agent_id, coalesce(o.n, 0), coalesce(s.connecting, 0), coalesce(s.engaged, 0), coalesce(s.wrap_ups, 0),
       coalesce(s.joined, 0)
FROM (SELECT DISTINCT agent_id FROM agent_states_live)
LEFT JOIN (SELECT agent_id, count(*) AS n FROM offers_live GROUP BY ALL) AS o USING (agent_id)
LEFT JOIN (
    SELECT agent_id,
           count(*) FILTER (role = 'serves' AND engaged_at IS NULL) AS connecting,
           count(*) FILTER (role = 'serves' AND engaged_at IS NOT NULL AND ended_at IS NULL) AS engaged,
           count(*) FILTER (wrap_up_started_at IS NOT NULL) AS wrap_ups,
           count(*) FILTER (role = 'joined') AS joined
    FROM segments_live GROUP BY ALL
) AS s USING (agent_id)"""


def same_as_the_core(database: Database, router: Router) -> None:
    overview = router.overview()
    live = rows(
        database,
        "SELECT contact, channel_id, queue_id, state, coalesce(agent_id, 0), epoch_us(arrived_at), "
        "epoch_us(enqueued_at) FROM contacts_live",
    )
    counted = Counter(row[3] for row in live)
    assert tuple(counted[state] for state in STATES) == tuple(overview.contacts)
    for contact, *row in live:
        line = router.contact(contact)
        assert line is not None
        state = STATES[line.state]
        assert row == [line.channel, line.queue, state, line.agent, line.arrived_at, line.enqueued_at]
    hours = dict(rows(database, "SELECT queue_id, state FROM queue_hours_live"))
    for queue in overview.queues:
        assert hours.get(queue.queue, HOURS[0]) == HOURS[queue.hours]
    declared = rows(database, "SELECT agent_id, state, coalesce(reason_id, 0), locked FROM agent_states_live")
    states = {agent: rest for agent, *rest in declared}
    in_hand = {agent: tuple(rest) for agent, *rest in rows(database, IN_HAND)}
    for agent in overview.agents:
        state, reason, locked = states.get(agent.agent, ["signed_out", 0, False])
        assert state == ("signing_out" if agent.signing_out else PRESENCE[agent.presence])
        assert locked == agent.locked
        if not agent.signing_out:
            assert reason == agent.reason
        has = (agent.offers, agent.connecting, agent.engaged, agent.wrap_ups, agent.joined)
        assert in_hand.get(agent.agent, (0,) * len(has)) == has


@pytest.mark.slow  # the oracle makes the storm
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_rows_agree_with_the_core_in_a_storm(seed: int, tmp_path: Path) -> None:
    database = Database(tmp_path / FILE, "storm", memory_limit_mb=256, time_zone="UTC", threads=1)
    history, router = History(), Router()
    for seq, (at, command) in enumerate(steps(record(seed, COMMANDS).frames), 1):
        frames = router.apply_raw(at, command)[2] if command else router.advance(at)
        history.apply(seq, frames)
        if any(isinstance(event, Configured) for event in decode_events(frames)):
            overview = router.overview()
            agents = [line.agent for line in overview.agents]
            history.configured(agents, [line.queue for line in overview.queues], at)
        if seq % 250 == 0:
            database.write(history, Mark("storm", seq, at, "", seq), Names().as_dict())
            same_as_the_core(database, router)
    states = dict(rows(database, "SELECT state, count(*) FROM contacts GROUP BY ALL"))
    assert min(states["served"], states["abandoned"]) >= 10
    assert rows(database, "SELECT missing FROM conservation") == [(0,)]
    for (audit,) in rows(database, "SELECT view_name FROM duckdb_views() WHERE view_name LIKE 'audit_%'"):
        assert rows(database, f"SELECT count(*) FROM {audit}") == [(0,)], audit
    database.close()
