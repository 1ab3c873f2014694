"""Nothing that can be explained lacks its sentence, in either language."""

from __future__ import annotations

import string
from zoneinfo import ZoneInfo

import pytest

from engine.explain import FIXES as FIX_OF
from engine.explain import AgentRank, Explained, Reason, fixes_of
from engine.explain_texts import CONDITIONS, EVENTS, FIXES, NAMES, PRESENCES, SHORT, STATES, TEXTS, Language
from engine.explain_words import Words
from engine.messages.codec import EVENTS as KINDS
from engine.views import CONTACT_STATES, OUTCOMES

RANK = AgentRank("bob", 0, 0, "longest_idle", 0, 0, 1)


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_say_the_same_things() -> None:
    pairs = [*STATES, *PRESENCES]
    for table in (CONDITIONS, EVENTS, FIXES, SHORT, TEXTS):
        pairs += table.values()
    for english, chinese in pairs:
        assert fields(english) == fields(chinese), (english, chinese)


def test_every_condition_and_every_event_has_a_sentence() -> None:
    assert set(CONDITIONS) == set(SHORT) == set(FIX_OF)
    assert set(NAMES) == {*CONTACT_STATES, *OUTCOMES, "forgotten"}
    names = {line.split(" ")[0] for line in EVENTS}
    with_contact = [one for one in KINDS.values() if "contact" in one.__struct_fields__]
    others = {"hours_changed", "lease_lost"}
    assert len(names) == len(with_contact) + len(others), "of its queue, and of who served it"


def told(*reasons: Reason, **other: object) -> Explained:
    values: dict[str, object] = {
        "contact": 7,
        "agent": "bob",
        "at_us": 0,
        "eligible": not reasons,
        "reasons": list(reasons),
        "fixes": fixes_of("bob", list(reasons)),
        "rank": RANK,
        "candidates": 0,
        "best": [],
        "agents_ahead": 0,
        "rivals": 0,
        "contacts_ahead": 0,
        "ahead": [],
        **other,
    }
    return Explained(**values)  # type: ignore[arg-type]


EXAMPLES = [
    (Reason("queue_skill", False, "cards", 40, 50, 0), "raise skill cards of bob from 40 to 50"),
    (Reason("queue_not_skill", False, "trainee", 7, 1, 0), "lower skill trainee of bob from 7 to 0"),
    (Reason("contact_not_skill", False, "cards", 80, 50, 0), "lower skill cards of bob from 80 to 49"),
    (Reason("not_excluded", False, "", 0, 0, 0), "whoever gets it passes it on without excluding bob"),
    (
        Reason("preferred", False, "", 30_000_000, 0, 0),
        "it is open to bob at 1970-01-01 08:00:30.000, or as soon as nobody whom it prefers is there",
    ),
    (Reason("no_human", False, "ann", 0, 0, 0), "ann, and whoever else could serve it, signs out"),
    (Reason("capacity", False, "chat", 2, 3, 2), "raise the capacity of bob on chat from 2 to 3"),
    (Reason("ready", False, "lunch", 1, 2, 0), "bob becomes ready"),
    (Reason("ready", False, "", 0, 2, 0), "bob signs in, ready"),
    (Reason("staying", False, "", 0, 0, 0), "bob signs in again"),
    (Reason("unlocked", False, "", 3, 0, 0), "a supervisor unlocks bob"),
    (Reason("not_attempted", False, "", 1_000, 0, 0), "bob is asked again at 1970-01-01 08:00:00.001"),
    (Reason("not_attempted", False, "", 0, 0, 0), "bob is asked again some seconds after nobody else"),
    (Reason("empty_hands", False, "", 2, 0, 0), "bob finishes what it has in hand and cannot be interrupted"),
    (Reason("no_offer", False, "", 2, 0, 0), "bob answers what rings"),
    (Reason("nothing_exclusive", False, "voice", 1, 0, 0), "bob finishes what it has on voice"),
    (Reason("waiting", False, "ann", 1, 0, 0), "ann declines it, or fails to connect"),
    (Reason("waiting", False, "ann", 3, 0, 0), "ann transfers it to the queue"),
    (Reason("waiting", False, "", 5, 0, 0), "none: it is over"),
    (Reason("waiting", False, "", 7, 0, 0), "none: it is over"),
]


