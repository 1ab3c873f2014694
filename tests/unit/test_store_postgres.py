"""PostgreSQL that goes away: what is in doubt is not acknowledged, what can be done again is done once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import trio
import trio.testing
from sqlalchemy import URL
from sqlalchemy.exc import DataError

import engine.store.database
from engine.errors import Busy
from engine.store import Store, StoreBusy, StoreInDoubt
from tests.postgres_server import Server, new_server

PATIENCE_S = 30


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that is stopped and made to wait."""
    one = new_server()
    yield one
    one.remove()


@pytest.fixture
def url(server: Server) -> URL:
    return server.database()


@pytest.fixture
async def store(url: URL) -> AsyncIterator[Store]:
    with trio.fail_after(PATIENCE_S):
        async with Store(url) as store:
            yield store


async def until(server: Server, condition: str) -> None:
    """Wait until the server says so: it tells nobody by itself."""
    with trio.fail_after(PATIENCE_S):
        while not server.execute(f"SELECT 1 WHERE {condition}"):
            await trio.sleep(0.02)


def waits_for_the_standby(state: str = "SyncRep") -> str:
    return f"EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event = '{state}')"


def standby(server: Server, name: str) -> None:
    """Let commits wait for a standby of this name; "" = for none."""
    server.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
    server.execute("SELECT pg_reload_conf()")


async def test_a_restart_of_the_server_is_waited_for(server: Server, store: Store) -> None:
    one = await store.conversation_for("webchat", "1", queue="cards")
    await store.add_message(one.id, "customer", "before", "m-1")
    await trio.to_thread.run_sync(server.stop, "immediate")
    done = []

    async def write() -> None:
        done.append(await store.add_message(one.id, "customer", "meanwhile", "m-2"))

    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(write)
            await trio.testing.wait_all_tasks_blocked()
            assert done == []
            await trio.to_thread.run_sync(server.start)
    except BaseException:
        await trio.to_thread.run_sync(server.start)
        raise
    assert [(m.position, m.text) for m in await store.messages(one.id)] == [(1, "before"), (2, "meanwhile")]


async def test_a_server_that_stays_away_is_said_to_be_so(
    server: Server, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.store.database, "PATIENCE_S", 0.0)
    one = await store.conversation_for("webchat", "1", queue="cards")
    await trio.to_thread.run_sync(server.stop)
    try:
        with pytest.raises(
            StoreBusy, match=r"the store postgresql.* does not answer; see that it runs"
        ) as told:
            await store.add_message(one.id, "customer", "x", "m-1")
        assert isinstance(told.value, Busy), "channels tell their customers to ask again"
        with pytest.raises(StoreBusy):
            await store.add_user("ann", name="Ann", password_hash="h")
    finally:
        await trio.to_thread.run_sync(server.start)
    assert await store.messages(one.id) == []
    assert await store.count_users() == 0


async def test_a_fault_in_what_is_asked_is_not_taken_for_a_server_that_is_away(store: Store) -> None:
    with pytest.raises(DataError, match="NUL"):
        await store.by_public_id("a\x00b")


LOST_AT_COMMIT = """
CREATE SEQUENCE commits;
GRANT ALL ON commits TO PUBLIC;
CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('commits') <= {times} THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER lost AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION lose();
"""


async def test_what_was_lost_at_the_commit_is_done_again_once(server: Server, store: Store, url: URL) -> None:
    one = await store.conversation_for("webchat", "1", queue="cards")
    server.execute(LOST_AT_COMMIT.format(table="messages", times=3), str(url.database))
    await store.add_message(one.id, "customer", "x", "m-1")
    assert server.execute("SELECT last_value FROM commits", str(url.database)) == [(4,)], "lost three times"
    assert [m.external_id for m in await store.messages(one.id)] == ["m-1"]


async def test_what_cannot_be_done_again_is_said_to_be_in_doubt(
    server: Server, store: Store, url: URL
) -> None:
    server.execute(LOST_AT_COMMIT.format(table="users", times=1), str(url.database))
    with pytest.raises(StoreInDoubt, match="see whether it was done before you do it again"):
        await store.add_user("ann", name="Ann", password_hash="h")
    assert await store.count_users() == 0
    await store.add_user("ann", name="Ann", password_hash="h")


