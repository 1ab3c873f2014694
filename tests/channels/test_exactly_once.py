"""Effects exactly once by their id (P6), intake exactly once (P7), counted at a provider on a socket.

KILLS=20 in the environment kills more often than the default.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from engine.port_effects import CONFIRM_EVERY
from engine.testing.channel_kit import open_kit_site
from tests.channels.child_pigeon import GREETINGS
from tests.channels.pigeon import Pigeon, Provider, provider_running
from tests.channels.pigeon_driver import opener

pytestmark = pytest.mark.slow  # processes are started and killed

KILLS = max(6, int(os.environ.get("KILLS", "6")))
PLACES = ("before_send", "after_send", "after_done")
SITE = """
[site]
name = "once"
[gateway]
bind = "127.0.0.1:0"
[queues.desk]
offer_timeout_ms = 60000
wrap_up_ms = 0
[agents.ann]
capacity = { pigeon = 2 }
[channels.pigeon]
plugin = "pigeon"
account = "loft"
"""
EFFECTS = len(GREETINGS) + 1


def child(config: Path, provider: Provider, where: str, nth: int) -> list[str]:
    """The command line of one life."""
    return [
        sys.executable,
        "-m",
        "tests.channels.child_pigeon",
        str(config),
        str(provider.port),
        where,
        str(nth),
    ]


async def live(config: Path, provider: Provider, where: str, nth: int) -> None:
    """One life, up to its death."""
    done = await trio.run_process(child(config, provider, where, nth), check=False, stdout=subprocess.DEVNULL)
    assert done.returncode == -signal.SIGKILL, "it ended otherwise than by its own hand"


async def test_effects_are_exactly_once_by_id_through_kills(tmp_path: Path) -> None:
    config = tmp_path / "site.toml"
    config.write_text(SITE)
    chance = random.Random(20_261_123)
    async with provider_running() as provider:
        customers = [f"customer {number}" for number in range(KILLS + 2)]
        for who in customers:
            provider.happens("open", who)
        with trio.fail_after(10 * KILLS + 30):
            for number in range(KILLS):
                await live(config, provider, PLACES[number % len(PLACES)], chance.randint(1, EFFECTS))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.run_process, child(config, provider, "never", 0))
                while provider.ended != set(customers):
                    await trio.sleep(0.01)
                nursery.cancel_scope.cancel()
    assert {who: tuple(provider.inbox[who]) for who in customers} == dict.fromkeys(customers, GREETINGS)
    assert len(provider.taken) == EFFECTS * len(customers), "an effect came again under another id"
    repeated = sum(provider.sent.values()) - len(provider.taken)
    assert 0 < repeated <= KILLS * CONFIRM_EVERY


async def test_each_webhook_three_times_shuffled_is_one_contact(tmp_path: Path) -> None:
    customers = [f"customer {number}" for number in range(12)]
    async with open_kit_site(tmp_path, "pigeon", {}) as site, opener(Pigeon)(site) as driver:
        opened = customers * 3
        random.Random(7).shuffle(opened)
        for number in [driver.provider.happens("open", who) for who in opened]:
            await driver.provider.confirmed(number)
        said = [(who, word) for who in customers for word in ("hello", "anybody?")] * 3
        random.Random(8).shuffle(said)
        for number in [driver.provider.happens("say", who, text=word, id=word) for who, word in said]:
            await driver.provider.confirmed(number)
        assert site.service.overview().contacts.waiting == len(customers)
        assert site.service.router.next_contact == len(customers) + 1, "no contact came and went meanwhile"
        for who in customers:
            conversation = await site.store.by_external_id(site.channel, who)
            assert conversation is not None
            words = [one.text for one in await site.store.messages(conversation.id)]
            assert sorted(words) == ["anybody?", "hello"]
