"""Choices of strategies from outside as rows, each with how it ended; and in the story of their contact."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

from engine.explain_story import Until, account
from engine.explain_words import Words
from engine.model import Abandon, Choose, Decline, SignIn
from tests.unit.stats_kit import ANN, BOB, LOANS, SITE, WEBCHAT, Script, arrive, following, rows

OUTSIDE = SITE.replace(
    "[queues.loans]",
    '[queues.loans]\nstrategy = "outside"\nfunction = "a:b"\nfallback = "top_down"\nchoice_timeout_ms = 500',
)


def played(script: Script) -> None:
    """One choice of each kind, and one that runs."""
    script.do(1_000, SignIn(agent=ANN), SignIn(agent=BOB))
    script.do(2_000, arrive(1, LOANS))
    script.do(2_100, Choose(choice=1, agent=BOB))  # chosen
    script.do(3_000, arrive(2, LOANS))
    script.do(3_500)  # nobody answers: ann, by the deadline
    script.do(4_000, arrive(3, LOANS))
    script.do(4_020, Choose(choice=3, agent=BOB))  # bob has his one unit ringing: ann
    script.do(4_500, Abandon(channel=WEBCHAT, contact=2), Abandon(channel=WEBCHAT, contact=3))
    script.do(5_000, arrive(4, LOANS))
    script.do(5_030, Choose(choice=4))  # left to the fallback: ann
    script.do(6_000, arrive(5, LOANS))
    script.do(6_100, Abandon(channel=WEBCHAT, contact=5))  # gone before an answer
    script.do(6_200, arrive(6, LOANS))


def test_every_choice_has_its_row(tmp_path: Path) -> None:
    script = Script(tmp_path, OUTSIDE)
    played(script)
    with following(tmp_path, script.site) as (writer, database):
        while writer.step():
            pass
        writer.flush()
        told = rows(
            database, "SELECT choice, contact, agent, agents, cause, answer_ms FROM choices ORDER BY 1"
        )
        assert told == [
            (1, 1, "bob", 2, "chosen", 100),
            (2, 2, "ann", 1, "deadline", 500),
            (3, 3, "ann", 1, "not_eligible", 20),
            (4, 4, "ann", 1, "left_to_fallback", 30),
            (5, 5, None, 1, "dropped", 100),
            (6, 6, None, 1, None, None),
        ]
        audits = rows(database, "SELECT view_name FROM duckdb_views() WHERE view_name LIKE 'audit_%'")
        assert {name: rows(database, f"FROM {name}") for (name,) in audits} == {
            name: [] for (name,) in audits
        }
        assert rows(database, "SELECT missing FROM conservation") == [(0,)]
        report = (Path(__file__).parents[2] / "engine/stats/reports/outside_choices.sql").read_text("utf-8")
        assert rows(database, report) == [("loans", 5, 1, 1, 1, 1, 1, 50.0, 25.0)]
    script.close()


def test_what_an_offer_came_of_is_told(tmp_path: Path) -> None:
    script = Script(tmp_path, OUTSIDE)
    played(script)
    script.do(7_000, Decline(agent=BOB, offer=1))
    script.close()

    def story(contact: int) -> str:
        told = account(tmp_path / "journal", contact, None, Until(at_us=1_700_000_000_000_000 + 6_900_000))
        return "\n".join(Words("en", UTC).account(told))

    first = story(1)
    assert "the strategy from outside is asked (choice 1, until 2023-11-14 22:13:22.500)" in first
    assert "the strategy from outside chose bob\n" in first
    assert "The strategy from outside chose bob." in first
    assert "No answer from outside came in time: the queue's fallback decided." in story(2)
    assert "Whom the strategy from outside chose could not have it any more" in story(3)
    assert "The strategy from outside left it to the queue's fallback." in story(4)
    waits = story(6)
    assert "fail first at: no strategy from outside is being asked" in waits
