"""The audit log: every act with the change it speaks of, and no row changed, removed or moved unseen."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import DBAPIError

from engine.errors import Malformed
from engine.store import CustomerConflict, Store

KEY = b"k" * 32
ROWS = 7


async def written(where: Path | URL) -> None:
    """Seven acts of different people."""
    async with Store(where, now_ms=lambda: 1_000, audit_key=KEY) as store:
        user = await store.add_user("ann", name="Ann", password_hash="h", agent="ann")
        await store.set_password(user.id, "h2", "sue")
        one = await store.add_customer("sue", name="王芳")
        two = await store.add_customer("sue")
        await store.merge(one.id, two.id, "sue")
        await store.note("sue", "contact.take_over", "contact:5")
        await store.disable_user(user.id, "max")


def by_hand(where: Path | URL, *statements: str) -> None:
    """What somebody with the database's password does, the guards taken away first."""
    engine = create_engine(where if isinstance(where, URL) else f"sqlite:///{where}")
    if isinstance(where, Path):
        guards = ["DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"]
    else:
        guards = ["DROP TRIGGER audit_only_grows ON audit"]
    with engine.begin() as connection:
        for statement in (*guards, *statements):
            connection.execute(text(statement))
    engine.dispose()


async def verdict_of(where: Path | URL, expected: tuple[int, str] | None = None) -> str | None:
    async with Store(where, audit_key=KEY) as store:
        return (await store.verify_audit(expected)).fault


async def test_every_act_is_told_by_whom_on_what(where: Path | URL) -> None:
    await written(where)
    async with Store(where, audit_key=KEY) as store:
        verdict = await store.verify_audit()
        entries = await store.entries()
        assert [e.act for e in await store.entries(last=2)] == ["contact.take_over", "user.disable"]
        assert [e.number for e in await store.entries(actor="max")] == [7]
        assert [e.number for e in await store.entries(subject="user:ann")] == [1, 2, 7]
    assert (verdict.rows, verdict.fault) == (ROWS, None)
    assert [(e.number, e.actor, e.act, e.subject) for e in entries] == [
        (1, "paidui", "user.add", "user:ann"),
        (2, "sue", "user.password", "user:ann"),
        (3, "sue", "customer.add", "customer:1"),
        (4, "sue", "customer.add", "customer:2"),
        (5, "sue", "customer.merge", "customer:1"),
        (6, "sue", "contact.take_over", "contact:5"),
        (7, "max", "user.disable", "user:ann"),
    ]
    assert entries[0].details == {"role": "agent", "agent": "ann"}
    assert "王芳" not in repr(entries)


@pytest.mark.parametrize("row", range(1, ROWS + 1))
@pytest.mark.parametrize(
    "column",
    ["at_ms = at_ms + 1", "actor = 'eve'", "act = 'x'", "subject = 'x'", "details = '{}'", "hash = 'x'"],
)
async def test_a_row_that_was_changed_is_found(tmp_path: Path, row: int, column: str) -> None:
    path = tmp_path / "store.sqlite"
    await written(path)
    by_hand(path, f"UPDATE audit SET {column} WHERE number = {row}")
    unchanged = column == "details = '{}'" and row in (2, 3, 4, 6, 7)
    fault = await verdict_of(path)
    assert fault == (None if unchanged else f"row {row}: it, or the one before it, is not what was written")


MOVES: list[tuple[str, Callable[[int], list[str]], Callable[[int], str]]] = [
    (
        "removed",
        lambda row: [f"DELETE FROM audit WHERE number = {row}"],
        lambda row: (
            f"row {row}: it is gone" if row < ROWS else "row 7: it and what follows, up to 7, are gone"
        ),
    ),
    (
        "removed, the rest moved up",
        lambda row: [
            f"DELETE FROM audit WHERE number = {row}",
            f"UPDATE audit SET number = -number WHERE number > {row}",
            "UPDATE audit SET number = -number - 1 WHERE number < 0",
        ],
        lambda row: (
            f"row {row}: it, or the one before it, is not what was written"
            if row < ROWS
            else "row 7: it and what follows, up to 7, are gone"
        ),
    ),
    (
        "changed places with the next",
        lambda row: [
            f"UPDATE audit SET number = -1 WHERE number = {row % ROWS + 1}",
            f"UPDATE audit SET number = {row % ROWS + 1} WHERE number = {row}",
            f"UPDATE audit SET number = {row} WHERE number = -1",
        ],
        lambda row: f"row {row if row < ROWS else 1}: it, or the one before it, is not what was written",
    ),
]


@pytest.mark.parametrize("row", [1, 4, 7])
@pytest.mark.parametrize(("how", "statements", "fault"), MOVES, ids=[move[0] for move in MOVES])
async def test_a_row_that_was_removed_or_moved_is_found(
    where: Path | URL, how: str, statements: Callable[[int], list[str]], fault: Callable[[int], str], row: int
) -> None:
    await written(where)
    by_hand(where, *statements(row))
    assert await verdict_of(where) == fault(row), how


async def test_the_end_cannot_be_cut_together_with_the_head_when_the_head_is_known(where: Path | URL) -> None:
    await written(where)
    async with Store(where, audit_key=KEY) as store:
        noted = await store.verify_audit()
    cut = "UPDATE audit_head SET number = 5, hash = (SELECT hash FROM audit WHERE number = 5)"
    by_hand(where, "DELETE FROM audit WHERE number > 5", cut)
    assert await verdict_of(where) is None, "which is why heads are kept elsewhere"
    known = (noted.rows, noted.head)
    assert await verdict_of(where, known) == "row 6: it and what follows, up to 7, are gone"
    assert await verdict_of(where, (5, "0" * 64)) == (
        "row 5: it is another one than was noted down: the log was written anew"
    )


async def test_without_the_head_and_without_the_key(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    await written(path)
    async with Store(path, audit_key=b"another") as store:
        assert (
            await store.verify_audit()
        ).fault == "row 1: it, or the one before it, is not what was written"
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("DELETE FROM audit_head")
    assert await verdict_of(path) == "row 7: the head that names it is gone"


@pytest.mark.parametrize("statement", ["UPDATE audit SET act = 'x'", "DELETE FROM audit WHERE number = 1"])
async def test_no_statement_changes_or_removes_a_row(where: Path | URL, statement: str) -> None:
    await written(where)
    engine = create_engine(where if isinstance(where, URL) else f"sqlite:///{where}")
    with pytest.raises(DBAPIError, match="only ever added to"), engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()
    assert await verdict_of(where) is None


async def test_what_did_not_happen_is_not_in_the_log(where: Path | URL) -> None:
    await written(where)
    async with Store(where, audit_key=KEY) as store:
        with pytest.raises(CustomerConflict):
            await store.merge(1, 1, "sue")
        with pytest.raises(Malformed):
            await store.add_user("ann", name="Ann", password_hash="h")
        assert (await store.verify_audit()).rows == ROWS
