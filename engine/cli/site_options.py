"""The options that name a site, the same for every command that needs one."""

from __future__ import annotations

import argparse
import getpass
import os
from dataclasses import replace
from pathlib import Path

from engine.config import Address, SiteConfig, load_site
from engine.errors import ConfigError

DEMO_CONFIG = Path("paidui-demo") / "bank.toml"


def add_site_options(parser: argparse.ArgumentParser, *, required: bool = False, port: bool = True) -> None:
    """`--config` and `--port`; a command that only asks may take the demonstration's site as default."""
    default = "" if required else f" (default: {DEMO_CONFIG}, if it exists)"
    parser.add_argument(
        "--config", type=Path, metavar="FILE", required=required, help=f"the site's configuration{default}"
    )
    if port:
        parser.add_argument("--port", type=int, help="first of three ports, instead of the configured ones")
    else:
        parser.set_defaults(port=None)


def actor() -> str:
    """Who types, as the audit log calls them."""
    try:
        return f"command line ({getpass.getuser()})"
    except (KeyError, OSError):  # a container without a name for its user
        return f"command line ({os.getuid()})"


def chosen_site(options: argparse.Namespace) -> SiteConfig:
    """Read the site that the options name.

    Raises:
        ConfigError: there is none, or it is wrong.
    """
    config = options.config
    if config is None:
        if not DEMO_CONFIG.exists():
            raise ConfigError([f"--config: name the site's configuration; {DEMO_CONFIG} does not exist here"])
        config = options.config = DEMO_CONFIG
    return with_ports(load_site(config), options.port)


def with_ports(site: SiteConfig, port: int | None) -> SiteConfig:
    """The site on three ports from `port` on, or as configured.

    Raises:
        ConfigError: `port` leaves no room for three.
    """
    if port is None:
        return site
    if not 1 <= port <= 65_533:
        raise ConfigError([f"--port: expected 1..65533, got {port}"])
    web, gateway, stats = (Address("127.0.0.1", port + offset) for offset in range(3))
    return replace(
        site,
        web=replace(site.web, bind=web),
        gateway=replace(site.gateway, bind=gateway),
        stats=replace(site.stats, bind=stats),
    )
