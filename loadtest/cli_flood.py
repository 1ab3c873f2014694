"""`paidui flood`: a scenario against a running site, over real sockets, with an honest report."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import trio

from loadtest.books import ask_server
from loadtest.drive_live import MAX_EDGES, Progress, Tokens, flood
from loadtest.drive_rust import Saturation, play_rust
from loadtest.errors import InputError
from loadtest.ledger import Ledger
from loadtest.link import Address
from loadtest.machine import describe_machine, probe_fsync
from loadtest.report import Report, describe_mix, describe_results, render
from loadtest.scenario import MAX_RATE_PER_S, Scenario, load_scenario
from loadtest.secured import Tls, add_tls_options
from loadtest.spawn import SpawnedSite, spawned_site
from loadtest.tokens import sort_tokens

MAX_CONTACTS = 2_000_000
MAX_SECONDS = 3_600
MAX_WAITING = 100_000
EXIT_LOST = 1

Player = Callable[[Scenario, Address, Tokens], Report]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `paidui flood`."""
    parser.add_argument("scenario", help="a named scenario (smoke, thousand, surge...) or a .toml file")
    parser.add_argument("--rate", type=float, metavar="R", help="contacts per second, open loop")
    parser.add_argument("--agents", type=int, metavar="N", help="how many agents, in the scenario's mix")
    parser.add_argument("--duration", type=float, metavar="S", help="seconds that are measured")
    parser.add_argument("--warmup", type=float, metavar="S", help="seconds before that")
    parser.add_argument("--seed", type=int, help="another seed than the scenario's")
    parser.add_argument(
        "--edges", type=int, default=2, metavar="N", help=f"agents' connections 1..{MAX_EDGES} (2)"
    )
    parser.add_argument(
        "--engine",
        choices=("python", "rust"),
        default=None,
        help="who plays: the crowd in Python, with patience and mistakes (up to some 4,000 contacts/s, the"
        " default), or the client in Rust, prompt and patient",
    )
    parser.add_argument(
        "--saturate",
        type=int,
        metavar="N",
        help="instead of a rate: as many contacts as the site takes, N always waiting, no talks (Rust)",
    )
    where = parser.add_argument_group(
        "where: a site of its own on a temporary folder, unless --target is given"
    )
    where.add_argument("--spawn", action="store_true", help="start a site for this flood (the default)")
    where.add_argument("--data", type=Path, metavar="DIR", help="keep the spawned site's data in this folder")
    where.add_argument("--target", metavar="ADDR", help="a site's gateway on loopback, host:port")
    where.add_argument(
        "--token",
        action="append",
        default=[],
        help="with --target: one token per channel and one of an edge; repeatable",
    )
    where.add_argument(
        "--tls", action="store_true", help="with --target: its gateway has a certificate; Python alone"
    )
    add_tls_options(where)
    parser.add_argument(
        "--json", action="store_true", help="print the report as JSON; progress goes to stderr"
    )


def run(args: argparse.Namespace) -> int:
    """Runs `paidui flood`.

    Returns:
        0 when the books agree, 1 when a contact was lost or doubled.

    Raises:
        InputError: a flag or the scenario cannot be used.
        FloodError: the site could not be reached, or went away.
    """
    play = _player(args)
    scenario = _scenario(args)
    if args.target is None:
        if args.token:
            raise InputError("--token goes with --target; a spawned site gets its tokens by itself")
        if _tls(args) is not None:
            raise InputError("--tls goes with --target; a spawned site has no certificate")
        with spawned_site(scenario, args.data) as site:
            report = _flood_spawned(scenario, site, play)
    else:
        if args.spawn or args.data:
            raise InputError("--target and --spawn (or --data): give one of them")
        tokens = sort_tokens(args.token, list(scenario.channels))
        report = play(scenario, Address.parse(args.target, _tls(args)), tokens)
        report["machine"] = describe_machine()
    print(json.dumps(report, ensure_ascii=False) if args.json else "\n" + render(report))
    return 0 if report["sound"] else EXIT_LOST


def _tls(args: argparse.Namespace) -> Tls | None:
    """Returns how TLS is spoken, if any of its flags is there."""
    wanted = args.tls or args.tls_ca is not None or args.tls_name is not None
    return Tls.trusting(args.tls_ca, args.tls_name) if wanted else None


