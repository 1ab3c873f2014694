"""Erasure: all of a customer or nothing, nobody whose contact goes on, and no trace in the file."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
from sqlalchemy import URL, Connection, create_engine, func, insert, select, text

from engine.attachments import Attachments
from engine.conversations import check_same_moment
from engine.erasure import erase_customers, forget_erased
from engine.errors import PaiduiError
from engine.identities import IdentityKey
from engine.journal import JournalError
from engine.store import CustomerConflict, CustomerIsLive, NoSuchCustomer, Store
from engine.store.schema import messages, metadata

KEY = b"k" * 32


class Bank:
    """A store in which customers have come and gone."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.attachments = Attachments(folder / "attachments", store)
        self.contacts = 0

    async def talk(self, who: str, *, ends: bool = True, messages: int = 3) -> int:
        """A conversation of somebody with every kind of thing in it; returns the customer."""
        self.contacts += 1
        made = await self.store.conversation_for(
            "webchat",
            f"secret-{who}-chat{self.contacts}",
            queue="cards",
            customer=f"secret-{who}-visitor",
            customer_name=f"secret-{who}-name",
            identities=[IdentityKey("email", f"secret-{who}@example.cn")],
        )
        await self.store.attach_contact(made.id, self.contacts)
        for number in range(messages):
            said = f"secret-{who}-text " * (number + 1)
            message = await self.store.add_message(made.id, "customer", said, f"secret-{who}-m{number}")
        await self.attachments.put(
            made.id, _bytes(f"secret-{who}-file".encode()), f"secret-{who}.pdf", message=message.id
        )
        if ends:
            await self.store.close_conversation(self.contacts, "ann")
        found = await self.store.customer_of(IdentityKey("channel", f"secret-{who}-visitor", "webchat"))
        assert found is not None
        await self.store.describe(found.id, "sue", notes=f"secret-{who}-notes")
        return found.id

    async def erase(self, *customers: int) -> object:
        return await erase_customers(self.store, self.attachments, customers, "sue")


async def _bytes(content: bytes) -> AsyncIterator[bytes]:
    await trio.lowlevel.checkpoint()
    yield content


@pytest.fixture
async def bank(where: Path | URL, tmp_path: Path) -> AsyncIterator[Bank]:
    async with Store(where, now_ms=lambda: 10_000_000, audit_key=KEY) as store:
        yield Bank(store, tmp_path)


def traces(where: Path | URL, folder: Path, what: str) -> list[str]:
    """Where something is: in files by their bytes, on PostgreSQL in any column of any table."""
    found = [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and (what.encode() in path.read_bytes() or what in path.name)
    ]
    if isinstance(where, URL):
        engine = create_engine(where)
        with engine.connect() as connection:
            tables = connection.execute(
                text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            ).scalars()
            for table in tables.all():
                rows = connection.execute(text(f'SELECT t::text FROM "{table}" t')).scalars().all()
                found += [table] * any(what in row for row in rows)
        engine.dispose()
    return found


async def test_all_of_a_customer_goes_and_nothing_of_another(
    bank: Bank, where: Path | URL, tmp_path: Path
) -> None:
    li, wang = await bank.talk("li"), await bank.talk("wang")
    await bank.talk("li")
    assert traces(where, tmp_path, "secret-li"), "otherwise this test could not fail"
    erased = await bank.erase(li)
    assert (erased.customers, erased.conversations, erased.messages) == ([li], 2, 6)
    assert (erased.attachments, erased.identities) == (2, 2)
    assert traces(where, tmp_path, "secret-li") == []
    assert traces(where, tmp_path, "secret-wang")
    assert await bank.store.customer(li) is None
    assert (await bank.store.history(wang)).contacted
    last = (await bank.store.entries(last=1))[0]
    assert (last.actor, last.act, last.subject) == ("sue", "customer.erase", f"customer:{li}")
    assert last.details == {
        "customers": [li],
        "identities": 2,
        "conversations": 2,
        "messages": 6,
        "attachments": 2,
    }
    assert (await bank.store.verify_audit()).fault is None
    assert await bank.talk("li") not in (li, wang), "who comes again is somebody new"


async def test_a_file_that_another_customer_has_stays_theirs(bank: Bank, tmp_path: Path) -> None:
    li, wang = await bank.talk("li"), await bank.talk("wang")
    theirs = (await bank.store.history(wang)).contacted[0].conversation
    shared = await bank.attachments.put(theirs, _bytes(b"secret-li-file"), "form.pdf")
    await bank.erase(li)
    assert (tmp_path / "attachments" / shared.sha256).exists()
    await bank.erase(wang)
    assert list((tmp_path / "attachments").iterdir()) == []


async def test_who_was_merged_goes_with_the_customer_they_are(
    bank: Bank, where: Path | URL, tmp_path: Path
) -> None:
    li, other, third = await bank.talk("li"), await bank.talk("li2"), await bank.talk("li3")
    wang = await bank.talk("wang")
    undone = await bank.store.merge(li, wang, "sue")
    await bank.store.unmerge(undone, "sue")
    await bank.store.merge(other, third, "sue")
    await bank.store.merge(li, other, "sue")
    with pytest.raises(CustomerConflict, match=f"customer {third} was merged into {other}; name that one"):
        await bank.erase(third)
    erased = await bank.erase(li)
    assert erased.customers == sorted([li, other, third])
    assert traces(where, tmp_path, "secret-li") == []
    assert traces(where, tmp_path, "secret-wang")


