"""`paidui explain`: why a contact went to this agent, and why not to that one."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import msgspec

from engine.cli.site_options import add_site_options, chosen_site
from engine.errors import ConfigError
from engine.explain_story import Until, account
from engine.explain_texts import Language
from engine.explain_words import Words

LAST = "last"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `paidui explain`."""
    parser.add_argument("contact", help="its number, or `last`: the one that was offered last")
    parser.add_argument("--agent", metavar="NAME", help="why not this agent?")
    parser.add_argument(
        "--at",
        metavar="SEQ|TIME",
        help="as of this batch, or this time (2026-05-04T10:32:05, in the site's time zone); default: now",
    )
    parser.add_argument("--json", action="store_true", help="for a program to read")
    parser.add_argument("--language", choices=("en", "zh"), help="default: the environment's")
    add_site_options(parser)


def run(options: argparse.Namespace) -> int:
    """Print the story and the explanation; the journal is only read, a running site does not notice."""
    site = chosen_site(options)
    zone = ZoneInfo(site.timezone)
    contact = _contact(options.contact)
    told = account(site.data / "journal", contact, options.agent, _until(options.at, zone))
    if options.json:
        print(msgspec.json.encode(told).decode())
        return 0
    print("\n".join(Words(options.language or _language(), zone).account(told)))
    return 0


def _contact(text: str) -> int | None:
    if text == LAST:
        return None
    if not text.isdecimal():
        raise ConfigError([f"CONTACT: expected a contact's number or `{LAST}`, got {text!r}"])
    return int(text)


def _until(text: str | None, zone: tzinfo) -> Until:
    if text is None:
        return Until()
    if text.isdecimal():
        return Until(seq=int(text))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        expected = "a batch's number, or a time such as 2026-05-04T10:32:05.123"
        raise ConfigError([f"--at: expected {expected}, got {text!r}"]) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return Until(at_us=(moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1))


def _language() -> Language:
    spoken = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "zh" if next(filter(None, spoken), "").startswith("zh") else "en"
