"""`paidui version`."""

from __future__ import annotations

import argparse
import json
from importlib import metadata

from engine.journal.contract import FORMAT_VERSION, RULES_VERSION


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `paidui version`."""
    parser.add_argument("--json", action="store_true", help="for a program to read")


def run(options: argparse.Namespace) -> int:
    """Print the release, the journal format and the rules that it decides by."""
    about = {"paidui": metadata.version("paidui"), "journal_format": FORMAT_VERSION, "rules": RULES_VERSION}
    if options.json:
        print(json.dumps(about))
    else:
        print(f"paidui {about['paidui']} · journal format {FORMAT_VERSION} · rules {RULES_VERSION}")
    return 0
