"""`paidui keeper`: the process that writes snapshots, started by `serve` and `demo`."""

from __future__ import annotations

import argparse
import os
import select
import sys

from engine.background import give_way
from engine.cli.logs import add_log_options, set_up_logs
from engine.cli.site_options import add_site_options, chosen_site
from engine.config import SiteConfig
from engine.keeper import Keeper, Plan

LOOK_EVERY_S = 0.5
"""Between looks at a journal in which too little has come: a snapshot need not be early."""
NICENESS = 15
"""Below the statistics: a late snapshot costs a longer start, and nothing else."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the keeper."""
    add_site_options(parser)
    add_log_options(parser)


def run(options: argparse.Namespace) -> int:
    """Keep the journal until standard input ends."""
    set_up_logs(options)
    give_way(NICENESS)
    site = chosen_site(options)
    keeper = Keeper(site.data / "journal", plan_of(site))
    try:
        # Once at least, also when the site is gone already: one that fails again and again gets them, too.
        keeper.step(_stopped)
        while not _input_has_ended(LOOK_EVERY_S):
            keeper.step(_stopped)
    finally:
        keeper.close()
    return 0


def plan_of(site: SiteConfig) -> Plan:
    """What the configuration wants kept."""
    kept = site.journal
    return Plan(snapshot_every=kept.snapshot_every, days=kept.days, max_bytes=kept.max_bytes)


def _stopped() -> bool:
    return _input_has_ended(0)


def _input_has_ended(wait_s: float) -> bool:
    """Whether the parent is gone or wants us to stop; waits so long for it."""
    readable, _, _ = select.select([sys.stdin], [], [], wait_s)
    return bool(readable) and not os.read(sys.stdin.fileno(), 1_024)
