"""What tests of several folders share: the two databases of the store, and how figures are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.postgres_server import Server, new_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A server for all tests that only need a database in it."""
    server = new_server()
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | URL]:
    """An empty place for a store, once on each database."""
    if request.param == "sqlite":
        yield tmp_path / "data" / "store.sqlite"
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.database()
    yield url
    server.give_back(url)


@pytest.fixture
def show(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Show a text below the tests' results, with or without `-s`, also from a process beside others."""
    return partial(record_property, "shown")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have shown."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    for report in reports:
        texts = [text for name, text in report.user_properties if name == "shown"]
        if report.when == "call" and texts:
            terminalreporter.write_sep("-", report.nodeid)
            terminalreporter.write_line("\n".join(map(str, texts)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole sites first, which take longest: at the end no process waits for a long file of another."""
    items.sort(key=lambda item: "e2e" not in item.path.parts)
