"""`paidui flood` as its user runs it: a site of its own, sockets, journal, statistics, one report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.config import load_site
from engine.stats.database import FILE
from tests.unit.stats_kit import everything, following

ROOT = Path(__file__).resolve().parents[2]


def paidui(*arguments: str, within_s: float = 120) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "engine", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=within_s, check=False)


@pytest.mark.slow
def test_a_flood_on_a_site_of_its_own(tmp_path: Path) -> None:
    done = paidui("flood", "smoke", "--duration", "3", "--warmup", "1", "--json", "--data", str(tmp_path))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["sound"] is True
    books, server = report["books"], report["server"]
    assert books["acknowledged"] == server["arrived"] > 100
    assert {fate: server[fate] for fate in ("served", "abandoned", "blocked")} == {
        fate: books[fate] for fate in ("served", "abandoned", "blocked")
    }
    assert (books["missing"], books["ended_twice"], server["missing"]) == (0, 0, 0)
    latency = report["results"]["latency"]
    for name in ("arrival_offer_idle", "freed_offer", "ack"):
        assert latency[name]["count"] > 10, name
        assert 0 < latency[name]["p50_ms"] <= latency[name]["p99_ms"] <= latency[name]["max_ms"], name
    assert report["mix"]["seed"] == 7
    assert report["fsync"]["p50_ms"] >= 0
    assert len(report["machine"]["load_average"]) == 3
    assert "arrivals/s" in done.stderr, "progress while it runs"
    rebuilt_rows_are_the_live_ones(tmp_path)


def rebuilt_rows_are_the_live_ones(folder: Path) -> None:
    """What the statistics wrote while the flood ran is what they make of its journal afterwards."""
    site = load_site(folder / "site.toml")
    with following(site.data, site) as (writer, database):
        writer.step()  # what was committed after their last write
        writer.flush()
        live = everything(database)
    (site.data / FILE).unlink()
    with following(site.data, site) as (writer, database):
        assert writer.applied_seq == 0
        while writer.step():
            writer.flush()
        rebuilt = everything(database)
    assert {table: len(rows) for table, rows in rebuilt.items()} == {
        table: len(rows) for table, rows in live.items()
    }
    assert rebuilt == live
    assert len(live["contacts_ended"]) > 100


@pytest.mark.slow
def test_the_text_report(tmp_path: Path) -> None:
    done = paidui("flood", "smoke", "--duration", "1", "--warmup", "0.5", "--agents", "10", "--rate", "20")
    assert done.returncode == 0, done.stderr
    for words in ("10 agents, 20 contacts/s", "freed → next offer", "p99.9", "fsync of 4 KiB", "0 missing"):
        assert words in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "load", [("--saturate", "100"), ("--engine", "rust", "--rate", "400")], ids=["saturation", "open loop"]
)
def test_the_client_in_rust_keeps_the_same_books_as_the_site(load: tuple[str, ...], tmp_path: Path) -> None:
    size = ("--agents", "60", "--duration", "2", "--warmup", "0", "--edges", "3")
    done = paidui("flood", "lifecycles", *load, *size, "--json", "--data", str(tmp_path))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    books, server, results = report["books"], report["server"], report["results"]
    assert report["sound"] is True
    assert books["acknowledged"] == server["arrived"] == results["counts"]["arrivals"] > 300
    assert books["served"] == server["served"] == results["counts"]["lifecycles"] == books["acknowledged"]
    assert (books["missing"], books["ended_twice"], server["missing"]) == (0, 0, 0)
    assert results["refused"] == {}
    measured = {name for name, times in results["latency"].items() if times["count"]}
    # In a saturation agents are freed while contacts wait; otherwise the first contacts find idle agents.
    wanted = {"freed_offer", "ack"} if "--saturate" in load else {"arrival_offer_idle", "late", "ack"}
    assert wanted <= measured
    assert "arrivals/s" in done.stderr, "progress while it runs"


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("--rate", "0"), "--rate: expected 0.001..50000, got 0"),
        (("--duration", "4000"), "--duration: expected 0.1..3600, got 4000"),
        (("--agents", "20001"), "--agents: expected 1..20000, got 20001"),
        (("--edges", "17"), "--edges: expected 1..16, got 17"),
        (
            ("--rate", "50000", "--duration", "60"),
            "--rate: 3050000 contacts in all, at most 2000000 are played",
        ),
        (
            ("--target", "127.0.0.1:1"),
            "--token: missing: plugin for channel chat, plugin for channel voice, edge",
        ),
        (("--target", "192.0.2.1:8701", "--token", "x"), "--token: expected three parts"),
        (("--target", "127.0.0.1:1", "--spawn"), "--target and --spawn (or --data): give one of them"),
        (("--token", "x"), "--token goes with --target"),
        (("--saturate", "0"), "--saturate: expected 1..100000, got 0"),
        (("--saturate", "9", "--rate", "9"), "--saturate and --rate: give one of them"),
        (("--saturate", "9", "--engine", "python"), "--saturate: the crowd in Python cannot"),
    ],
)
def test_what_cannot_be_is_said_at_once(arguments: tuple[str, ...], fault: str) -> None:
    done = paidui("flood", "smoke", *arguments)
    assert done.returncode == 1
    assert fault in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.torture
def test_a_thousand_agents_at_two_thousand_contacts_a_second() -> None:
    """Nothing is missing; the rate that was reached is a figure, and no test of a busy machine."""
    done = paidui("flood", "thousand", "--rate", "2000", "--duration", "20", "--json", within_s=180)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["mix"]["agents"] == 1_000
    assert report["results"]["lifecycles_per_s"] > 0
    assert report["books"]["missing"] == 0
