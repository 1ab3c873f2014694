"""Opening and closing queues from the console."""

from __future__ import annotations

from typing import Any

from tests.console.conftest import Site


def hours(message: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["hours"] for one in message["queues"]}


async def test_a_supervisor_opens_and_closes_and_everybody_sees_it(site: Site) -> None:
    ann, eve = await site.logged_in("ann"), await site.logged_in("eve")
    async with ann.socket() as hers, eve.socket() as boss:
        assert hours(await hers.next("overview")) == {"cards": "open", "loans": "open"}
        refused = await hers.do("hours", queue="cards", hours="closed")
        assert refused["error"]["code"] == "not_allowed"
        for state in ("closed", "closing", "open"):
            assert (await boss.do("hours", queue="cards", hours=state))["ok"]
            await hers.next("overview", lambda m, state=state: hours(m) == {"cards": state, "loans": "open"})


async def test_what_is_missing_or_unknown_is_named(site: Site) -> None:
    eve = await site.logged_in("eve")
    async with eve.socket() as boss:
        assert (await boss.do("hours", queue="cards"))["error"]["field"] == "hours"
        assert (await boss.do("hours", hours="open"))["error"]["field"] == "queue"
        assert (await boss.do("hours", queue="gold", hours="open"))["error"]["code"] == "unknown_queue"
        assert (await boss.do("hours", queue="cards", hours="ajar"))["error"]["code"] == "malformed"


async def test_nobody_is_moved_into_a_closed_queue(site: Site) -> None:
    eve = await site.logged_in("eve")
    async with eve.socket() as boss:
        contact = await site.arrive("Li")
        assert (await boss.do("hours", queue="loans", hours="closing"))["ok"]
        refused = await boss.do("change", contact=contact, queue="loans")
        assert refused["error"]["code"] == "queue_closed"