def _scenario(args: argparse.Namespace) -> Scenario:
    """Returns the scenario at the size that was asked for, within bounds."""
    for name, low, high in (
        ("rate", 0.001, MAX_RATE_PER_S),
        ("duration", 0.1, MAX_SECONDS),
        ("warmup", 0, MAX_SECONDS),
        ("seed", 0, 2**53),
    ):
        value = getattr(args, name)
        if value is not None and not low <= value <= high:
            raise InputError(f"--{name}: expected {low:g}..{high:g}, got {value:g}")
    if not 1 <= args.edges <= MAX_EDGES:
        raise InputError(f"--edges: expected 1..{MAX_EDGES}, got {args.edges}")
    scenario = load_scenario(args.scenario).resized(
        rate_per_s=args.rate,
        agents=args.agents,
        duration_s=args.duration,
        warmup_s=args.warmup,
        seed=args.seed,
    )
    seconds = scenario.duration_s + scenario.warmup_s
    if seconds > 2 * MAX_SECONDS:
        raise InputError(
            f"--duration: {seconds:g} s in real time are too long; try paidui simulate {args.scenario}"
        )
    contacts = scenario.arrivals.rate_per_s * seconds
    if contacts > MAX_CONTACTS:
        raise InputError(f"--rate: {contacts:.0f} contacts in all, at most {MAX_CONTACTS} are played")
    return scenario


def _flood_spawned(scenario: Scenario, site: SpawnedSite, play: Player) -> Report:
    fsync = probe_fsync(site.folder)
    report = play(scenario, site.address, site.tokens)
    report["machine"] = describe_machine()
    report["fsync"], report["fsync_after"] = fsync, probe_fsync(site.folder)
    books = report["books"]
    assert isinstance(books, dict)
    server = ask_server(site.stats, site.analyst, books["acknowledged"])
    report["server"] = server
    if server is not None:
        agrees = all(server[fate] == books[fate] for fate in ("served", "abandoned", "blocked"))
        report["sound"] = bool(report["sound"]) and agrees and server["missing"] == 0
    return report


def _player(args: argparse.Namespace) -> Player:
    """Returns who plays, as the flags say."""
    if args.saturate is None:
        return partial(_play_rust if args.engine == "rust" else _play_python, edges=args.edges)
    if args.engine == "python":
        raise InputError("--saturate: the crowd in Python cannot; leave --engine python away")
    if args.rate is not None:
        raise InputError("--saturate and --rate: give one of them")
    if not 1 <= args.saturate <= MAX_WAITING:
        raise InputError(f"--saturate: expected 1..{MAX_WAITING}, got {args.saturate}")
    return partial(_play_rust, edges=args.edges, saturation=Saturation(args.saturate, MAX_CONTACTS))


def _play_python(scenario: Scenario, address: Address, tokens: Tokens, *, edges: int) -> Report:
    ledger: Ledger = trio.run(partial(flood, scenario, address, tokens, edges=edges, watch=print_progress))
    return _report("real sockets, open loop", scenario, edges, describe_results(scenario, ledger))


def _play_rust(
    scenario: Scenario,
    address: Address,
    tokens: Tokens,
    *,
    edges: int,
    saturation: Saturation | None = None,
) -> Report:
    results = play_rust(scenario, address, tokens, edges=edges, watch=print_progress, saturation=saturation)
    load = "open loop" if saturation is None else f"saturation, {saturation.waiting} always waiting"
    prompt = replace(scenario, patience=replace(scenario.patience, share=0.0))
    report = _report(f"real sockets, {load}, client in Rust", prompt, edges, results)
    if saturation is not None:
        mix = report["mix"]
        assert isinstance(mix, dict)
        mix.update(
            rate_per_s=None, surges=[], talk_mean_s=0.0, wrap_up_mean_s=0.0, waiting=saturation.waiting
        )
    return report


def _report(mode: str, scenario: Scenario, edges: int, results: Report) -> Report:
    books = results["conservation"]
    assert isinstance(books, dict)
    return {
        "mode": mode,
        "mix": {**describe_mix(scenario), "edges": edges},
        "results": results,
        "books": books,
        "sound": books["holds"],
    }


def print_progress(progress: Progress) -> None:
    """Prints one line per second."""
    freed = "–" if progress.freed_offer_p99_ms is None else f"{progress.freed_offer_p99_ms:.1f} ms"
    print(
        f"{progress.at_s:7.1f} s  {progress.arrivals:6d} arrivals/s  {progress.lifecycles:6d} lifecycles/s"
        f"  {progress.live:6d} here  {progress.unanswered:5d} unacknowledged  freed → offer p99 {freed}",
        file=sys.stderr,
        flush=True,
    )
