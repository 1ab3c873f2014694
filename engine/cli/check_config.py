"""`paidui check-config`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from engine.calendars import EPOCH, MICROSECOND, Calendar, Hours
from engine.clock import SystemClock
from engine.config import SiteConfig, load_site
from engine.errors import ConfigError
from engine.overtaking import overtaking_bounds
from engine.plugins import check_channels
from engine.strategy_worker import load
from engine.tls import tls_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `paidui check-config`."""
    parser.add_argument("file", type=Path, help="the configuration file (TOML)")
    parser.add_argument("--json", action="store_true", help="for a program to read")


def run(options: argparse.Namespace) -> int:
    """Print what the file says, or every error; nothing is started or changed."""
    try:
        site = load_site(options.file)
        check_channels(site.channels)
        check_functions(site)
        for setting, certificate in (("web", site.web.certificate), ("gateway", site.gateway.certificate)):
            tls_of(certificate, setting)
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
    bounds = overtaking_bounds(site)
    if options.json:
        overtaking = {name: bound.limit_s for name, bound in bounds.items()}
        print(json.dumps({"ok": True, "site": site.name, **counts, "overtaking_s": overtaking}))
    else:
        listed = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        print(f"{options.file}: good; site {site.name}, {listed}")
        now_us = SystemClock().now_us()
        for calendar in site.calendars.values():
            print(f"calendar {calendar.name}: {_now(calendar, now_us)}")
        width = max(map(len, bounds), default=0)
        for name, bound in bounds.items():
            waiver = site.queues[name].waive_overtaking if bound.limit_s is None else None
            print(f"overtaking in {name:<{width}}  {bound}{f'; waived: {waiver}' if waiver else ''}")
    return 0


def check_functions(site: SiteConfig) -> None:
    """Import the function of every strategy from outside, as its process will.

    Raises:
        ConfigError: with every function that is not there; a site runs without it, by its fallback.
    """
    errors = []
    for name, queue in site.queues.items():
        if queue.outside is not None:
            try:
                load(queue.outside.function)
            except ValueError as error:
                errors.append(f"queues.{name}.function: {error}")
    if errors:
        raise ConfigError(errors)


def _now(calendar: Calendar, now_us: int) -> str:
    """Say what a calendar has now and until when: the quickest check that it means what was meant."""
    state, change_us = calendar.state_at(now_us), calendar.next_change(now_us)
    if change_us is None:
        return f"always {state}"
    at = (EPOCH + change_us * MICROSECOND).astimezone(calendar.timezone)
    verb = "closes" if state is Hours.OPEN else "opens"
    return f"{state} now, {verb} {at:%a %Y-%m-%d %H:%M} ({at.tzname()})"
