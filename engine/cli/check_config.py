"""`paidui check-config`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from engine.config import load_site
from engine.errors import ConfigError
from engine.plugins import check_channels


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `paidui check-config`."""
    parser.add_argument("file", type=Path, help="the configuration file (TOML)")
    parser.add_argument("--json", action="store_true", help="for a program to read")


def run(options: argparse.Namespace) -> int:
    """Print what the file says in one line, or every error; nothing is started or changed."""
    try:
        site = load_site(options.file)
        check_channels(site.channels)
    except ConfigError as error:
        if not options.json:
            raise
        print(json.dumps({"ok": False, "errors": error.errors}))
        return 1
    counts = {
        "queues": len(site.queues),
        "skills": len(site.skills),
        "agents": len(site.agents),
        "channels": len(site.channels),
    }
    if options.json:
        print(json.dumps({"ok": True, "site": site.name, **counts}))
    else:
        listed = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        print(f"{options.file}: good; site {site.name}, {listed}")
    return 0
