"""What a channel, a desk and a crash make of a contact's wishes, through the running service."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import BadAgents, Malformed, UnknownAgent
from engine.model import Arrive
from engine.service import Service
from engine.testing.fixtures import MemoryStore, small_service
from engine.wishes import Wishes


def has(service: Service, contact: int) -> tuple[str, str | None]:
    state = service.contact_state(contact)
    assert state is not None
    return state.state, state.agent


async def test_wishes_decide_who_gets_it(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        for agent in ("ann", "bob"):
            await service.desk(agent).sign_in()
        assert service.conversations is not None
        for number, (wishes, agent) in enumerate(
            [
                (Wishes(preferred=("bob",), preferred_wait_ms=1_000), "bob"),
                (Wishes(preferred=("bob",), preferred_wait_ms=1_000), None),
                (Wishes(prefers={"cards": 1}), "ann"),
                (Wishes(excludes=("ann",)), None),
            ]
        ):
            contact, _ = await service.conversations.arrive(
                "chat", f"number {number}", queue="loans", wishes=wishes
            )
            assert has(service, contact)[1] == agent, wishes


async def test_beyond_capacity_through_a_door_a_desk_and_a_crash(tmp_path: Path) -> None:
    store = MemoryStore()
    wishes = Wishes(preferred=("ann",), preferred_wait_ms=1_000, beyond_capacity=True)
    async with small_service(tmp_path, store=store) as service:
        ann, bob = service.desk("ann"), service.desk("bob")
        await ann.sign_in()
        assert service.conversations is not None
        arrive = service.conversations.arrive
        for number in range(2):
            await arrive("chat", f"fills her hands {number}", queue="loans")
            await ann.accept(ann.state().offers[0].offer)
        polite, _ = await arrive("chat", "polite", queue="loans", wishes=Wishes(preferred=("ann",)))
        assert has(service, polite) == ("waiting", None)
        await service.release(polite)
        direct, _ = await arrive("chat", "direct", queue="loans", wishes=wishes)
        assert has(service, direct) == ("offered", "ann")
        await ann.accept(ann.state().offers[0].offer)
        await bob.sign_in()
        own, _ = await arrive("chat", "of bob", queue="loans")
        await bob.accept(bob.state().offers[0].offer)
        await bob.transfer(own, "loans", wishes=wishes)
        assert has(service, own) == ("offered", "ann")
        await store.conversation_for("chat", "lost", queue="loans", wishes=wishes)
    async with small_service(tmp_path, store=store) as service:
        lost = next(one for one in store.conversations if one.external_id == "lost")
        assert lost.contact is not None
        assert has(service, lost.contact) == ("offered", "ann")


async def test_beyond_the_capacity_of_nobody_is_refused_by_name(tmp_path: Path) -> None:
    store, nobody = MemoryStore(), Wishes(excludes=("bob",), beyond_capacity=True)
    async with small_service(tmp_path, store=store) as service:
        assert service.conversations is not None
        with pytest.raises(Malformed, match=r"^wishes.beyond_capacity: expected preferred agents"):
            await service.conversations.arrive("chat", "one", queue="loans", wishes=nobody, customer="c")
        assert store.conversations == []
        wire = Arrive(channel=1, key=bytes(16), queue=1, beyond_capacity=True)
        with pytest.raises(BadAgents) as refused:
            await service.command(wire)
        assert (refused.value.field, refused.value.detail) == ("preferred", 0)


async def test_a_requirement_may_be_a_text(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        await service.desk("ann").sign_in()
        assert service.conversations is not None
        contact, _ = await service.conversations.arrive(
            "chat", "one", queue="loans", requires="not cards >= 50"
        )
        assert has(service, contact) == ("waiting", None)
        await service.change(contact, requires="cards >= 90 or cards >= 50")
        assert has(service, contact) == ("offered", "ann")
        with pytest.raises(Malformed, match=r"requires: expected \">=\" at character 7"):
            await service.conversations.arrive("chat", "two", queue="loans", requires="cards > 50")


async def test_an_unknown_agent_is_refused_and_nothing_is_stored(tmp_path: Path) -> None:
    store = MemoryStore()
    async with small_service(tmp_path, store=store) as service:
        assert service.conversations is not None
        with pytest.raises(UnknownAgent):
            await service.conversations.arrive("chat", "one", queue="loans", wishes=Wishes(excludes=("eve",)))
    assert store.conversations == []


async def test_what_is_sent_again_after_a_crash_asks_for_the_same(tmp_path: Path) -> None:
    store, wishes = MemoryStore(), Wishes(excludes=("ann",))
    async with small_service(tmp_path, store=store) as service:
        await service.desk("ann").sign_in()
        await store.conversation_for(
            "chat", "one", queue="loans", requires="not cards >= 99", wishes=wishes
        )  # the crash came before the journal
    async with small_service(tmp_path, store=store) as service:
        (lost,) = store.conversations
        assert lost.contact is not None
        assert has(service, lost.contact) == ("waiting", None), "ann is there, and excluded"


async def test_a_desk_passes_wishes_on(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        ann, bob = service.desk("ann"), service.desk("bob")
        await ann.sign_in()
        assert service.conversations is not None
        contact, _ = await service.conversations.arrive("chat", "one", queue="loans")
        await ann.accept(ann.state().offers[0].offer)
        await ann.transfer(contact, "loans", requires="not cards >= 1", wishes=Wishes(preferred=("bob",)))
        await bob.sign_in()
        assert has(service, contact) == ("offered", "bob")
