"""Earlier releases' stores are brought up to date in place, once, wholly or not at all."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, Connection, create_engine, text

import engine.store.migrate
from engine.errors import PaiduiError
from engine.identities import IdentityKey
from engine.store import Store, StoreError
from engine.store.migrate import FOLDER
from engine.store.schema import metadata
from engine.terms import Terms
from engine.wishes import Wishes

RELEASED = Path(__file__).parent / "data" / "store_format_4.sql"
"""As the last release without migrations wrote it."""
OLDER = {
    3: "ALTER TABLE conversations DROP COLUMN terms;",
    2: "ALTER TABLE conversations DROP COLUMN wishes;",
    1: "ALTER TABLE conversations DROP COLUMN weight; ALTER TABLE conversations DROP COLUMN agent;"
    "DROP TABLE identities;",
}
NEWER = """
from alembic import op
revision, down_revision = "9999", {head!r}
def upgrade():
    op.execute("CREATE TABLE of_the_future (one INTEGER)")
    op.execute("INSERT INTO of_the_future VALUES (1)")
    {fault}
"""
OPEN = """
import sys, trio
from pathlib import Path
from sqlalchemy import make_url
import engine.store.migrate
from engine.store import Store
engine.store.migrate.FOLDER = Path(sys.argv[2])
where = make_url(sys.argv[1]) if "://" in sys.argv[1] else Path(sys.argv[1])
async def main():
    async with Store(where):
        pass
sys.stdin.read(1)
trio.run(main)
"""


def released(path: Path, form: int = 4) -> Path:
    """A file of an earlier format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(RELEASED.read_text("utf-8"))
        for older in range(3, form - 1, -1):
            raw.executescript(OLDER[older])
        raw.execute(f"PRAGMA user_version={form}")
    return path


def contents(where: Path | URL) -> dict[str, object]:
    """Every table's rows, and what the tables look like."""
    engine = create_engine(where if isinstance(where, URL) else f"sqlite:///{where}")
    with engine.connect() as connection:
        found = {
            name: connection.execute(text(f"SELECT * FROM {name}")).all() for name in _tables(connection)
        }
    engine.dispose()
    return {name: sorted(map(repr, rows)) for name, rows in found.items()}


def _tables(connection: Connection) -> list[str]:
    listed = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    }[connection.dialect.name]
    return sorted(connection.execute(text(listed)).scalars())


def with_newer(folder: Path, fault: str = "") -> Path:
    """This release's steps and one more."""
    copy = folder / "migrations"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__"))
    head = sorted(path.name for path in (copy / "versions").glob("r*.py"))[-1][1:5]
    (copy / "versions" / "r9999_future.py").write_text(NEWER.format(head=head, fault=fault or "pass"))
    return copy


async def opened(where: Path | URL) -> None:
    async with Store(where):
        pass


async def test_the_last_release_s_store_is_read_and_written(tmp_path: Path) -> None:
    path = released(tmp_path / "store.sqlite")
    async with Store(path) as store:
        found = await store.by_contact(7)
        assert found is not None
        assert (found.customer, found.queue, found.requires, found.agent) == (
            "王芳",
            "cards",
            {"english": 20},
            "chen_wei",
        )
        assert (found.wishes, found.terms) == (
            Wishes({"english": 2}, ("ann",), 30_000, ("cat",)),
            Terms(place=7),
        )
        assert [m.text for m in await store.messages(found.id)] == ['你好, it\'s me; "quoted"', "hello"]
        assert [c.external_id for c in await store.without_contact()] == ["v-1.2", "x"]
        assert await store.last_agent([IdentityKey("channel", "v-1", "webchat")], 0) == "chen_wei"
        credentials = await store.credentials("chen")
        assert credentials is not None
        assert credentials[1] == "$argon2id$none"
        assert await store.sign_in_of("t1") is not None
        again = await store.conversation_for("webchat", "v-1.3", queue="cards", customer="v-1")
        assert again.customer == "王芳"
    after = contents(path)
    await opened(path)
    assert contents(path) == after
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (5,), "an older release must refuse it"


