"""`paidui sql`: ask the statistics of the running site."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engine.cli.site_options import add_site_options, chosen_site
from engine.errors import ConfigError
from engine.keys import tokens_of
from engine.stats.client import as_csv, as_json, as_text, ask, ask_report
from engine.stats.reports import load_report, report_names

TOKEN_TTL_S = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `paidui sql`."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("statement", nargs="?", help="one SELECT; `-` reads it from standard input")
    what.add_argument("--report", metavar="NAME", help="a named report")
    what.add_argument("--reports", action="store_true", help="list the named reports")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="for a program to read")
    shape.add_argument("--csv", action="store_true", help="for a spreadsheet")
    add_site_options(parser)


def run(options: argparse.Namespace) -> int:
    """Print the answer as a table, JSON or CSV."""
    if options.reports:
        return _list_reports()
    site = chosen_site(options)
    if not (Path(site.data) / "journal").exists():
        raise ConfigError([f"{site.data}: nothing has run here yet; start the site first"])
    token = tokens_of(site).issue("analyst", "cli", TOKEN_TTL_S)
    url = f"http://{site.stats.bind}"
    if options.report:
        table = ask_report(url, token, options.report)
    else:
        table = ask(url, token, sys.stdin.read() if options.statement == "-" else options.statement)
    show = as_json if options.json else as_csv if options.csv else as_text
    print(show(table).rstrip("\n"))
    return 0


def _list_reports() -> int:
    for name in report_names():
        title = load_report(name).title
        print(f"{name:20}  {title.en} · {title.zh}")
    return 0
