"""`paidui audit`: who did what to which object when, and whether the log is as it was written."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

import trio

from engine.cli.site_options import add_site_options, chosen_site
from engine.config import SiteConfig
from engine.errors import ConfigError
from engine.store import Entry, Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `paidui audit`."""
    what = parser.add_subparsers(dest="what", metavar="show|verify", required=True)
    show = what.add_parser("show", help="the newest rows, the oldest of them first")
    show.add_argument("--last", type=int, default=50, help="how many (default: 50)")
    show.add_argument("--subject", help="only about this, as customer:17, contact:5, user:ann")
    show.add_argument("--actor", help="only by this login")
    verify = what.add_parser("verify", help="look at every row; prints the head, to be kept elsewhere")
    verify.add_argument(
        "--expect", metavar="NUMBER:HASH", help="a head that was printed earlier: the log must go on from it"
    )
    for branch in (show, verify):
        add_site_options(branch, port=False)


def run(options: argparse.Namespace) -> int:
    """Print rows, or the verdict; 1 when the log is not whole."""
    return trio.run({"show": _show, "verify": _verify}[options.what], chosen_site(options), options)


async def _show(site: SiteConfig, options: argparse.Namespace) -> int:
    if options.last < 1:
        raise ConfigError([f"--last: expected 1 or more, got {options.last}"])
    async with Store.of(site) as store:
        for entry in await store.entries(last=options.last, subject=options.subject, actor=options.actor):
            print(_line(entry))
    return 0


def _line(entry: Entry) -> str:
    at = datetime.fromtimestamp(entry.at_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    details = " ".join(f"{name}={value}" for name, value in entry.details.items())
    return f"{entry.number:>6}  {at}  {entry.actor}  {entry.act}  {entry.subject}  {details}".rstrip()


async def _verify(site: SiteConfig, options: argparse.Namespace) -> int:
    expected = None if options.expect is None else _expected(options.expect)
    async with Store.of(site) as store:
        verdict = await store.verify_audit(expected)
    if verdict.fault is not None:
        print(f"the audit log is not whole: {verdict.fault}")
        return 1
    print(f"{verdict.rows} rows, whole; head {verdict.rows}:{verdict.head}")
    return 0


def _expected(text: str) -> tuple[int, str]:
    number, _, digest = text.partition(":")
    if not number.isascii() or not number.isdigit() or len(digest) != 64:
        raise ConfigError([f"--expect: expected a head as `paidui audit verify` prints it, got {text!r}"])
    return int(number), digest
