"""`paidui backup`: a copy of one moment of a site, while it runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.backup import back_up
from engine.cli.site_options import add_site_options, chosen_site


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `paidui backup`."""
    parser.add_argument("dest", type=Path, metavar="DEST", help="a folder that is empty or not there yet")
    parser.add_argument(
        "--without-store",
        action="store_true",
        help="the store is a PostgreSQL, and was copied with its own tools just before",
    )
    add_site_options(parser)


def run(options: argparse.Namespace) -> int:
    """Copy journal, store, attachments, keys and configuration."""
    site = chosen_site(options)
    back_up(site, options.config, options.dest, print, without_store=options.without_store)
    print(f"{site.name} is in {options.dest}; the keys are among it: keep it as safe as the site")
    return 0
