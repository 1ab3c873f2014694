"""`paidui restore`: a site from a copy, every byte of it checked."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.backup import restore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `paidui restore`."""
    parser.add_argument("source", type=Path, metavar="SRC", help="what `paidui backup` has made")
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        required=True,
        help="the site's configuration, which says where its data go; made from the copy where it is missing",
    )


def run(options: argparse.Namespace) -> int:
    """Restore; a data folder that holds anything is left as it is."""
    site = restore(options.source, options.config, print)
    print(f"{site.name} is in {site.data}; start it with `paidui serve --config {options.config}`")
    return 0
