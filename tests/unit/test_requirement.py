"""Requirements as people write them, and the sections of queues that hold them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import read_site
from engine.demand import demand_fields, requires_of
from engine.errors import ConfigError, Malformed, UnknownAgent, UnknownSkill
from engine.model import Need, SkillWeight
from engine.names import Names
from engine.requirement_text import RequirementError, read_requirement, write_requirement
from engine.requirements import Need as Asked
from engine.wishes import Wishes


def asked(skill: str, level: int, negated: bool = False) -> Asked:
    return Asked(skill, negated, level)


@pytest.mark.parametrize(
    ("text", "alternatives"),
    [
        ("", ()),
        ("cards >= 1", ((asked("cards", 1),),)),
        ("cards>=1 and a-b>=2", ((asked("cards", 1), asked("a-b", 2)),)),
        ("a >= 1 or b >= 2 and c >= 3", ((asked("a", 1),), (asked("b", 2), asked("c", 3)))),
        (
            "mandarin >= 50 and not trainee >= 1 or english >= 80",
            ((asked("mandarin", 50), asked("trainee", 1, True)), (asked("english", 80),)),
        ),
        ("a >= 50 and not a >= 80", ((asked("a", 50), asked("a", 80, True)),)),
        ("a >= 50 or a >= 20", ((asked("a", 50),), (asked("a", 20),))),
        ("7 >= 50", ((asked("7", 50),),)),
    ],
)
def test_a_text_is_alternatives_of_needs(text: str, alternatives: object) -> None:
    read = read_requirement(text)
    assert read == alternatives
    assert read_requirement(write_requirement(read)) == read


LESS = '; for less than a level say "not skill >= level"'


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("cards", 'ends where ">=" is expected'),
        ("cards >=", "ends where a level 1..100 is expected"),
        ("cards >= many", 'expected a level 1..100 at character 10, got "many"'),
        (
            "cards > 5",
            'expected ">=" at character 7, got ">"; for less than a level say "not skill >= level"',
        ),
        (
            "cards < 5",
            'expected ">=" at character 7, got "<"; for less than a level say "not skill >= level"',
        ),
        ("cards >= 5 loans >= 5", 'expected "and" or "or" at character 12, got "loans"'),
        ("cards >= 5 and", "ends where a skill is expected"),
        ("and cards >= 5", 'expected a skill at character 1, got "and"'),
        ("not not cards >= 5", 'expected a skill at character 5, got "not"'),
        (
            "a >= 1 and (b >= 1 or c >= 1)",
            'expected a skill at character 12, got "("; there are no parentheses, '
            'write every alternative out and join them with "or"',
        ),
        ("a >= 1 and a >= 2", '"a" is asked twice in one alternative; keep one of them'),
        (" or ".join(["a >= 1"] * 9), "9 alternatives are listed, at most 8 can be"),
        (
            " and ".join(f"s{n} >= 1" for n in range(17)),
            "17 skills are asked in one alternative, at most 16 can be",
        ),
        ("技能 >= 1", 'expected a skill at character 1, got "技"'),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, fault: str) -> None:
    with pytest.raises(RequirementError) as caught:
        read_requirement(text)
    assert str(caught.value) == fault


HEAD = """
[site]
name = "one"
[skills.cards]
[skills.english]
[queues.other]
[queues.q]
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('requires = "cads >= 50"', 'queues.q.requires: no skill "cads"; did you mean "cards"?'),
        ('requires = "cards >= 101"', "queues.q.requires: cards >= 101: expected a level 1..100"),
        ('requires = "cards"', 'queues.q.requires: ends where ">=" is expected'),
        ("requires = {cards = 1}", "queues.q.requires: expected a string, got a table"),
        (
            'requires = "cards >= 1"\nskills = {cards = 1}',
            "queues.q.requires: skills says what is required already; leave one of the two out",
        ),
        ("priority = 0", "queues.q.priority: expected 1..9, got 0"),
        ("service_level_ms = 86400001", "queues.q.service_level_ms: expected 0..86400000, got 86400001"),
        ("ratio = 1001", "queues.q.ratio: expected 1..1000, got 1001"),
        ("steps = 3", "queues.q.steps: expected an array, got an integer"),
        ("steps = [3]", "queues.q.steps[0]: expected a table, got an integer"),
        ("steps = [{}]", "queues.q.steps[0].after_ms: is missing; give an integer"),
        ("steps = [{after_ms = 0}]", "queues.q.steps[0].after_ms: expected 1..86400000, got 0"),
        (
            "steps = [{after_ms = 5}, {after_ms = 5}]",
            "queues.q.steps[1].after_ms: expected more than 5, the step before, got 5",
        ),
        (
            f"steps = [{', '.join(f'{{after_ms = {n}}}' for n in range(1, 10))}]",
            "queues.q.steps: 9 are listed, at most 8 can be",
        ),
        (
            'steps = [{after_ms = 5, drop = ["card"]}]',
            'queues.q.steps[0].drop[0]: no skill "card"; did you mean "cards"?',
        ),
        (
            'steps = [{after_ms = 5, drop = ["cards", "cards"]}]',
            'queues.q.steps[0].drop[1]: "cards" is listed twice',
        ),
        (
            "steps = [{after_ms = 5, drop = [1]}]",
            "queues.q.steps[0].drop[0]: expected a string, got an integer",
        ),
        (
            "steps = [{after_ms = 5, lower = {cards = 0}}]",
            "queues.q.steps[0].lower.cards: expected 1..100, got 0",
        ),
        (
            "steps = [{after_ms = 5, lower = {xyz = 1}}]",
            'queues.q.steps[0].lower.xyz: no skill "xyz"; known: cards, english',
        ),
        (
            'steps = [{after_ms = 5, widen = ["others"]}]',
            'queues.q.steps[0].widen: no queue "others"; did you mean "other"?',
        ),
        (
            'steps = [{after_ms = 5, widen = ["q"]}]',
            'queues.q.steps[0].widen: "q" is this queue itself; name others',
        ),
        (
            "steps = [{after_ms = 5, head_start_ms = 604800001}]",
            "queues.q.steps[0].head_start_ms: expected 0..604800000, got 604800001",
        ),
        (
            "steps = [{after_ms = 5, dropped = []}]",
            'queues.q.steps[0].dropped: unknown key; did you mean "drop"?',
        ),
        ("[agents.a]\nstealth = 1", "agents.a.stealth: expected true or false, got an integer"),
    ],
)
def test_one_fault_is_one_error(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_site(HEAD + text, Path("/srv"))
    assert caught.value.errors == [expected]


def names() -> Names:
    made = Names()
    for kind, name in (("skill", "b"), ("skill", "a"), ("agent", "zoe"), ("agent", "ann")):
        made.assign(kind, name)
    return made


def test_wishes_become_numbers_in_the_cores_order() -> None:
    wishes = Wishes({"a": 3, "b": 1}, ("ann", "zoe", "ann"), 30_000, ("ann",), beyond_capacity=True)
    assert demand_fields(names(), {"a": 9, "b": 5}, wishes) == {
        "requires": ((Need(1, 5), Need(2, 9)),),
        "prefers": (SkillWeight(1, 1), SkillWeight(2, 3)),
        "preferred": (1, 2),
        "preferred_wait_us": 30_000_000,
        "excludes": (2,),
        "beyond_capacity": True,
    }
    assert demand_fields(names(), None)["requires"] == ()
    with pytest.raises(Malformed, match="beyond_capacity: expected preferred agents"):
        demand_fields(names(), None, Wishes(excludes=("ann",), beyond_capacity=True))


def test_unknown_names_are_refused_as_the_core_would() -> None:
    with pytest.raises(UnknownSkill):
        requires_of(names(), {"c": 1})
    with pytest.raises(Malformed, match="requires: ends where"):
        requires_of(names(), "a >=")
    for wishes in (Wishes(preferred=("bob",)), Wishes(excludes=("bob",))):
        with pytest.raises(UnknownAgent):
            demand_fields(names(), None, wishes)
    with pytest.raises(UnknownSkill):
        demand_fields(names(), None, Wishes(prefers={"c": 1}))
