"""A hosted channel's effects outlive the process: nothing is forgotten, and ids tell what is repeated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from engine.channel import Connect, Effect, Ended, MessageOut
from engine.message_store import Confirmed
from engine.port import ServicePort
from engine.service import Service
from engine.store import Store
from engine.store.confirmations import OUT_PAGE
from engine.testing.fixtures import MemoryStore, small_service
from tests.unit.test_overflow import NO_TOKENS


@asynccontextmanager
async def life(folder: Path, store: MemoryStore, channel: str) -> AsyncIterator[tuple[Service, ServicePort]]:
    async with small_service(folder, store=store) as service:
        port = ServicePort(service, service.site.channels[channel], NO_TOKENS, NO_TOKENS)  # type: ignore[arg-type]
        await port.resume()
        yield service, port


async def take(port: ServicePort, count: int) -> list[Effect]:
    """So many effects; all but the last are finished."""
    effects = []
    with trio.fail_after(5):
        async for effect in port.effects():
            effects.append(effect)
            if len(effects) == count:
                break
    return effects


async def test_what_was_not_finished_comes_again_under_its_id(tmp_path: Path) -> None:
    store = MemoryStore()
    async with life(tmp_path, store, "chat") as (service, port):
        ann = service.desk("ann")
        await ann.sign_in()
        contact = (await port.arrive("one", queue="cards")).contact
        other = (await port.arrive("two", queue="cards")).contact
        for offer in ann.state().offers:
            await ann.accept(offer.offer)
        await ann.say(contact, "hello", "a1")
        await ann.say(contact, "good-bye", "a2")
        await ann.end(contact)
        await ann.say(other, "still there?", "a1")
        first = await take(port, 6)
    async with life(tmp_path, store, "chat") as (_, port):
        again = await take(port, 10)
    by_id = {one.effect_id: one for one in first}
    assert [by_id.get(one.effect_id, one) for one in again] == again, "the same effect under the same id"
    words = [one.text for one in again if isinstance(one, MessageOut)]
    assert words == ["hello", "good-bye", "still there?"]
    of_contact = [type(one) for one in again if one.contact == contact]
    assert of_contact[-3:] == [MessageOut, MessageOut, Ended], "words come before the end"


async def test_what_was_finished_does_not_come_again(tmp_path: Path) -> None:
    store = MemoryStore()
    async with life(tmp_path, store, "chat") as (service, port):
        await port.arrive("one", queue="cards")
        await take(port, 1)
        port.finish(await port.next_effect())
        with trio.move_on_after(0.05):
            await port.next_effect()  # nothing is left, so it is written down
        assert store.confirmations["chat"].seq == service.seq
        await port.arrive("two", queue="cards")
        (second,) = await take(port, 1)
    async with life(tmp_path, store, "chat") as (_, port):
        (again,) = await take(port, 1)
        assert again == second


async def test_a_connect_that_is_over_is_not_given(tmp_path: Path) -> None:
    async with life(tmp_path, MemoryStore(), "voice") as (service, port):
        ann = service.desk("ann")
        await ann.sign_in()
        gone = (await port.arrive("gone", queue="loans")).contact
        await ann.accept(ann.state().offers[0].offer)
        await port.abandon(gone)
        here = (await port.arrive("here", queue="loans")).contact
        await ann.accept(ann.state().offers[0].offer)
        seen: list[Effect] = []
        with trio.fail_after(5):
            async for effect in port.effects():
                seen.append(effect)
                if isinstance(effect, Connect):
                    break
    assert [one.contact for one in seen if isinstance(one, Connect)] == [here]
    assert any(isinstance(one, Ended) and one.contact == gone for one in seen)


async def test_a_connect_that_was_not_answered_keeps_its_id(tmp_path: Path) -> None:
    store = MemoryStore()

    async def connect(port: ServicePort) -> Connect:
        with trio.fail_after(5):
            async for effect in port.effects():
                if isinstance(effect, Connect):
                    return effect
        raise AssertionError

    async with life(tmp_path, store, "voice") as (service, port):
        ann = service.desk("ann")
        await ann.sign_in()
        await port.arrive("one", queue="loans")
        await ann.accept(ann.state().offers[0].offer)
        first = await connect(port)
        port.finish(first)
        with trio.move_on_after(0.05):
            await port.next_effect()
        assert store.confirmations["voice"].connects == {first.contact: first.effect_id}
    async with life(tmp_path, store, "voice") as (_, port):
        assert await connect(port) == first


async def test_an_agent_who_is_quicker_than_the_store_writes_into_the_customers_conversation(
    tmp_path: Path,
) -> None:
    store = MemoryStore(lose_contacts=True)
    async with life(tmp_path, store, "chat") as (service, port):
        ann = service.desk("ann")
        await ann.sign_in()
        contact = (await port.arrive("one", queue="cards")).contact
        store.lose_contacts = False
        await ann.accept(ann.state().offers[0].offer)
        await ann.say(contact, "hello", "a1")
        assert [one.external_id for one in store.conversations] == ["one"]
        assert [one.conversation for one in store.all_messages] == [1]


async def test_the_store_pages_what_goes_out_and_remembers_what_is_done(tmp_path: Path) -> None:
    count = OUT_PAGE + 5
    async with Store(tmp_path / "store.sqlite") as store:
        for contact, channel in ((1, "chat"), (2, "mail")):
            made = await store.conversation_for(channel, "one", queue="cards")
            await store.attach_contact(made.id, contact)
        for number in range(count):
            await store.add_message(1, "agent", f"{number}", f"a{number}")
        await store.add_message(1, "customer", "hello", "c1")
        await store.add_message(2, "agent", "to somebody else", "a1")
        page, upto = await store.messages_out("chat", 0, 2**62)
        assert (len(page), upto) == (OUT_PAGE, page[-1][1].id)
        rest, upto = await store.messages_out("chat", upto, 2**62)
        assert [(contact, one.text) for contact, one in rest] == [(1, f"{n}") for n in range(OUT_PAGE, count)]
        assert upto == count + 2, "nothing more up to the last of all"
        assert await store.messages_out("chat", 0, 3) == (page[:3], 3)
        assert await store.confirmed("chat") is None
        for seq in (7, 8):
            done = Confirmed(seq=seq, part_seq=9, part_count=2, message=11, connects={4: "site/5/6"})
            await store.confirm("chat", done)
            assert await store.confirmed("chat") == done
        assert await store.confirmed("mail") is None
