"""A desk over its socket: what happens is shown at once, to this agent's tabs and to nobody else."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from engine.bus import ForChannel
from engine.notices import MessageNotice, TypingNotice
from tests.console.conftest import Site

XSS = '<img src=x onerror="alert(1)"><script>alert(2)</script>\u202e&amp;'


async def engaged(site: Site, socket: Any, name: str, queue: str = "cards") -> int:
    """Bring a customer to this agent, accepted."""
    contact = await site.arrive(name, queue)
    desk = await socket.desk(lambda d: any(o["contact"] == contact for o in d["offers"]))
    (offer,) = (o["offer"] for o in desk["offers"] if o["contact"] == contact)
    assert (await socket.do("accept", offer=offer))["ok"]
    await socket.desk(lambda d: any(c["contact"] == contact for c in d["conversations"]))
    return contact


async def test_a_contact_from_offer_to_ready_again(site: Site) -> None:
    ann = await site.logged_in("ann")
    async with ann.socket() as socket:
        desk = await socket.desk()
        assert desk["agent"]["presence"] == "signed_out"
        assert desk["agent"]["title"] == {"en": "ann", "zh": "ann"}
        assert await socket.do("sign_in", ready=True) == {"type": "result", "id": "r1", "ok": True}
        await socket.desk(lambda d: d["agent"]["presence"] == "ready")

        contact = await site.arrive("Wang", "loans", "hello")
        desk = await socket.desk(lambda d: d["offers"] and d["offers"][0]["preview"] == "hello")
        (offer,) = desk["offers"]
        assert (offer["contact"], offer["customer"], offer["queue"]) == (contact, "Wang", "loans")
        assert 0 < offer["deadline_ms"] - desk["now_ms"] <= 5_000

        assert (await socket.do("accept", offer=offer["offer"]))["ok"]
        desk = await socket.desk(lambda d: d["conversations"])
        (conversation,) = desk["conversations"]
        assert (conversation["state"], conversation["last_message_position"]) == ("engaged", 1)
        assert abs(desk["now_ms"] - conversation["since_ms"]) < 5_000
        assert desk["offers"] == []

        assert (await socket.say(contact, "good morning", "m-1"))["ok"]
        sent = await socket.next("messages")
        (message,) = sent["messages"]
        assert (message["sender"], message["text"], message["external_id"]) == (
            "agent",
            "good morning",
            "m-1",
        )
        assert (message["position"], sent["conversation"]) == (2, conversation["conversation"])

        assert (await socket.do("end", contact=contact))["ok"]
        desk = await socket.desk(lambda d: d["conversations"] and d["conversations"][0]["state"] == "wrap_up")
        (conversation,) = desk["conversations"]
        assert 0 < conversation["wrap_up_deadline_ms"] - desk["now_ms"] <= 3_000
        assert (conversation["queue"], conversation["customer"]) == ("loans", "Wang")

        assert (await socket.do("end_wrap_up", contact=contact))["ok"]
        await socket.desk(lambda d: not d["conversations"])
        assert (await socket.do("not_ready", reason="lunch"))["ok"]
        desk = await socket.desk(lambda d: d["agent"]["presence"] == "not_ready")
        assert desk["agent"]["reason"] == "lunch"
        assert (await socket.do("ready"))["ok"]
        await socket.desk(lambda d: d["agent"]["presence"] == "ready")
        assert (await socket.do("sign_out"))["ok"]
        await socket.desk(lambda d: d["agent"]["presence"] == "signed_out")


async def test_messages_and_typing_go_both_ways(site: Site) -> None:
    ann = await site.logged_in("ann")
    chat = site.service.names.id("channel", "chat")
    async with ann.socket() as socket:
        await socket.do("sign_in")
        contact = await engaged(site, socket, "Li")
        with site.service.subscribe(ForChannel(chat), notices=True) as channel:
            await socket.send(type="typing", contact=contact, on=True)
            await socket.say(contact, "hello", "m-1")
            typing, message = await channel.receive(), await channel.receive()
        assert typing == TypingNotice(contact, chat, (site.service.names.id("agent", "ann"),), "agent", True)
        assert isinstance(message, MessageNotice)
        assert (message.contact, message.sender) == (contact, "agent")

        await site.customer_says(contact, "hi", "c-1")
        got = await socket.next("messages", lambda m: m["messages"][0]["sender"] == "customer")
        assert got["messages"][0]["text"] == "hi"
        site.service.conversations.customer_types("chat", contact, True)
        assert (await socket.next("typing"))["on"] is True


async def test_repeated_say_is_one_message(site: Site) -> None:
    ann = await site.logged_in("ann")
    async with ann.socket() as socket:
        await socket.do("sign_in")
        contact = await engaged(site, socket, "Li")
        assert (await socket.say(contact, "hello", "m-1"))["ok"]
        assert (await socket.say(contact, "hello", "m-1"))["ok"]
        await socket.send(type="history", contact=contact)
        history = await socket.next(
            "messages", lambda m: len(m["messages"]) != 1 or m["messages"][0]["position"] == 1
        )
        assert [m["text"] for m in history["messages"]] == ["hello"]


async def test_every_tab_of_an_agent_shows_the_same(site: Site) -> None:
    ann = await site.logged_in("ann")
    async with ann.socket() as one, ann.socket() as two:
        await one.do("sign_in")
        for tab in (one, two):
            await tab.desk(lambda d: d["agent"]["presence"] == "ready")
        contact = await engaged(site, two, "Li")
        await one.desk(lambda d: any(c["contact"] == contact for c in d["conversations"]))
        await two.say(contact, "from the second tab")
        message = await one.next("messages")
        assert message["messages"][0]["text"] == "from the second tab"


async def test_reload_shows_the_same_desk_and_history(site: Site) -> None:
    ann = await site.logged_in("ann")
    async with ann.socket() as socket:
        await socket.do("sign_in")
        contact = await engaged(site, socket, "Li")
        await site.customer_says(contact, "are you there?", "c-1")
        await socket.say(contact, "yes")
        await socket.next("messages", lambda m: m["messages"][0]["text"] == "yes")
        await socket.send(type="do", act="ready", id="again")
        await socket.next("result", lambda m: m["id"] == "again")
    async with ann.socket() as socket:
        before = await socket.desk()
    async with ann.socket() as socket:
        after = await socket.desk()
        assert after["conversations"] == before["conversations"]
        assert after["agent"] == before["agent"]
        assert after["conversations"][0]["last_message_position"] == 2
        await socket.send(type="history", contact=contact, after=0)
        texts = [m["text"] for m in (await socket.next("messages"))["messages"]]
        assert texts == ["are you there?", "yes"]
        await socket.send(type="history", contact=contact, after=2)
        assert (await socket.next("messages"))["messages"] == []


async def test_markup_is_stored_and_returned_as_it_was_typed(site: Site) -> None:
    ann = await site.logged_in("ann")
    async with ann.socket() as socket:
        await socket.do("sign_in")
        contact = await site.arrive(XSS[:40], "cards", XSS)
        desk = await socket.desk(lambda d: d["offers"] and d["offers"][0]["preview"])
        assert (desk["offers"][0]["preview"], desk["offers"][0]["customer"]) == (XSS, XSS[:40])
        await socket.do("accept", offer=desk["offers"][0]["offer"])
        await socket.say(contact, XSS)
        assert (await socket.next("messages"))["messages"][0]["text"] == XSS
    response = await ann.get(f"/api/contacts/{contact}/messages")
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert [m["text"] for m in response.json()["messages"]] == [XSS, XSS]


async def test_another_agents_contact_is_as_unknown_as_none(site: Site) -> None:
    ann, bob = await site.logged_in("ann"), await site.logged_in("bob")
    async with ann.socket() as hers, bob.socket() as his:
        await hers.do("sign_in")
        contact = await engaged(site, hers, "Li")
        await his.do("sign_in", ready=False)
        answers = []
        for number in (contact, 999_999):
            results = [
                await his.do("end", contact=number),
                await his.do("end_wrap_up", contact=number),
                await his.do("transfer", contact=number, queue="loans"),
                await his.say(number, "psst"),
            ]
            await his.send(type="history", contact=number)
            results.append(await his.next("result"))
            await his.send(type="typing", contact=number, on=True)
            http = await bob.get(f"/api/contacts/{number}/messages")
            assert http.status_code == 404
            answers.append([[{**r, "id": None} for r in results], http.content])
        assert answers[0] == answers[1]
        assert {r["error"]["code"] for r in answers[0][0]} == {"unknown_contact"}
        assert (await ann.get(f"/api/contacts/{contact}/messages")).status_code == 200
        assert site.service.contact_state(contact).state == "engaged"


async def test_offer_shows_its_preview_but_not_its_messages(site: Site) -> None:
    ann = await site.logged_in("ann")
    async with ann.socket() as socket:
        await socket.do("sign_in")
        contact = await site.arrive("Li", "cards", "private")
        await socket.desk(lambda d: d["offers"] and d["offers"][0]["preview"] == "private")
        assert (await ann.get(f"/api/contacts/{contact}/messages")).status_code == 404


async def test_passed_on_contact_is_read_by_the_next_agent_only(site: Site) -> None:
    ann, bob = await site.logged_in("ann"), await site.logged_in("bob")
    async with ann.socket() as hers, bob.socket() as his:
        await hers.do("sign_in")
        contact = await engaged(site, hers, "Li", "loans")
        await his.do("sign_in")
        assert (await hers.do("transfer", contact=contact, queue="loans"))["ok"]
        offers = (await his.desk(lambda d: d["offers"]))["offers"]
        assert (await his.do("accept", offer=offers[0]["offer"]))["ok"]
        await site.customer_says(contact, "for the next one", "c-1")
        assert (await his.next("messages"))["messages"][0]["text"] == "for the next one"
        desk = await hers.desk(lambda d: d["conversations"] and d["conversations"][0]["state"] == "wrap_up")
        assert desk["conversations"][0]["last_message_position"] == 0
        assert (await ann.get(f"/api/contacts/{contact}/messages")).status_code == 404
        assert (await bob.get(f"/api/contacts/{contact}/messages")).status_code == 200


async def test_refusals_name_themselves_and_the_winner_is_one(site: Site) -> None:
    ann, bob = await site.logged_in("ann"), await site.logged_in("bob")
    async with ann.socket() as hers, bob.socket() as his:
        await hers.do("sign_in")
        await site.arrive("Li")
        offer = (await hers.desk(lambda d: d["offers"]))["offers"][0]["offer"]
        foreign = await his.do("accept", offer=offer)
        assert foreign["error"]["code"] == "unknown_offer"
        assert (await hers.do("accept", offer=offer))["ok"]
        assert (await hers.do("accept", offer=offer))["ok"]  # a repeat is answered as before
        late = await hers.do("decline", offer=offer)
        assert (late["error"]["code"], late["error"]["field"]) == ("offer_accepted", "offer")
        assert (await hers.do("transfer", contact=1, queue="nowhere"))["error"]["code"] == "unknown_queue"
        assert (await hers.do("not_ready", reason="nap"))["error"]["code"] == "unknown_reason"
        assert (await his.do("ready"))["error"]["code"] == "signed_out"


WRONG_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"type": "do", "act": "accept"}, "offer"),
    ({"type": "do", "act": "end"}, "contact"),
    ({"type": "do", "act": "transfer", "contact": 1}, "queue"),
    ({"type": "do", "act": "dance"}, "act"),
    ({"type": "do", "act": "end", "contact": "1"}, "contact"),
    ({"type": "do", "act": "end", "contact": -1}, "contact"),
    ({"type": "do", "act": "end", "contact": 1 << 53}, "contact"),
    ({"type": "do", "act": "ready", "surprise": 1}, "surprise"),
    ({"type": "say", "contact": 1, "text": "x"}, "external_id"),
]


async def test_wrong_field_is_named_and_the_socket_goes_on(site: Site) -> None:
    ann = await site.logged_in("ann")
    async with ann.socket() as socket:
        for message, field in WRONG_FIELDS:
            result = await socket.ask(**message)
            assert not result["ok"]
            assert (result["error"]["code"], result["error"]["field"]) == ("malformed", field)
        assert (await socket.do("sign_in"))["ok"]


JUNK = [
    "",
    "{",
    "[]",
    "nul",
    '{"type":"nope"}',
    "[" * 30_000,
    '{"a":' * 9_000,
    "NaN",
    b"\xff\x00",
    b"\x92\x01",
]


async def test_junk_is_answered_and_changes_nothing(site: Site) -> None:
    ann = await site.logged_in("ann")
    async with ann.socket() as socket:
        await socket.desk()
        seq = site.service.seq
        for frame in JUNK:
            await socket.connection.send_message(frame)
            result = await socket.next("result")
            assert (result["id"], result["error"]["code"]) == (None, "malformed")
        assert site.service.seq == seq


async def test_wrong_text_is_refused_by_name(site: Site) -> None:
    ann = await site.logged_in("ann")
    async with ann.socket() as socket:
        await socket.do("sign_in")
        contact = await engaged(site, socket, "Li")
        for text in ("", "  ", "x" * 17_000, "a\x00b"):
            result = await socket.say(contact, text)
            assert (result["error"]["code"], result["error"]["field"]) == ("malformed", "text")
        result = await socket.say(contact, "fine", "i" * 201)
        assert (result["error"]["code"], result["error"]["field"]) == ("malformed", "external_id")


@pytest.mark.slow  # waits for the next second's overview
async def test_overview_goes_to_everybody_at_once_and_each_second(site: Site) -> None:
    eve = await site.logged_in("eve")
    async with eve.socket() as socket:
        first = await socket.next("overview")
        assert first["agents"]["signed_out"] == 2
        assert [q["name"] for q in first["queues"]] == ["cards", "loans"]
        await site.arrive("Li")
        waiting = await socket.next("overview", lambda m: m["contacts"]["waiting"] == 1)
        assert waiting["queues"][0]["waiting"] == 1
        assert (await socket.do("ready"))["error"]["code"] == "not_allowed"
    assert (await eve.get("/api/overview")).json()["contacts"]["waiting"] == 1


async def test_only_supervisors_unlock_and_see_the_overview(site: Site) -> None:
    ann, eve = await site.logged_in("ann"), await site.logged_in("eve")
    responses: list[httpx.Response] = [
        await ann.post("/api/agents/ann/unlock"),
        await ann.get("/api/overview"),
    ]
    assert [r.status_code for r in responses] == [403, 403]
    async with ann.socket() as socket:
        assert (await socket.do("unlock", agent="ann"))["error"]["code"] == "not_allowed"
    assert (await eve.post("/api/agents/ann/unlock")).status_code == 204
    missing = await eve.post("/api/agents/zoe/unlock")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "unknown_agent")
    async with eve.socket() as socket:
        assert (await socket.do("unlock", agent="bob"))["ok"]
