"""`paidui drain`: tell the site that runs on a data folder to stop, and wait until it has."""

from __future__ import annotations

import argparse
import os
import select
import signal
from pathlib import Path

from engine.cli.site_options import add_site_options, chosen_site
from engine.errors import ConfigError
from engine.journal import JournalError
from engine.journal.folder import lock_folder
from engine.lifecycle import PID_FILE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `paidui drain`."""
    add_site_options(parser, port=False)
    parser.add_argument("--now", action="store_true", help="stop at once, conversations or not")


def run(options: argparse.Namespace) -> int:
    """Send SIGTERM, or Ctrl-C's signal, and wait for the end."""
    site = chosen_site(options)
    process = os.pidfd_open(process_of(site.data))
    try:
        signal.pidfd_send_signal(process, signal.SIGINT if options.now else signal.SIGTERM)
        if not options.now:
            print(
                f"paidui: {site.name} takes no arrivals in any more; it ends when nobody is in conversation, "
                f"at the latest in {site.drain_s} s (paidui drain --now: at once)",
                flush=True,
            )
        select.select([process], [], [])
    finally:
        os.close(process)
    print(f"paidui: {site.name} has ended")
    return 0


def process_of(data: Path) -> int:
    """Return the id of the process that serves from a data folder.

    Raises:
        ConfigError: none does.
    """
    nobody = ConfigError([f"{data}: this site does not run"])
    try:
        with lock_folder(data / "journal"):
            raise nobody
    except JournalError as held:
        # Somebody holds the journal; whoever does has written the file, or is about to.
        try:
            return int((data / PID_FILE).read_text("ascii"))
        except (OSError, ValueError):
            raise nobody from held
