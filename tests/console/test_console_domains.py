"""On a site of several domains a login with a seat sees and moves what its agent's domain may use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trio

from console.sight import ALL, sight_of
from engine.logins import Identity
from engine.testing.fixtures import SMALL_SITE, small_site
from tests.console import conftest
from tests.console.conftest import PASSWORD_HASH, Page, Site, open_site

DOMAINS = """
[domains.red]
[domains.blue]
[channels.red]
plugin = "echo"
domain = "red"
[queues.red]
domain = "red"
[queues.blue]
domain = "blue"
[agents.rob]
domain = "red"
capacity = { red = 1 }
[agents.bea]
domain = "blue"
capacity = { chat = 1 }
"""
CONTRACT = '[[contracts]]\nqueue = "red"\n'


def identity(agent: str | None, role: str = "supervisor") -> Identity:
    return Identity(1, "x", "X", role, agent, "s")


def seen(text: str, agent: str | None, role: str = "supervisor") -> tuple[list[str], list[str]] | None:
    sight = sight_of(small_site(Path("/"), text), identity(agent, role))
    return None if sight == ALL else (sorted(sight.queues or ()), sorted(sight.agents or ()))


def test_who_sees_what() -> None:
    text = SMALL_SITE + DOMAINS
    assert seen(SMALL_SITE, "ann") is None, "a site of one domain is seen whole"
    assert seen(text, "ann") == (["cards", "loans"], ["ann", "bob"])
    assert seen(text, "rob") == (["red"], ["rob"])
    assert seen(text + CONTRACT, "rob") == (["red"], ["ann", "bob", "rob"]), "who serves its queue, too"
    assert seen(text + CONTRACT, "ann") == (["cards", "loans", "red"], ["ann", "bob", "rob"])
    assert [seen(text, None), seen(text, "rob", "admin"), seen(text, "gone")] == [None] * 3


def channels(text: str, agent: str | None, role: str) -> set[str]:
    sight = sight_of(small_site(Path("/"), text), identity(agent, role))
    return {name for name in ("chat", "voice", "red") if sight.has_channel(name)}


def test_how_channels_are_is_for_who_oversees_them() -> None:
    text = SMALL_SITE + DOMAINS
    assert channels(text, "rob", "supervisor") == {"red"}
    assert channels(text, "ann", "supervisor") == {"chat", "voice"}
    assert channels(text, "rob", "admin") == channels(text, None, "supervisor") == {"chat", "voice", "red"}
    assert [channels(one, "ann", "agent") for one in (text, SMALL_SITE)] == [set(), set()]


@pytest.fixture
async def domains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    def several(folder: Path) -> object:
        return small_site(folder, SMALL_SITE + DOMAINS)

    monkeypatch.setattr(conftest, "small_site", several)
    with trio.fail_after(20):
        async with open_site(tmp_path) as site:
            await site.store.add_user(
                "rob", name="Rob", password_hash=PASSWORD_HASH, role="supervisor", agent="rob"
            )
            yield site


async def queues(page: Page) -> list[str]:
    return [one["name"] for one in (await page.get("/api/overview")).json()["queues"]]


def names(message: dict[str, Any]) -> list[str]:
    return [one["name"] for one in message["queues"]]


async def test_a_supervisor_of_a_domain_sees_its_part(domains: Site) -> None:
    rob, eve = await domains.logged_in("rob"), await domains.logged_in("eve")
    assert domains.service.conversations is not None
    theirs = await domains.arrive("Li", "loans")
    own, _ = await domains.service.conversations.arrive("red", "Red", queue="red")
    config = (await rob.get("/api/config-view")).json()
    assert [one["name"] for one in config["queues"]] == ["red"]
    assert [one["name"] for one in config["agents"]] == ["rob"]
    assert (await queues(rob), await queues(eve)) == (["red"], ["cards", "loans", "red", "blue"])
    async with rob.socket() as his, eve.socket() as boss:
        overview = await his.next("overview")
        assert (names(overview), overview["contacts"]["waiting"]) == (["red"], 1)
        assert [one["name"] for one in overview["channels"]] == ["red"]
        assert (await boss.next("overview"))["contacts"]["waiting"] == 2
        await his.send(type="watch", what="contacts")
        assert [one["contact"] for one in (await his.next("contacts"))["contacts"]] == [own]
        await boss.send(type="watch", what="contacts")
        assert [one["contact"] for one in (await boss.next("contacts"))["contacts"]] == [theirs, own]
        await his.send(type="watch", what="colleagues")
        assert [one["name"] for one in (await his.next("colleagues"))["agents"]] == ["rob"]


async def test_what_is_not_in_sight_is_not_there(domains: Site) -> None:
    rob = await domains.logged_in("rob")
    theirs = await domains.arrive("Li", "loans")
    async with rob.socket() as his:
        for act, fields, code in (
            ("release", {"contact": theirs}, "unknown_contact"),
            ("change", {"contact": theirs, "head_start_ms": 5}, "unknown_contact"),
            ("hours", {"queue": "loans", "hours": "closed"}, "unknown_queue"),
            ("unlock", {"agent": "ann"}, "unknown_agent"),
        ):
            assert (await his.do(act, **fields))["error"]["code"] == code
        assert (await his.do("hours", queue="red", hours="closed"))["ok"]
    assert domains.service.hours("loans") == "open"
    refused = await rob.post("/api/agents/ann/unlock")
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "unknown_agent")
