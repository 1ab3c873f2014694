"""Reading and writing recorded traffic; what the router makes of it is tested in tests/e2e."""

from collections.abc import Callable
from pathlib import Path

import pytest

from loadtest.errors import InputError
from loadtest.recorded import (
    ABANDONED,
    SERVED,
    UNSERVED,
    Fate,
    RecordedDuty,
    Rules,
    format_fates,
    play,
    read_recording,
)

CONTACTS = """seq,day,arrive_s,type,priority,service_s,patience_s,real_outcome
0,1,100,PS,2,,10,HANG
1,2,50,NE,0,30,,AGENT
2,1,90,PS,0,20,-1,AGENT
3,1,90,NE,1,20,,AGENT
"""
SKILLS = "agent,types\nB,PS+NE\nA,PS\n"
DUTY = "day,agent,login_s,logout_s\n1,A,10,200\n1,B,20,\n2,A,0,99\n9,A,1,2\n"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    def file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return file


def test_a_call_log_in_seconds(write) -> None:
    rules = Rules(head_start_us={2: 90_000_000})
    files = write("c.csv", CONTACTS), write("a.csv", DUTY), write("s.csv", SKILLS)
    recording = read_recording(*files, rules)
    first, second = recording.days["1"], recording.days["2"]
    assert [c.row for c in first.contacts] == [2, 3, 0], "by arrival; equal times as in the file"
    assert [c.row for c in second.contacts] == [1]
    vip = first.contacts[2]
    assert (vip.head_start_us, vip.service_us, vip.patience_us) == (90_000_000, None, 10_000_000)
    assert first.contacts[0].patience_us is None
    assert list(recording.levels) == ["B", "A"], "the file's order is the position"
    assert first.duty == [RecordedDuty("A", 10_000_000, 200_000_000), RecordedDuty("B", 20_000_000, None)]
    assert recording.unit_us == 1_000_000


def test_without_a_day_and_without_duty_all_are_there_from_the_start(write) -> None:
    contacts = write("c.csv", "seq,arrive_ms,type,service_ms,patience_ms(-1=infinite)\n7,5,0,9,-1\n")
    recording = read_recording(contacts, None, 3, Rules())
    assert recording.days[""].duty == [RecordedDuty(agent, 0, None) for agent in "012"]
    assert recording.levels == {agent: {"0": 100} for agent in "012"}
    assert recording.unit_us == 1_000


def test_level_1_is_the_best_and_0_is_none(write) -> None:
    contacts = write("c.csv", "seq,arrive_ms,type,service_ms,patience_ms\n7,5,0,9,-1\n")
    skills = write("s.csv", "agent,level_type0(0=no skill),level_type1(0=no skill)\nx,1,0\ny,3,2\n")
    assert read_recording(contacts, None, skills, Rules()).levels == {
        "x": {"0": 100},
        "y": {"0": 98, "1": 99},
    }


@pytest.mark.parametrize(
    ("unit", "outcomes"),
    [("s", "8,AGENT,3,A\n9,HANG,5,\n10,UNSERVED,0,\n"), ("ms", "8,S,3,A\n9,A,5,-1\n10,U,0,-1\n")],
)
def test_fates_are_written_in_the_words_and_unit_of_the_input(write, unit: str, outcomes: str) -> None:
    header = f"seq,arrive_{unit},type,service_{unit},patience_{unit}\n"
    contacts = write("c.csv", header + "8,5,0,9,\n9,6,0,9,\n10,4,0,9,\n")
    recording = read_recording(contacts, None, write("s.csv", "agent,types\nA,0\n"), Rules())
    us = recording.unit_us

    def play_day(recording, day, rules):
        by_row = [Fate(SERVED, 3 * us, "A"), Fate(ABANDONED, 5 * us, None), Fate(UNSERVED, 0, None)]
        return [by_row[contact.row] for contact in day.contacts]

    fates = play(recording, Rules(), play_day)
    assert format_fates(recording, fates) == "seq,outcome,wait,agent\n" + outcomes


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("c", CONTACTS + "0,1,1,PS,0,1,,X\n", "c.csv:6: column seq: 0 stands in this file twice"),
        ("c", CONTACTS + "9,1,1,,0,1,,X\n", "c.csv:6: column type: expected a value"),
        ("c", CONTACTS + "9,1,1,PS,x,1,,X\n", "c.csv:6: column priority: expected a whole number"),
        ("c", CONTACTS + "9,1,1,PS,0,-1,,X\n", "c.csv:6: column service_s: expected a whole number"),
        ("c", CONTACTS + "9,1,1,PS,0,1,-2,X\n", "c.csv:6: column patience_s: expected a whole number"),
        ("c", CONTACTS.replace("priority", "prio"), "c.csv:1: column priority: missing"),
        ("a", DUTY + "1,C,1,2\n", "a.csv:6: column agent: C is not in the skills"),
        ("a", DUTY + "1,A,3,2\n", "a.csv:6: column logout_s: 2 lies before login_s 3"),
        ("a", "agent,login_s,logout_s\n", "a.csv:1: column day: missing"),
        ("s", SKILLS + "A,PS\n", "s.csv:4: column agent: A stands in this file twice"),
        ("s", "agent,types\nA,PS++NE\n", "s.csv:2: column types: expected names joined by +, got 'PS++NE'"),
        ("s", "agent,skills\n", "s.csv:1: column types: missing"),
        (
            "s",
            "agent,level_typeX\nA,101\n",
            "s.csv:2: column level_typeX: expected a whole number 0..100, got '101'",
        ),
        ("s", "agent,types\n", "s.csv: expected at least one agent, got none"),
    ],
)
def test_a_fault_is_told_with_file_line_and_column(write, file: str, text: str, fault: str) -> None:
    texts = {"c": CONTACTS, "a": DUTY, "s": SKILLS} | {file: text}
    files = [write(f"{name}.csv", content) for name, content in texts.items()]
    with pytest.raises(InputError) as caught:
        read_recording(*files, Rules(head_start_us={2: 1}))
    assert fault in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: cannot be read: No such file"):
        read_recording(tmp_path / "none.csv", None, 1, Rules())
