"""`paidui players`: the demonstration's simulated customers and agents, in a process of their own."""

from __future__ import annotations

import argparse
from functools import partial

import trio

from engine.cli.logs import add_log_options, set_up_logs
from engine.cli.parts import until_parent_ends
from engine.cli.site_options import add_site_options, chosen_site
from engine.keys import tokens_of
from loadtest.drive_live import Tokens
from loadtest.players import run_players

WEEK_S = 7 * 86_400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the players."""
    parser.add_argument("--seed", type=int, default=1, help="seed of the simulated day")
    add_log_options(parser)
    add_site_options(parser)


def run(options: argparse.Namespace) -> int:
    """Play until standard input ends."""
    set_up_logs(options)
    trio.run(_play, options)
    return 0


async def _play(options: argparse.Namespace) -> None:
    site = chosen_site(options)
    issuer = tokens_of(site)
    plugins = {
        name: issuer.issue("plugin", "players", WEEK_S, channel=name)
        for name, channel in site.channels.items()
        if channel.plugin == "socket"
    }
    tokens = Tokens(plugins, issuer.issue("edge", "players", WEEK_S, any_agent=True))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(run_players, site, tokens, seed=options.seed))
        await until_parent_ends()
        nursery.cancel_scope.cancel()
