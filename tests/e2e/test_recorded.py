"""Recorded traffic through the router on virtual time gives the reference's outcomes, all of them."""

import argparse
import csv
import json
import os
from pathlib import Path

import pytest

from loadtest import cli_simulate
from loadtest.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
TRACES = ROOT / "tests" / "reference" / "traces"
LOG = TRACES / "ww_k2.csv"
BANK_WEEK = ROOT.parent / "shared" / "reference" / "bank_week"


def simulate(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    cli_simulate.add_arguments(parser)
    return cli_simulate.run(parser.parse_args([str(argument) for argument in arguments]))


def columns(path: Path, *names: str) -> list[tuple[str, ...]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        header = [name.partition("(")[0] for name in next(rows)]
        places = [header.index(name) for name in names]
        return [tuple(row[place] for place in places) for row in rows]


def bank_week() -> Path:
    if not BANK_WEEK.is_dir():
        reason = "the bank week is not part of this repository; put it at ../shared/reference/bank_week"
        if os.environ.get("STRICT") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return BANK_WEEK


@pytest.mark.parametrize(("head_start", "expected"), [((), "fcfs"), (("--head-start", "2=90"), "head90")])
def test_the_bank_week_to_the_last_call(tmp_path: Path, head_start: tuple[str, ...], expected: str) -> None:
    week, out = bank_week(), tmp_path / "out.csv"
    status = simulate(
        *("--contacts", week / "calls.csv", "--agents", week / "agents.csv", "--skills", week / "skills.csv"),
        *("--wrap-up-s", 5, *head_start, "--out", out),
    )
    assert status == 0
    played = columns(out, "seq", "outcome", "wait", "agent")
    wanted = columns(week / f"expected_{expected}.csv", "seq", "outcome", "wait_s", "agent")
    assert len(wanted) == 6_576
    assert played == wanted


def test_a_head_start_matters(tmp_path: Path) -> None:
    week = bank_week()
    assert columns(week / "expected_fcfs.csv", "agent") != columns(week / "expected_head90.csv", "agent")


@pytest.mark.parametrize("rule", ["level", "longest"])
@pytest.mark.parametrize(
    ("trace", "setting"),
    [
        ("ww_k2", ("--skills", TRACES / "ww_skills_k2.csv", "--room", 30)),
        ("ww_k3_block", ("--skills", TRACES / "ww_skills_k3.csv", "--room", 8)),
        ("erlang_a100", ("--equal-agents", 100)),
    ],
)
def test_the_traces_to_the_last_contact(
    tmp_path: Path, trace: str, setting: tuple[object, ...], rule: str
) -> None:
    contacts, out = TRACES / f"{trace}.csv", tmp_path / "out.csv"
    assert simulate("--contacts", contacts, *setting, "--rule", rule, "--out", out) == 0
    played = columns(out, "seq", "outcome", "wait", "agent")
    wanted = columns(contacts, "seq", f"outcome_{rule}", f"wait_ms_{rule}", f"agent_{rule}")
    assert len(wanted) == 6_000
    assert played == wanted


def test_one_talk_that_is_a_minute_longer_is_noticed(tmp_path: Path) -> None:
    text = (TRACES / "ww_k2.csv").read_text("utf-8").replace("0,5313,0,307329,", "0,5313,0,367329,", 1)
    contacts, out = tmp_path / "c.csv", tmp_path / "out.csv"
    contacts.write_text(text, encoding="utf-8")
    simulate("--contacts", contacts, "--skills", TRACES / "ww_skills_k2.csv", "--room", 30, "--out", out)
    played = columns(out, "wait", "agent")
    assert played != columns(contacts, "wait_ms_longest", "agent_longest")


def test_the_summary_is_for_programs_too(capsys: pytest.CaptureFixture[str]) -> None:
    contacts = TRACES / "ww_k3_block.csv"
    arguments = (
        "--contacts",
        contacts,
        "--skills",
        TRACES / "ww_skills_k3.csv",
        "--room",
        8,
        "--rule",
        "level",
    )
    assert simulate(*arguments, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["contacts"], summary["S"], summary["B"]) == (6_000, 5_551, 449)


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ((), "give a scenario, or recorded traffic: --contacts"),
        (("--contacts", LOG), "--skills FILE or --equal-agents N: give exactly one"),
        (
            ("--contacts", LOG, "--equal-agents", 0),
            "--equal-agents: expected 1..20000, got 0",
        ),
        (
            ("--contacts", LOG, "--equal-agents", 1, "--head-start", "2"),
            "--head-start: expected PRIORITY=SECONDS, such as 2=90 and at most a week, got '2'",
        ),
        (
            ("--contacts", LOG, "--equal-agents", 1, "--room", -1),
            "--room: expected 0..2000000, got -1",
        ),
        (("--contacts", "none.csv", "--equal-agents", 1), "none.csv: cannot be read"),
        (("nonsense",), "no scenario 'nonsense'; there are "),
    ],
)
def test_what_is_missing_is_said(arguments: tuple[object, ...], fault: str) -> None:
    with pytest.raises(InputError) as caught:
        simulate(*arguments)
    assert fault in str(caught.value)