async def test_nobody_is_erased_whose_contact_goes_on(bank: Bank, where: Path | URL, tmp_path: Path) -> None:
    li, wang = await bank.talk("li"), await bank.talk("wang", ends=False)
    with pytest.raises(
        CustomerIsLive,
        match=f"nothing was erased, these contacts have not ended: customer {wang}: contact 2; end them",
    ):
        await bank.erase(li, wang)
    with pytest.raises(NoSuchCustomer, match="there is no 99"):
        await bank.erase(li, 99)
    assert traces(where, tmp_path, "secret-li-text"), "all of them or none"
    await bank.store.close_conversation(2)
    await bank.erase(li, wang)
    assert traces(where, tmp_path, "secret") == []


async def test_who_is_just_arriving_is_not_erased(where: Path | URL) -> None:
    now = 1_000_000
    async with Store(where, now_ms=lambda: now) as store:
        await store.conversation_for("webchat", "1", queue="cards", customer="v")
        found = await store.customer_of(IdentityKey("channel", "v", "webchat"))
        assert found is not None
        with pytest.raises(CustomerIsLive, match=f"customer {found.id}: one that arrives"):
            await store.erase([found.id], "sue")
        now += 600_000
        erased = await store.erase([found.id], "sue")
        assert erased.conversations == 1, "its arrival was refused for good"
        assert await store.without_contact() == []


async def test_a_journal_that_is_older_is_still_refused_after_an_erasure(bank: Bank) -> None:
    await bank.talk("wang")
    li = await bank.talk("li")
    await bank.erase(li)
    assert await bank.store.highest_contact() == 2
    await check_same_moment(2, bank.store)
    with pytest.raises(
        JournalError, match="the journal ends with contact 1, but the store has conversations up"
    ):
        await check_same_moment(1, bank.store)
    await bank.erase(await bank.talk("li"))
    assert await bank.store.highest_contact() == 3


async def test_every_table_that_speaks_of_customers_is_emptied(bank: Bank, where: Path | URL) -> None:
    """A table that a later step adds and erasure forgets fails here."""
    a, b = await bank.talk("li"), await bank.talk("li2")
    await bank.store.unmerge(await bank.store.merge(a, b, "sue"), "sue")
    await bank.erase(a, b)
    engine = create_engine(where if isinstance(where, URL) else f"sqlite:///{where}")
    with engine.connect() as connection:
        left = {name for name in metadata.tables if connection.execute(text(f"SELECT 1 FROM {name}")).first()}
    engine.dispose()
    assert left == {"audit", "audit_head", "marks"}


async def test_the_file_holds_no_trace_whatever_was_written_before(tmp_path: Path) -> None:
    """Pages that were split, merged and rebuilt keep copies between their rows: only a new file is sure."""
    path = tmp_path / "store.sqlite"
    lots = random.Random(7)
    async with Store(path, now_ms=lambda: 10_000_000) as store:
        bank = Bank(store, tmp_path)
        names = [f"{lots.choice(['keep', 'gone'])}{number}" for number in range(40)]
        numbers = {name: await bank.talk(name, messages=1) for name in names}
        talks = {name: (await store.history(numbers[name])).contacted[0].conversation for name in names}
        for _ in range(10):
            await store._transact(_write, [(name, talks[name]) for name in lots.choices(names, k=200)], lots)
            for name in lots.sample(names, 10):
                await store.describe(numbers[name], "sue", notes=f"secret-{name} " * lots.randrange(1, 100))
        gone = [numbers[name] for name in names if name.startswith("gone")]
        await bank.erase(*gone)
        assert traces(path, tmp_path, "secret-gone") == []
        assert traces(path, tmp_path, "secret-keep")
    assert traces(path, tmp_path, "secret-gone") == []


def _write(connection: Connection, to: list[tuple[str, int]], lots: random.Random) -> None:
    """Messages of many sizes, those of all customers mixed."""
    for name, conversation in to:
        last = select(func.max(messages.c.position)).where(messages.c.conversation == conversation)
        position = (connection.execute(last).scalar() or 0) + 1
        row = {
            "conversation": conversation,
            "position": position,
            "sender": "customer",
            "external_id": f"secret-{name}-{position}",
            "text": f"secret-{name}-text " * lots.choice([1, 2, 5, 20, 100]),
            "at_ms": 0,
        }
        connection.execute(insert(messages).values(row))


async def test_another_process_writes_on_while_the_file_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    lots = random.Random(7)
    async with Store(path, now_ms=lambda: 10_000_000) as store, Store(path) as other:
        bank = Bank(store, tmp_path)
        gone, kept = await bank.talk("gone"), await bank.talk("kept")
        talks = [(await store.history(one)).contacted[0].conversation for one in (gone, kept)]
        await store._transact(_write, [("gone", talks[0]), ("kept", talks[1])] * 1_000, lots)
        written = 0
        erased = trio.Event()

        async def write() -> None:
            nonlocal written
            while not erased.is_set():
                await other.add_message(talks[1], "customer", "meanwhile", f"w-{written}")
                written += 1

        async with trio.open_nursery() as nursery:
            nursery.start_soon(write)
            await bank.erase(gone)
            assert traces(path, tmp_path, "secret-gone") == []
            erased.set()
        messages_left = (await store.history(kept)).contacted
    assert written > 0
    assert len(messages_left) == 1


async def test_a_disk_that_could_not_forget_is_said_and_done_later(
    bank: Bank, where: Path | URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    li = await bank.talk("li")
    monkeypatch.setattr("engine.erasure.TRIES", 1)

    def busy(engine: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as broken:
        broken.setattr(bank.store._backend, "forget", busy)
        with pytest.raises(PaiduiError, match="because no space left; say `paidui customer forget`"):
            await bank.erase(li)
    assert await bank.store.customer(li) is None
    await forget_erased(bank.store)
    assert traces(where, tmp_path, "secret-li") == []
    assert list((tmp_path / "attachments").iterdir()) == []
