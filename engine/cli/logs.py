"""Logs: one line a message on standard error; static messages, no personal data in fields.

JSON where a program reads, text where a person does. No traceback shows what a frame's variables held.
"""

from __future__ import annotations

import argparse
import logging
import sys
from typing import Final

import structlog

FORMATS: Final = ("json", "text")
CHATTY: Final = ("httpx", "httpcore", "hypercorn.access")
"""They log each request of theirs, with whoever's address stands in it."""


def add_log_options(parser: argparse.ArgumentParser) -> None:
    """`--quiet` and `--log`, of every process that runs for long."""
    parser.add_argument("--quiet", action="store_true", help="log warnings and errors only")
    parser.add_argument(
        "--log", choices=FORMATS, help="how to log (default: text on a terminal, json everywhere else)"
    )


def log_words(options: argparse.Namespace) -> list[str]:
    """The same options, for a part in a process of its own."""
    return [*(["--quiet"] if options.quiet else []), *(["--log", options.log] if options.log else [])]


def set_up_logs(options: argparse.Namespace) -> None:
    """Send structlog and the standard library's logging the same way.

    Args:
        options: as `add_log_options` adds them.
    """
    level = logging.WARNING if options.quiet else logging.INFO
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendered = _rendered(options.log or ("text" if sys.stderr.isatty() else "json"))
    structlog.configure(
        processors=[*shared, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                *shared,
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _rendered(form: str) -> list[structlog.typing.Processor]:
    if form == "text":
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    # Functions, files and lines alone: the default of some formatters shows every frame's variables.
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
