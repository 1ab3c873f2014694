"""Several agents in one contact, and supervisors, over the pages' sockets."""

from __future__ import annotations

from typing import Any

from tests.console.conftest import Site
from tests.console.test_console_desk import engaged


def first(desk: dict[str, Any]) -> dict[str, Any]:
    """The first conversation of a desk; one that says nothing when there is none."""
    none = {"on_hold": False, "parked": False, "participants": None}
    return (desk["conversations"] or [none])[0]


async def test_a_colleague_joins_reads_writes_and_stays(site: Site) -> None:
    ann, bob = await site.logged_in("ann"), await site.logged_in("bob")
    async with ann.socket() as hers, bob.socket() as his:
        await hers.do("sign_in")
        contact = await engaged(site, hers, "Li")
        await site.customer_says(contact, "help", "c-1")
        await his.do("sign_in", ready=False)
        assert (await hers.do("hold", contact=contact))["ok"]
        await hers.desk(lambda d: first(d)["on_hold"])
        assert (await hers.do("invite", contact=contact, agent="bob"))["ok"]
        (invitation,) = (await his.desk(lambda d: d["invitations"]))["invitations"]
        assert (invitation["contact"], invitation["agent"], invitation["customer"]) == (contact, "ann", "Li")
        assert (await bob.get(f"/api/contacts/{contact}/messages")).status_code == 404, "not before"
        assert (await his.do("accept", offer=invitation["offer"]))["ok"]
        await hers.desk(lambda d: first(d)["participants"] == ["bob"])
        (joined,) = (await his.desk(lambda d: d["joined"]))["joined"]
        assert (joined["agent"], joined["last_message_position"]) == ("ann", 1)
        assert (await bob.get(f"/api/contacts/{contact}/messages")).status_code == 200

        assert (await his.say(contact, "bob here", "b-1"))["ok"]
        for socket in (hers, his):
            message = await socket.next("messages", lambda m: m["messages"][0]["sender"] == "agent")
            assert (message["messages"][0]["text"], message["messages"][0]["position"]) == ("bob here", 2)

        assert (await hers.do("leave", contact=contact))["ok"]
        desk = await his.desk(lambda d: d["conversations"])
        assert (desk["conversations"][0]["contact"], desk["joined"]) == (contact, [])
        assert (await ann.get(f"/api/contacts/{contact}/messages")).status_code == 404, "not any more"


async def test_who_serves_sees_a_guest_leave(site: Site) -> None:
    ann, bob = await site.logged_in("ann"), await site.logged_in("bob")
    async with ann.socket() as hers, bob.socket() as his:
        await hers.do("sign_in")
        contact = await engaged(site, hers, "Li")
        await his.do("sign_in", ready=False)
        await hers.do("invite", contact=contact, agent="bob")
        offer = (await his.desk(lambda d: d["invitations"]))["invitations"][0]["offer"]
        await his.do("accept", offer=offer)
        await hers.desk(lambda d: first(d)["participants"] == ["bob"])
        assert (await his.do("leave", contact=contact))["ok"]
        await hers.desk(lambda d: first(d)["participants"] == [])


async def test_parking_and_a_transfer_outside(site: Site) -> None:
    ann = await site.logged_in("ann")
    async with ann.socket() as hers:
        await hers.do("sign_in")
        contact = await engaged(site, hers, "Li")
        assert (await hers.do("park", contact=contact))["ok"]
        await hers.desk(lambda d: first(d)["parked"])
        assert (await hers.do("unpark", contact=contact))["ok"]
        assert (await hers.do("resume", contact=contact))["ok"]
        wrong = await hers.do("transfer_out", contact=contact, target="moon")
        assert wrong["error"]["code"] == "unknown_target"
        assert (await hers.do("transfer_out", contact=contact, target="head_office"))["ok"]
        assert site.service.contact_state(contact).state == "served"


async def test_only_supervisors_move_and_take_over(site: Site) -> None:
    ann, eve = await site.logged_in("ann"), await site.logged_in("eve")
    async with ann.socket() as hers, eve.socket() as boss:
        await hers.do("sign_in")
        contact = await engaged(site, hers, "Li")
        acts: list[dict[str, Any]] = [
            {"act": "move", "contact": contact, "queue": "loans"},
            {"act": "take_over", "contact": contact},
        ]
        for act in acts:
            assert (await hers.do(**act))["error"]["code"] == "not_allowed"
        assert (await boss.do("take_over", contact=contact))["error"]["code"] == "not_allowed", "no desk"
        assert (await boss.do("move", contact=contact, queue="loans"))["ok"]
        assert site.service.contact_state(contact).queue == "loans"
