"""`paidui simulate`: a scenario, or recorded traffic, through the router on virtual time."""

import argparse
import json
from collections import Counter
from pathlib import Path

from loadtest.drive_recorded import play_day
from loadtest.drive_virtual import simulate_scenario
from loadtest.errors import InputError
from loadtest.recorded import WORDS, Fate, Recording, Rules, format_fates, play, read_recording
from loadtest.report import describe_mix, describe_results, render
from loadtest.scenario import load_scenario

MAX_EQUAL_AGENTS = 20_000
MAX_ROOM = 2_000_000
DAY_S = 86_400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `paidui simulate`."""
    parser.add_argument("scenario", nargs="?", help="a named scenario or a .toml file")
    parser.add_argument("--seed", type=int, help="another seed than the scenario's")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    recorded = parser.add_argument_group("recorded traffic, instead of a scenario")
    recorded.add_argument(
        "--contacts", type=Path, metavar="FILE", help="the call log: seq, arrive_s, type, service_s..."
    )
    recorded.add_argument(
        "--agents",
        type=Path,
        metavar="FILE",
        help="duty intervals; without it all are signed in from the start",
    )
    recorded.add_argument("--skills", type=Path, metavar="FILE", help="who can do what")
    recorded.add_argument(
        "--equal-agents", type=int, metavar="N", help="N agents 0..N-1 with every type, not --skills"
    )
    recorded.add_argument(
        "--head-start",
        action="append",
        default=[],
        metavar="PRIORITY=SECONDS",
        help="contacts of this priority count as if they had come earlier; repeatable",
    )
    recorded.add_argument(
        "--wrap-up-s", type=int, default=0, metavar="N", help="after-contact work (default 0)"
    )
    recorded.add_argument(
        "--reached-talk-s",
        type=int,
        default=120,
        metavar="N",
        help="talk where the log has none (default 120)",
    )
    recorded.add_argument(
        "--rule",
        choices=("longest", "level"),
        default="longest",
        help="what a freed agent goes by (default longest)",
    )
    recorded.add_argument("--room", type=int, metavar="N", help="arrivals beyond N waiting are blocked")
    recorded.add_argument(
        "--out", type=Path, metavar="FILE", help="one row per contact: seq,outcome,wait,agent"
    )


def run(args: argparse.Namespace) -> int:
    """Runs `paidui simulate`.

    Returns:
        0; whatever is wrong is raised.

    Raises:
        InputError: a file, a scenario or a flag cannot be used.
    """
    if args.contacts is not None:
        return _run_recorded(args)
    if args.scenario is None:
        raise InputError("give a scenario, or recorded traffic: --contacts and --skills or --equal-agents")
    return _run_scenario(args)


def _run_scenario(args: argparse.Namespace) -> int:
    scenario = load_scenario(args.scenario).resized(seed=args.seed)
    ledger, site = simulate_scenario(scenario)
    report = {
        "mode": "virtual time",
        "mix": describe_mix(scenario),
        "results": describe_results(scenario, ledger),
        "commands": site.commands,
        "events": site.events,
        "state_hash": site.state_hash(),
        "ended_at_s": site.now_us / 1e6,
    }
    print(json.dumps(report, ensure_ascii=False) if args.json else render(report))
    return 0


def _run_recorded(args: argparse.Namespace) -> int:
    rules = _rules(args)
    recording = read_recording(args.contacts, args.agents, _skills(args), rules)
    fates = play(recording, rules, play_day)
    if args.out is not None:
        try:
            args.out.write_text(format_fates(recording, fates), encoding="utf-8")
        except OSError as error:
            raise InputError(f"--out {args.out}: cannot be written: {error.strerror}") from error
    summary = _summary(recording, fates)
    if args.json:
        print(json.dumps(summary))
    else:
        print(", ".join(f"{value} {name}" for name, value in summary.items()))
    return 0


def _skills(args: argparse.Namespace) -> Path | int:
    """Returns the skills file, or the number of equal agents."""
    if (args.skills is None) == (args.equal_agents is None):
        raise InputError("--skills FILE or --equal-agents N: give exactly one of them")
    if args.skills is not None:
        skills: Path = args.skills
        return skills
    count: int = args.equal_agents
    if not 1 <= count <= MAX_EQUAL_AGENTS:
        raise InputError(f"--equal-agents: expected 1..{MAX_EQUAL_AGENTS}, got {count}")
    return count


def _rules(args: argparse.Namespace) -> Rules:
    for name, high in (("wrap_up_s", DAY_S), ("reached_talk_s", 100 * DAY_S), ("room", MAX_ROOM)):
        value = getattr(args, name)
        if value is not None and not 0 <= value <= high:
            raise InputError(f"--{name.replace('_', '-')}: expected 0..{high}, got {value}")
    head_start_us = {}
    for text in args.head_start:
        priority, equals, seconds = text.partition("=")
        if not (equals and priority.isdecimal() and seconds.isdecimal() and int(seconds) <= 604_800):
            raise InputError(
                f"--head-start: expected PRIORITY=SECONDS, such as 2=90 and at most a week, got {text!r}"
            )
        head_start_us[int(priority)] = int(seconds) * 1_000_000
    return Rules(
        by_level=args.rule == "level",
        room=args.room,
        wrap_up_us=args.wrap_up_s * 1_000_000,
        reached_talk_us=args.reached_talk_s * 1_000_000,
        head_start_us=head_start_us,
    )


def _summary(recording: Recording, fates: list[Fate]) -> dict[str, int | float]:
    counts = Counter(fate.outcome for fate in fates)
    served = [fate.wait_us for fate in fates if fate.outcome == 0]
    return {
        "contacts": len(fates),
        **{word: counts[outcome] for outcome, word in enumerate(WORDS[recording.unit_us])},
        "s mean wait of the served": round(sum(served) / len(served) / 1e6, 3) if served else 0,
        "s longest": max(served, default=0) / 1e6,
    }
