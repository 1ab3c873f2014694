"""`paidui stats`: the statistics process, started by `serve` and `demo`."""

from __future__ import annotations

import argparse

from engine.cli.logs import set_up_logs
from engine.cli.site_options import add_site_options, chosen_site
from engine.stats.run import run as run_statistics


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the statistics process."""
    add_site_options(parser)
    parser.add_argument("--quiet", action="store_true", help="log warnings only")


def run(options: argparse.Namespace) -> int:
    """Follow the journal and answer SQL until standard input ends."""
    set_up_logs(quiet=options.quiet)
    run_statistics(chosen_site(options), child=True)
    return 0
