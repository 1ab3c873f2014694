"""The story of contacts that came for later, at a kept place, or with a deadline for the reply."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

from engine.config import read_site
from engine.config_compile import compile_config
from engine.explain import explained
from engine.explain_story import Until, account
from engine.explain_words import Words
from engine.model import Abandon, Arrive, Configure, SignIn
from engine.names import Names
from engine.router import Router
from tests.unit.stats_kit import BOB, LOANS, SITE, WEBCHAT, Script, T, arrive


def story(folder: Path, contact: int, **until: int) -> list[str]:
    told = account(folder / "journal", contact, "bob", Until(**until))
    return [line.strip() for line in Words("en", UTC).account(told)]


def test_each_of_them_is_told_in_its_story(tmp_path: Path) -> None:
    script = Script(tmp_path)
    assert script.do(1_000, arrive(1, LOANS)) == [1]
    script.do(2_000, Abandon(channel=WEBCHAT, contact=1))
    kept = Arrive(channel=WEBCHAT, key=b"k" * 16, queue=LOANS, place=1)
    later = Arrive(channel=WEBCHAT, key=b"l" * 16, queue=LOANS, not_before=T + 60_000_000)
    mail = Arrive(channel=WEBCHAT, key=b"m" * 16, queue=LOANS, reply_by=T + 90_000_000)
    assert script.do(5_000, kept, later, mail) == [2, 3, 4]
    middle = script.seq
    script.do(100_000)
    script.close()
    assert "2023-11-14 22:13:25.000  waits in loans, at the place that was kept" in story(tmp_path, 2)
    before = story(tmp_path, 3, seq=middle)
    assert "contact 3 · webchat · loans · scheduled" in before
    assert "2023-11-14 22:13:25.000  is to wait in loans from 2023-11-14 22:14:20.000 on" in before
    assert "✗ the contact waits: it is not to wait before 2023-11-14 22:14:20.000" in before
    assert "→ it begins to wait at 2023-11-14 22:14:20.000" in before
    assert "2023-11-14 22:14:20.000  its time has come: waits in loans" in story(tmp_path, 3)
    over = story(tmp_path, 4)
    until = "it has to be answered by 2023-11-14 22:14:50.000"
    assert f"2023-11-14 22:13:50.000  goes before others in loans: {until}" in over
    assert "2023-11-14 22:14:50.000  nobody could answer it in time" in over


def test_the_fix_of_a_scheduled_contact_is_its_time() -> None:
    router = Router()
    config, names = compile_config(read_site(SITE, Path("/")), Names())
    router.apply(T, Configure(config=config))
    router.apply(T, SignIn(agent=BOB))
    later = Arrive(channel=WEBCHAT, key=b"l" * 16, queue=LOANS, not_before=T + 1_000)
    contact = router.apply(T, later)
    told = explained(router, names, contact, BOB)
    assert told is not None
    assert [reason.predicate for reason in told.failing] == ["waiting"]
    (fix,) = told.fixes
    assert (fix.action, fix.to) == ("await", T + 1_000)
    router.advance(fix.to)
    assert [offer.contact for offer in router.desk(BOB).offers] == [contact], "as the fix says"  # type: ignore[union-attr]
