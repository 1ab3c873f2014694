"""From the journal to rows: exact, resumable, rebuilt equal."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from engine.model import (
    Accept,
    Connected,
    End,
    Restarted,
    SignIn,
    SignOut,
)
from engine.stats.database import FILE
from engine.stats.reports import load_report, report_names
from engine.stats.writer import Writer
from tests.unit.stats_kit import (
    ANN,
    BOB,
    SITE,
    VOICE,
    Script,
    arrive,
    day,
    everything,
    following,
    rows,
)

AUDITS = (
    "conservation", "double_assignment", "agent_state_overlap", "agent_state_gap", "sums",
    "offer_to_unavailable", "times", "company", "closed",
)  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_a_morning_to_the_millisecond(data: Path) -> None:
    script = Script(data)
    day(script)
    with following(data, script.site) as (writer, database):
        assert writer.step()
        writer.flush()
        contacts = rows(
            database,
            "SELECT contact, queue, first_queue, state, agent, ended_by, offers, misses, transfers, "
            "wait_ms, talk_ms, epoch_us(arrived_at) % 1000000000 // 1000, "
            "epoch_us(ended_at) % 1000000000 // 1000 FROM contacts ORDER BY contact",
        )
        assert contacts == [
            (1, "loans", "cards", "served", "bob", "agent", 2, 0, 1, 1_250, 31_750, 2_000, 36_000),
            (2, "cards", "cards", "abandoned", None, "customer", 2, 1, 0, 22_500, 0, 4_000, 26_500),
            (3, "cards", "cards", "waiting", None, None, 0, 0, 0, None, 0, 40_000, None),
            (4, "cards", "cards", "waiting", None, None, 0, 0, 0, None, 0, 40_000, None),
            (5, "cards", "cards", "waiting", None, None, 0, 0, 0, None, 0, 40_000, None),
            (6, "cards", "cards", "blocked", None, "queue_full", 0, 0, 0, 0, 0, 40_000, 40_000),
        ]
        offers = rows(
            database, "SELECT offer, contact, agent, outcome, cause, reason, answer_ms FROM offers ORDER BY 1"
        )
        assert offers == [
            (1, 1, "ann", "accepted", None, None, 1_250),
            (2, 2, "ann", "expired", None, None, 20_000),
            (3, 2, "bob", "declined", None, "break", 1_000),
            (4, 1, "bob", "accepted", None, None, 1_000),
        ]
        segments = rows(
            database,
            "SELECT contact, queue, agent, outcome, talk_ms, wrap_up_ms, wrap_up_ended_by "
            "FROM segments ORDER BY segment",
        )
        assert segments == [
            (1, "cards", "ann", "transferred", 26_750, 2_000, "agent"),
            (1, "loans", "bob", "served", 5_000, None, None),
        ]
        bob = rows(
            database,
            "SELECT state, reason, locked, activity, duration_ms FROM agent_states "
            "WHERE agent = 'bob' ORDER BY started_at",
        )
        assert bob == [
            ("not_ready", None, False, "idle", 23_500),
            ("ready", None, False, "offered", 1_000),
            ("ready", None, False, "idle", 4_000),
            ("ready", None, False, "offered", 1_000),
            ("ready", None, False, "engaged", 5_000),
            ("ready", None, False, "idle", 1_000),
            ("not_ready", "break", False, "idle", 4_000),
            ("signed_out", None, False, "idle", None),
        ]
        ann = rows(
            database,
            "SELECT state, locked, activity, duration_ms FROM agent_states "
            "WHERE agent = 'ann' ORDER BY started_at",
        )
        assert ann == [
            ("ready", False, "idle", 1_000),
            ("ready", False, "offered", 1_250),
            ("ready", False, "engaged", 20_750),
            ("ready", True, "engaged", 6_000),
            ("ready", True, "wrap_up", 2_000),
            ("ready", True, "idle", None),
        ]
        assert rows(database, "FROM conservation") == [(6, 0, 3, 0, 0, 0, 1, 1, 1, 0, 0, 0)]
        for audit in AUDITS:
            assert rows(database, f"FROM audit_{audit}") == [], audit
    script.close()


def test_every_report_runs_and_its_figures_are_right(data: Path) -> None:
    script = Script(data)
    day(script)
    with following(data, script.site) as (writer, database):
        writer.step()
        writer.flush()
        reports = {name: rows(database, load_report(name).sql) for name in report_names()}
    script.close()
    cards = reports["service_level"][0]
    assert cards == ("cards", 6, 1, 1, 1, 0, 50.0)
    assert reports["answer_speed"] == [("cards", 1, 1.25, 1.25, 1.25, 1.25)]
    assert reports["handle_time"] == [
        ("cards", 1, 26.75, 0.0, 0.0, 2.0, 28.75),
        ("loans", 1, 5.0, 0.0, 0.0, 0.0, 5.0),
    ]
    assert reports["abandon_rate"] == [("cards", 6, 1, 1, 0, 20.0, 22.5)]
    # ann: engaged 26.75, wrap-up 2; free before the lock 1 + 1.25. bob: 5 engaged; 1 + 4 + 1 + 1 free.
    assert reports["occupancy"] == [("ann", 28.75, 2.25, 92.7), ("bob", 5.0, 7.0, 41.7)]
    (half_hour,) = reports["queue_by_half_hour"]
    assert str(half_hour[0]) == "2023-11-15 06:00:00", "the site's own time"
    assert half_hour[1:] == ("cards", 6, 1, 1, 1, 1.25, 50.0)
    assert reports["offers"] == [
        ("ann", 2, 1, 0, 1, 0, 50.0, 1.25),
        ("bob", 2, 1, 1, 0, 0, 0.0, 1.0),
    ]
    bob = reports["agent_day"][1]
    assert (str(bob[0]), *bob[1:]) == ("2023-11-15", "bob", 12.0, 27.5, 0.0, 0.0, 0.0, 5.0, 0.0)
    assert reports["waiting_now"] == [("cards", 3, 0, 1.0)]
    assert reports["audits"] == [(audit, 0) for audit in AUDITS]
    assert reports["conservation"] == [(6, 0, 3, 0, 0, 0, 1, 1, 1, 0, 0, 0)]


def test_connecting_channel_and_a_restart(data: Path) -> None:
    script = Script(data)
    script.do(0, SignIn(agent=ANN), SignIn(agent=BOB))
    script.do(1_000, arrive(1, channel=VOICE))
    script.do(2_000, Accept(agent=ANN, offer=1))
    script.do(2_400, Connected(channel=VOICE, contact=1))
    script.do(3_000, arrive(2, channel=VOICE))
    script.do(10_000, Restarted())
    with following(data, script.site) as (writer, database):
        writer.step()
        writer.flush()
        assert rows(database, "SELECT outcome, cause, agent FROM offers ORDER BY offer") == [
            ("accepted", None, "ann"),
            ("withdrawn", "restart", "bob"),
            ("open", None, "bob"),
        ]
        assert rows(database, "SELECT contact, state, wait_ms FROM contacts ORDER BY 1") == [
            (1, "engaged", 1_400),
            (2, "offered", None),
        ]
        assert rows(
            database,
            "SELECT date_diff('millisecond', connecting_at, engaged_at), ended_at FROM segments",
        ) == [(400, None)]
        for audit in AUDITS:
            assert rows(database, f"FROM audit_{audit}") == [], audit
    script.close()


def test_rebuilt_file_is_equal_row_for_row(data: Path) -> None:
    """Written bit by bit with restarts in between, or at once from the journal: the same rows."""
    script = Script(data)
    with following(data, script.site) as (writer, _):
        script.do(500, SignIn(agent=ANN), SignIn(agent=BOB))
        writer.step()
        writer.flush()
    script_commands = (
        lambda: script.do(1_000, arrive(1)),
        lambda: script.do(2_000, Accept(agent=ANN, offer=1), arrive(2), arrive(3)),
        lambda: script.do(3_000, End(agent=ANN, contact=1)),
        lambda: script.do(30_000),
        lambda: script.do(31_000, SignOut(agent=ANN)),
    )
    for command in script_commands:
        with following(data, script.site) as (writer, database):
            command()
            writer.step()
            writer.flush()
            assert rows(database, "SELECT seq FROM applied") == [(script.seq,)]
    with following(data, script.site) as (_, database):
        bit_by_bit = everything(database)
    (data / FILE).unlink()
    with following(data, script.site) as (writer, database):
        writer.step()
        writer.flush()
        assert everything(database) == bit_by_bit
    assert bit_by_bit["contacts_live"]
    assert bit_by_bit["contacts_ended"]
    assert bit_by_bit["offers_ended"]
    script.close()


def test_write_that_fails_leaves_rows_and_watermark_alone(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Script(data)
    with following(data, script.site, flush_ms=60_000) as (writer, database):
        script.do(500, SignIn(agent=ANN))
        writer.step()
        writer.flush()
        before = everything(database)
        script.do(1_000, arrive(1))
        script.do(2_000, Accept(agent=ANN, offer=1))
        writer.step()
        original = database._write_names

        def fails(names: dict[str, dict[str, int]]) -> None:
            raise duckdb.OutOfMemoryException("planted")

        monkeypatch.setattr(database, "_write_names", fails)
        writer._names_changed = True
        writer.flush()
        assert everything(database) == before
        assert rows(database, "SELECT seq FROM applied") == [(2,)]
        monkeypatch.setattr(database, "_write_names", original)
        writer.flush()
        assert rows(database, "SELECT seq FROM applied") == [(4,)]
        assert rows(database, "SELECT state FROM contacts") == [("engaged",)]
    script.close()


def test_rename_renames_the_past(data: Path) -> None:
    script = Script(data)
    day(script)
    with following(data, script.site) as (writer, database):
        writer.step()
        writer.flush()
        renamed = SITE.replace("[agents.bob]", '[agents.robert]\nwas = "bob"')
        script.configure(42_000, renamed)
        writer.step()
        writer.flush()
        assert rows(database, "SELECT DISTINCT agent FROM offers ORDER BY 1") == [("ann",), ("robert",)]
    script.close()


def test_lag_is_what_the_journal_has_more(data: Path) -> None:
    script = Script(data)
    with following(data, script.site) as (writer, _):
        for ms in range(1, 11):
            script.do(ms)
        taken: list[int] = []

        def after_three() -> bool:
            taken.append(1)
            return len(taken) == 3

        writer.step(after_three)
        writer.flush()
        assert (writer.applied_seq, writer.journal_seq) == (3, 11)
        writer.step()
        writer.flush()
        assert (writer.applied_seq, writer.journal_seq) == (11, 11)
    script.close()


@pytest.mark.parametrize(
    ("audit", "fault"),
    [
        ("conservation", "UPDATE applied SET arrived = arrived + 1"),
        ("conservation", "INSERT INTO contacts_live FROM contacts_ended WHERE contact = 1"),
        ("sums", "UPDATE contacts_ended SET offers = 9 WHERE contact = 2"),
        ("sums", "UPDATE segments_ended SET talk_ms = 1 WHERE segment = 1"),
        ("times", "UPDATE contacts_ended SET ended_at = arrived_at - INTERVAL 1 second WHERE contact = 2"),
        ("double_assignment", "UPDATE segments_ended SET ended_at = NULL WHERE segment = 1"),
        (
            "agent_state_overlap",
            "UPDATE agent_states_ended SET ended_at = ended_at + INTERVAL 1 day WHERE activity='wrap_up'",
        ),
        ("agent_state_gap", "DELETE FROM agent_states_ended WHERE agent_id = 2 AND activity = 'engaged'"),
        (
            "offer_to_unavailable",
            "UPDATE offers_ended SET agent_id = 2 WHERE offer = 1",
        ),
    ],
)
def test_planted_fault_shows_up_in_its_audit(data: Path, audit: str, fault: str) -> None:
    script = Script(data)
    day(script)
    with following(data, script.site) as (writer, _):
        writer.step()
        writer.flush()
    script.close()
    planted = duckdb.connect(str(data / FILE))
    counts = "SELECT audit FROM (" + load_report("audits").sql.rstrip("; \n") + ") WHERE faults > 0"
    assert planted.execute(counts).fetchall() == []
    planted.execute(fault)
    assert planted.execute(counts).fetchall() == [(audit,)]
    planted.close()


def test_replay_of_a_long_journal_keeps_few_rows(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.stats.writer.FLUSH_ROWS", 8)
    script = Script(data)
    script.do(0, SignIn(agent=ANN))
    for number in range(1, 41):
        script.do(number * 10_000, arrive(number))
        script.do(number * 10_000 + 1, Accept(agent=ANN, offer=number))
        script.do(number * 10_000 + 2, End(agent=ANN, contact=number))
    most = 0
    original = Writer._take

    def take(self: Writer, batch: object) -> None:
        nonlocal most
        original(self, batch)  # type: ignore[arg-type]
        most = max(most, self._history.pending())

    monkeypatch.setattr(Writer, "_take", take)
    for _ in range(2):  # once writing, once up to the watermark
        with following(data, script.site, flush_ms=60_000) as (writer, database):
            writer.step()
            writer.flush()
            assert rows(database, "SELECT count(*) FROM contacts") == [(40,)]
            assert rows(database, "SELECT missing FROM conservation") == [(0,)]
    assert most < 20
    script.close()
