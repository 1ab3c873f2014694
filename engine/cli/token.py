"""`paidui token`: what a plugin, a load tester or an analyst shows at the door."""

from __future__ import annotations

import argparse

from engine.channel_health import IN_ANOTHER_PROCESS
from engine.cli.site_options import add_site_options, chosen_site
from engine.errors import ConfigError
from engine.keys import tokens_of

PURPOSES = ("plugin", "edge", "follower", "analyst")
DAY_S = 86_400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `paidui token`."""
    parser.add_argument("purpose", choices=PURPOSES, help="what it is for")
    parser.add_argument("--channel", help="a plugin's channel, as configured")
    parser.add_argument(
        "--any-agent", action="store_true", help="an edge that needs no sign-in of the agents it acts for"
    )
    parser.add_argument("--subject", default="cli", help="whose it is (default: cli)")
    parser.add_argument("--days", type=float, default=1.0, help="until it expires (default: 1)")
    add_site_options(parser, port=False)


def run(options: argparse.Namespace) -> int:
    """Print a token."""
    site = chosen_site(options)
    if not 0 < options.days <= 400:
        raise ConfigError([f"--days: expected more than 0 and at most 400, got {options.days:g}"])
    claims: dict[str, object] = {}
    if options.any_agent:
        if options.purpose != "edge":
            raise ConfigError([f"--any-agent: goes with `paidui token edge`, not with {options.purpose}"])
        claims["any_agent"] = True
    if options.purpose == "plugin":
        if options.channel not in site.channels:
            fault = "name the plugin's channel" if options.channel is None else f"no {options.channel!r} here"
            known = ", ".join(site.channels) or "none"
            raise ConfigError([f"--channel: {fault}; configured are: {known}"])
        hosted = site.channels[options.channel].plugin
        if hosted != IN_ANOTHER_PROCESS:
            raise ConfigError(
                [
                    f"--channel: {options.channel!r} is served here by {hosted!r}, without a token; "
                    f'`plugin = "socket"` in [channels.{options.channel}] has it served from outside'
                ]
            )
        claims["channel"] = options.channel
    print(tokens_of(site).issue(options.purpose, options.subject, options.days * DAY_S, **claims))
    return 0
