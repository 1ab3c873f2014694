"""Generators, histogram, tables and scenarios of the load tester: pure and seeded."""

import itertools
import random
import statistics
import tomllib
from pathlib import Path

import pytest

from loadtest.arrivals import BANK_DAY_PER_HOUR, Arrivals, Surge
from loadtest.errors import InputError
from loadtest.handling import Answer, Handling, Manner
from loadtest.histogram import Histogram, bucket_of, highest_of
from loadtest.patience import Patience, draw_us
from loadtest.plan import plan_contacts
from loadtest.scenario import SCENARIOS, load_scenario, parse_scenario
from loadtest.streams import stream
from loadtest.table import Table


def smoke_values() -> dict:
    return tomllib.loads((SCENARIOS / "smoke.toml").read_text("utf-8"))


def test_buckets_cover_everything_without_gap_or_overlap() -> None:
    values = [*range(5_000), *(2**n + d for n in range(13, 40) for d in (-1, 0, 1))]
    for value in values:
        bucket = bucket_of(value)
        assert highest_of(bucket) >= value
        assert bucket == 0 or highest_of(bucket - 1) < value


def test_percentiles_are_close_above_the_true_ones() -> None:
    rng = random.Random(1)
    values = sorted(int(rng.lognormvariate(8, 1.5)) for _ in range(20_000))
    histogram = Histogram(values)
    for share in (0.5, 0.9, 0.99, 0.999):
        true = values[int(share * len(values) + 0.999999) - 1]
        assert true <= histogram.percentile(share) <= true * 1.016 + 1
    assert histogram.summary_ms()["max_ms"] == values[-1] / 1_000
    assert Histogram().percentile(0.5) is None


def test_merged_histograms_are_one() -> None:
    first, second = Histogram(range(0, 999, 2)), Histogram(range(1, 999, 2))
    first.merge(second)
    assert first.summary_ms() == Histogram(range(999)).summary_ms()


def test_streams_do_not_touch_each_other() -> None:
    assert stream(1, "arrivals").random() == stream(1, "arrivals").random()
    assert len({stream(s, c).random() for s in (1, 2) for c in ("arrivals", "queues")}) == 4


def test_more_agents_leave_the_contacts_alone() -> None:
    scenario = load_scenario("smoke")
    assert list(plan_contacts(scenario, 5)) == list(plan_contacts(scenario.resized(agents=500), 5))


def test_another_patience_leaves_everything_else_alone() -> None:
    values = smoke_values()
    before = list(plan_contacts(parse_scenario("a", values), 5))
    values["patience"] = {"shape": "lognormal", "mean_s": 99, "share": 0.1}
    after = list(plan_contacts(parse_scenario("a", values), 5))
    assert [(c.at_us, c.queue, c.channel, c.talk_us) for c in before] == [
        (c.at_us, c.queue, c.channel, c.talk_us) for c in after
    ]
    assert [c.patience_us for c in before] != [c.patience_us for c in after]


def test_arrivals_keep_their_rate_and_surge() -> None:
    arrivals = Arrivals(200.0, surges=(Surge(10, 5, 4),))
    times = list(arrivals.times_us(stream(3, "arrivals"), 30))
    calm = [t for t in times if not 10e6 <= t < 15e6]
    assert len(calm) == pytest.approx(25 * 200, rel=0.06)
    assert len(times) - len(calm) == pytest.approx(5 * 800, rel=0.06)
    assert times == sorted(times)


def test_a_repeating_surge_comes_back() -> None:
    surge = Surge(10, 2, 3, every_s=60)
    assert [t for t in range(0, 140) if surge.holds(t)] == [10, 11, 70, 71, 130, 131]


