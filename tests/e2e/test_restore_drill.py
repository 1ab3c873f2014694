"""The restore drill: a site under load is copied, restored elsewhere, and serves; nothing is missing."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import trio

from engine import model
from engine.arrival_keys import arrival_key, channel_secret
from engine.config import load_site
from engine.follower import Follower
from engine.keeper import Keeper, Plan
from engine.keys import site_key
from engine.router import decode_events
from engine.service import Service, open_service
from engine.store import Store

VISITORS = 8
SITE = """
[site]
name = "drilled"
[web]
bind = "127.0.0.1:0"
[gateway]
bind = "127.0.0.1:0"
[stats]
bind = "127.0.0.1:0"
[journal]
snapshot_every = 50
segment_batches = 100
reserve_bytes = 0
[channels.chat]
plugin = "echo"
account = "web"
[queues.all]
[agents.ann]
capacity = { chat = 3 }
"""


async def come(service: Service, visitor: int, answered: dict[str, int]) -> None:
    """One customer after the other, each with a question; what was answered is noted outside."""
    assert service.conversations is not None
    number = 0
    while True:
        name = f"visitor {visitor}-{number}"
        contact, _ = await service.conversations.arrive("chat", name, queue="all")
        await service.conversations.customer_says("chat", contact, f"question of {name}", "1")
        answered[name] = contact
        number += 1


async def keep(journal: Path) -> None:
    with closing(Keeper(journal, Plan(50, 400, 1 << 40))) as keeper:
        while True:
            await trio.to_thread.run_sync(keeper.step)
            await trio.sleep(0.01)


async def copied_under_load(config: Path, copy: Path) -> dict[str, int]:
    """Serve, take the copy in another process, go on serving; return what was answered before it began."""
    site = load_site(config)
    site.data.mkdir()
    answered: dict[str, int] = {}
    async with (
        Store(site.data / "store.sqlite") as store,
        open_service(site, store=store, secret=site_key(site.data)) as service,
        trio.open_nursery() as nursery,
    ):
        for visitor in range(VISITORS):
            nursery.start_soon(come, service, visitor, answered)
        nursery.start_soon(keep, site.data / "journal")
        await until(answered, 400)
        before = dict(answered)
        command = [sys.executable, "-m", "engine", "backup", str(copy), "--config", str(config)]
        await trio.run_process(command)
        assert len(answered) > len(before), "it was served meanwhile"
        await until(answered, len(answered) + 50)
        nursery.cancel_scope.cancel()
    return before


async def until(answered: dict[str, int], count: int) -> None:
    with trio.fail_after(120):
        while len(answered) < count:
            await trio.sleep(0.005)


async def check_restored(config: Path, before: dict[str, int]) -> None:
    site = load_site(config)
    secret = site_key(site.data)
    with closing(Follower(site.data / "journal")) as follower:
        arrived: dict[int, bytes] = {}
        for batch in follower.poll():
            events = [one for one in decode_events(batch.events) if isinstance(one, model.Arrived)]
            arrived.update({event.contact: event.key for event in events})
        follower.router.check()
    async with Store(site.data / "store.sqlite") as store:
        # Before a start, which sends again the arrivals of conversations that have no contact yet.
        assert await store.highest_contact() <= max(arrived)
    async with (
        Store(site.data / "store.sqlite") as store,
        open_service(site, store=store, secret=secret) as service,
    ):
        assert service.conversations is not None
        for name, contact in before.items():
            assert arrived[contact] == arrival_key(channel_secret(secret, "chat"), "web", name)
            assert service.contact_state(contact) is not None, f"acknowledged contact {contact} is gone"
            conversation = await store.by_contact(contact)
            assert conversation is not None
            assert conversation.external_id == name, "it is another customer's conversation"
            (message,) = await store.messages(conversation.id)
            assert message.text == f"question of {name}"
        assert await store.without_contact() == [], "the reconciler has sent them again"
        desk = service.desk("ann")
        await desk.sign_in()
        (offer, *_) = desk.state().offers
        await desk.accept(offer.offer)


@pytest.mark.slow  # processes are started
def test_a_copy_under_load_has_all_that_was_answered(tmp_path: Path) -> None:
    config, copy, elsewhere = tmp_path / "here.toml", tmp_path / "copy", tmp_path / "there" / "site.toml"
    config.write_text(SITE)
    elsewhere.parent.mkdir()
    before = trio.run(partial(copied_under_load, config, copy))
    assert len(before) >= 400
    restored = [sys.executable, "-m", "engine", "restore", str(copy), "--config", str(elsewhere)]
    done = subprocess.run(restored, check=True, capture_output=True, text=True)
    assert "are of one moment" in done.stdout
    trio.run(check_restored, elsewhere, before)


@pytest.mark.slow  # processes are started
def test_the_restored_site_is_open(tmp_path: Path) -> None:
    """The whole of it, as an operator starts it."""
    config, copy, elsewhere = tmp_path / "here.toml", tmp_path / "copy", tmp_path / "there.toml"
    config.write_text(SITE)
    trio.run(partial(copied_under_load, config, copy))
    for arguments in (["restore", str(copy), "--config", str(elsewhere)],):
        (tmp_path / "data").rename(tmp_path / "old")
        subprocess.run([sys.executable, "-m", "engine", *arguments], check=True, capture_output=True)
    serve = [sys.executable, "-m", "engine", "serve", "--config", str(elsewhere), "--quiet", "--child"]
    with subprocess.Popen(serve, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert "drilled is open" in process.stdout.readline()
        process.stdin.close()
        assert process.wait(timeout=30) == 0
