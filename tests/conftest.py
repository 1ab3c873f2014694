"""What tests of several folders share: the two databases that the store runs on."""

from __future__ import annotations

from collections.abc import Iterator
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
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Path | URL:
    """An empty place for a store, once on each database."""
    if request.param == "sqlite":
        return tmp_path / "data" / "store.sqlite"
    return request.getfixturevalue("postgres").database()  # type: ignore[no-any-return]
