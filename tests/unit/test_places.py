"""Places that are kept: the ticket, who gets one, and what it is worth when the customer comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from engine.auth import Tokens
from engine.channel import Effect, Ended, Queued, Scheduled
from engine.clock import ManualClock
from engine.errors import BadPlace, BadTicket, Malformed, PlaceUsed, UnknownContact
from engine.model import Abandon, Arrive
from engine.places import PURPOSE
from engine.port import ServicePort
from engine.service import Service
from engine.testing.fixtures import SECRET, SMALL_SITE, MemoryStore, small_service
from engine.web_mounts import Mounts

DAY_MS = 86_400_000
TOKENS = Tokens(SECRET, "small")
VOICE_HOSTED = SMALL_SITE.replace('plugin = "socket"', 'plugin = "echo"')


@asynccontextmanager
async def site(
    folder: Path, store: MemoryStore | None = None, text: str = VOICE_HOSTED
) -> AsyncIterator[tuple[Service, ServicePort, ServicePort, ManualClock]]:
    """A service with the ports of its two channels, chat and voice."""
    clock = ManualClock()
    async with small_service(folder, clock=clock, store=store, text=text) as service:
        chat, voice = (
            ServicePort(service, service.site.channels[name], TOKENS, Mounts()) for name in ("chat", "voice")
        )
        yield service, chat, voice, clock


async def left(port: ServicePort, name: str = "one") -> tuple[int, str]:
    """A customer who has waited in the queue and left it with a ticket."""
    contact = (await port.arrive(name, queue="loans")).contact
    ticket = port.place_ticket(contact)
    await port.abandon(contact)
    return contact, ticket


async def test_a_callback_stands_where_the_call_stood(tmp_path: Path) -> None:
    async with site(tmp_path) as (service, chat, voice, clock):
        called, ticket = await left(voice, "the call")
        clock.advance_ms(60_000)
        later = (await chat.arrive("came in between", queue="loans")).contact
        clock.advance_ms(60_000)
        back = (await voice.arrive("the callback", queue="loans", place=ticket)).contact
        state = service.contact_state(back)
        assert state is not None
        assert state.enqueued_at_us == state.arrived_at_us - 120_000_000  # type: ignore[operator]
        assert (voice.position(back), chat.position(later)) == (0, 1)
        bob = service.desk("bob")
        await bob.sign_in()
        assert [offer.contact for offer in bob.state().offers] == [back], "before who came in between"
        state = service.contact_state(called)
        assert state is not None
        assert (state.state, state.place_used) == ("abandoned", True)


async def test_a_place_is_taken_once(tmp_path: Path) -> None:
    store = MemoryStore()
    async with site(tmp_path, store) as (_, chat, _voice, _clock):
        contact, ticket = await left(chat)
        first = await chat.arrive("back", queue="loans", place=ticket)
        assert await chat.arrive("back", queue="loans", place=ticket) == first, "a repeat is no second use"
        with pytest.raises(PlaceUsed) as caught:
            await chat.arrive("again", queue="loans", place=ticket)
        assert caught.value.detail == contact
        assert [one.external_id for one in store.conversations] == ["one", "back"], "and nothing is stored"
        with pytest.raises(PlaceUsed):
            chat.place_ticket(contact)


@pytest.mark.parametrize(
    ("ticket", "reason"),
    [
        (Tokens(b"k" * 32, "small").issue(PURPOSE, "1", 86_400), "bad_signature"),
        (TOKENS.issue(PURPOSE, "1", -1), "expired"),
        (Tokens(SECRET, "another").issue(PURPOSE, "1", 86_400), "wrong_site"),
        (TOKENS.issue("customer", "1", 86_400), "wrong_purpose"),
        (TOKENS.issue(PURPOSE, "one", 86_400), "malformed"),
        (TOKENS.issue(PURPOSE, str(2**64), 86_400), "malformed"),
        ("place of 1", "malformed"),
        ("x" * 5_000, "too_large"),
    ],
)
async def test_a_ticket_that_is_no_good_is_refused_by_name(tmp_path: Path, ticket: str, reason: str) -> None:
    store = MemoryStore()
    async with site(tmp_path, store) as (service, chat, _voice, _clock):
        await left(chat)
        seq = service.seq
        with pytest.raises(BadTicket) as caught:
            await chat.arrive("back", queue="loans", place=ticket)
        assert caught.value.reason == reason
        assert (len(store.conversations), service.seq) == (1, seq)


async def test_a_repeat_stands_though_its_ticket_has_expired_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site(tmp_path) as (_, chat, _voice, _clock):
        _, ticket = await left(chat)
        first = await chat.arrive("back", queue="loans", place=ticket)
        expired = TOKENS.issue(PURPOSE, "1", -1)
        assert await chat.arrive("back", queue="loans", place=expired) == first


async def test_who_has_no_place_gets_no_ticket(tmp_path: Path) -> None:
    async with site(tmp_path) as (service, chat, voice, clock):
        bob = service.desk("bob")
        waits = (await chat.arrive("waits", queue="loans")).contact
        with pytest.raises(UnknownContact):
            voice.place_ticket(waits)
        await bob.sign_in()
        chat.place_ticket(waits)  # it rings: the customer may still leave
        await bob.accept(bob.state().offers[0].offer)
        with pytest.raises(BadPlace):
            chat.place_ticket(waits)
        await bob.end(waits)
        with pytest.raises(BadPlace):
            chat.place_ticket(waits)
        tomorrow_ms = clock.now_us() // 1_000 + DAY_MS
        booked = (await chat.arrive("booked", queue="loans", not_before_ms=tomorrow_ms)).contact
        with pytest.raises(BadPlace):
            chat.place_ticket(booked)
        await chat.abandon(booked)
        with pytest.raises(BadPlace):
            chat.place_ticket(booked)


async def test_a_place_that_cannot_be_taken_is_refused_before_anything_is_stored(tmp_path: Path) -> None:
    store = MemoryStore()
    async with site(tmp_path, store) as (_, chat, _voice, _clock):
        contact = (await chat.arrive("waits", queue="loans")).contact
        for named in (contact, 99):
            with pytest.raises(BadPlace):
                await chat.arrive("back", queue="loans", place=TOKENS.issue(PURPOSE, str(named), 60))
        assert len(store.conversations) == 1


async def test_a_site_may_keep_no_places(tmp_path: Path) -> None:
    text = VOICE_HOSTED.replace("[routing]", "[routing]\nplace_ticket_s = 0")
    async with site(tmp_path, text=text) as (_, chat, _voice, _clock):
        assert chat.place_s == 0
        contact = (await chat.arrive("waits", queue="loans")).contact
        with pytest.raises(BadPlace):
            chat.place_ticket(contact)


async def test_a_supervisor_s_release_leaves_a_place(tmp_path: Path) -> None:
    async with site(tmp_path) as (service, chat, _voice, _clock):
        contact = (await chat.arrive("one", queue="loans")).contact
        await service.release(contact)
        back = await chat.arrive("back", queue="loans", place=chat.place_ticket(contact))
        assert chat.state(back.contact) == "waiting"


async def test_a_contact_for_later_waits_from_then_on(tmp_path: Path) -> None:
    async with site(tmp_path) as (service, chat, _voice, clock):
        bob = service.desk("bob")
        await bob.sign_in()
        at_ms = clock.now_us() // 1_000 + DAY_MS
        contact = (await chat.arrive("tomorrow", queue="loans", not_before_ms=at_ms)).contact
        assert (chat.state(contact), chat.position(contact), chat.wait(contact)) == ("scheduled", None, None)
        assert (service.overview().contacts.scheduled, service.overview().contacts.waiting) == (1, 0)
        assert [one.state for one in await chat.contacts()] == ["scheduled"]
        effect = await told(chat)
        assert isinstance(effect, Scheduled)
        assert (effect.queue, effect.until_ms) == ("loans", at_ms)
        clock.advance_ms(DAY_MS)
        effect = await told(chat)
        assert isinstance(effect, Queued)
        assert effect.cause == "scheduled"
        assert [offer.contact for offer in bob.state().offers] == [contact]


async def told(port: ServicePort) -> Effect:
    """The next effect of a port, carried out."""
    with trio.fail_after(5):
        effect = await port.next_effect()
    port.finish(effect)
    return effect


async def test_what_nobody_could_answer_in_time_ends_by_its_deadline(tmp_path: Path) -> None:
    async with site(tmp_path) as (service, chat, _voice, clock):
        now_ms = clock.now_us() // 1_000
        contact = (await chat.arrive("mail", queue="loans", reply_by_ms=now_ms + 3_600_000)).contact
        effects = [await told(chat)]
        clock.advance_ms(3_600_000)
        effects.append(await told(chat))
        assert chat.state(contact) == "withdrawn"
        assert isinstance(effects[1], Ended)
        assert (effects[1].outcome, effects[1].by) == ("withdrawn", "deadline")
        assert service.overview().contacts.waiting == 0


@pytest.mark.parametrize(
    ("times", "text"),
    [
        ({"not_before_ms": 401 * DAY_MS}, "not_before_ms: expected at most"),
        ({"reply_by_ms": -1}, "reply_by_ms: expected a time after"),
        ({"reply_by_ms": 0, "not_before_ms": -(2**60)}, "not_before_ms: expected"),
    ],
)
async def test_times_out_of_range_are_named(tmp_path: Path, times: dict[str, int], text: str) -> None:
    store = MemoryStore()
    async with site(tmp_path, store) as (_, chat, _voice, clock):
        now_ms = clock.now_us() // 1_000
        given = {field: now_ms + after_ms for field, after_ms in times.items() if after_ms}
        with pytest.raises(Malformed, match=text):
            await chat.arrive("mail", queue="loans", **given)  # type: ignore[arg-type]
        ticket = (await left(chat))[1]
        with pytest.raises(Malformed, match="who is not to wait yet takes no place"):
            await chat.arrive("mail", queue="loans", place=ticket, not_before_ms=now_ms + DAY_MS)
        assert [one.external_id for one in store.conversations] == ["one"]


async def test_what_is_sent_again_after_a_crash_has_the_same_terms(tmp_path: Path) -> None:
    store = MemoryStore(lose_contacts=True)
    async with site(tmp_path, store) as (_, chat, _voice, clock):
        _, ticket = await left(chat)
        at_ms = clock.now_us() // 1_000 + DAY_MS
        await chat.arrive("back", queue="loans", place=ticket)
        await chat.arrive("tomorrow", queue="loans", not_before_ms=at_ms, reply_by_ms=2 * at_ms // 2 + DAY_MS)
    store.lose_contacts = False
    async with site(tmp_path, store) as (service, _chat, _voice, _clock):
        contacts = [one.contact for one in store.conversations]
        assert contacts == [1, 2, 3], "the same ones, by their arrival keys"
        states = [service.contact_state(contact).state for contact in contacts]  # type: ignore[union-attr, arg-type]
        assert states == ["abandoned", "waiting", "scheduled"]


async def test_the_wire_takes_terms_and_refuses_bad_ones_by_name(tmp_path: Path) -> None:
    async with site(tmp_path) as (service, _chat, _voice, clock):
        channel, queue = service.names.id("channel", "chat"), service.names.id("queue", "loans")
        contact = await service.command(Arrive(channel=channel, key=bytes(16), queue=queue))
        await service.command(Abandon(channel=channel, contact=contact))
        again = Arrive(channel=channel, key=bytes([1]) * 16, queue=queue, place=contact)
        back = await service.command(again)
        assert service.contact_state(back).enqueued_at_us is not None  # type: ignore[union-attr]
        with pytest.raises(PlaceUsed):
            await service.command(Arrive(channel=channel, key=bytes([2]) * 16, queue=queue, place=contact))
        with pytest.raises(BadPlace):
            await service.command(Arrive(channel=channel, key=bytes([3]) * 16, queue=queue, place=77))
        late = Arrive(channel=channel, key=bytes([4]) * 16, queue=queue, reply_by=clock.now_us())
        with pytest.raises(Exception, match="bad_duration"):
            await service.command(late)
