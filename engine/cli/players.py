"""`paidui players`: the demonstration's simulated customers and agents, in a process of their own."""

from __future__ import annotations

import argparse
from functools import partial

import trio

from engine.cli.logs import add_log_options, set_up_logs
from engine.cli.parts import until_parent_ends
from engine.cli.site_options import add_site_options, chosen_site
from engine.config import SiteConfig
from engine.errors import ConfigError
from engine.keys import tokens_of
from loadtest.drive_live import Tokens, first_of
from loadtest.errors import FloodError
from loadtest.players import run_players
from loadtest.secured import Tls, add_tls_options

WEEK_S = 7 * 86_400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the players."""
    parser.add_argument("--seed", type=int, default=1, help="seed of the simulated day")
    add_tls_options(parser)
    add_log_options(parser)
    add_site_options(parser)


def run(options: argparse.Namespace) -> int:
    """Play until standard input ends.

    Raises:
        ConfigError: `--tls-ca` without a certificate at the gateway.
        FloodError: the gateway's certificate is not trusted.
    """
    set_up_logs(options)
    site = chosen_site(options)
    try:
        trio.run(_play, site, tls_for(site, options), options.seed)
    except BaseExceptionGroup as group:
        reason = first_of(group)
        if isinstance(reason, FloodError):
            raise reason from None
        raise
    return 0


def tls_for(site: SiteConfig, options: argparse.Namespace) -> Tls | None:
    """Return how the players talk to the site's gateway; None = in plain text.

    Raises:
        ConfigError: they are told of a certificate that it has not.
        InputError: `--tls-ca` cannot be read.
    """
    if site.gateway.certificate is not None:
        return Tls.trusting(options.tls_ca, options.tls_name)
    if options.tls_ca is not None or options.tls_name is not None:
        raise ConfigError(["--tls-ca: the gateway has no certificate; leave --tls-ca and --tls-name away"])
    return None


async def _play(site: SiteConfig, tls: Tls | None, seed: int) -> None:
    issuer = tokens_of(site)
    plugins = {
        name: issuer.issue("plugin", "players", WEEK_S, channel=name)
        for name, channel in site.channels.items()
        if channel.plugin == "socket"
    }
    tokens = Tokens(plugins, issuer.issue("edge", "players", WEEK_S, any_agent=True))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(run_players, site, tokens, seed=seed, tls=tls))
        await until_parent_ends()
        nursery.cancel_scope.cancel()
