"""`paidui stats`: the statistics process, started by `serve` and `demo`."""

from __future__ import annotations

import argparse

import structlog

from engine.cli.logs import add_log_options, set_up_logs
from engine.cli.site_options import add_site_options, chosen_site
from engine.stats.run import run as run_statistics
from engine.watchdog import EXIT_BROKEN, InvariantBroken

_log = structlog.get_logger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the statistics process."""
    add_site_options(parser)
    add_log_options(parser)


def run(options: argparse.Namespace) -> int:
    """Follow the journal and answer SQL until standard input ends."""
    set_up_logs(options)
    try:
        run_statistics(chosen_site(options), child=True)
    except InvariantBroken as error:
        _log.critical("the router broke an invariant", error=str(error))
        return EXIT_BROKEN
    return 0
