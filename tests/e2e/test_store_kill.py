"""kill -9 while customers write and send files: what was acknowledged is there once, on both databases.

KILLS=20 in the environment kills more often than the three times of the default.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
from pathlib import Path

import pytest
import trio
from sqlalchemy import URL

from engine.config import load_site
from engine.store import Store
from tests.e2e.chat_site import ChatSite, Visitor
from tests.postgres_server import Server, new_server

KILLS = int(os.environ.get("KILLS", "3"))
VISITORS = 5
MESSAGES_BETWEEN = 40
"""At least so many are acknowledged before the next kill."""


async def acknowledged(visitors: list[Visitor], count: int) -> None:
    with trio.fail_after(120):
        while sum(len(one.said) for one in visitors) < count:
            await trio.sleep(0.01)


async def check(site: ChatSite, visitors: list[Visitor]) -> None:
    """What was acknowledged is in the store, once, and the positions have no gaps."""
    async with Store.of(load_site(site.config)) as store:
        there: dict[str, str] = {}
        files: dict[str, list[tuple[str, str]]] = {}
        contacts = set()
        for number in range(VISITORS):
            conversations = [
                one for one in await _all(store) if one.external_id.endswith(f".chat-{number:08}")
            ]
            (conversation,) = conversations
            contacts.add(conversation.contact)
            messages, after = [], 0
            while page := await store.messages(conversation.id, after):
                messages += page
                after = page[-1].position
            assert [one.position for one in messages] == list(range(1, len(messages) + 1))
            for one in messages:
                assert one.external_id not in there
                there[one.external_id] = one.text
                files[one.external_id] = [(file.file_name, file.sha256) for file in one.attachments]
    assert None not in contacts
    assert len(contacts) == VISITORS, "each visitor's chat came to be one contact, once"
    for visitor in visitors:
        assert visitor.said.items() <= there.items()
        assert visitor.sent, "nobody sent a file: this could not fail"
        for external_id, file in visitor.sent.items():
            digest = hashlib.sha256(file.content).hexdigest()
            assert files[external_id] == [(file.name, digest)]
            assert (load_site(site.config).data / "attachments" / digest).read_bytes() == file.content
    spoken_of = {digest for found in files.values() for _, digest in found}
    there_are = {path.name for path in (load_site(site.config).data / "attachments").iterdir()}
    assert spoken_of <= there_are
    await swept(site, spoken_of)


async def swept(site: ChatSite, spoken_of: set[str]) -> None:
    """The next start leaves no file that nobody speaks of."""
    await trio.to_thread.run_sync(site.start)
    await trio.to_thread.run_sync(site.end)
    left = {path.name for path in (load_site(site.config).data / "attachments").iterdir()}
    assert {name for name in left if not name.startswith("incoming-")} == spoken_of


async def _all(store: Store) -> list[object]:
    from sqlalchemy import select

    from engine.store.schema import conversations

    return await store._transact(lambda c: c.execute(select(conversations)).all())  # type: ignore[return-value]


@pytest.mark.slow  # it starts a site for each kill
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_a_message_that_was_acknowledged_outlives_kill_9(tmp_path: Path, database: str) -> None:
    """On PostgreSQL the server crashes, too, in the middle of the writing."""
    server: Server | None = new_server() if database == "postgresql" else None
    url: URL | None = None if server is None else server.database()
    site = ChatSite(tmp_path, None if url is None else url.render_as_string())
    moments = random.Random(20_261_123)
    visitors = [Visitor(site, number, f"visitor {number}") for number in range(VISITORS)]
    try:
        async with trio.open_nursery() as nursery:
            await trio.to_thread.run_sync(site.start)
            for visitor in visitors:
                nursery.start_soon(visitor.chat)
            for _ in range(KILLS):
                so_far = sum(len(one.said) for one in visitors)
                await acknowledged(visitors, so_far + moments.randrange(MESSAGES_BETWEEN, 300))
                if server is not None:
                    await trio.to_thread.run_sync(server.stop, "immediate")
                    await trio.to_thread.run_sync(server.start)
                    so_far = sum(len(one.said) for one in visitors)
                    await acknowledged(visitors, so_far + moments.randrange(MESSAGES_BETWEEN))
                await trio.to_thread.run_sync(site.end, signal.SIGKILL)
                await trio.to_thread.run_sync(site.start)
            await acknowledged(visitors, sum(len(one.said) for one in visitors) + MESSAGES_BETWEEN)
            nursery.cancel_scope.cancel()
        await trio.to_thread.run_sync(site.end)
        await check(site, visitors)
    finally:
        site.end(signal.SIGKILL)
        if server is not None:
            server.remove()
