"""The service on a real store, on both databases: what a crash has left, what has ended, whose it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import URL

from engine.clock import ManualClock
from engine.errors import Malformed, UnknownContact
from engine.identities import IdentityKey
from engine.journal import JournalError
from engine.service import open_service
from engine.store import Store
from engine.testing.fixtures import SECRET, SMALL_SITE, small_site

TENANTS = SMALL_SITE.replace(
    'account = "web"',
    'account = "web"\ndomain = "leasing"\n[domains.leasing]\n[channels.app]\nplugin = "echo"',
).replace("[queues.loans]", '[queues.loans]\ndomain = "leasing"')


async def test_arrivals_that_a_crash_has_lost_come_back_once(where: Path | URL, tmp_path: Path) -> None:
    async with Store(where) as store:
        for name in ("1", "2"):
            await store.conversation_for("chat", name, queue="cards", customer=name)
        async with open_service(small_site(tmp_path), ManualClock(), store=store, secret=SECRET) as service:
            assert await store.without_contact() == []
            found = [await store.by_external_id("chat", name) for name in ("1", "2")]
            contacts = [one.contact for one in found if one is not None]
            assert [service.position(contact) for contact in contacts] == [0, 1]
            assert service.conversations is not None
            again, _ = await service.conversations.arrive("chat", "1", queue="cards", customer="1")
            assert again == contacts[0]
            # The store forgets the first contact, as a crash between journal and store leaves it.
            await store._transact(_forget_contact, contacts[0])
        async with open_service(small_site(tmp_path), ManualClock(), store=store, secret=SECRET):
            found_again = await store.by_external_id("chat", "1")
            assert found_again is not None
            assert found_again.contact == contacts[0]


def _forget_contact(connection: object, contact: int) -> None:
    from sqlalchemy import update

    from engine.store.schema import conversations

    gone = update(conversations).where(conversations.c.contact == contact).values(contact=None)
    connection.execute(gone)  # type: ignore[attr-defined]


async def test_a_store_of_another_moment_is_refused(where: Path | URL, tmp_path: Path) -> None:
    async with Store(where) as store:
        made = await store.conversation_for("chat", "1", queue="cards")
        await store.attach_contact(made.id, 12)
        with pytest.raises(
            JournalError, match="ends with contact 0, but the store has conversations up to contact 12"
        ):
            async with open_service(small_site(tmp_path), ManualClock(), store=store, secret=SECRET):
                pass


async def test_what_ended_is_closed_whoever_did_not_see_it_end(where: Path | URL, tmp_path: Path) -> None:
    async with Store(where) as store:
        async with open_service(small_site(tmp_path), ManualClock(), store=store, secret=SECRET) as service:
            talk = service.conversations
            assert talk is not None
            ends, _ = await talk.arrive("chat", "1", queue="loans")
            lives, _ = await talk.arrive("chat", "2", queue="loans")
            ann = service.desk("ann")
            await ann.sign_in()
            (offer, *_) = [one for one in ann.state().offers if one.contact == ends]
            await ann.accept(offer.offer)
            await ann.end(ends)
            assert await store.open_contacts() == [ends, lives], "no channel runs that would close it"
            await talk.close_ended()
            closed = await store.by_contact(ends)
            assert closed is not None
            assert (closed.agent, closed.closed_at_ms is not None) == ("ann", True)
            assert await store.open_contacts() == [lives]
            await service.release(lives)
        async with open_service(small_site(tmp_path), ManualClock(), store=store, secret=SECRET):
            assert await store.open_contacts() == [], "closed at the start"


async def test_an_erased_conversation_is_not_made_again(where: Path | URL, tmp_path: Path) -> None:
    async with (
        Store(where) as store,
        open_service(small_site(tmp_path), ManualClock(), store=store, secret=SECRET) as service,
    ):
        talk = service.conversations
        assert talk is not None
        contact, _ = await talk.arrive("chat", "1", queue="loans", customer="v")
        await service.release(contact)
        await talk.close_ended()
        found = await store.customer_of(IdentityKey("channel", "v", "chat"))
        assert found is not None
        await store.erase([found.id], "sue")
        for said in (talk.customer_says("chat", contact, "hello?", "m-1"), talk.history("chat", contact, 0)):
            with pytest.raises(UnknownContact):
                await said
        assert await store.by_contact(contact) is None


async def test_a_caller_s_number_finds_who_chatted_and_their_agent(where: Path | URL, tmp_path: Path) -> None:
    site = small_site(
        tmp_path, SMALL_SITE.replace("[queues.loans]", "[queues.loans]\nlast_agent_wait_s = 30")
    )
    number = IdentityKey("phone", "+86 138-0013-8000")
    async with (
        Store(where) as store,
        open_service(site, ManualClock(), store=store, secret=SECRET) as service,
    ):
        talk = service.conversations
        assert talk is not None
        first, _ = await talk.arrive("chat", "1", queue="loans", customer="v", identities=[number])
        await store.close_conversation(first, "bob")
        _, call = await talk.arrive(
            "voice", "2", queue="loans", identities=[IdentityKey("phone", "+8613800138000")]
        )
        assert call.wishes.preferred == ("bob",)
        with pytest.raises(Malformed, match="is no telephone number; write it with"):
            await talk.arrive("voice", "3", queue="loans", identities=[IdentityKey("phone", "13800138000")])
        assert await store.by_external_id("voice", "3") is None


async def test_customers_stay_in_their_channel_s_domain(where: Path | URL, tmp_path: Path) -> None:
    number = IdentityKey("phone", "+8613800138000")
    async with (
        Store(where) as store,
        open_service(small_site(tmp_path, TENANTS), ManualClock(), store=store, secret=SECRET) as service,
    ):
        talk = service.conversations
        assert talk is not None
        await talk.arrive("chat", "1", queue="loans", customer_name="Tenant's", identities=[number])
        await talk.arrive("voice", "2", queue="cards", customer_name="Ours", identities=[number])
        tenants, ours = await store.customer_of(number, "leasing"), await store.customer_of(number)
        assert tenants is not None
        assert ours is not None
        assert (tenants.name, ours.name) == ("Tenant's", "Ours")
