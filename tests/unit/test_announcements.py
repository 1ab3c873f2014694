"""Announcements, outbound queues and the configuration's number, through the service."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import channel
from engine.bus import ForAll
from engine.clock import ManualClock
from engine.config_compile import compile_config
from engine.effects import effects_of
from engine.follower import Follower
from engine.model import NO_LIMIT, AnnouncementDue, Configured, OfferMade
from engine.names import Names
from engine.router import decode_events
from engine.testing.fixtures import SMALL_SITE, small_service
from tests.unit.test_config import MINIMAL, errors_of, read
from tests.unit.test_opening import to
from tests.unit.test_service import arrive

QUEUE = MINIMAL + "[queues.cards]\n"


def with_cards(keys: str) -> str:
    return SMALL_SITE.replace("[queues.cards]", f"[queues.cards]\n{keys}")


def test_what_the_file_says_is_compiled() -> None:
    def queue(text: str) -> tuple[int, int, int]:
        config, _ = compile_config(read(QUEUE + text), Names())
        return config.queues[0].tier, config.queues[0].max_in_hand, config.queues[0].announce_us

    assert queue("") == (2, NO_LIMIT, 0)
    assert queue('direction = "inbound"\nannounce_s = 0') == (2, NO_LIMIT, 0)
    assert queue('direction = "outbound"\nmax_in_hand = 3\nannounce_s = 30') == (3, 3, 30_000_000)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ('direction = "sideways"', 'direction: expected "inbound" or "outbound", got "sideways"'),
        ("max_in_hand = 0", "max_in_hand: expected 1..2000000, got 0"),
        ("announce_s = 86401", "announce_s: expected 0..86400, got 86401"),
        ("announce_s = 0.5", "announce_s: expected an integer, got a number"),
    ],
)
def test_faults_are_named(line: str, error: str) -> None:
    assert errors_of(QUEUE + line) == [f"queues.cards.{error}"]


async def test_a_waiting_contact_is_told_when_it_has_moved_on(tmp_path: Path) -> None:
    clock = ManualClock()
    async with small_service(tmp_path, clock=clock, text=with_cards("announce_s = 10")) as service:
        first, second = [await service.command(arrive(service, key)) for key in (1, 2)]
        with service.subscribe(ForAll(), resume_from=service.seq) as subscription:
            await to(clock, clock.now_us() + 10_000_000)
            await to(clock, clock.now_us() + 10_000_000)  # nobody has moved
            await service.release(first)
            await to(clock, clock.now_us() + 10_000_000)
            told = []
            while not told or len(told) < 3:
                _, _, events = await anext(aiter(subscription))
                told += [event for _, event in events if isinstance(event, AnnouncementDue)]
        assert [(one.contact, one.position) for one in told] == [(first, 1), (second, 2), (second, 1)]
        assert [effects_of(service.names, "e", one) for one in told[2:]] == [
            [channel.Announcement(effect_id="e", contact=second, position=1, wait=None)]
        ]
        some = AnnouncementDue(at=1, contact=7, channel=1, queue=1, position=2, p50_us=5, p90_us=9)
        (effect,) = effects_of(service.names, "e", some)
        assert isinstance(effect, channel.Announcement)
        assert effect.wait == channel.Wait(5, 9)


async def test_outbound_waits_for_what_comes_in(tmp_path: Path) -> None:
    text = SMALL_SITE.replace("[queues.loans]", '[queues.loans]\ndirection = "outbound"')
    async with small_service(tmp_path, text=text) as service:
        await service.command(arrive(service, 1, "loans"))
        late = await service.command(arrive(service, 2, "cards"))
        await service.desk("ann").sign_in()
        assert service.desk("ann").state().offers[0].contact == late


async def test_few_in_hand_are_told_and_explained(tmp_path: Path) -> None:
    async with small_service(tmp_path, text=with_cards("max_in_hand = 1")) as service:
        ann = service.desk("ann")
        await ann.sign_in()
        first, second = [await service.command(arrive(service, key)) for key in (1, 2)]
        assert [one.contact for one in ann.state().offers] == [first], "though ann has two places"
        told = service.explain(second, "ann")
        assert told is not None
        assert [(one.predicate, one.subject, one.has, one.needs) for one in told.failing] == [
            ("pace", "cards", 1, 1)
        ]
        assert [(fix.action, fix.subject) for fix in told.fixes] == [("finish_one", "cards")]
        await service.release(first)
        assert [one.contact for one in ann.state().offers] == [second]


async def test_every_decision_names_its_configuration(tmp_path: Path) -> None:
    for keys in ("", "announce_s = 10"):
        async with small_service(tmp_path, text=with_cards(keys)) as service:
            ann = service.desk("ann")
            await ann.sign_in()
            await ann.sign_out()
            hashed = service.router.config_hash()
    async with small_service(tmp_path, text=with_cards("announce_s = 10")) as service:
        await service.desk("ann").sign_in()
        await service.command(arrive(service, 1))
    follower = Follower(tmp_path / "data" / "journal")
    events = [event for batch in follower.poll() for event in decode_events(batch.events)]
    follower.close()
    configured = {one.number: one.hash for one in events if isinstance(one, Configured)}
    assert list(configured) == [1, 2]
    (offer,) = [one for one in events if isinstance(one, OfferMade)]
    assert (offer.config, configured[offer.config]) == (2, hashed)
