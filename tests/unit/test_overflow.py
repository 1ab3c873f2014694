"""Overflow through the service: what channels are told, and what switchboards call busy and no answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio

from engine import channel
from engine.bus import ForAll
from engine.clock import ManualClock
from engine.effects import effects_of
from engine.model import HoursState, Overflowed, OverflowTo, OverflowWhen
from engine.port import ServicePort
from engine.service import Service
from engine.testing.fixtures import SMALL_SITE, small_service
from tests.unit.test_opening import to
from tests.unit.test_service import arrive

VOICEMAIL = "\n[targets.voicemail]\naddress = 'box'\noptions = { language = 'zh' }\n"


def site(*rules: str, more: str = "") -> str:
    listed = "".join(f"\n[[queues.cards.overflow]]\n{rule}" for rule in rules)
    return f"{SMALL_SITE}{VOICEMAIL}{listed}\n{more}"


async def nothing(service: Service, clock: ManualClock) -> None:
    """Nobody is there."""


async def ann_is_there(service: Service, clock: ManualClock) -> None:
    await service.desk("ann").sign_in(ready=False)


async def ann_is_gone(service: Service, clock: ManualClock) -> None:
    await service.desk("ann").sign_in(ready=False)
    await service.desk("ann").sign_out()


async def line_of_two(service: Service, clock: ManualClock) -> None:
    for key in (101, 102):
        await service.command(arrive(service, key))


async def ann_declines(service: Service, clock: ManualClock) -> None:
    desk = service.desk("ann")
    await desk.sign_in()
    await service.command(arrive(service, 1))
    await desk.decline(desk.state().offers[0].offer)


async def ann_does_not_answer(service: Service, clock: ManualClock) -> None:
    await service.desk("ann").sign_in()
    await service.command(arrive(service, 1))
    await to(clock, clock.now_us() + 5_000_000)


async def a_minute(service: Service, clock: ManualClock) -> None:
    await service.command(arrive(service, 1))
    await to(clock, clock.now_us() + 60_000_000)


async def less_than_a_minute(service: Service, clock: ManualClock) -> None:
    await service.command(arrive(service, 1))
    await to(clock, clock.now_us() + 59_999_000)


async def after_hours(service: Service, clock: ManualClock) -> None:
    await service.set_hours("cards", HoursState.CLOSED)


async def closing(service: Service, clock: ManualClock) -> None:
    await service.set_hours("cards", HoursState.CLOSING)


BUSY = 'when = "size"\ncontacts = 2\nto = "target:voicemail"'
NOBODY = 'when = "no_agent"\nto = "target:voicemail"'
NO_ANSWER = 'when = "no_answer"\noffers = 1\nto = "target:voicemail"'
WAITED = 'when = "wait"\nafter_s = 60\nto = "target:voicemail"'
NIGHT = 'when = "closed"\nto = "target:voicemail"'

# What a switchboard's routing point would go by, as rules: (word, rule, what happens, whether it overflows).
TABLE: list[tuple[str, str, Callable[[Service, ManualClock], Awaitable[None]], bool]] = [
    ("busy: all lines taken", BUSY, line_of_two, True),
    ("busy: a line is free", BUSY, nothing, False),
    ("busy: nobody works", NOBODY, nothing, True),
    ("busy: somebody works, on a break", NOBODY, ann_is_there, False),
    ("busy: the last one has gone home", NOBODY, ann_is_gone, True),
    ("no answer: declined", NO_ANSWER, ann_declines, True),
    ("no answer: rung out", NO_ANSWER, ann_does_not_answer, True),
    ("no answer: nobody was asked", NO_ANSWER, nothing, False),
    ("no answer: a minute in the queue", WAITED, a_minute, True),
    ("no answer: not yet a minute", WAITED, less_than_a_minute, False),
    ("closed: after hours", NIGHT, after_hours, True),
    ("closed: serving who waits", NIGHT, closing, True),
    ("closed: open", NIGHT, nothing, False),
]


@pytest.mark.parametrize(
    ("rule", "happens", "overflows"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
async def test_busy_no_answer_and_closed_are_rules(
    tmp_path: Path,
    rule: str,
    happens: Callable[[Service, ManualClock], Awaitable[None]],
    overflows: bool,
) -> None:
    clock = ManualClock()
    async with small_service(tmp_path, clock=clock, text=site(rule)) as service:
        await happens(service, clock)
        contact = await service.command(arrive(service, 1))
        state = service.contact_state(contact)
        assert state is not None
        assert state.state == ("overflowed" if overflows else "waiting")


async def test_a_rule_beats_a_later_one(tmp_path: Path) -> None:
    text = site(
        'when = "no_agent"\nto = "queue:loans"', NOBODY, more="[agents.cem]\ncapacity = { chat = 1 }\n"
    )
    async with small_service(tmp_path, text=text) as service:
        await service.set_hours("loans", HoursState.CLOSED)
        first = service.contact_state(await service.command(arrive(service, 1)))
        await service.set_hours("loans", HoursState.OPEN)
        second = service.contact_state(await service.command(arrive(service, 2)))
        assert first is not None
        assert second is not None
        assert (first.state, second.state, second.queue) == ("overflowed", "waiting", "loans")


def overflowed(kind: OverflowTo) -> Overflowed:
    return Overflowed(at=1, contact=7, channel=1, queue=1, cause=OverflowWhen.WAIT, to_kind=kind, to=2)


async def test_a_channel_carries_out_an_overflow_to_a_place_outside(tmp_path: Path) -> None:
    async with small_service(tmp_path, text=site()) as service:
        told = effects_of(service.names, "e", overflowed(OverflowTo.TARGET), service.site.targets)
        assert told == [
            channel.TransferOut(
                effect_id="e",
                contact=7,
                target="voicemail",
                address="box",
                options={"language": "zh"},
                cause="wait",
            ),
            channel.Ended(effect_id="e/ended", contact=7, outcome="overflowed", by="engine", reason="wait"),
        ]
        assert effects_of(service.names, "e", overflowed(OverflowTo.QUEUE), service.site.targets) == []


async def test_a_channel_hears_of_it_in_order_and_the_conversation_is_over(tmp_path: Path) -> None:
    clock = ManualClock()
    text = site('when = "wait"\nafter_s = 30\nto = "queue:loans"', WAITED) + (
        '\n[[queues.loans.overflow]]\nwhen = "wait"\nafter_s = 60\nto = "target:voicemail"\n'
    )
    async with small_service(tmp_path, clock=clock, text=text) as service:
        port = ServicePort(service, service.site.channels["chat"], NO_TOKENS, NO_TOKENS)  # type: ignore[arg-type]
        contact = (await port.arrive("one", queue="cards")).contact
        await to(clock, clock.now_us() + 30_000_000)
        assert port.state(contact) == "waiting"
        await to(clock, clock.now_us() + 30_000_000)
        assert port.state(contact) == "overflowed"
        effects = []
        with trio.fail_after(5):
            async for effect in port.effects():
                effects.append(effect)
                if isinstance(effect, channel.Ended):
                    break
        assert [type(one).__name__ for one in effects] == ["Queued", "Queued", "TransferOut", "Ended"]
        assert [one.queue for one in effects if isinstance(one, channel.Queued)] == ["cards", "loans"]
        assert effects[1].cause == "overflow"
        store = service.conversations.store
        assert (await store.by_contact(contact)).closed
        port.close()


async def test_a_port_knows_which_queues_take_contacts_in(tmp_path: Path) -> None:
    async with small_service(tmp_path, text=site('when = "closed"\nto = "queue:loans"', NIGHT)) as service:
        port = ServicePort(service, service.site.channels["chat"], NO_TOKENS, NO_TOKENS)  # type: ignore[arg-type]
        assert (port.is_open("cards"), port.is_open("loans"), port.is_open("nothing")) == (True, True, False)
        await service.set_hours("cards", HoursState.CLOSING)
        assert port.is_open("cards"), "its contacts go on to loans"
        await service.set_hours("loans", HoursState.CLOSED)
        assert (port.is_open("cards"), port.is_open("loans")) == (False, False), "a mailbox is not open"
        port.close()


async def test_a_blocked_contact_says_why(tmp_path: Path) -> None:
    async with small_service(tmp_path, text=site()) as service:
        await service.set_hours("cards", HoursState.CLOSED)
        with service.subscribe(ForAll()) as subscription:
            contact = await service.command(arrive(service, 1))
            _, _, events = await anext(aiter(subscription))
        told = [one for _, event in events for one in effects_of(service.names, "e", event)]
        assert told == [
            channel.Ended(effect_id="e", contact=contact, outcome="blocked", by="engine", reason="closed")
        ]


NO_TOKENS = object()