def test_a_bank_day_has_the_bank_s_shape() -> None:
    arrivals = Arrivals(2.0, BANK_DAY_PER_HOUR, day_s=4_800)
    per_half_hour = [0] * 48
    for at_us in arrivals.times_us(stream(5, "arrivals"), 4_800):
        per_half_hour[at_us // 100_000_000] += 1
    total = sum(BANK_DAY_PER_HOUR)
    for seen, rate in zip(per_half_hour, BANK_DAY_PER_HOUR, strict=True):
        expected = 9_600 * rate / total
        assert abs(seen - expected) <= 4.5 * max(expected, 1) ** 0.5


@pytest.mark.parametrize(("shape", "sd"), [("exponential", 1.0), ("lognormal", 1.5), ("constant", 0.0)])
def test_durations_have_their_mean_and_spread(shape: str, sd: float) -> None:
    rng = random.Random(9)
    draws = [draw_us(rng, shape, 2_000_000, 1.5) for _ in range(40_000)]
    assert statistics.fmean(draws) == pytest.approx(2e6, rel=0.04)
    assert statistics.pstdev(draws) == pytest.approx(sd * 2e6, rel=0.12)


def test_shares_are_kept() -> None:
    patience = itertools.islice(Patience("exponential", 1e6, 1, 0.3).draws(random.Random(1)), 20_000)
    assert sum(p is not None for p in patience) == pytest.approx(6_000, rel=0.05)
    handling = itertools.islice(Handling("constant", 1e6, 1, 0.25).draws(random.Random(1)), 20_000)
    assert sum(by_customer for _, by_customer in handling) == pytest.approx(5_000, rel=0.05)
    manner = Manner(1e5, 0.2, 0.1, 1e5, 0.4)
    answers = [answer for answer, _ in itertools.islice(manner.answers(random.Random(1)), 20_000)]
    assert answers.count(Answer.DECLINE) == pytest.approx(4_000, rel=0.06)
    assert answers.count(Answer.MISS) == pytest.approx(2_000, rel=0.08)
    wrap_ups = itertools.islice(manner.wrap_ups(random.Random(1)), 20_000)
    assert sum(w is None for w in wrap_ups) == pytest.approx(8_000, rel=0.05)


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_scenario_loads_and_yields_contacts(path: Path) -> None:
    scenario = load_scenario(path.stem)
    assert scenario.agents >= 1
    assert next(plan_contacts(scenario, scenario.duration_s)).talk_us >= 0


def test_groups_scale_to_exactly_the_number_asked_for() -> None:
    for agents in (1, 2, 7, 999, 1_000, 1_001):
        scenario = load_scenario("thousand").resized(agents=agents, rate_per_s=agents * 1.5)
        assert scenario.agents == agents
        assert len({name for name, _ in scenario.agent_names()}) == agents


def test_occupancy_sets_the_talk() -> None:
    scenario = load_scenario("thousand").resized(rate_per_s=1_000)
    hold_s = (scenario.handling.mean_us + scenario.manner.wrap_up_us) / 1e6
    assert hold_s * 1_000 / 1_000 == pytest.approx(0.93)
    with pytest.raises(InputError, match=r"handling\.occupancy: 1000 units at 49999/s"):
        scenario.resized(rate_per_s=49_999)


def test_a_bad_scenario_is_told_all_its_faults() -> None:
    values = smoke_values()
    values["seeed"] = 1
    values["queues"]["cards"]["skills"] = {"card": 0}
    values["arrivals"]["rate_per_s"] = "fast"
    del values["duration_s"]
    with pytest.raises(InputError) as caught:
        parse_scenario("x", values)
    text = str(caught.value)
    assert "x: seeed: unknown key" in text
    assert "queues.cards.skills.card: not known; known are cards, loans" in text
    assert "queues.cards.skills.card: expected a number 1..100, got 0" in text
    assert "arrivals.rate_per_s: expected a number 0.001..50000, got 'fast'" in text
    assert "duration_s: expected a number 0.1..86400, got nothing" in text


def test_an_unknown_scenario_names_those_there_are() -> None:
    with pytest.raises(InputError, match=r"no scenario 'smok'; there are bank_day, .*smoke"):
        load_scenario("smok")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", ": expected a header line, got an empty file"),
        ("seq,a_s,a_ms\n", ":1: column a_s or a_ms: expected exactly one of them, got 2"),
        ("seq\n", ":1: column a_s or a_ms: expected exactly one of them, got 0"),
        ("a_s\n", ":1: column seq: missing; the header has a_s"),
        ("seq,seq,a_s\n", ":1: column seq: stands in the header twice"),
        ("seq,b_s(in a_s)\n", ":1: column a_s or a_ms: expected exactly one of them, got 0"),
        ("seq,a_s\n1,2\n\n3\n", ":4: column a_s: expected 2 cells, got 1"),
        ("seq,a_s\n1,2\n3,4,5\n", ":3: column after the last: expected 2 cells, got 3"),
        ("seq,a_s\n1,2\n3,x\n", ":3: column a_s: expected a whole number 0.."),
        ("seq,a_s\n1,-2\n", ":2: column a_s: expected a whole number 0..9007199254740992, got '-2'"),
        ("seq,a_s\n1,1.5\n", ":2: column a_s: expected a whole number"),
        ("seq,a_s\n,1\n", ":2: column seq: expected a value, got an empty cell"),
        ('seq,a_s\n"1,1\n', ": not a CSV file: "),
        ("seq,a_s\n\xff,1\n".encode("latin-1"), ": expected UTF-8 text; byte 8 is not"),
    ],
)
def test_a_malformed_table_is_told_where(tmp_path: Path, text: str | bytes, fault: str) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def read() -> list[tuple[str, int]]:
        table = Table(path, ("seq",))
        column, _ = table.time_column("a")
        return [(row.required("seq"), row.integer(column)) for row in table.rows()]

    with pytest.raises(InputError) as caught:
        read()
    assert f"{path}{fault}" in str(caught.value)


def test_a_header_s_comment_is_no_part_of_the_name(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("seq,a_ms(-1=infinite)\r\n7, 5 \r\n", newline="")
    table = Table(path, ("seq",))
    assert table.time_column("a") == ("a_ms", 1_000)
    assert [(row.text("seq"), row.integer("a_ms"), row.line) for row in table.rows()] == [("7", 5, 2)]