@pytest.mark.parametrize(("reason", "fix"), EXAMPLES, ids=[fix for _, fix in EXAMPLES])
def test_each_failing_condition_comes_with_its_fix(reason: Reason, fix: str) -> None:
    lines = Words("en", ZoneInfo("Asia/Shanghai")).why_not(told(reason), "longest")
    assert lines[0] == "Why not bob?"
    assert f"      → {fix}" in "\n".join(lines)
    chinese = Words("zh", ZoneInfo("UTC")).why_not(told(reason), "longest")
    assert len(chinese) == len(lines)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (Reason("capacity", True, "chat", 1, 2, 1), "units on chat: has 1, needs 2 (1 in use)"),
        (Reason("empty_hands", True, "", 2, 0, 2), "holds 2 (2 in all)"),
        (Reason("no_offer", True, "", 1, 0, 0), "1 ring"),
        (Reason("nothing_exclusive", True, "voice", 1, 0, 0), "holds 1 on voice"),
    ],
    ids=lambda value: getattr(value, "predicate", ""),
)
def test_what_is_not_asked_is_told(reason: Reason, said: str) -> None:
    fine = Reason("capacity", True, "chat", 3, 3, 2), Reason("no_offer", True, "", 0, 0, 0)
    for row, language in enumerate(("en", "zh")):
        words = Words(language, ZoneInfo("UTC"))  # type: ignore[arg-type]
        lines = words.why_not(told(*fine, reason, eligible=True, fixes=[]), "longest")
        (line,) = [line for line in lines if "✓" in line]
        assert "bob" in line
        assert (said in line) or row == 1
        assert lines[-1] == words.why_not(told(*fine, eligible=True), "longest")[-1].replace("2", "3")


def test_a_skill_limited_twice_is_lowered_once_to_the_lower_level() -> None:
    reasons = (
        Reason("queue_not_skill", False, "cards", 90, 50, 0),
        Reason("contact_not_skill", False, "cards", 90, 20, 0),
    )
    text = "\n".join(Words("en", ZoneInfo("UTC")).why_not(told(*reasons), "longest"))
    assert text.count("→") == 1
    assert "from 90 to 19" in text


def test_a_skill_asked_for_twice_is_raised_once_to_the_higher_level() -> None:
    reasons = (
        Reason("queue_skill", False, "cards", 0, 50, 0),
        Reason("contact_skill", False, "cards", 0, 80, 0),
    )
    text = "\n".join(Words("en", ZoneInfo("UTC")).why_not(told(*reasons), "longest"))
    assert text.count("→") == 1
    assert "from 0 to 80" in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_rank_is_told_with_names_and_keys(language: Language) -> None:
    best = [
        AgentRank("ann", 80, 7_200, "longest_idle", 0, 5_000_000, 0),
        AgentRank("cat", 60, 0, "longest_idle", 1, 0, 2),
    ]
    one = told(candidates=3, best=[*best, RANK], agents_ahead=2)
    text = "\n".join(Words(language, ZoneInfo("UTC")).why_not(one, "agent_level"))
    assert "ann, cat" in text
    assert "80" in text
    assert "7200" in text
    assert "00:00:05.000" in text


def test_who_got_it_is_told_so() -> None:
    assert "who got it" in "\n".join(Words("en", ZoneInfo("UTC")).why_not(told(), "longest", "bob"))


def test_a_rule_without_a_sentence_is_not_passed_over() -> None:
    one = told(Reason("unlocked", True, "", 0, 0, 0), eligible=False)
    assert "another rule" in "\n".join(Words("en", ZoneInfo("UTC")).why_not(one, "longest"))
