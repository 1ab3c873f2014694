"""The named reports: one SQL file each, with title, formula and source in its header."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from typing import Final

from engine.config import Title
from engine.errors import PaiduiError

_HEADER: Final = re.compile(r"^-- (title en|title zh|formula|source): (.+)$", re.MULTILINE)
_SUFFIX: Final = ".sql"


class UnknownReport(PaiduiError, LookupError):
    """No report has this name."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report.

    Attributes:
        name: by which it is run; its file's name.
        title: for people.
        formula: how its figures come about.
        source: the views that it reads, and where its definitions come from.
        sql: one statement.
    """

    name: str
    title: Title
    formula: str
    source: str
    sql: str


def report_names() -> list[str]:
    """Return the names of all reports."""
    files = resources.files("engine.stats").joinpath("reports").iterdir()
    return sorted(file.name.removesuffix(_SUFFIX) for file in files if file.name.endswith(_SUFFIX))


def load_report(name: str) -> Report:
    """Read a report.

    Raises:
        UnknownReport: there is none; the text lists those that are.
    """
    names = report_names()
    if name not in names:
        raise UnknownReport(f'no report "{name}"; there are {", ".join(names)}')
    sql = resources.files("engine.stats").joinpath("reports", name + _SUFFIX).read_text(encoding="utf-8")
    header = dict(_HEADER.findall(sql))
    title = Title(en=header["title en"], zh=header["title zh"])
    return Report(name, title, header["formula"], header["source"], sql)
