"""Lists that a page watches: true, bounded, and for those only whom they concern."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from console.watching import MAX_COLLEAGUES, MAX_CONTACTS, colleagues_message, live_contacts
from engine.testing.fixtures import small_site
from tests.console.conftest import Site
from tests.console.test_console_company import first
from tests.console.test_console_desk import engaged
from tests.console.test_console_overview import agent, site_overview


def states(message: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    return {one["name"]: (one["state"], one["reachable"]) for one in message["agents"]}


async def test_colleagues_are_shown_as_they_are(site: Site) -> None:
    ann, bob = await site.logged_in("ann"), await site.logged_in("bob")
    async with ann.socket() as hers, bob.socket() as his:
        await hers.do("sign_in")
        await hers.send(type="watch", what="colleagues")
        message = await hers.next("colleagues")
        assert states(message) == {"ann": ("ready", True), "bob": ("signed_out", False)}
        await his.do("sign_in", ready=False)
        await hers.next("colleagues", lambda m: states(m)["bob"] == ("not_ready", True))
        await his.do("sign_out")
        await hers.next("colleagues", lambda m: states(m)["bob"] == ("signed_out", False))
        await hers.send(type="watch", what="colleagues", search=" BO")
        message = await hers.next("colleagues", lambda m: m["search"])
        assert list(states(message)) == ["bob"]


async def test_who_is_leaving_cannot_be_asked(site: Site) -> None:
    ann, bob = await site.logged_in("ann"), await site.logged_in("bob")
    async with ann.socket() as hers, bob.socket() as his:
        await hers.do("sign_in")
        await engaged(site, hers, "Li")
        assert (await hers.do("sign_out"))["ok"]
        await his.send(type="watch", what="colleagues")
        await his.next("colleagues", lambda m: states(m)["ann"] == ("talking", False))


def test_the_list_of_colleagues_is_bounded_and_the_free_come_first(tmp_path: Path) -> None:
    agents = [agent(f"a{number}", "signed_out") for number in range(60)]
    message = colleagues_message(small_site(tmp_path), site_overview(*agents, agent("z", engaged=2)), "")
    assert (len(message.agents), message.more) == (MAX_COLLEAGUES, 11)
    assert (message.agents[0].name, message.agents[0].contacts) == ("z", 2)


async def test_a_supervisor_sees_every_contact_and_who_has_it(site: Site) -> None:
    ann, eve = await site.logged_in("ann"), await site.logged_in("eve")
    async with ann.socket() as hers, eve.socket() as boss:
        await hers.send(type="watch", what="contacts")
        assert (await hers.next("result"))["error"]["code"] == "not_allowed"
        await hers.do("sign_in")
        served = await engaged(site, hers, "Li")
        await hers.do("hold", contact=served)
        await hers.do("not_ready")
        waits = await site.arrive("Wang", "loans")
        await boss.send(type="watch", what="contacts")
        message = await boss.next("contacts")
        one, other = message["contacts"]
        assert (one["contact"], one["state"], one["agent"], one["on_hold"]) == (
            served,
            "engaged",
            "ann",
            True,
        )
        assert (other["contact"], other["state"], other["queue"]) == (waits, "waiting", "loans")
        assert (one["customer"], other["customer"], message["more"]) == ("Li", "Wang", 0)
        assert (one["position"], one["wait_ms"]) == (None, None)
        assert (other["position"], other["wait_ms"]) == (0, None), "nobody is ready"
        assert (await boss.do("release", contact=waits))["ok"]
        await boss.next("contacts", lambda m: [c["contact"] for c in m["contacts"]] == [served])


async def test_a_supervisor_sees_how_long_contacts_will_wait(site: Site) -> None:
    ann, eve = await site.logged_in("ann"), await site.logged_in("eve")
    async with ann.socket() as hers, eve.socket() as boss:
        await hers.do("sign_in")
        for number in range(5):
            await site.arrive(f"c{number}", "loans")
        await boss.send(type="watch", what="contacts")
        message = await boss.next("contacts", lambda m: any(c["state"] == "offered" for c in m["contacts"]))
        waiting = [one for one in message["contacts"] if one["state"] == "waiting"]
        assert [one["position"] for one in waiting] == list(range(len(waiting)))
        waits = [one["wait_ms"] for one in waiting]
        assert waits
        assert waits == sorted(waits), "who stands further back waits longer"
        assert all(0 < p50 < p90 for p50, p90 in waits)


async def test_the_list_of_contacts_is_bounded(site: Site) -> None:
    for number in range(MAX_CONTACTS + 3):
        await site.arrive(f"c{number}")
    shown, more = live_contacts(site.service)
    assert (len(shown), more) == (MAX_CONTACTS, 3)
    assert [one.contact for one in shown] == list(range(1, MAX_CONTACTS + 1)), "the longest first"


async def test_supervisors_change_and_end_what_waits(site: Site) -> None:
    ann, eve = await site.logged_in("ann"), await site.logged_in("eve")
    async with ann.socket() as hers, eve.socket() as boss:
        contacts = [await site.arrive(name) for name in ("Li", "Wang")]
        for act in ("change", "release"):
            assert (await hers.do(act, contact=contacts[0]))["error"]["code"] == "not_allowed"
        assert (await boss.do("change", contact=contacts[1], head_start_ms=60_000))["ok"]
        assert site.service.position(contacts[0]) == 1, "the other one is before it now"
        assert (await boss.do("change", contact=contacts[0], queue="loans"))["ok"]
        assert site.service.contact_state(contacts[0]).queue == "loans"
        assert (await boss.do("release", contact=contacts[0]))["ok"]
        assert site.service.contact_state(contacts[0]).state == "withdrawn"
        assert (await boss.do("hours", queue="loans", hours="closing"))["ok"]
        assert (await boss.do("unlock", agent="ann"))["ok"]
    told = [(one.actor, one.act, one.subject, one.details) for one in await site.store.entries(last=5)]
    assert told == [
        ("eve", "contact.change", f"contact:{contacts[1]}", {"head_start_ms": 60_000}),
        ("eve", "contact.change", f"contact:{contacts[0]}", {"queue": "loans"}),
        ("eve", "contact.release", f"contact:{contacts[0]}", {}),
        ("eve", "queue.hours", "queue:loans", {"hours": "closing"}),
        ("eve", "agent.unlock", "agent:ann", {}),
    ], "and nothing of what was not allowed"


async def test_a_transfer_to_a_colleague_waits_for_them(site: Site) -> None:
    ann, bob = await site.logged_in("ann"), await site.logged_in("bob")
    async with ann.socket() as hers, bob.socket() as his:
        await hers.do("sign_in")
        contact = await engaged(site, hers, "Li", "loans")
        await his.do("sign_in")
        other = await engaged(site, his, "Wang", "loans")
        wrong = await hers.do("transfer", contact=contact, queue="loans", agent="nobody")
        assert wrong["error"]["code"] == "unknown_agent"
        assert (await hers.do("transfer", contact=contact, queue="loans", agent="ann"))["ok"]
        assert site.service.contact_state(contact).state in ("waiting", "offered")
        assert (await his.do("transfer", contact=other, queue="loans", agent="ann"))["ok"]
        desk = await hers.desk(lambda d: any(o["contact"] == other for o in d["offers"]))
        assert desk["agent"]["name"] == "ann"


async def test_a_page_that_watches_no_more_is_sent_nothing(site: Site) -> None:
    ann = await site.logged_in("ann")
    async with ann.socket() as hers:
        await hers.send(type="watch", what="colleagues")
        await hers.next("colleagues")
        await hers.send(type="watch")
        for _ in range(3):
            message = await hers.next("overview")
        assert message["type"] == "overview"
        assert not [seen for seen in hers._seen if seen["type"] == "colleagues"]


async def test_a_page_that_comes_back_in_the_middle_of_an_invitation_hears_the_answer(site: Site) -> None:
    ann, bob = await site.logged_in("ann"), await site.logged_in("bob")
    async with bob.socket() as his:
        async with ann.socket() as hers:
            await hers.do("sign_in")
            contact = await engaged(site, hers, "Li", "loans")
            await his.do("sign_in", ready=False)
            await hers.do("invite", contact=contact, agent="bob")
        offer = (await his.desk(lambda d: d["invitations"]))["invitations"][0]["offer"]
        async with ann.socket() as hers:
            desk = await hers.desk(lambda d: d["conversations"])
            assert [one["agent"] for one in first(desk)["invited"]] == ["bob"]
            # Nothing else happens that she could hear of.
            assert (await his.do("accept", offer=offer))["ok"]
            desk = await hers.desk(lambda d: first(d)["participants"] == ["bob"])
            assert first(desk)["invited"] == []
            # Who is in it hears of the next one just so.
            await his.do("leave", contact=contact)
            await hers.desk(lambda d: first(d)["participants"] == [])


async def test_who_was_asked_and_who_wrote_is_told(site: Site) -> None:
    ann, bob = await site.logged_in("ann"), await site.logged_in("bob")
    async with ann.socket() as hers, bob.socket() as his:
        await hers.do("sign_in")
        contact = await engaged(site, hers, "Li", "loans")
        await his.do("sign_in", ready=False)
        await hers.do("invite", contact=contact, agent="bob")
        desk = await hers.desk(lambda d: first(d).get("invited"))
        assert [one["agent"] for one in first(desk)["invited"]] == ["bob"]
        offer = (await his.desk(lambda d: d["invitations"]))["invitations"][0]["offer"]
        assert (await his.do("accept", offer=offer))["ok"]
        desk = await hers.desk(lambda d: first(d)["participants"] == ["bob"])
        assert first(desk)["invited"] == []
        (joined,) = (await his.desk(lambda d: d["joined"]))["joined"]
        assert (joined["participants"], joined["on_hold"]) == ([], False)
        await his.say(contact, "bob here", "b-1")
        message = await hers.next("messages")
        assert message["messages"][0]["agent"] == "bob"
        await hers.do("leave", contact=contact)
        desk = await hers.desk(lambda d: first(d).get("agent") == "bob")
        assert first(desk)["state"] == "wrap_up"