@pytest.mark.parametrize("how", ["pg_cancel_backend", "pg_terminate_backend"])
async def test_a_commit_whose_standby_was_not_waited_for_is_not_acknowledged(
    server: Server, store: Store, how: str
) -> None:
    """It succeeds with warning 01000, or the connection ends after it: here it is, there perhaps not."""
    one = await store.conversation_for("webchat", "1", queue="cards")
    done = []

    async def write() -> None:
        done.append(await store.add_message(one.id, "customer", "x", "m-1"))

    standby(server, "nobody")
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(write)
            await until(server, waits_for_the_standby())
            ((first,),) = server.execute("SELECT max(backend_xid::text::bigint) FROM pg_stat_activity")
            assert server.execute(f"SELECT {how}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
            # Either it is acknowledged now, wrongly, or it waits once more with a later transaction.
            while not done:
                again = server.execute(
                    f"SELECT 1 FROM pg_stat_activity WHERE backend_xid::text::bigint > {first} "
                    "AND wait_event = 'SyncRep'"
                )
                if again:
                    break
                await trio.sleep(0.02)
            assert not done, "acknowledged, although only one machine has it"
            standby(server, "")
    finally:
        standby(server, "")
    assert [m.external_id for m in await store.messages(one.id)] == ["m-1"]
    assert done[0].position == 1


async def test_work_that_is_done_once_ends_when_its_standby_was_not_waited_for(
    server: Server, store: Store
) -> None:
    told = []

    async def add() -> None:
        try:
            await store.add_user("ann", name="Ann", password_hash="h")
        except StoreInDoubt as doubt:
            told.append(doubt)

    standby(server, "nobody")
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(add)
            await until(server, waits_for_the_standby())
            server.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
    finally:
        standby(server, "")
    assert len(told) == 1
    assert await store.count_users() == 1, "it was done, on this machine"


async def test_many_edges_write_at_once_and_nothing_is_lost(url: URL) -> None:
    """Each store stands for a process: four connections each, all at one conversation and at their own."""
    async with Store(url) as one, Store(url) as two, Store(url) as three:
        shared = await one.conversation_for("webchat", "shared", queue="cards", customer="v")
        edges = {"a": one, "b": two, "c": three}

        async def write(name: str, number: int) -> None:
            store = edges[name]
            await store.add_message(shared.id, "customer", "x", f"{name}-{number}")
            own = await store.conversation_for("webchat", f"{number}", queue="cards", customer=f"v-{number}")
            await store.add_message(own.id, "customer", name, name)

        async with trio.open_nursery() as nursery:
            for name in edges:
                for number in range(15):
                    nursery.start_soon(write, name, number)
        assert [m.position for m in await one.messages(shared.id)] == list(range(1, 46))
        assert len(await one.without_contact()) == 16, "each made once, whoever was first"
        for conversation in (await one.without_contact())[1:]:
            assert sorted(m.text for m in await one.messages(conversation.id)) == ["a", "b", "c"]


async def test_messages_are_numbered_in_the_order_of_their_commits(server: Server, store: Store) -> None:
    """Who has read up to a number must not find a lower one later: a channel would never send it."""
    first = await store.conversation_for("webchat", "ordered-1", queue="cards")
    second = await store.conversation_for("webchat", "ordered-2", queue="cards")
    await trio.to_thread.run_sync(standby, server, "nobody")
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(store.add_message, first.id, "agent", "slow", "m-1")
            await until(server, waits_for_the_standby())
            nursery.start_soon(store.add_message, second.id, "agent", "quick", "m-1")
            await until(server, waits_for_the_standby("advisory"))
            await trio.to_thread.run_sync(standby, server, "")
    finally:
        await trio.to_thread.run_sync(standby, server, "")
    (slow,), (quick,) = await store.messages(first.id), await store.messages(second.id)
    assert slow.id < quick.id
