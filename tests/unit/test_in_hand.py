"""What agents and supervisors do with contacts in hand: desks, conversations, effects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine import channel
from engine.bus import ForAgents
from engine.effects import effects_of
from engine.errors import (
    SignedOut,
    UnknownAgent,
    UnknownContact,
    UnknownQueue,
    UnknownTarget,
    WrongState,
)
from engine.model import (
    Arrive,
    EndedBy,
    Event,
    HandedOver,
    Held,
    Invited,
    Joined,
    Left,
    Parked,
    Resumed,
    TakenOver,
    TransferredOut,
)
from engine.notices import MessageNotice, TypingNotice
from engine.service import Service
from engine.testing.fixtures import MemoryStore, small_service


async def engaged(service: Service, key: int = 1) -> int:
    """Bring a contact into ann's hands."""
    ann, names = service.desk("ann"), service.names
    if ann.state().presence == "signed_out":
        await ann.sign_in()
    contact = await service.command(
        Arrive(
            channel=names.id("channel", "chat"), key=key.to_bytes(16, "big"), queue=names.id("queue", "cards")
        )
    )
    await ann.accept(ann.state().offers[-1].offer)
    return contact


async def test_hold_and_parking_show_on_the_desk(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        contact, ann = await engaged(service), service.desk("ann")
        await ann.hold(contact)
        await ann.park(contact)
        (shown,) = ann.state().contacts
        assert (shown.on_hold, shown.parked, shown.participants) == (True, True, [])
        await ann.resume(contact)
        await ann.unpark(contact)
        state = service.contact_state(contact)
        assert state is not None
        assert (state.on_hold, state.parked) == (False, False)


async def test_a_consulted_transfer(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        contact, ann, bob = await engaged(service), service.desk("ann"), service.desk("bob")
        with pytest.raises(SignedOut):
            await ann.invite(contact, "bob")
        with pytest.raises(UnknownAgent):
            await ann.invite(contact, "zoe")
        await bob.sign_in(ready=False)
        await ann.invite(contact, "bob")
        (invitation,) = bob.state().invitations
        assert (invitation.contact, invitation.queue, invitation.agent) == (contact, "cards", "ann")
        assert bob.state().offers == []
        await bob.accept(invitation.offer)
        (joined,) = bob.state().joined
        assert (joined.contact, joined.agent) == (contact, "ann")
        assert ann.state().contacts[0].participants == ["bob"]
        assert service.overview().agents[1].joined == 1
        await ann.leave(contact)
        assert (ann.state().contacts, bob.state().joined) == ([], [])
        assert [one.contact for one in bob.state().contacts] == [contact]
        with pytest.raises(WrongState):
            await bob.leave(contact)


async def test_supervisors_take_over_and_move(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        contact, bob = await engaged(service), service.desk("bob")
        await bob.sign_in(ready=False)
        await service.take_over(contact, "bob")
        assert [one.contact for one in bob.state().contacts] == [contact]
        await service.move(contact, "loans")
        state = service.contact_state(contact)
        assert state is not None
        assert (state.state, state.queue) == ("offered", "loans")
        with pytest.raises(WrongState):
            await service.take_over(contact, "bob")
        with pytest.raises(UnknownAgent):
            await service.take_over(contact, "zoe")
        with pytest.raises(UnknownQueue):
            await service.move(contact, "nowhere")


async def test_a_transfer_outside_ends_the_contact(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        contact, ann = await engaged(service), service.desk("ann")
        with pytest.raises(UnknownTarget):
            await ann.transfer_out(contact, "moon")
        await ann.transfer_out(contact, "head_office")
        state = service.contact_state(contact)
        assert state is not None
        assert (state.state, state.agent) == ("served", "ann")


async def test_who_is_in_it_reads_and_writes_in_one_order(tmp_path: Path) -> None:
    store = MemoryStore()
    async with small_service(tmp_path, store=store) as service:
        conversations = service.conversations
        assert conversations is not None
        ann, bob = service.desk("ann"), service.desk("bob")
        await ann.sign_in()
        await bob.sign_in(ready=False)
        contact, _ = await conversations.arrive("chat", "c-1", queue="cards")
        await ann.accept(ann.state().offers[0].offer)
        with pytest.raises(UnknownContact):
            await bob.say(contact, "not yet", "b-0")
        await ann.invite(contact, "bob")
        await bob.accept(bob.state().invitations[0].offer)
        with (
            service.subscribe(ForAgents([ann.number]), notices=True) as hers,
            service.subscribe(ForAgents([bob.number]), notices=True) as his,
        ):
            await conversations.customer_says("chat", contact, "hello", "x-1")
            await bob.say(contact, "I am bob", "b-1")
            await ann.say(contact, "and I am ann", "a-1")
            bob.typing(contact, True)
            heard = [[await one.receive() for _ in range(4)] for one in (hers, his)]
        assert heard[0] == heard[1]
        notices = [one for one in heard[0] if isinstance(one, MessageNotice)]
        assert [(one.position, one.agents) for one in notices] == [
            (position, (ann.number, bob.number)) for position in (1, 2, 3)
        ]
        assert isinstance(heard[0][3], TypingNotice)
        assert [(one.agent, one.text) for one in store.all_messages] == [
            (None, "hello"),
            ("bob", "I am bob"),
            ("ann", "and I am ann"),
        ]
        await ann.leave(contact)
        with pytest.raises(UnknownContact):
            await ann.say(contact, "too late", "a-2")
        await bob.say(contact, "it is me now", "b-2")


CHAT: Callable[..., dict[str, int]] = lambda **more: {"at": 1, "contact": 7, "channel": 1, **more}  # noqa: E731
EVENTS: list[tuple[Event, channel.Effect | None]] = [
    (Held(**CHAT(agent=1)), channel.Held(effect_id="e", contact=7)),
    (Resumed(**CHAT(agent=1)), channel.Resumed(effect_id="e", contact=7)),
    (Joined(**CHAT(agent=2)), channel.Joined(effect_id="e", contact=7, agent="bob")),
    (Left(**CHAT(agent=2), by=EndedBy.AGENT), channel.Left(effect_id="e", contact=7, agent="bob")),
    (
        HandedOver(**CHAT(queue=1, from_agent=1, to_agent=2)),
        channel.ServedBy(effect_id="e", contact=7, agent="bob"),
    ),
    (
        TakenOver(**CHAT(queue=1, from_agent=2, to_agent=1)),
        channel.ServedBy(effect_id="e", contact=7, agent="ann"),
    ),
    (
        TransferredOut(**CHAT(queue=1, agent=1, target=1)),
        channel.TransferOut(effect_id="e", contact=7, target="head_office", address="+8657100000000"),
    ),
    (Parked(**CHAT(agent=1)), None),
    (Invited(**CHAT(offer=3, queue=1, agent=1, invitee=2, deadline=9)), None),
]


async def test_what_a_channel_is_told(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        for event, effect in EVENTS:
            assert effects_of(service.names, "e", event, service.site.targets) == ([effect] if effect else [])
