"""The `paidui` command: the composition root, where parts that do not know each other are put together.

Each subcommand's module is imported when it is asked for, so that `paidui version` costs nothing.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.errors import ConfigError, PaiduiError


@dataclass(frozen=True)
class Subcommand:
    """One word after `paidui`; `module` has `add_arguments(parser)` and `run(options) -> int`."""

    name: str
    module: str
    purpose: str


SUBCOMMANDS = (
    Subcommand(
        "demo",
        "engine.cli.demo",
        "a living contact centre on this machine, with simulated customers and agents",
    ),
    Subcommand("serve", "engine.cli.serve", "run a site: router, console, channels, gateway, statistics"),
    Subcommand("drain", "engine.cli.drain", "stop a running site: nobody new, who talks may finish"),
    Subcommand(
        "check-config", "engine.cli.check_config", "read a configuration file and print every error at once"
    ),
    Subcommand("sql", "engine.cli.sql", "ask the running site's statistics, read-only"),
    Subcommand(
        "flood", "loadtest.cli_flood", "load a site over real sockets and report latencies and conservation"
    ),
    Subcommand(
        "simulate", "loadtest.cli_simulate", "the same scenario, or your own call log, on virtual time"
    ),
    Subcommand("explain", "engine.cli.explain", "why a contact went to this agent, and why not to that one"),
    Subcommand(
        "replay", "engine.cli.replay", "the journal once more: the same hashes, or the first divergence"
    ),
    Subcommand("journal", "engine.cli.journal", "the journal: verify, show, seal, repair"),
    Subcommand("backup", "engine.cli.backup", "a copy of one moment of a site, while it runs"),
    Subcommand("restore", "engine.cli.restore", "a site from such a copy, every byte of it checked"),
    Subcommand("user", "engine.cli.user", "let somebody sign in at the console, or no more"),
    Subcommand("customer", "engine.cli.customer", "look a customer up, link, merge, erase"),
    Subcommand("audit", "engine.cli.audit", "who did what when, and whether the log is whole"),
    Subcommand("token", "engine.cli.token", "issue a token for a plugin, a load tester or an analyst"),
    Subcommand("version", "engine.cli.version", "what is installed"),
)
# Started by `serve` and `demo` as processes of their own; nobody types them.
PARTS = (
    Subcommand("edge", "engine.cli.edge", "the process of the pages and the hosted channels"),
    Subcommand("stats", "engine.cli.stats", "the statistics process"),
    Subcommand("keeper", "engine.cli.keeper", "the journal's snapshots, sealed segments and their end"),
    Subcommand("players", "engine.cli.players", "the demonstration's simulated customers and agents"),
)
EPILOG = """\
start here:   paidui demo            everything on this machine, an address to click
your site:    paidui check-config bank.toml   then   paidui serve --config bank.toml
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand.

    Returns:
        0 when it did what was asked, 1 after an error that was printed in one place, 2 for words that
        the command does not know.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:
        given = ["version"]
    parser = argparse.ArgumentParser(
        prog="paidui",
        description="Paidui distributes contacts: the right one to the right agent, at once, never lost.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="store_true", help="what is installed, as `paidui version` says it"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = next((word for word in given if not word.startswith("-")), None)
    for subcommand in SUBCOMMANDS + tuple(part for part in PARTS if part.name == chosen):
        branch = commands.add_parser(subcommand.name, help=subcommand.purpose, description=subcommand.purpose)
        if subcommand.name == chosen:
            module = importlib.import_module(subcommand.module)
            module.add_arguments(branch)
            branch.set_defaults(run=module.run)
    options = parser.parse_args(given)
    return _run(options.run, options)


def _run(run: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Turn the errors that a person can mend into lines; anything else keeps its traceback."""
    try:
        return run(options)
    except ConfigError as error:
        for line in error.errors:
            print(f"paidui: {line}", file=sys.stderr)
    except PaiduiError as error:
        print(f"paidui: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has enough of it, as `head` does; the interpreter must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
