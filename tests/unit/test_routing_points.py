"""Routing points: where an arrival goes, and why; what the configuration may say of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.calendars import EPOCH, MICROSECOND
from engine.config import SiteConfig, read_site
from engine.errors import ConfigError
from engine.requirements import Need, Requirement, alternative, both, either
from engine.routing_points import Facts, Routed, route

SITE = """
[site]
name = "one"
[skills.cards]
[skills.english]
[skills.hangzhou]
[skills.ningbo]
[skills.head_office]
[channels.voice]
plugin = "socket"
[channels.web]
plugin = "webchat"
[calendars.hours]
week = { mon = ["09:00-17:00"], tue = ["09:00-17:00"] }
holidays = ["2025-06-09"]
[queues.cards]
calendar = "hours"
[queues.vip]
[queues.night]
[queues.holiday]
"""
MONDAY_NOON = (datetime(2025, 6, 2, 12, tzinfo=UTC) - EPOCH) // MICROSECOND
DAY_US = 86_400_000_000
HOLIDAY_NOON = MONDAY_NOON + 7 * DAY_US
CALL = Facts(at_us=MONDAY_NOON, channel="voice", caller="+8613812345678", dialled="95588")


def site(text: str) -> SiteConfig:
    return read_site(SITE + text, Path("/srv"))


def errors_of(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        site(text)
    return caught.value.errors


def where(text: str, facts: Facts = CALL) -> Routed:
    return route(site(text).routing_points, facts)


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        ("+8613812345678", "exact"),
        ("+8613999999999", "prefix"),
        ("+8613700000000", "list"),
        ("+4930123456", "list"),
        ("+4930999999", None),
        ("", None),
    ],
)
def test_the_table_of_callers(caller: str, expected: str | None) -> None:
    table = """
        [[routing_points]]
        name = "exact"
        caller = "+8613812345678"
        queue = "vip"
        [[routing_points]]
        name = "prefix"
        caller = "+86139*"
        queue = "vip"
        [[routing_points]]
        name = "list"
        caller = ["+8613700000000", "+4930123*"]
        queue = "vip"
        """
    assert where(table, replace(CALL, caller=caller)).point == expected


def test_the_table_of_dialled_numbers_and_channels() -> None:
    table = """
        [[routing_points]]
        name = "cards-line"
        dialled = ["95588", "4008*"]
        channel = "voice"
        queue = "cards"
        [[routing_points]]
        name = "web"
        channel = "web"
        queue = "night"
        """
    assert where(table).queue == "cards"
    assert where(table, replace(CALL, dialled="4008123")).point == "cards-line"
    other = where(table, replace(CALL, dialled="12345"))
    assert (other.point, other.queue) == (None, None), "it stays where the channel sent it"
    assert where(table, replace(CALL, channel="web")).point == "web"


HOURS = """
    [[routing_points]]
    name = "regulars"
    caller = "+4930*"
    queue = "vip"
    [[routing_points]]
    name = "night"
    hours = "closed"
    calendar = "hours"
    queue = "night"
    [[routing_points]]
    name = "holidays"
    holiday = true
    calendar = "hours"
    queue = "holiday"
    [[routing_points]]
    name = "day"
    hours = "open"
    queue = "cards"
    """


def test_the_table_of_hours() -> None:
    assert where(HOURS).point == "day", "its queue's own calendar"
    assert where(HOURS, replace(CALL, at_us=MONDAY_NOON + DAY_US // 2)).point == "night"
    assert where(HOURS, replace(CALL, at_us=MONDAY_NOON + 2 * DAY_US)).point == "night", "a Wednesday"


def test_the_table_of_holidays_beats_hours() -> None:
    routed = where(HOURS, replace(CALL, at_us=HOLIDAY_NOON))
    assert (routed.point, routed.queue) == ("holidays", "holiday"), "though the night's row stands before it"
    assert routed.reason() == "holidays, after regulars (caller); night (the holiday beats its hours)"
    regular = where(HOURS, replace(CALL, at_us=HOLIDAY_NOON, caller="+4930123"))
    assert regular.point == "regulars", "a row that does not go by hours is not beaten"
    assert where(HOURS.replace("holiday = true", "holiday = false")).point == "holidays"


def test_language_region_and_attributes() -> None:
    table = """
        [[routing_points]]
        name = "english"
        language = ["en", "fr-CA"]
        requires = { english = 50 }
        [[routing_points]]
        name = "zhejiang"
        region = ["浙江", "上海"]
        head_start_ms = 30000
        [[routing_points]]
        name = "gold"
        attributes = { tier = ["gold", "platinum"], page = "/cards*" }
        weight = 2
        """
    said = {
        "en": Facts(MONDAY_NOON, "web", language="en"),
        "en-GB": Facts(MONDAY_NOON, "web", language="en-GB"),
        "eng": Facts(MONDAY_NOON, "web", language="eng"),
        "fr": Facts(MONDAY_NOON, "web", language="fr"),
    }
    assert [where(table, facts).point for facts in said.values()] == ["english", "english", None, None]
    assert where(table, said["en"]).requires == ((Need("english", False, 50),),)
    near = where(table, Facts(MONDAY_NOON, "web", regions=frozenset({"浙江", "宁波"})))
    assert (near.point, near.head_start_ms, near.queue) == ("zhejiang", 30_000, None)
    gold = Facts(MONDAY_NOON, "web", attributes={"tier": "gold", "page": "/cards/new"})
    assert where(table, gold).weight == 2
    assert where(table, replace(gold, attributes={"tier": "gold"})).reason() == (
        "no routing point, after english (language); zhejiang (region); gold (attributes.page)"
    )


REGIONS = """
    [regions.offices]
    fallback = "head"
    [regions.offices.sets.zhejiang]
    regions = ["浙江", "杭州"]
    requires = { hangzhou = 1 }
    [regions.offices.sets.ningbo]
    regions = "宁波"
    requires = [{ ningbo = 1 }, { hangzhou = 1, english = 20 }]
    [regions.offices.sets.head]
    requires = { head_office = 1 }
    [[routing_points]]
    name = "offices"
    requires = { cards = 10 }
    by_region = "offices"
    """


@pytest.mark.parametrize(
    ("regions", "expected", "sets"),
    [
        (("浙江", "杭州"), [{"cards": 10, "hangzhou": 1}], ("zhejiang",)),
        (
            ("浙江", "宁波"),
            [
                {"cards": 10, "hangzhou": 1},
                {"cards": 10, "ningbo": 1},
                {"cards": 10, "english": 20, "hangzhou": 1},
            ],
            ("zhejiang", "ningbo"),
        ),
        (("西藏",), [{"cards": 10, "head_office": 1}], ("head",)),
        ((), [{"cards": 10, "head_office": 1}], ("head",)),
    ],
)
def test_matching_regions_unite_and_the_designated_set_serves_the_rest(
    regions: tuple[str, ...], expected: list[dict[str, int]], sets: tuple[str, ...]
) -> None:
    routed = where(REGIONS, replace(CALL, regions=frozenset(regions)))
    assert routed.requires == tuple(alternative(levels) for levels in expected)
    assert routed.regions == sets


def test_a_visitor_from_ningbo_may_reach_both_departments() -> None:
    routed = where(REGIONS, replace(CALL, regions=frozenset({"浙江", "宁波"})))
    hangzhou, ningbo, neither = {"cards": 50, "hangzhou": 9}, {"cards": 10, "ningbo": 1}, {"cards": 99}
    assert [meets(agent, routed.requires) for agent in (hangzhou, ningbo, neither)] == [True, True, False]


def test_no_more_alternatives_than_the_core_takes() -> None:
    sets = "".join(
        f'[regions.many.sets.r{number}]\nregions = "all"\nrequires = {{ cards = {number} }}\n'
        for number in range(1, 12)
    )
    row = '[[routing_points]]\nname = "r"\nby_region = "many"\n'
    routed = where(f'[regions.many]\nfallback = "r1"\n{sets}{row}', replace(CALL, regions=frozenset({"all"})))
    assert [one[0].level for one in routed.requires] == list(range(1, 9))


def test_a_row_may_refuse() -> None:
    routed = where('[[routing_points]]\nname = "nuisance"\ncaller = "+86138*"\nrefuse = "barred"')
    assert (routed.refused, routed.reason()) == ("barred", "nuisance")


def test_an_alternative_may_ask_for_a_lack() -> None:
    routed = where(
        '[[routing_points]]\nname = "r"\nrequires = [{ cards = 5, "!english" = 10 }, { english = 1 }]'
    )
    assert routed.requires == (
        (Need("cards", False, 5), Need("english", True, 10)),
        (Need("english", False, 1),),
    )


def meets(levels: dict[str, int], requires: Requirement) -> bool:
    return not requires or any(
        all((levels.get(need.skill, 0) >= need.level) is not need.negated for need in one) for one in requires
    )


def test_both_and_either_mean_what_they_say() -> None:
    """Every agent with levels 0..3 of two skills, against every pair of these requirements."""
    needs = [(Need("a", False, 2),), (Need("a", True, 2), Need("b", False, 1)), (Need("b", True, 3),)]
    requirements: list[Requirement] = [
        (),
        *((one,) for one in needs),
        (needs[0], needs[1]),
        (needs[2], needs[0]),
    ]
    agents = [{"a": a, "b": b} for a in range(4) for b in range(4)]
    for one in requirements:
        for other in requirements:
            for agent in agents:
                assert meets(agent, both(one, other)) is (meets(agent, one) and meets(agent, other))
                if one and other:
                    assert meets(agent, either(one, other)) is (meets(agent, one) or meets(agent, other))


ROW = '[[routing_points]]\nname = "r"\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[[routing_points]]\nqueue = "cards"',
            "routing_points[0].name: is missing; reasons and errors call the row by it",
        ),
        (ROW, "routing_points[0].queue: the row decides nothing; give a queue, another result, or refuse"),
        (ROW + 'queue = "card"', 'routing_points[0].queue: no queue "card"; did you mean "cards"?'),
        (
            ROW + 'queue = "vip"\nchannel = ["web", "phone"]',
            'routing_points[0].channel: no channel "phone"; known: voice, web',
        ),
        (
            ROW + 'queue = "vip"\nasked = "card"',
            'routing_points[0].asked: no queue "card"; did you mean "cards"?',
        ),
        (
            ROW + 'queue = "vip"\nhours = "open"',
            "routing_points[0].hours: whose? name a calendar here, or one at the queue that the row leads to",
        ),
        (
            ROW + 'queue = "cards"\nhours = "shut"',
            'routing_points[0].hours: expected "open" or "closed", got "shut"',
        ),
        (
            ROW + 'refuse = "closed"\nqueue = "cards"',
            "routing_points[0].refuse: the row refuses, so queue says nothing; take one of the two out",
        ),
        (
            ROW + 'queue = "vip"\n' + ROW.replace('"r"', '"s"') + 'queue = "vip"',
            'routing_points[1].name: is never reached: "r" stands before it and has no conditions',
        ),
        (
            ROW + 'caller = "1"\nqueue = "vip"\n' + ROW + 'queue = "vip"',
            'routing_points[1].name: "r" is already a row; give each its own name',
        ),
        (ROW + 'by_region = "x"', 'routing_points[0].by_region: no region rule "x"; none is defined'),
        (
            ROW + "requires = [{ kards = 1 }]",
            'routing_points[0].requires[0].kards: no skill "kards"; did you mean "cards"?',
        ),
        (ROW + "requires = [{}]", "routing_points[0].requires[0]: expected 1 to 16 skills, got 0"),
        (
            ROW + "requires = 5",
            "routing_points[0].requires: expected a table of skill = level, got an integer",
        ),
        (
            ROW + "requires = [" + ",".join(f"{{ cards = {n} }}" for n in range(1, 10)) + "]",
            "routing_points[0].requires: 9 alternatives are listed, at most 8 can be",
        ),
        (ROW + 'queue = "vip"\nqeue = 1', 'routing_points[0].qeue: unknown key; did you mean "queue"?'),
        (
            ROW + 'queue = "vip"\nhead_start_ms = 3600001',
            "routing_points[0].head_start_ms: 3600000 is the most that vip gives (max_head_start_s)",
        ),
        ("routing_points = 1", "queues.holiday.routing_points: unknown key; known: "),
        (
            '[regions.r]\nfallback = "a"\n[regions.r.sets.b]\nrequires = { cards = 1 }',
            'regions.r.fallback: no set "a"; known: b',
        ),
        (
            '[regions.r]\nfallback = "b"\n[regions.r.sets.b]',
            "regions.r.sets.b.requires: is missing; say what an agent for these regions must have",
        ),
        ("[regions.r]", "regions.r.fallback: is missing; name the set that serves where no region matches"),
    ],
)
def test_each_fault_is_named(text: str, expected: str) -> None:
    (error,) = errors_of(text)
    assert error.startswith(expected)
