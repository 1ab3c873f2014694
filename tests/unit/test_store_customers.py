"""Customers: recognised however they come, one identity one customer, merged and parted again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
from sqlalchemy import URL

from engine.errors import Malformed
from engine.identities import IdentityKey, identity_of, normalised
from engine.store import Conversation, CustomerConflict, NoSuchCustomer, Store

PHONE = IdentityKey("phone", "+8613812345678")
MAIL = IdentityKey("email", "fang@example.cn")


@pytest.fixture
async def store(where: Path | URL) -> AsyncIterator[Store]:
    async with Store(where, now_ms=lambda: 1_000, audit_key=b"k" * 32) as store:
        yield store


async def customer_of(store: Store, conversation: Conversation, domain: str = "") -> int:
    """The number of the customer of a conversation, by what the channel calls them."""
    name = conversation.external_id.partition(".")[0]
    found = await store.customer_of(IdentityKey("channel", name, conversation.channel), domain)
    assert found is not None
    return found.id


@pytest.mark.parametrize(
    ("text", "region", "stored"),
    [
        ("phone:+86 138-1234-5678", None, "phone:+8613812345678"),
        ("phone:138 1234 5678", "CN", "phone:+8613812345678"),
        ("phone:0086 13812345678", "CN", "phone:+8613812345678"),
        ("phone:tel:+8613812345678", None, "phone:+8613812345678"),
        ("phone:（010）6505-0000", "CN", "phone:+861065050000"),
        ("phone:(020) 7946 0018", "GB", "phone:+442079460018"),
        ("email:Wang.Fang@Example.CN", None, "email:Wang.Fang@example.cn"),
        ("email:mailto:a@b.example.", None, "email:a@b.example"),
        ("email:王@例子.cn", None, "email:王@xn--fsqu00a.cn"),
        ("sip:sip:Ann@Host.Example:5060;transport=tls", None, "sip:Ann@host.example"),
        ("wechat:bank/oAbC-1", None, "wechat:bank/oAbC-1"),
        ("channel:webchat/a/b", None, "channel:webchat/a/b"),
    ],
)
def test_two_ways_of_writing_one_thing_are_one_identity(text: str, region: str | None, stored: str) -> None:
    assert str(identity_of(text, region)) == stored
    assert normalised(identity_of(text, region), None) == identity_of(text, region), "and again the same"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("13812345678", "identity: expected kind:value with a kind of phone, email"),
        ("fax:1", "identity: expected kind:value"),
        ("phone:13812345678", "write it with [+] and country code, or set store.phone_region"),
        ("phone:+86 12", "is no telephone number"),
        ("phone:+8613812345678\x00", "identity.value: expected"),
        ("email:nobody", "is no e-mail address; expected name@domain"),
        ("email:a b@c.example", "is no e-mail address"),
        ("sip:host", "is no SIP address"),
        ("wechat:oAbC", "identity.account: expected wechat:account/value"),
        ("email:" + "a" * 400 + "@b.example", "identity.value: expected 1..320 characters"),
    ],
)
def test_what_is_no_identity_is_said_so_by_field(text: str, fault: str) -> None:
    with pytest.raises(Malformed, match=fault):
        identity_of(text)


async def test_a_customer_is_recognised_on_another_channel_and_by_what_was_linked(store: Store) -> None:
    chat = await store.conversation_for(
        "webchat", "v.1", queue="q", customer="v", customer_name="王芳", identities=[PHONE]
    )
    mail = await store.conversation_for("mail", "m.1", queue="q", identities=[MAIL, PHONE])
    assert mail.customer == "王芳", "by the number, nobody had the address"
    again = await store.conversation_for("mail", "m.2", queue="q", identities=[MAIL])
    assert again.customer == "王芳", "the address was learnt"
    who = await customer_of(store, chat)
    history = await store.history(who)
    assert history.identities == [IdentityKey("channel", "v", "webchat"), PHONE, MAIL]
    assert [talk.conversation for talk in history.contacted] == [again.id, mail.id, chat.id]
    assert (await store.unlink(MAIL, "sue")) == who
    stranger = await store.conversation_for("mail", "m.3", queue="q", identities=[MAIL])
    assert stranger.customer is None


async def test_an_identity_that_is_another_s_stays_theirs(store: Store) -> None:
    one = await store.add_customer("sue", name="One")
    two = await store.add_customer("sue", name="Two")
    await store.link(one.id, PHONE, "sue")
    await store.link(one.id, PHONE, "sue")
    with pytest.raises(CustomerConflict, match=f"is customer {one.id}'s; unlink it there, or merge the two"):
        await store.link(two.id, PHONE, "sue")
    with pytest.raises(NoSuchCustomer, match="there is no 99"):
        await store.link(99, MAIL, "sue")
    with pytest.raises(NoSuchCustomer, match=r"email:fang@example\.cn is nobody's"):
        await store.unlink(MAIL, "sue")
    talk = await store.conversation_for("mail", "1", queue="q", identities=[MAIL, PHONE])
    assert talk.customer == "One"
    acts = [entry.act for entry in await store.entries()]
    assert acts == ["customer.add", "customer.add", "customer.link"], "what changed nothing is no act"


async def test_domains_have_customers_of_their_own(store: Store) -> None:
    for domain, name in (("", "own"), ("leasing", "other")):
        await store.conversation_for(
            f"chat{domain}",
            "1",
            queue="q",
            customer="v",
            customer_name=name,
            identities=[PHONE],
            domain=domain,
        )
    own, other = await store.customer_of(PHONE), await store.customer_of(PHONE, "leasing")
    assert own is not None
    assert other is not None
    assert (own.name, other.name, other.domain) == ("own", "other", "leasing")
    with pytest.raises(CustomerConflict, match='of two domains, "" and "leasing"'):
        await store.merge(own.id, other.id, "sue")
    assert await store.last_agent([PHONE], 0, "nowhere") is None


async def test_customers_from_before_there_were_domains_go_with_their_channel(store: Store) -> None:
    old = await store.conversation_for("app", "v.1", queue="q", customer="v", customer_name="Old")
    other = await store.conversation_for("webchat", "w.1", queue="q", customer="w")
    taken = await store.add_customer("sue", domain="leasing")
    await store.link(taken.id, PHONE, "sue")
    await store.link(await customer_of(store, old), PHONE, "sue")
    await store.claim({"app": "leasing", "webchat": ""})
    await store.claim({"app": "leasing", "webchat": ""})
    again = await store.conversation_for("app", "v.2", queue="q", customer="v", domain="leasing")
    assert again.customer == "Old"
    assert await customer_of(store, other) != await customer_of(store, old, "leasing")
    still = await store.customer_of(PHONE, "leasing")
    assert still == taken


async def test_a_merge_makes_two_one_and_can_be_undone(store: Store) -> None:
    a = await store.conversation_for("webchat", "v.1", queue="q", customer="v", customer_name="王芳")
    b = await store.conversation_for("app", "w.1", queue="q", customer="w", customer_name="Wang Fang")
    one, two = await customer_of(store, a), await customer_of(store, b)
    merge = await store.merge(one, two, "sue")
    history = await store.history(one)
    assert {talk.conversation for talk in history.contacted} == {a.id, b.id}
    assert (history.also, [m.merged for m in history.merges]) == (["Wang Fang"], [two])
    later = await store.conversation_for("app", "w.2", queue="q", customer="w")
    assert later.customer == "王芳"
    for refused in (store.link(two, MAIL, "sue"), store.merge(two, one, "sue"), store.merge(one, two, "sue")):
        with pytest.raises(CustomerConflict, match=f"customer {two} was merged into {one}; name that one"):
            await refused
    with pytest.raises(CustomerConflict, match="is one already"):
        await store.merge(one, one, "sue")
    await store.link(one, MAIL, "sue")
    await store.unmerge(merge, "sue")
    assert await customer_of(store, b) == two
    assert {talk.conversation for talk in (await store.history(two)).contacted} == {b.id}
    kept = await store.history(one)
    assert {talk.conversation for talk in kept.contacted} == {a.id, later.id}, "what came later stays"
    assert MAIL in kept.identities
    assert kept.merges == []
    with pytest.raises(NoSuchCustomer, match=f"there is no {merge} that could be undone"):
        await store.unmerge(merge, "sue")
    assert [(e.act, e.subject) for e in await store.entries()] == [
        ("customer.merge", f"customer:{one}"),
        ("customer.link", f"customer:{one}"),
        ("customer.unmerge", f"customer:{one}"),
    ]


async def test_merges_are_undone_from_the_last(store: Store) -> None:
    a, b, c = [(await store.add_customer("sue", name=name)).id for name in "abc"]
    await store.link(a, PHONE, "sue")
    first = await store.merge(b, a, "sue")
    second = await store.merge(c, b, "sue")
    with pytest.raises(CustomerConflict, match=f"customer {b} was merged further; undo merge {second} first"):
        await store.unmerge(first, "sue")
    await store.unmerge(second, "sue")
    await store.unmerge(first, "sue")
    found = await store.customer_of(PHONE)
    assert found is not None
    assert found.id == a


async def test_two_edges_link_one_identity_once(where: Path | URL) -> None:
    told = []

    async def link(store: Store, customer: int) -> None:
        try:
            await store.link(customer, PHONE, "sue")
        except CustomerConflict as conflict:
            told.append(str(conflict))

    async with Store(where) as one, Store(where) as two:
        ids = [(await one.add_customer("sue")).id for _ in range(6)]
        async with trio.open_nursery() as nursery:
            for number, customer in enumerate(ids):
                nursery.start_soon(link, (one, two)[number % 2], customer)
        found = await one.customer_of(PHONE)
        verdict = await two.verify_audit()
    assert found is not None
    assert len(told) == 5
    assert all(f"is customer {found.id}'s" in text for text in told)
    assert (verdict.fault, verdict.rows) == (None, 7)


async def test_name_and_notes_are_checked_and_written(store: Store) -> None:
    one = await store.add_customer("sue", name="One")
    await store.describe(one.id, "sue", notes="prefers mornings")
    await store.describe(one.id, "sue", name="Uno")
    found = await store.customer(one.id)
    assert found is not None
    assert (found.name, found.notes) == ("Uno", "prefers mornings")
    assert await store.customer_by_public_id(one.public_id) == found
    with pytest.raises(Malformed, match=r"notes: expected 0\.\.4000"):
        await store.describe(one.id, "sue", notes="x" * 4_001)
    details = [entry.details for entry in await store.entries()][1:]
    assert details == [{"fields": ["notes"]}, {"fields": ["name"]}], "and not what was written"
