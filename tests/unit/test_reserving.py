"""An agent is kept for a contact that lighter ones have passed: in the file, rows, stories and reasons."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest

from engine.config import read_site
from engine.config_compile import compile_config
from engine.explain import explained
from engine.explain_story import Until, account
from engine.explain_words import Words
from engine.follower import Follower
from engine.model import Accept, Arrive, End, SignIn
from engine.names import Names
from tests.unit.stats_kit import ANN, LOANS, SITE, WEBCHAT, Script, arrive, following, rows

HEAVY = Arrive(channel=WEBCHAT, key=b"h" * 16, queue=LOANS, weight=2)


@pytest.mark.parametrize(
    ("keys", "after_us"), [("", 20_000_000), ("reserve_after_s = 0", 0), ("reserve_after_s = 7", 7_000_000)]
)
def test_the_file_says_after_how_long(keys: str, after_us: int) -> None:
    site = read_site(f'[site]\nname = "one"\n[routing]\n{keys}\n', Path("/"))
    assert compile_config(site, Names())[0].reserve_after_us == after_us


def played(script: Script) -> None:
    """Ann has two units. The heavy contact 2 comes while one is taken; a light one passes it; she is kept."""
    script.do(1_000, SignIn(agent=ANN))
    script.do(1_000, arrive(1, LOANS))
    script.do(1_000, Accept(agent=ANN, offer=1))
    script.do(2_000, HEAVY)
    script.do(3_000, arrive(3, LOANS))  # passes
    script.do(3_000, Accept(agent=ANN, offer=2))
    script.do(30_000, End(agent=ANN, contact=3))  # 20 s later ann is kept
    script.do(31_000, arrive(4, LOANS))  # fits, and is not offered


def test_it_is_kept_and_told(tmp_path: Path) -> None:
    script = Script(tmp_path)
    played(script)
    kept = script.seq
    follower = Follower(tmp_path / "journal")
    assert len(list(follower.poll())) == kept
    told = explained(follower.router, Names.decode(follower.router.names()), 4, ANN)
    assert told is not None
    assert [reason.predicate for reason in told.failing] == ["not_reserved"]
    (fix,) = told.fixes
    assert (fix.action, fix.to) == ("serve_first", 2)
    follower.close()
    script.do(32_000, End(agent=ANN, contact=1))
    script.do(33_000, Accept(agent=ANN, offer=3))
    with following(tmp_path, script.site) as (writer, database):
        while writer.step():
            pass
        writer.flush()
        assert rows(database, "SELECT contact, state, reserved FROM contacts ORDER BY 1") == [
            (1, "served", 0),
            (2, "engaged", 1),
            (3, "served", 0),
            (4, "waiting", 0),
        ]
    script.close()
    story = "\n".join(Words("en", UTC).account(account(tmp_path / "journal", 2, None, Until())))
    assert "ann is kept for it: lighter contacts have passed it for too long" in story
    at = Until(seq=kept)
    why_not = "\n".join(Words("en", UTC).account(account(tmp_path / "journal", 4, "ann", at)))
    assert "✗ the agent is kept for no other contact: it is, for contact 2" in why_not
    assert "→ contact 2, for which ann is kept, is served or goes" in why_not


def test_a_site_may_let_them_pass_for_ever(tmp_path: Path) -> None:
    script = Script(tmp_path, SITE.replace("[routing]", "[routing]\nreserve_after_s = 0"))
    played(script)
    with following(tmp_path, script.site) as (writer, database):
        while writer.step():
            pass
        writer.flush()
        assert rows(
            database, "SELECT state, reserved FROM contacts WHERE contact IN (2, 4) ORDER BY contact"
        ) == [
            ("waiting", 0),
            ("offered", 0),
        ]
    script.close()
