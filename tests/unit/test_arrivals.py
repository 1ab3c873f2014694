"""Arrivals through a channel's door: routing points, head starts, and that a repeat is what it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.channel import Known
from engine.clock import ManualClock
from engine.errors import BadHeadStart, BadRequirement, Malformed, NotAdmitted, UnknownQueue
from engine.testing.fixtures import SMALL_SITE, MemoryStore, small_service
from engine.wishes import Wishes

POINTS = """
[calendars.day]
week = { tue = ["00:00-23:00"], wed = ["00:00-24:00"] }

[regions.offices]
fallback = "rest"
[regions.offices.sets.north]
regions = "north"
requires = { cards = 5 }
[regions.offices.sets.south]
regions = "south"
requires = { cards = 9 }
[regions.offices.sets.rest]
requires = { cards = 1 }

[[routing_points]]
name = "gold"
attributes = { tier = "gold" }
queue = "cards"
head_start_ms = 90000
weight = 2
requires = { cards = 20 }

[[routing_points]]
name = "offices"
dialled = "offices"
by_region = "offices"

[[routing_points]]
name = "night"
calendar = "day"
hours = "closed"
refuse = "closed"

[[routing_points]]
name = "line"
dialled = "line"
asked = "cards"
queue = "loans"
"""
GOLD = Known(attributes={"tier": "gold"})


def shown(store: MemoryStore) -> list[tuple[str, int, object, int]]:
    return [(one.queue, one.head_start_ms, one.requires, one.weight) for one in store.conversations]


async def test_a_row_decides_and_leaves_the_rest_as_it_was_asked(tmp_path: Path) -> None:
    store = MemoryStore()
    async with small_service(tmp_path, store=store, text=SMALL_SITE + POINTS) as service:
        assert service.conversations is not None
        arrive = service.conversations.arrive
        await arrive("chat", "1", queue="loans", known=GOLD, requires={"cards": 7})
        await arrive("chat", "2", queue="loans", head_start_ms=500)
        await arrive("voice", "3", queue="cards")  # the channel's account is what was dialled
        assert shown(store) == [
            ("cards", 90_000, "cards >= 20", 2),
            ("loans", 500, {}, 1),
            ("loans", 0, {}, 1),
        ]
        numbers = {name: service.names.id("queue", name) for name in ("cards", "loans")}
        live = [service.router.contact(one.contact or 0) for one in store.conversations]
        assert [one.queue for one in live if one] == [numbers["cards"], numbers["loans"], numbers["loans"]]


async def test_a_repeat_stays_where_it_is_whatever_is_decided_now(tmp_path: Path) -> None:
    clock, store = ManualClock(), MemoryStore()  # begins on Tuesday 2023-11-14, 22:13:20
    async with small_service(tmp_path, clock=clock, store=store, text=SMALL_SITE + POINTS) as service:
        assert service.conversations is not None
        arrive = service.conversations.arrive
        contact, _ = await arrive("chat", "1", queue="loans")
        clock.advance_ms(3_600_000)
        with pytest.raises(NotAdmitted) as caught:
            await arrive("chat", "2", queue="loans")
        assert caught.value.outcome == "closed"
        assert caught.value.reason == "night, after gold (attributes.tier); offices (dialled)"
        assert (await arrive("chat", "1", queue="cards", head_start_ms=10**9))[0] == contact
        assert len(store.conversations) == 1
        assert (await arrive("chat", "3", queue="loans", known=GOLD))[0] == contact + 1, "gold at night"


async def test_matching_regions_ask_for_their_skills(tmp_path: Path) -> None:
    store = MemoryStore()
    async with small_service(tmp_path, store=store, text=SMALL_SITE + POINTS) as service:
        assert service.conversations is not None
        arrive = service.conversations.arrive
        await arrive("chat", "1", queue="cards", known=Known(dialled="offices", regions=["world", "south"]))
        await arrive("chat", "2", queue="cards", known=Known(dialled="offices", regions=["west"]))
        both = Known(dialled="offices", regions=["north", "south"])
        await arrive("chat", "3", queue="cards", known=both, requires="cards >= 7 and not cards >= 80")
        assert [one[2] for one in shown(store)] == [
            "cards >= 9",
            "cards >= 1",
            "cards >= 7 and not cards >= 80 or cards >= 9 and not cards >= 80",
        ]
        many = " or ".join(f"not cards >= {level}" for level in range(20, 25))
        with pytest.raises(BadRequirement, match="10"):
            await arrive("chat", "4", queue="cards", known=both, requires=many)
        with pytest.raises(Malformed, match="requires: ends where"):
            await arrive("chat", "5", queue="cards", known=both, requires="cards >=")


async def test_a_queue_gives_no_longer_head_start_than_it_says(tmp_path: Path) -> None:
    text = SMALL_SITE.replace("wrap_up_ms = 3000", "wrap_up_ms = 3000\nmax_head_start_s = 90")
    async with small_service(tmp_path, text=text) as service:
        assert service.conversations is not None
        arrive = service.conversations.arrive
        await arrive("chat", "1", queue="loans", head_start_ms=90_000)
        with pytest.raises(BadHeadStart, match="90001000"):
            await arrive("chat", "2", queue="loans", head_start_ms=90_001)
        await arrive("chat", "3", queue="cards", head_start_ms=3_600_000)
        with pytest.raises(BadHeadStart):
            await arrive("chat", "4", queue="cards", head_start_ms=3_600_001)
        with pytest.raises(UnknownQueue):
            await arrive("chat", "5", queue="nowhere")
        bob = service.desk("bob")
        await bob.sign_in()
        await bob.accept(bob.state().offers[0].offer)
        with pytest.raises(BadHeadStart):
            await bob.transfer(1, "loans", head_start_ms=90_001)


async def test_the_last_agent_is_told_where_the_queue_waits_for_one(tmp_path: Path) -> None:
    text = SMALL_SITE.replace("wrap_up_ms = 3000", "wrap_up_ms = 3000\nlast_agent_wait_s = 30")
    store = MemoryStore()
    async with small_service(tmp_path, store=store, text=text) as service:
        assert service.conversations is not None
        talk = service.conversations
        contact, _ = await talk.arrive("chat", "1", queue="loans", customer="visitor")
        await store.close_conversation(contact, "bob")
        assert await talk.last_agent("chat", "visitor", "loans") == ("bob", 30)
        assert await talk.last_agent("chat", "visitor", "cards") is None, "it waits for nobody"
        assert await talk.last_agent("chat", "stranger", "loans") is None
        contact, again = await talk.arrive("chat", "2", queue="loans", customer="visitor")
        assert again.wishes == Wishes(preferred=("bob",), preferred_wait_ms=30_000)
        asked = Wishes(excludes=("bob",))
        _, other = await talk.arrive("chat", "3", queue="loans", customer="visitor", wishes=asked)
        assert other.wishes == asked, "who is excluded is not waited for"
        await store.close_conversation(contact, "gone")
        assert await talk.last_agent("chat", "visitor", "loans") is None, "no such agent any more"
