"""Customers come through the real socket, write, and are erased: no byte of them is left in the data."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import trio
from sqlalchemy import URL, create_engine, select, text

from engine.config import load_site
from engine.store import Store
from engine.store.schema import conversations, customers
from tests.e2e.chat_site import ChatSite, SentFile, Visitor
from tests.postgres_server import Server

GONE, KEPT = range(8), range(8, 12)
MESSAGES = 15


def planted(number: int) -> dict[str, str]:
    """Everything of a visitor that must not outlive them."""
    return {
        "name": f"王芳-{number:02}-geheim",
        "text": f"my card number is 6222-{number:02}-0042",
        "phone": f"+8613800138{number:03}",
        "notes": f"prefers-{number:02}-mornings",
        "file": f"passport-{number:02}-scan",
        "file name": f"passport-{number:02}.pdf",
        "chat": f"chat-{number:08}",
    }


class Found:
    """What the folder's files and the database's tables hold now, read once.

    Args:
        folder: every file in it, as `grep -a` reads them.
        url: of the PostgreSQL database; None = there is none.
    """

    def __init__(self, folder: Path, url: URL | None) -> None:
        files = (path for path in folder.rglob("*") if path.is_file())
        self._files = {str(path.relative_to(folder)): path.read_bytes() for path in files}
        self._tables = {} if url is None else _rows(url)

    def in_files(self, what: str) -> list[str]:
        """Which files hold it."""
        return [name for name, content in self._files.items() if what.encode() in content]

    def in_tables(self, what: str) -> list[str]:
        """Which tables hold it in any column."""
        return [name for name, rows in self._tables.items() if any(what in row for row in rows)]


def _rows(url: URL) -> dict[str, list[str]]:
    """Every row of every table as a text."""
    engine = create_engine(url)
    with engine.connect() as connection:
        listed = text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = connection.execute(listed).scalars().all()
        found = {
            one: list(connection.execute(text(f'SELECT t::text FROM "{one}" t')).scalars()) for one in tables
        }
    engine.dispose()
    return found


async def plant(site: ChatSite, only: list[int]) -> dict[int, int]:
    """Notes for those who have come; returns visitor -> customer."""
    loaded = load_site(site.config)
    asked = select(customers.c.id, customers.c.name).join_from(conversations, customers)
    ids = {}
    async with Store.of(loaded) as store:
        rows = await store._transact(lambda c: c.execute(asked).all())
        for customer, name in rows:
            number = int(name.split("-")[1])
            ids[number] = customer
            if number in only:
                secret = planted(number)
                await store.describe(customer, "sue", notes=secret["notes"])
    return ids


async def paidui(site: ChatSite, *arguments: str) -> tuple[int, str]:
    done = await trio.to_thread.run_sync(lambda: site.paidui(*arguments))
    return done.returncode, done.stdout + done.stderr


def visitors(site: ChatSite, numbers: range) -> dict[int, Visitor]:
    return {number: Visitor(site, number, planted(number)["name"]) for number in numbers}


async def write(who: dict[int, Visitor]) -> None:
    async with trio.open_nursery() as nursery:
        for number, visitor in who.items():
            secret = planted(number)
            said: list[str | SentFile] = [f"{secret['text']} ({count})" for count in range(MESSAGES)]
            said.append(SentFile(secret["file name"], secret["file"].encode()))
            nursery.start_soon(visitor.chat, said)


async def leave(who: dict[int, Visitor]) -> None:
    async with trio.open_nursery() as nursery:
        for visitor in who.values():
            nursery.start_soon(visitor.end)


@pytest.mark.slow  # a site, and the command line beside it
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_nothing_of_an_erased_customer_is_left(
    tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    url: URL | None = None
    if database == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        url = server.database()
    site = ChatSite(tmp_path, None if url is None else url.render_as_string())
    try:
        await trio.to_thread.run_sync(site.start)
        with trio.fail_after(120):
            going, staying = visitors(site, GONE), visitors(site, KEPT)
            await write(going)
            await write(staying)
            await leave(staying)
        ids = await plant(site, [*GONE, *KEPT])
        for number in (GONE[0], KEPT[0]):
            phone = f"phone:{planted(number)['phone']}"
            assert await paidui(site, "customer", "link", str(ids[number]), phone) == (
                0,
                f"{phone} is customer {ids[number]}'s\n",
            )
        # Their contacts wait: nobody is erased, and everything is where it belongs, and nowhere else.
        gone = [str(ids[number]) for number in GONE]
        code, said = await paidui(site, "customer", "erase", "--yes", *gone)
        assert code == 1
        assert "nothing was erased, these contacts have not ended: customer" in said
        found = Found(tmp_path, url)
        for number in (*GONE, *KEPT):
            for kind, what in planted(number).items():
                if kind == "phone" and number not in (GONE[0], KEPT[0]):
                    continue
                files, tables = found.in_files(what), found.in_tables(what)
                assert tables or files, f"{kind} was not planted: this test could not fail"
                where = {name.split("/")[1] for name in files}
                assert where <= {"attachments", "store.sqlite", "store.sqlite-wal"}, f"{kind}: {files}"
        with trio.fail_after(120):
            await leave(going)
        code, said = await paidui(site, "customer", "erase", "--yes", *gone)
        assert code == 0, said
        assert f"{len(gone)} conversations" in said
        nothing_is_left(tmp_path, url)
        code, said = await paidui(site, "audit", "verify")
        assert (code, "whole" in said) == (0, True)
        code, said = await paidui(site, "customer", "show", f"phone:{planted(GONE[0])['phone']}")
        assert (code, "there is no customer" in said) == (1, True)
        # The site goes on, ends, and comes back; nothing returns with it.
        with trio.fail_after(120):
            later = visitors(site, range(20, 22))
            await write(later)
            await leave(later)
        await trio.to_thread.run_sync(site.end)
        nothing_is_left(tmp_path, url)
        await trio.to_thread.run_sync(site.start)
        await trio.to_thread.run_sync(site.end)
        nothing_is_left(tmp_path, url)
    finally:
        site.end(signal.SIGKILL)


def nothing_is_left(folder: Path, url: URL | None) -> None:
    found = Found(folder, url)
    for number in GONE:
        for kind, what in planted(number).items():
            assert found.in_files(what) == [], kind
            assert found.in_tables(what) == [], kind
    for number in KEPT:
        for kind in ("name", "text", "notes", "file", "chat"):
            assert found.in_files(planted(number)[kind]) or found.in_tables(planted(number)[kind])
