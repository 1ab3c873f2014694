"""From names to numbers: stable, canonical, and renamed without losing them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import read_site
from engine.config_compile import compile_config, config_hash
from engine.model import (
    NO_LIMIT,
    ChannelUnits,
    Config,
    Lower,
    Need,
    Order,
    SkillLevel,
    Step,
    Strategy,
)
from engine.names import Names

SITE = """
[site]
name = "one"
[routing]
order = "agent_level"
retry_after_ms = 7
key_retention_days = 2
seed = 12345678901234567
[reasons.break]
[skills.cards]
[skills.english]
[channels.voice]
plugin = "socket"
exclusive = true
instant = false
connect_timeout_ms = 3
[channels.webchat]
plugin = "webchat"
[queues.loans]
skills = {english = 5, cards = 4}
offer_timeout_ms = 2
wrap_up_ms = 0
expected_handle_s = 90
max_waiting = 9
strategy = "round_robin"
[queues.plain]
waive_overtaking = "whoever is left"
[agents.zoe]
skills = {english = 70, cards = 60}
capacity = {webchat = 3, voice = 1}
share = 250
[agents.abe]
"""


def compiled(text: str, names: Names | None = None) -> tuple[Config, Names]:
    return compile_config(read_site(text, Path("/srv")), names or Names())


RELAXED = """
[site]
name = "relaxed"
[routing]
order = "ratio"
[skills.trainee]
[skills.mandarin]
[skills.english]
[queues.vip]
requires = "mandarin >= 50 and not trainee >= 1 or not english >= 90 and english >= 80"
priority = 1
service_level_ms = 5_000
ratio = 300
[[queues.vip.steps]]
after_ms = 10_000
drop = ["mandarin", "trainee"]
lower = { english = 20, trainee = 1 }
[[queues.vip.steps]]
after_ms = 20_000
widen = ["all", "late"]
head_start_ms = 3_000
[queues.late]
[queues.all]
[agents.bot]
stealth = true
[agents.ann]
"""


def test_what_queues_ask_and_how_it_is_relaxed() -> None:
    config, names = compiled(RELAXED)
    assert config.order is Order.RATIO
    trainee, mandarin, english = (names.id("skill", name) for name in ("trainee", "mandarin", "english"))
    late, everybody = (names.id("queue", name) for name in ("late", "all"))
    vip = next(queue for queue in config.queues if queue.id == names.id("queue", "vip"))
    assert vip.requires == (
        tuple(sorted((Need(mandarin, 50), Need(trainee, 1, negated=True)))),
        (Need(english, 80), Need(english, 90, negated=True)),
    )
    assert vip.rank_skill == mandarin, "the first that is asked for"
    assert (vip.priority, vip.service_level_us, vip.ratio) == (1, 5_000_000, 300)
    assert vip.steps == (
        Step(
            10_000_000,
            drop=tuple(sorted((mandarin, trainee))),
            lower=tuple(sorted((Lower(english, 20), Lower(trainee, 1)), key=lambda one: one.skill)),
        ),
        Step(20_000_000, widen=tuple(sorted((everybody, late))), head_start_us=3_000_000),
    )
    plain = next(queue for queue in config.queues if queue.id == late)
    assert (plain.priority, plain.service_level_us, plain.ratio, plain.steps) == (5, 20_000_000, 100, ())
    assert [agent.stealth for agent in config.agents] == [True, False]


def test_names_become_numbers_and_ms_become_us() -> None:
    config, names = compiled(SITE)
    assert config.order is Order.AGENT_LEVEL
    assert (config.miss_limit, config.retry_after_us) == (3, 7_000)
    assert config.key_retention_us == 2 * 86_400_000_000
    assert (config.max_waiting, config.memory_us) == (NO_LIMIT, 600_000_000)
    assert config.seed == 12_345_678_901_234_567
    assert (config.skills, config.reasons) == ((1, 2), (1,))
    voice, webchat = config.channels
    assert (voice.id, voice.exclusive, voice.instant, voice.connect_timeout_us) == (1, True, False, 3_000)
    assert (webchat.id, webchat.exclusive, webchat.instant) == (2, False, True)
    loans, plain = config.queues
    assert loans.requires == ((Need(1, 4), Need(2, 5)),)
    assert loans.rank_skill == names.id("skill", "english"), "the first that the file lists"
    assert (loans.max_waiting, loans.offer_timeout_us, loans.wrap_up_us) == (9, 2_000, 0)
    assert (loans.expected_handle_us, plain.expected_handle_us) == (90_000_000, 180_000_000)
    assert (plain.requires, plain.rank_skill, plain.max_waiting) == ((), 0, NO_LIMIT)
    assert (loans.strategy, plain.strategy) == (Strategy.ROUND_ROBIN, Strategy.LONGEST_IDLE)
    zoe, abe = config.agents
    assert (zoe.share, abe.share) == (250, 100)
    assert (zoe.id, abe.id) == (1, 2), "the file's order, not the alphabet's"
    assert zoe.skills == (SkillLevel(1, 60), SkillLevel(2, 70))
    assert zoe.capacity == (ChannelUnits(1, 1), ChannelUnits(2, 3))


def test_numbers_stay_when_sections_move_come_and_go() -> None:
    _, first = compiled(SITE)
    moved = SITE.replace("[agents.abe]", "") + "[agents.new]\n[skills.alpha]\n"
    config, second = compiled(moved, first)
    assert [agent.id for agent in config.agents] == [1, 3], "abe's number is not given again"
    assert config.skills == (1, 2, 3)
    third, _ = compiled("[agents.abe]\n" + moved.replace("[agents.new]", ""), second)
    assert [agent.id for agent in third.agents] == [2, 1], "abe comes back with the old number"


def test_rename_keeps_the_number_and_frees_the_name() -> None:
    _, first = compiled(SITE)
    renamed = SITE.replace("[agents.abe]", '[agents.abel]\nwas = "abe"')
    config, second = compiled(renamed, first)
    assert second.id("agent", "abel") == 2
    assert [agent.id for agent in config.agents] == [1, 2]
    again, _ = compiled(renamed, second)
    assert again == config, "`was` may stay in the file"


def test_given_names_are_left_as_they_are() -> None:
    names = Names()
    compiled(SITE, names)
    assert names.encode() == Names().encode()


def test_hash_is_the_content_and_nothing_else() -> None:
    config, names = compiled(SITE)
    assert config.hash == config_hash(config)
    assert len(config.hash) == 32
    same, _ = compiled(SITE + "# a remark\n", names)
    assert same == config
    titled, _ = compiled(SITE.replace("[reasons.break]", '[reasons.break]\ntitle = "Tea"'), names)
    assert titled.hash == config.hash, "titles are for people"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("retry_after_ms = 7", "retry_after_ms = 8"),
        ("offer_timeout_ms = 2", "offer_timeout_ms = 3"),
        ("cards = 60", "cards = 61"),
        ("webchat = 3", "webchat = 2"),
        ("round_robin", "top_down"),
        ("share = 250", "share = 251"),
        ("seed = 12345678901234567", "seed = 1"),
        ("[agents.abe]", "[agents.abe]\n[agents.eve]"),
    ],
)
def test_hash_changes_with_every_rule(old: str, new: str) -> None:
    config, names = compiled(SITE)
    changed, _ = compiled(SITE.replace(old, new), names)
    assert changed.hash != config.hash


def test_names_survive_the_journal() -> None:
    config, names = compiled(SITE)
    read = Names.decode(config.names)
    assert read.encode() == names.encode()
    assert read.name("queue", 1) == "loans"


@pytest.mark.parametrize("strategy", Strategy)
def test_every_strategy_has_a_word(strategy: Strategy) -> None:
    outside = '"\nfunction = "package.module:name' if strategy is Strategy.OUTSIDE else ""
    text = SITE.replace("round_robin", strategy.name.lower() + outside)
    assert compiled(text)[0].queues[0].strategy is strategy
