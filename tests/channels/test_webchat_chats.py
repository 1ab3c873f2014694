"""A web chat from the customer's side: waiting, talking, reconnecting, leaving."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

from channels.webchat.page_socket import FRAMES_AT_ONCE, HELLO_WITHIN_S, QUEUED_FRAMES
from channels.webchat.reception import POSITIONS_EVERY_S
from engine.channel import Connect, Effect, Engaged, Known, Queued, Typing, Wait
from tests.channels.webchat_double import House, Visit

CHAT = "chat-0001"


async def start(visit: Visit, chat: str = CHAT, **fields: Any) -> list[dict[str, Any]]:
    return await visit.say(type="start", chat=chat, queue="cards", **fields)


async def test_a_visitor_is_welcomed_with_the_topics(nursery: trio.Nursery) -> None:
    house = House(nursery, {"queues": ["loans"]})
    visit = await house.visit()
    welcome = visit.heard[0]
    assert welcome["type"] == "welcome"
    assert welcome["known"] is False
    assert welcome["topics"] == [{"name": "loans", "title": {"en": "Loans", "zh": "贷款"}}]
    assert (await house.visit(welcome["token"])).heard[0]["known"] is True
    assert (await house.visit("token-of-somebody-else's-making"[5:])).heard[0]["known"] is False


async def test_a_chat_waits_is_engaged_and_ends(nursery: trio.Nursery) -> None:
    house = House(nursery)
    visit = await house.visit()
    heard = await start(visit, name=" 王芳 ")
    assert heard[0] == {"type": "chat", "chat": CHAT, "state": "waiting", "position": 0}
    assert house.port.names == ["王芳"]
    for state in ("offered", "engaged"):
        await house.reception.carry_out(house.port.changed(1, state))
    await house.reception.carry_out(house.port.wrote(1, "您好"))
    await house.reception.carry_out(house.port.changed(1, "served"))
    await trio.testing.wait_all_tasks_blocked()
    states = [(one["state"], one.get("outcome")) for one in visit.of("chat")]
    assert states == [("waiting", None), ("waiting", None), ("engaged", None), ("ended", "served")]
    assert visit.texts() == ["您好"]
    await visit.leave()
    assert len(house.reception.chats) == 0
    assert house.port.calls == []


async def test_routing_points_hear_what_the_page_knows_and_who_it_is(nursery: trio.Nursery) -> None:
    house = House(nursery)
    visit = await house.visit()
    await start(visit, language="zh-CN", page="https://bank.example/cards")
    await start(visit, "chat-0002")
    (first, told), (second, nothing) = house.port.known
    assert told == Known(language="zh-CN", attributes={"page": "https://bank.example/cards"})
    assert nothing == Known()
    assert first == second == next(iter(house.port.ids)).partition(".")[0], "one customer in both chats"


async def test_a_visitor_who_is_not_admitted_is_told_so_and_not_why(nursery: trio.Nursery) -> None:
    house = House(nursery)
    visit = await house.visit()
    house.port.not_admitted = "closed"
    assert await start(visit) == [
        {"type": "error", "code": "not_admitted", "text": "no chats are taken now (closed)"}
    ]


async def test_what_the_customer_says_is_stored_once_and_comes_back(nursery: trio.Nursery) -> None:
    house = House(nursery)
    visit = await house.visit()
    await start(visit)
    for _ in range(3):
        await visit.say(type="say", external_id="msg-0001", text="<script>alert(1)</script>")
    assert [message.text for message in house.port.stored[1]] == ["<script>alert(1)</script>"]
    assert {one["external_id"] for heard in visit.of("messages") for one in heard["messages"]} == {"msg-0001"}


async def test_twenty_reconnections_lose_double_and_swap_nothing(nursery: trio.Nursery) -> None:
    house = House(nursery, {"messages_per_minute": 6_000})
    visit = await house.visit()
    token = visit.heard[0]["token"]
    await start(visit)
    seen: dict[int, str] = {}
    for turn in range(20):
        await visit.say(type="say", external_id=f"msg-{turn:04}", text=f"customer {turn}")
        await visit.leave()
        # The agent writes while nobody looks.
        await house.reception.carry_out(house.port.wrote(1, f"agent {turn}"))
        seen |= {one["position"]: one["text"] for heard in visit.of("messages") for one in heard["messages"]}
        visit = await house.visit(token)
        await start(visit, after=max(seen))
        # The page cannot know whether its last message arrived, so it says it again.
        await visit.say(type="say", external_id=f"msg-{turn:04}", text=f"customer {turn}")
    seen |= {one["position"]: one["text"] for heard in visit.of("messages") for one in heard["messages"]}
    assert [seen[position] for position in sorted(seen)] == [
        text for turn in range(20) for text in (f"customer {turn}", f"agent {turn}")
    ]
    assert list(house.port.ids.values()) == [1]


async def test_two_pages_of_one_visitor_show_the_same(nursery: trio.Nursery) -> None:
    house = House(nursery)
    first = await house.visit()
    await start(first)
    await first.say(type="say", external_id="msg-0001", text="from the first")
    second = await house.visit(first.heard[0]["token"])
    await start(second)
    await second.say(type="say", external_id="msg-0002", text="from the second")
    await house.reception.carry_out(house.port.wrote(1, "to both"))
    await trio.testing.wait_all_tasks_blocked()
    assert first.texts() == second.texts() == ["from the first", "from the second", "to both"]


async def test_a_chat_cannot_be_reached_by_another_visitor(nursery: trio.Nursery) -> None:
    house = House(nursery)
    first = await house.visit()
    await start(first)
    await first.say(type="say", external_id="msg-0001", text="my secret")
    thief = await house.visit()
    await start(thief)
    assert thief.texts() == []
    assert list(house.port.ids.values()) == [1, 2]


@pytest.mark.parametrize(("state", "gone_after_s"), [("waiting", 60), ("offered", 60), ("engaged", 600)])
async def test_who_stays_away_has_left(
    state: str, gone_after_s: float, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    house = House(nursery)
    visit = await house.visit()
    await start(visit)
    await house.reception.carry_out(house.port.changed(1, state))
    await visit.leave()
    await trio.sleep(gone_after_s - 1)
    assert house.port.calls == []
    await trio.sleep(2)
    assert house.port.calls == [("abandon", 1)]


async def test_who_comes_back_in_time_has_not_left(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    house = House(nursery, {"abandon_after_s": 5})
    visit = await house.visit()
    await start(visit)
    await visit.leave()
    await trio.sleep(4)
    back = await house.visit(visit.heard[0]["token"])
    await start(back)
    await trio.sleep(60)
    assert house.port.calls == []


async def test_abandoning_is_repeated_while_the_engine_is_busy(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    house = House(nursery, {"abandon_after_s": 5})
    visit = await house.visit()
    await start(visit)
    await visit.leave()
    house.port.busy = 3
    await trio.sleep(7)
    assert house.port.calls == [("abandon", 1)]


async def test_chats_of_an_earlier_run_are_found_and_their_customers_awaited(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    house = House(nursery, {"abandon_after_s": 5})
    await house.port.arrive("visitor1.chat-0001", queue="cards")
    await house.port.arrive("visitor2.chat-0002", queue="cards")
    await house.port.arrive("not one of ours", queue="cards")
    await house.reception.recover()
    back = await house.visit("token-of-visitor1")
    await start(back)
    await trio.sleep(10)
    assert house.port.calls == [("abandon", 2)]


async def test_who_has_lost_the_agent_is_told_so_until_another_is_here(nursery: trio.Nursery) -> None:
    house = House(nursery)
    visit = await house.visit()
    await start(visit)

    async def goes(state: str, effect: Effect) -> dict[str, Any]:
        house.port.states[1] = state
        await house.reception.carry_out(effect)
        await trio.testing.wait_all_tasks_blocked()
        return visit.of("chat")[-1]

    assert "reason" not in await goes("engaged", Engaged(effect_id="1", contact=1, agent="ann"))
    lost = Queued(effect_id="2", contact=1, queue="cards", cause="lease_lost")
    again = await goes("waiting", lost)
    assert (again["state"], again["reason"]) == ("waiting", "lease_lost")
    unanswered = Queued(effect_id="3", contact=1, queue="cards", cause="offer_ended")
    assert (await goes("waiting", unanswered))["reason"] == "lease_lost", "it still waits for that"
    back = await house.visit(visit.heard[0]["token"])
    assert (await start(back))[0]["reason"] == "lease_lost", "and so reads who comes back"
    here = await goes("engaged", Engaged(effect_id="4", contact=1, agent="bob"))
    assert (here["state"], here.get("reason")) == ("engaged", None)
    transfer = Queued(effect_id="5", contact=1, queue="cards", cause="transfer")
    assert "reason" not in await goes("waiting", transfer)


async def test_the_customer_ends_the_chat(nursery: trio.Nursery) -> None:
    house = House(nursery)
    visit = await house.visit()
    await start(visit)
    await visit.say(type="end")
    assert house.port.calls == [("abandon", 1)]
    await house.reception.carry_out(house.port.changed(1, "abandoned"))
    await trio.testing.wait_all_tasks_blocked()
    [refused] = await visit.say(type="say", external_id="msg-0001", text="too late")
    assert (refused["code"], refused["external_id"]) == ("ended", "msg-0001")
    assert house.port.stored[1] == []


async def test_the_position_is_kept_true_without_an_effect(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    house = House(nursery)
    visit = await house.visit()
    await start(visit)
    nursery.start_soon(house.reception.show_positions)
    for position in (7, 7, 3):
        house.port.positions[1] = position
        await trio.sleep(POSITIONS_EVERY_S * 1.5)
    assert [state["position"] for state in visit.of("chat")] == [0, 7, 3]
    nursery.cancel_scope.cancel()


async def test_the_wait_is_told_in_minutes_and_only_when_they_change(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    house = House(nursery)
    visit = await house.visit()
    await start(visit)
    nursery.start_soon(house.reception.show_positions)
    for p50_us, p90_us in ((90_000_000, 300_000_001), (65_000_000, 299_000_000), (1_000_000, 30_000_000)):
        house.port.waits[1] = Wait(p50_us, p90_us)
        await trio.sleep(POSITIONS_EVERY_S * 1.5)
    assert [state.get("minutes") for state in visit.of("chat")] == [None, [2, 6], [2, 5], [1, 1]]
    nursery.cancel_scope.cancel()


async def test_connecting_is_answered_by_whether_somebody_looks(nursery: trio.Nursery) -> None:
    house = House(nursery)
    visit = await house.visit()
    await start(visit)
    connect = Connect(effect_id="e1", contact=1, agent="ann", deadline_ms=0)
    await house.reception.carry_out(connect)
    await visit.leave()
    await house.reception.carry_out(connect)
    assert house.port.calls == [("connected", 1), ("connect_failed", 1)]
    nursery.cancel_scope.cancel()


async def test_typing_goes_both_ways_only_in_a_conversation(nursery: trio.Nursery) -> None:
    house = House(nursery)
    visit = await house.visit()
    await start(visit)
    await visit.say(type="typing", on=True)
    await house.reception.carry_out(house.port.changed(1, "engaged"))
    await visit.say(type="typing", on=True)
    await visit.say(type="typing", on=False)
    await house.reception.carry_out(Typing(effect_id="t", contact=1, on=True))
    await trio.testing.wait_all_tasks_blocked()
    assert house.port.typed == [(1, True), (1, False)]
    assert visit.of("typing") == [{"type": "typing", "on": True}]


async def test_busy_is_said_with_the_time_to_wait(nursery: trio.Nursery) -> None:
    house = House(nursery)
    visit = await house.visit()
    house.port.busy = 1
    [busy] = await start(visit)
    assert (busy["code"], busy["retry_after_ms"]) == ("busy", 200)
    await start(visit)
    house.port.busy = 1
    [busy] = await visit.say(type="say", external_id="msg-0001", text="hello")
    assert (busy["code"], busy["external_id"]) == ("busy", "msg-0001")
    await visit.say(type="say", external_id="msg-0001", text="hello")
    assert visit.texts() == ["hello"]


@pytest.mark.parametrize(
    ("message", "code", "field"),
    [
        ({"type": "start", "chat": CHAT, "queue": "nowhere"}, "unknown_queue", "queue"),
        ({"type": "say", "external_id": "msg-0001", "text": "hi"}, "no_chat", None),
        ({"type": "end"}, "no_chat", None),
        ({"type": "hello"}, "malformed", "type"),
        ({"type": "dance"}, "malformed", "type"),
    ],
)
async def test_what_cannot_be_is_refused_and_the_page_stays(
    message: dict[str, Any], code: str, field: str | None, nursery: trio.Nursery
) -> None:
    house = House(nursery)
    visit = await house.visit()
    [failure] = await visit.say(**message)
    assert (failure["type"], failure["code"], failure.get("field")) == ("error", code, field)
    assert (await start(visit))[0]["state"] == "waiting"


async def test_hello_comes_first_and_soon(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    house = House(nursery)
    rude, silent = Visit(house.reception), Visit(house.reception)
    nursery.start_soon(rude.run)
    nursery.start_soon(silent.run)
    await rude.say(type="end")
    await rude.closed.wait()
    assert rude.heard[0]["code"] == "malformed"
    await silent.closed.wait()
    assert trio.current_time() == pytest.approx(HELLO_WITHIN_S, abs=0.1)


async def test_messages_of_one_visitor_are_limited(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    house = House(nursery, {"messages_per_minute": 12})
    visit = await house.visit()
    await start(visit)
    for number in range(4):
        await visit.say(type="say", external_id=f"msg-{number:04}", text="again")
    assert len(house.port.stored[1]) == 2
    refused = visit.of("error")
    assert [one["external_id"] for one in refused] == ["msg-0002", "msg-0003"]
    assert refused[0]["code"] == "too_fast"
    await trio.sleep(refused[0]["retry_after_ms"] / 1000)
    await visit.say(type="say", external_id="msg-0002", text="again")
    assert len(house.port.stored[1]) == 3


async def test_new_visitors_from_one_address_are_limited(nursery: trio.Nursery) -> None:
    house = House(nursery, {"visitors_per_minute": 12})
    kinds = [(await house.visit()).heard[0]["type"] for _ in range(3)]
    assert kinds == ["welcome", "welcome", "error"]
    assert (await house.visit(address="192.0.2.2")).heard[0]["type"] == "welcome"
    assert (await house.visit("token-of-regular")).heard[0]["type"] == "welcome"


async def test_a_flood_of_frames_closes_the_socket(nursery: trio.Nursery) -> None:
    house = House(nursery)
    visit = await house.visit()
    for _ in range(FRAMES_AT_ONCE + 1):
        if visit.closed.is_set():
            break
        await visit.say_frame("{")
    await visit.closed.wait()
    assert visit.heard[-1] == {"type": "bye", "code": "too_fast"}


async def test_a_page_that_does_not_read_is_cut(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    house = House(nursery)
    visit = await house.visit()
    await start(visit)
    await house.reception.carry_out(house.port.changed(1, "engaged"))
    await trio.testing.wait_all_tasks_blocked()
    visit.reading = trio.Event()
    for number in range(QUEUED_FRAMES + 2):
        await house.reception.carry_out(Typing(effect_id=f"t{number}", contact=1, on=True))
        await house.reception.carry_out(house.port.wrote(1, str(number)))
    await visit.closed.wait()
    back = await house.visit(visit.heard[0]["token"])
    await start(back)
    assert len(back.texts()) == QUEUED_FRAMES + 2
    nursery.cancel_scope.cancel()


async def test_at_the_stop_pages_are_told_to_come_back(nursery: trio.Nursery) -> None:
    house = House(nursery)
    closing = trio.Event()
    visit = Visit(house.reception)
    nursery.start_soon(visit.run, closing)
    await visit.say(type="hello")
    closing.set()
    await visit.closed.wait()
    assert visit.heard[-1] == {"type": "bye", "code": "draining"}
