"""Contacts for later, kept places and deadlines for a reply, as rows, and through a journal with audits."""

from __future__ import annotations

from pathlib import Path

from engine.model import (
    Abandon,
    Accept,
    Arrive,
    EndedBy,
    Lifted,
    Queued,
    QueuedCause,
    Scheduled,
    SignIn,
    Withdrawn,
)
from tests.unit.stats_events import arrived, at, queued
from tests.unit.stats_kit import ANN, CARDS, WEBCHAT, Script, T, arrive, following, rows
from tests.unit.stats_rows import History

WHERE = {"contact": 1, "channel": 1, "queue": 1}


def test_nobody_waits_before_the_time_that_was_agreed() -> None:
    history = History()
    history.apply(1, [arrived(0, 1), Scheduled(at=at(0), **WHERE, until=at(5_000))])
    row = history.open("contacts")[1]
    assert (row.state, row.scheduled_for, row.enqueued_at) == ("scheduled", at(5_000), at(5_000))
    due = Queued(
        at=at(5_000), **WHERE, tier=2, enqueued_at=at(5_000), head_start_us=0, cause=QueuedCause.SCHEDULED
    )
    history.apply(2, [due])
    row = history.open("contacts")[1]
    assert (row.state, row.kept_place) == ("waiting", False)
    history.apply(3, [Withdrawn(at=at(6_500), **WHERE, agent=0, by=EndedBy.SUPERVISOR)])
    (row,) = history.closed("contacts")
    assert (row[19], row[12]) == (1_500, "supervisor")


def test_who_leaves_while_scheduled_has_not_waited() -> None:
    history = History()
    gone = Withdrawn(at=at(1_000), **WHERE, agent=0, by=EndedBy.SUPERVISOR)
    history.apply(1, [arrived(0, 1), Scheduled(at=at(0), **WHERE, until=at(5_000)), gone])
    (row,) = history.closed("contacts")
    assert (row[5], row[19]) == ("withdrawn", 0)


def test_a_kept_place_is_told_from_a_place_of_its_own() -> None:
    history = History()
    history.apply(1, [arrived(0, 1), queued(0, 1), arrived(900, 2), queued(900, 2, since=100)])
    assert [history.open("contacts")[one].kept_place for one in (1, 2)] == [False, True]
    again = Queued(
        at=at(950),
        **WHERE,
        tier=2,
        enqueued_at=at(0),
        head_start_us=0,
        cause=QueuedCause.OFFER_ENDED,
    )
    history.apply(2, [again])
    assert history.open("contacts")[1].kept_place is False, "it came back to its own"


def test_a_deadline_that_lifts_and_ends() -> None:
    history = History()
    history.apply(1, [arrived(0, 1), queued(0, 1)])
    history.apply(2, [Lifted(at=at(100), **WHERE, tier=1, reply_by=at(160))])
    row = history.open("contacts")[1]
    assert (row.tier, row.lifted_at, row.reply_by) == (1, at(100), at(160))
    history.apply(3, [Withdrawn(at=at(160), **WHERE, agent=0, by=EndedBy.DEADLINE)])
    (row,) = history.closed("contacts")
    assert (row[5], row[12]) == ("withdrawn", "deadline")


def test_conservation_and_audits_hold_with_all_of_them(tmp_path: Path) -> None:
    script = Script(tmp_path)
    assert script.do(1_000, arrive(1)) == [1]
    script.do(2_000, Abandon(channel=WEBCHAT, contact=1))
    kept = Arrive(channel=WEBCHAT, key=b"k" * 16, queue=CARDS, place=1)
    later = Arrive(channel=WEBCHAT, key=b"l" * 16, queue=CARDS, not_before=T + 60_000_000)
    much_later = Arrive(channel=WEBCHAT, key=b"m" * 16, queue=CARDS, not_before=T + 600_000_000)
    mail = Arrive(channel=WEBCHAT, key=b"n" * 16, queue=CARDS, reply_by=T + 90_000_000)
    late = Arrive(channel=WEBCHAT, key=b"o" * 16, queue=CARDS, reply_by=T + 95_000_000)
    assert script.do(5_000, kept, later, much_later) == [2, 3, 4]
    script.do(20_000, SignIn(agent=ANN))  # 2 is offered: it stands first
    script.do(21_000, Accept(agent=ANN, offer=1))
    script.do(29_000, mail, late)  # 5 rings, 6 waits
    script.do(31_000, Accept(agent=ANN, offer=2))
    script.do(100_000)  # 6 was lifted at 35,000, and could not be answered in time
    with following(tmp_path, script.site) as (writer, database):
        while writer.step():
            pass
        writer.flush()
        assert rows(
            database,
            "SELECT contact, state, kept_place, scheduled_for IS NOT NULL, wait_ms, ended_by FROM contacts "
            "ORDER BY 1",
        ) == [
            (1, "abandoned", False, False, 1_000, "customer"),
            (2, "engaged", True, False, 16_000, None),
            (3, "waiting", False, True, None, None),
            (4, "scheduled", False, True, None, None),
            (5, "engaged", False, False, 2_000, None),
            (6, "withdrawn", False, False, 66_000, "deadline"),
        ]
        lifted = (
            "SELECT contact, tier, epoch_ms(lifted_at), epoch_ms(reply_by) FROM contacts "
            "WHERE lifted_at IS NOT NULL"
        )
        assert rows(database, lifted) == [(6, 1, T // 1_000 + 35_000, T // 1_000 + 95_000)]
        counts = (
            "SELECT arrived, scheduled, waiting, engaged, abandoned, withdrawn, missing FROM conservation"
        )
        assert rows(database, counts) == [(6, 1, 1, 2, 1, 1, 0)]
        audits = rows(database, "SELECT view_name FROM duckdb_views() WHERE view_name LIKE 'audit_%'")
        assert {name: rows(database, f"FROM {name}") for (name,) in audits} == {
            name: [] for (name,) in audits
        }
    script.close()
