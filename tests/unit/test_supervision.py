"""What supervisors do with contacts, through the service."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.bus import ForAll
from engine.channel import Ended
from engine.clock import ManualClock
from engine.effects import effects_of
from engine.errors import BadLevel, UnknownContact, UnknownQueue, UnknownSkill, WrongState
from engine.model import Arrive, Changed, Withdrawn
from engine.service import Service
from engine.testing.fixtures import small_service


def arrive(service: Service, key: int, queue: str = "cards") -> Arrive:
    names = service.names
    return Arrive(
        channel=names.id("channel", "chat"), key=key.to_bytes(16, "big"), queue=names.id("queue", queue)
    )


def state_of(service: Service, contact: int) -> tuple[str, str | None]:
    state = service.contact_state(contact)
    assert state is not None
    return state.state, state.agent


async def test_a_waiting_contact_is_released(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        contact = await service.command(arrive(service, 1))
        await service.release(contact)
        assert state_of(service, contact) == ("withdrawn", None)
        seq = service.seq
        await service.release(contact)
        assert service.seq == seq + 1, "a repeat is journaled and changes nothing"
        assert state_of(service, contact) == ("withdrawn", None)
        with pytest.raises(UnknownContact):
            await service.release(99)


async def test_an_engaged_contact_is_served_when_it_is_released(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        ann = service.desk("ann")
        await ann.sign_in()
        first = await service.command(arrive(service, 1))
        second = await service.command(arrive(service, 2))
        await ann.accept(ann.state().offers[0].offer)
        await service.release(first)
        await service.release(second)
        assert state_of(service, first) == ("served", "ann")
        assert state_of(service, second) == ("withdrawn", None)
        assert (ann.state().offers, ann.state().contacts, ann.state().misses) == ([], [], 0)


async def test_a_released_contact_is_over_for_its_channel(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        contact = await service.command(arrive(service, 1))
        with service.subscribe(ForAll()) as subscription:
            await service.release(contact)
            _, _, ((_, event),) = await anext(aiter(subscription))
        assert isinstance(event, Withdrawn)
        over = Ended(effect_id="1", contact=contact, outcome="withdrawn", by="supervisor")
        assert effects_of(service.names, "1", event) == [over]


async def test_a_change_of_queue_finds_the_agent_there(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        await service.desk("bob").sign_in()
        contact = await service.command(arrive(service, 1))
        assert state_of(service, contact) == ("waiting", None)
        await service.change(contact, queue="loans")
        assert state_of(service, contact) == ("offered", "bob")
        with pytest.raises(WrongState):
            await service.change(contact, queue="cards")


async def test_a_change_of_head_start_is_a_new_place(tmp_path: Path) -> None:
    clock = ManualClock()
    async with small_service(tmp_path, clock=clock) as service:
        first = await service.command(arrive(service, 1))
        clock.advance_ms(1_000)
        second = await service.command(arrive(service, 2))
        with service.subscribe(ForAll()) as subscription:
            await service.change(second, head_start_ms=1_001)
            _, _, ((_, event),) = await anext(aiter(subscription))
        assert isinstance(event, Changed)
        assert (event.queue, event.head_start_us) == (service.names.id("queue", "cards"), 1_001_000)
        assert (service.position(second), service.position(first)) == (0, 1)


async def test_a_change_of_requirement_lets_others_have_it(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        contact = await service.command(arrive(service, 1, "loans"))
        await service.change(contact, requires={"cards": 90})
        await service.desk("ann").sign_in()
        assert state_of(service, contact) == ("waiting", None), "ann has level 50"
        await service.change(contact, head_start_ms=5)
        assert state_of(service, contact) == ("waiting", None), "what is not named stays"
        await service.change(contact, requires={})
        assert state_of(service, contact) == ("offered", "ann")


async def test_a_wrong_change_is_refused(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        contact = await service.command(arrive(service, 1))
        with pytest.raises(UnknownQueue):
            await service.change(contact, queue="nowhere")
        with pytest.raises(UnknownSkill):
            await service.change(contact, requires={"juggling": 1})
        with pytest.raises(BadLevel):
            await service.change(contact, requires={"cards": 101})
        with pytest.raises(UnknownContact):
            await service.change(99, queue="loans")
