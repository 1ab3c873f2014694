"""The store: conversations, messages in their order, people, and what a crash of the process leaves."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
from sqlalchemy import URL

from engine.errors import Malformed
from engine.identities import IdentityKey
from engine.store import SignIn, Store, StoreError
from engine.terms import Terms
from engine.wishes import Wishes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "store.sqlite"


@pytest.fixture
async def store(where: Path | URL) -> AsyncIterator[Store]:
    async with Store(where, now_ms=lambda: 1_000) as store:
        yield store


async def test_conversation_is_made_once_and_keeps_how_it_arrived(store: Store) -> None:
    first = await store.conversation_for(
        "webchat", "v-1", queue="cards", customer_name="王芳", head_start_ms=500, requires={"english": 20}
    )
    again = await store.conversation_for("webchat", "v-1", queue="loans", customer_name="Eve")
    assert again == first
    assert (first.queue, first.head_start_ms, first.requires) == ("cards", 500, {"english": 20})
    assert (first.customer, first.contact, first.opened_at_ms) == ("王芳", None, 1_000)
    other_channel = await store.conversation_for("sms", "v-1", queue="cards")
    assert other_channel.id != first.id
    assert len(first.public_id) >= 20
    assert first.public_id != other_channel.public_id


async def test_a_conversation_keeps_whom_it_wished_for(where: Path | URL) -> None:
    wishes = Wishes({"english": 2}, ("ann", "bob"), 30_000, ("cat",))
    text = "cards >= 50 or not trainee >= 1"
    async with Store(where) as store:
        made = await store.conversation_for("webchat", "1", queue="cards", requires=text, wishes=wishes)
        plain = await store.conversation_for("webchat", "2", queue="cards")
    async with Store(where) as store:
        found = await store.without_contact()
    assert found == [made, plain]
    assert (made.requires, made.wishes) == (text, wishes)
    assert (plain.requires, plain.wishes) == ({}, Wishes())


async def test_a_conversation_keeps_the_terms_on_which_it_came(where: Path | URL) -> None:
    terms = Terms(place=7, not_before_ms=1_800_000_000_000, reply_by_ms=1_800_000_060_000)
    async with Store(where) as store:
        made = await store.conversation_for("webchat", "1", queue="cards", terms=terms)
        plain = await store.conversation_for("webchat", "2", queue="cards")
    async with Store(where) as store:
        assert await store.without_contact() == [made, plain]
    assert (made.terms, plain.terms) == (terms, Terms())


async def test_conversations_are_found_by_contact_and_by_lack_of_one(store: Store) -> None:
    one = await store.conversation_for("webchat", "1", queue="cards")
    two = await store.conversation_for("webchat", "2", queue="cards")
    assert [c.id for c in await store.without_contact()] == [one.id, two.id]
    await store.attach_contact(one.id, 77)
    await store.attach_contact(one.id, 77)
    assert [c.id for c in await store.without_contact()] == [two.id]
    found = await store.by_contact(77)
    assert found is not None
    assert found.id == one.id
    assert await store.by_contact(78) is None
    assert await store.by_public_id(one.public_id) == found
    assert await store.by_public_id("guess") is None


async def test_closing_a_conversation_keeps_the_first_time(where: Path | URL) -> None:
    now = 5
    async with Store(where, now_ms=lambda: now) as store:
        made = await store.conversation_for("webchat", "1", queue="cards")
        await store.attach_contact(made.id, 7)
        await store.close_conversation(7)
        now = 6
        await store.close_conversation(7)
        closed = await store.by_contact(7)
    assert closed is not None
    assert closed.closed_at_ms == 5


async def test_messages_are_numbered_without_gaps_however_many_write_at_once(store: Store) -> None:
    one = await store.conversation_for("webchat", "1", queue="cards")
    two = await store.conversation_for("webchat", "2", queue="cards")

    async def write(number: int) -> None:
        await store.add_message(one.id, "customer", f"message {number}", f"m-{number}")

    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(write, number)
        nursery.start_soon(store.add_message, two.id, "system", "hello", "greeting")
    assert [m.position for m in await store.messages(one.id)] == list(range(1, 21))
    assert [m.position for m in await store.messages(two.id)] == [1]
    assert [m.position for m in await store.messages(one.id, after=18)] == [19, 20]
    assert [m.position for m in await store.messages(one.id, after=5, limit=2)] == [6, 7]


async def test_repeated_message_is_stored_once_and_senders_do_not_collide(store: Store) -> None:
    one = await store.conversation_for("webchat", "1", queue="cards")
    first = await store.add_message(one.id, "customer", "<script>alert(1)</script>", "same")
    again = await store.add_message(one.id, "customer", "another text", "same")
    agents = await store.add_message(one.id, "agent", "hello", "same", agent="chen_wei")
    assert again == first
    assert first.text == "<script>alert(1)</script>"
    assert (agents.position, agents.agent) == (2, "chen_wei")


@pytest.mark.parametrize("text", ["", " \n", "x" * 16_385, "汉" * 5_462, "a\x00b", "a\ud800b"])
async def test_malformed_text_is_refused_and_leaves_no_trace(store: Store, text: str) -> None:
    one = await store.conversation_for("webchat", "1", queue="cards")
    with pytest.raises(ValueError, match=r"^text: expected"):
        await store.add_message(one.id, "customer", text, "m-1")
    assert await store.messages(one.id) == []


async def test_overlong_names_are_refused_by_field(store: Store) -> None:
    with pytest.raises(ValueError, match=r"^external_id: expected 1\.\.200"):
        await store.conversation_for("webchat", "x" * 201, queue="cards")
    with pytest.raises(ValueError, match=r"^customer_name: expected 0\.\.200"):
        await store.conversation_for("webchat", "1", queue="cards", customer_name="x" * 201)
    assert await store.without_contact() == []


async def test_previews_show_the_customers_first_words(store: Store) -> None:
    one = await store.conversation_for("webchat", "1", queue="cards", customer_name="李")
    two = await store.conversation_for("webchat", "2", queue="cards")
    await store.attach_contact(one.id, 1)
    await store.attach_contact(two.id, 2)
    await store.add_message(one.id, "system", "welcome", "s-1")
    await store.add_message(one.id, "customer", "y" * 300, "m-1")
    await store.add_message(one.id, "customer", "later", "m-2")
    previews = await store.previews([1, 2, 3])
    assert previews.keys() == {1, 2}
    assert (previews[1].first, previews[1].last_position) == ("y" * 200, 3)
    assert previews[1].conversation.customer == "李"
    assert (previews[2].first, previews[2].last_position) == ("", 0)
    assert await store.previews([]) == {}


async def test_everything_is_there_after_reopening_and_the_file_is_private(path: Path) -> None:
    async with Store(path) as store:
        one = await store.conversation_for("webchat", "1", queue="cards")
        written = await store.add_message(one.id, "customer", "hello", "m-1")
    async with Store(path) as store:
        assert await store.messages(one.id) == [written]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with sqlite3.connect(path) as raw:
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    raw.close()


async def test_two_processes_may_write_the_same_store(where: Path | URL) -> None:
    async with Store(where) as first, Store(where) as second:
        one = await first.conversation_for("webchat", "1", queue="cards")
        assert await second.conversation_for("webchat", "1", queue="cards") == one

        async def write(store: Store, name: str) -> None:
            for number in range(10):
                await store.add_message(one.id, "customer", "x", f"{name}-{number}")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(write, first, "a")
            nursery.start_soon(write, second, "b")
        assert [m.position for m in await first.messages(one.id)] == list(range(1, 21))


async def test_the_last_agent_is_who_served_this_customer_last(where: Path | URL) -> None:
    now = 0

    async def served(name: str, customer: str | None, agent: str | None, channel: str = "webchat") -> None:
        nonlocal now
        now += 10
        made = await store.conversation_for(channel, name, queue="cards", customer=customer)
        await store.attach_contact(made.id, now)
        await store.close_conversation(now, agent)

    async with Store(where, now_ms=lambda: now) as store:
        await served("1", "visitor", "ann")
        await served("2", "visitor", "bob")
        await served("3", "visitor", None)  # nobody served it
        await served("4", "other", "eve")
        await served("5", None, "eve")
        await served("6", "visitor", "eve", channel="app")  # another channel's visitor
        assert await store.last_agent([IdentityKey("channel", "visitor", "webchat")], 0) == "bob"
        assert await store.last_agent([IdentityKey("channel", "visitor", "webchat")], 20) == "bob", (
            "at the horizon"
        )
        assert await store.last_agent([IdentityKey("channel", "visitor", "webchat")], 21) is None, (
            "too long ago"
        )
        assert await store.last_agent([IdentityKey("channel", "visitor", "app")], 0) == "eve"
        assert await store.last_agent([IdentityKey("channel", "nobody", "webchat")], 0) is None


async def test_a_customer_is_the_same_in_all_contacts_and_has_the_name_given_last(store: Store) -> None:
    for number, name in enumerate(["王芳", None, "王芳芳"]):
        await store.conversation_for("webchat", f"v.{number}", queue="q", customer="v", customer_name=name)
    first = await store.by_external_id("webchat", "v.0")
    assert first is not None
    assert first.customer == "王芳芳"
    assert await store.by_external_id("webchat", "v.9") is None
    with pytest.raises(Malformed, match="customer: expected 1"):
        await store.conversation_for("webchat", "x", queue="q", customer="")


async def test_closed_store_says_so(where: Path | URL) -> None:
    store = Store(where)
    with pytest.raises(StoreError, match="closed"):
        await store.messages(1)


async def test_user_fields_are_checked_by_name(store: Store) -> None:
    await store.add_user("chen", name="陈伟", password_hash="h", agent="chen_wei")
    for wrong, field in (
        ({"login": "chen"}, "login"),
        ({"login": "Chen Wei"}, "login"),
        ({"login": "x", "role": "boss"}, "role"),
        ({"login": "x", "name": ""}, "name"),
        ({"login": "x", "agent": "chen_wei"}, "agent"),
    ):
        fields = {"name": "n", "password_hash": "h", **wrong}
        with pytest.raises(ValueError, match=f"^{field}: "):
            await store.add_user(**fields)
    assert await store.count_users() == 1


async def test_expired_sign_ins_are_removed_and_too_many_replace_the_oldest(where: Path | URL) -> None:
    now = 0
    async with Store(where, now_ms=lambda: now) as store:
        user = await store.add_user("chen", name="c", password_hash="h")
        assert await store.open_sign_in(SignIn("old", user.id, 10, None), "t-old", 10) == []
        replaced = []
        for now in range(20, 41):
            replaced += await store.open_sign_in(SignIn(f"s{now}", user.id, 999, None), f"t{now}", 999)
        assert await store.sign_in("old") is None
        assert replaced == ["s20"]
        oldest = await store.sign_in("s20")
        assert oldest is not None
        assert oldest.revoked_at_ms == 40
