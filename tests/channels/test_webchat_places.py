"""A customer leaves while waiting and comes back to the place in the queue."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

from engine.errors import BadPlace, BadTicket, PaiduiError, PlaceUsed
from tests.channels.webchat_double import House, Visit

CHAT, BACK = "chat-0001", "chat-0002"


async def start(visit: Visit, chat: str = CHAT, **fields: Any) -> list[dict[str, Any]]:
    return await visit.say(type="start", chat=chat, queue="cards", **fields)


async def test_who_leaves_gets_a_ticket_and_comes_back_with_it(nursery: trio.Nursery) -> None:
    house = House(nursery)
    visit = await house.visit()
    assert visit.heard[0]["keeps_places"] is True
    await start(visit)
    heard = await visit.say(type="end", keep_place=True)
    place = {"type": "place", "chat": CHAT, "ticket": "place-of-1", "seconds": 3_600}
    assert [one for one in heard if one["type"] == "place"] == [place]
    assert house.port.calls == [("abandon", 1)]
    await start(visit, BACK, place="place-of-1")
    await start(visit, BACK, place="place-of-1")
    assert house.port.places == ["place-of-1"]
    assert visit.of("chat")[-1] == {"type": "chat", "chat": BACK, "state": "waiting", "position": 1}


@pytest.mark.parametrize("how", ["as ever", "engaged", "not offered here", "not kept on this site"])
async def test_there_is_not_always_a_place_to_keep(nursery: trio.Nursery, how: str) -> None:
    house = House(nursery, {"keep_place": how != "not offered here"})
    if how == "not kept on this site":
        house.port.place_s = 0
    visit = await house.visit()
    assert visit.heard[0].get("keeps_places", False) is (how in ("as ever", "engaged"))
    await start(visit)
    if how == "engaged":
        await house.reception.carry_out(house.port.changed(1, "engaged"))
    await visit.say(type="end", **({} if how == "as ever" else {"keep_place": True}))
    assert house.port.calls == [("abandon", 1)]
    assert visit.of("place") == []


async def test_an_agent_who_comes_in_between_has_served_it(nursery: trio.Nursery) -> None:
    house = House(nursery)
    visit = await house.visit()
    await start(visit)
    house.port.busy = 1  # the abandonment waits, and meanwhile an agent answers
    await visit.say(type="end", keep_place=True)
    house.port.states[1] = "engaged"
    await trio.sleep(0.3)
    await trio.testing.wait_all_tasks_blocked()
    assert house.port.states[1] == "served"
    assert visit.of("place") == []


@pytest.mark.parametrize(
    ("error", "code"),
    [(BadTicket("expired"), "bad_ticket"), (PlaceUsed(1), "place_used"), (BadPlace(1), "bad_place")],
)
async def test_a_page_is_told_that_its_place_is_gone(
    nursery: trio.Nursery, error: PaiduiError, code: str
) -> None:
    house = House(nursery)
    visit = await house.visit()
    house.port.bad_place = error
    (heard,) = await start(visit, place="place-of-7")
    assert (heard["type"], heard["code"], heard["field"]) == ("error", code, "place")
    (heard, *_) = await start(visit, BACK)
    assert heard["state"] == "waiting", "without the ticket it queues as anybody"
