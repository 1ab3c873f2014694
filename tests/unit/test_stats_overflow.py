"""Overflows and the hours of queues, as rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.model import Accept, Hours, HoursState, SignIn
from engine.stats.reports import load_report
from tests.unit.stats_kit import ANN, CARDS, LOANS, SITE, Script, T, arrive, everything, following, rows

RULES = """
[targets.voicemail]
[[queues.cards.overflow]]
when = "wait"
after_s = 10
to = "queue:loans"
[[queues.loans.overflow]]
when = "wait"
after_s = 30
to = "target:voicemail"
[[queues.loans.overflow]]
when = "closed"
to = "target:voicemail"
"""
OPEN, CLOSING, CLOSED = HoursState


def played(script: Script) -> None:
    script.do(1_000, arrive(1))  # waits in cards, from 11,000 in loans, from 31,000 outside
    script.do(11_000)
    script.do(31_000)
    script.do(40_000, Hours(queue=LOANS, state=CLOSED))
    script.do(41_000, arrive(2, LOANS))  # finds it closed: outside at once
    script.do(42_000, Hours(queue=CARDS, state=CLOSING))
    script.do(43_000, arrive(3))  # blocked: cards has no rule for that
    script.do(50_000, Hours(queue=LOANS, state=OPEN), Hours(queue=CARDS, state=OPEN))
    script.do(51_000, arrive(4))
    script.do(61_000)  # on to loans
    script.do(62_000, SignIn(agent=ANN))
    script.do(63_000, Accept(agent=ANN, offer=1))


def at(column: str) -> str:
    return f"(epoch_us({column}) - {T}) // 1000"


@pytest.mark.slow  # a journal, a statistics file, and both made again
def test_each_has_its_row(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    script = Script(data, SITE + RULES)
    played(script)
    with following(data, script.site) as (writer, database):
        writer.step()
        writer.flush()
        columns = f"contact, queue, {at('overflowed_at')}, cause, to_queue, target, waited_ms"
        overflows = rows(database, f"SELECT {columns} FROM overflows ORDER BY overflow")
        hours = rows(
            database,
            f"SELECT queue, state, {at('started_at')}, {at('ended_at')}, duration_ms "
            "FROM queue_hours ORDER BY started_at, queue",
        )
        contacts = rows(
            database,
            "SELECT contact, state, ended_by, first_queue, queue, target, overflows, wait_ms "
            "FROM contacts ORDER BY contact",
        )
        report = rows(database, load_report("overflow").sql)
        audits = rows(database, load_report("audits").sql)
        law = rows(database, "SELECT arrived, engaged, blocked, overflowed, missing FROM conservation")
        before = everything(database)
    assert overflows == [
        (1, "cards", 11_000, "wait", "loans", None, 10_000),
        (1, "loans", 31_000, "wait", None, "voicemail", 30_000),
        (2, "loans", 41_000, "closed", None, "voicemail", 0),
        (4, "cards", 61_000, "wait", "loans", None, 10_000),
    ]
    assert hours == [
        ("loans", "closed", 40_000, 50_000, 10_000),
        ("cards", "closing", 42_000, 50_000, 8_000),
        ("cards", "open", 50_000, None, None),
        ("loans", "open", 50_000, None, None),
    ]
    assert contacts == [
        (1, "overflowed", "wait", "cards", "loans", "voicemail", 2, 30_000),
        (2, "overflowed", "closed", "loans", "loans", "voicemail", 1, 0),
        (3, "blocked", "closed", "cards", "cards", None, 0, 0),
        (4, "engaged", None, "cards", "loans", None, 1, 12_000),
    ]
    assert report == [
        ("cards", "wait", "queue:loans", 2, 10.0, 1),
        ("loans", "closed", "target:voicemail", 1, 0.0, 0),
        ("loans", "wait", "target:voicemail", 1, 30.0, 0),
    ]
    assert {faults for _, faults in audits} == {0}
    assert law == [(4, 1, 1, 2, 0)]
    for path in data.glob("stats.duckdb*"):
        path.unlink()
    with following(data, script.site) as (writer, database):
        writer.step()
        writer.flush()
        assert everything(database) == before
    script.close()


@pytest.mark.slow  # a journal and a statistics file
def test_offers_and_announcements_say_by_which_configuration(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    script = Script(data, SITE)
    script.do(1_000, SignIn(agent=ANN), arrive(1))
    told = SITE.replace("[queues.cards]", "[queues.cards]\nannounce_s = 10")
    script.configure(2_000, told)
    script.do(3_000, arrive(2), arrive(3))
    script.do(13_000)
    with following(data, script.site) as (writer, database):
        writer.step()
        writer.flush()
        offers = rows(database, "SELECT offer, config FROM offers ORDER BY offer")
        hashes = rows(database, "SELECT config_hash FROM offers ORDER BY offer")
        configurations = rows(
            database, f"SELECT config, hash, {at('since')}, {at('until')} FROM configurations ORDER BY config"
        )
        announced = rows(database, "SELECT contact, announcements FROM contacts ORDER BY contact")
    assert offers == [(1, 1), (2, 2)]
    numbers = [number for number, *_ in configurations]
    assert numbers == [1, 2]
    assert [one for (one,) in hashes] == [one for _, one, *_ in configurations]
    assert [times for _, _, *times in configurations] == [[0, 2_000], [2_000, None]]
    assert announced == [(1, 0), (2, 0), (3, 1)]
    script.close()


@pytest.mark.slow  # a journal and a statistics file
def test_a_queue_that_is_taken_out_has_no_hours_any_more(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    script = Script(data, SITE + "[queues.old]\n")
    script.do(1_000, Hours(queue=3, state=CLOSED))
    script.configure(5_000, SITE)
    with following(data, script.site) as (writer, database):
        writer.step()
        writer.flush()
        told = rows(database, f"SELECT queue, state, {at('started_at')}, {at('ended_at')} FROM queue_hours")
    assert told == [("old", "closed", 1_000, 5_000)]
    script.close()


def test_an_offer_out_of_a_closed_queue_is_a_fault(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    script = Script(data)
    with following(data, script.site) as (_, database):
        database._db.execute(
            "INSERT INTO queue_hours_live VALUES (1, make_timestamptz(1000), NULL, 'closed', NULL, 1)"
        )
        for offer, made in ((1, 999), (2, 1000), (3, 1001)):
            database._db.execute(
                "INSERT INTO offers_ended VALUES (?, 1, 1, 1, 1, make_timestamptz(?), "
                "make_timestamptz(9999), make_timestamptz(2000), 'declined', NULL, NULL, 1, 1, 1)",
                [offer, made],
            )
        assert rows(database, "SELECT offer FROM audit_closed") == [(3,)]
    script.close()