@pytest.mark.parametrize("form", [1, 2, 3])
async def test_stores_of_the_formats_before_are_brought_up_to_date(tmp_path: Path, form: int) -> None:
    path = released(tmp_path / "store.sqlite", form)
    async with Store(path) as store:
        found = await store.by_contact(7)
        assert found is not None
        assert (found.requires, found.weight) == ({"english": 20}, 1)
        assert found.terms == Terms()
        assert (found.wishes == Wishes()) is (form < 3)
        assert (found.agent is None) is (form < 2)
        await store.close_conversation(7, "ann")
        await store.conversation_for("webchat", "2", queue="cards", weight=3, customer="visitor")
    released_one = released(tmp_path / "other.sqlite")
    await opened(released_one)
    assert _shape(path) == _shape(released_one)


def _shape(where: Path | URL) -> set[tuple[str, str, str]]:
    engine = create_engine(where if isinstance(where, URL) else f"sqlite:///{where}")
    from sqlalchemy import inspect

    about = inspect(engine)
    shape = {
        (table, column["name"], str(column["type"]))
        for table in about.get_table_names()
        for column in about.get_columns(table)
    }
    engine.dispose()
    return shape


async def test_the_steps_make_what_the_code_speaks_of(where: Path | URL) -> None:
    await opened(where)
    engine = create_engine(where if isinstance(where, URL) else f"sqlite:///{where}")
    with engine.connect() as connection:
        found = compare_metadata(
            MigrationContext.configure(connection, opts={"compare_server_default": False}), metadata
        )
    engine.dispose()
    # What a column means is said in the code alone.
    assert [one for one in found if "comment" not in repr(one)[:20]] == []


async def test_an_upgraded_store_is_like_a_new_one(tmp_path: Path) -> None:
    old, new = released(tmp_path / "old.sqlite"), tmp_path / "new.sqlite"
    await opened(old)
    await opened(new)
    assert _shape(old) == _shape(new)


async def test_a_newer_release_s_store_is_refused_by_name(
    where: Path | URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(engine.store.migrate, "FOLDER", with_newer(tmp_path))
        await opened(where)
    before = contents(where)
    with pytest.raises(
        StoreError, match=r"has revision 9999, this release knows up to 0\d+: .* use that one"
    ):
        await opened(where)
    assert contents(where) == before


async def test_a_format_that_never_was_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA user_version=99")
    with pytest.raises(StoreError, match="has format 99, this release reads up to 5; use the release"):
        await opened(path)
    assert contents(path) == {}


@pytest.mark.parametrize("fault", ['op.execute("INSERT INTO nowhere VALUES (1)")', "raise SystemExit(9)"])
async def test_a_step_that_fails_leaves_the_store_as_it_was(
    where: Path | URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    if isinstance(where, Path):
        released(where)
    else:
        await opened(where)
    before = contents(where)
    with monkeypatch.context() as newer:
        newer.setattr(engine.store.migrate, "FOLDER", with_newer(tmp_path, fault))
        with pytest.raises((PaiduiError, SystemExit)):
            await opened(where)
    assert contents(where) == before
    await opened(where)


def test_processes_that_start_at_once_migrate_once(where: Path | URL, tmp_path: Path) -> None:
    steps = with_newer(tmp_path)
    if isinstance(where, Path):
        released(where)
    place = where.render_as_string() if isinstance(where, URL) else str(where)
    command = [sys.executable, "-c", OPEN, place, str(steps)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    for process in processes:  # all have imported what they need before the first goes
        assert process.stdin is not None
        process.stdin.write(b"g")
        process.stdin.flush()
    ends = [(process.communicate()[1].decode(), process.returncode) for process in processes]
    assert ends == [("", 0)] * 4
    assert contents(where)["of_the_future"] == ["(1,)"]
