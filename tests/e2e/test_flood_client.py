"""The flood's client over real sockets, against a stand-in site that can misbehave on purpose."""

from pathlib import Path

import msgspec
import pytest
import trio

from loadtest.drive_live import Tokens, flood
from loadtest.errors import FloodError
from loadtest.ledger import Ledger
from loadtest.link import Address, Link
from loadtest.people import Sent
from loadtest.protocol import ARRIVE
from loadtest.scenario import Scenario, load_scenario
from loadtest.site_file import site_toml
from tests.stand_in_site import StandInSite, frame

pytestmark = pytest.mark.slow  # real sockets and real time
EVENTS, ENDED = 132, 78


def scenario() -> Scenario:
    return load_scenario("smoke").resized(rate_per_s=70, agents=12, duration_s=1, warmup_s=0.2)


async def play(site: StandInSite, played: Scenario, **options: object) -> Ledger:
    tokens = Tokens({name: f"plugin:{name}" for name in played.channels}, "edge")
    async with trio.open_nursery() as nursery:
        port = await nursery.start(site.serve)
        ledger = await flood(
            played, Address("127.0.0.1", port), tokens, edges=2, watch=lambda progress: None, **options
        )
        nursery.cancel_scope.cancel()
    return ledger


def stand_in(played: Scenario) -> StandInSite:
    return StandInSite(site_toml(played, Path("data"), (8700, 8701, 8702)))


async def test_every_contact_is_accounted_for() -> None:
    played = scenario().resized(duration_s=2)  # on a busy machine, too, agents are freed often enough
    site = stand_in(played)
    ledger = await play(site, played)
    assert len(ledger.acknowledged) == ledger.counts["arrivals"] > 50
    assert not ledger.missing()
    assert ledger.doubled == 0
    assert ledger.fates()["served"] > 30
    assert ledger.arrival_offer_idle.count > 10
    assert ledger.freed_offer.count > 10
    assert 0 < ledger.freed_offer.percentile(0.5) < 50_000
    site.router.check()
    _, agents, contacts = site.router.overview()
    assert sum(contacts) == 0
    assert all(line.presence == 0 or line.signing_out for line in agents), "everybody goes home"


async def test_a_lost_end_is_noticed() -> None:
    played = scenario()
    site = stand_in(played)
    lost: list[int] = []

    def lose_one(source: int, blob: bytes) -> bytes:
        message = msgspec.msgpack.decode(blob[4:])
        ends = [e for _, e in message[4] if e[0] == ENDED] if message[0] == EVENTS and source == 1 else []
        if not ends or lost:
            return blob
        lost.append(ends[0][3])
        message[4] = [pair for pair in message[4] if pair[1] is not ends[0]]
        return frame(message)

    site.spoil = lose_one
    with trio.fail_after(60):
        ledger = await play(site, played, drain_s=1)
    assert ledger.missing() == set(lost)
    assert lost


async def test_an_end_that_is_told_twice_is_noticed() -> None:
    played = scenario()
    site = stand_in(played)

    def double(source: int, blob: bytes) -> bytes:
        message = msgspec.msgpack.decode(blob[4:])
        return blob * 2 if message[0] == EVENTS and message[4][0][1][0] == ENDED else blob

    site.spoil = double
    assert (await play(site, played)).doubled > 0


async def test_a_site_without_the_scenario_s_names_is_refused() -> None:
    small = stand_in(load_scenario("smoke").resized(agents=10))
    with pytest.RaisesGroup(
        pytest.RaisesExc(FloodError, match=r"the site has no agent general-7, general-8")
    ):
        await play(small, load_scenario("smoke").resized(duration_s=1))


async def test_nobody_listens() -> None:
    played = scenario()
    with pytest.raises(FloodError, match=r"no gateway at 127\.0\.0\.1:1: "):
        await flood(
            played,
            Address("127.0.0.1", 1),
            Tokens(dict.fromkeys(played.channels, ""), ""),
            edges=1,
            watch=print,
        )


async def test_what_is_in_hand_is_told_even_to_who_asks_late() -> None:
    """The state comes with the welcome, before anybody can have asked for it."""
    site = stand_in(scenario())
    told: list[list[object]] = []
    async with trio.open_nursery() as nursery:
        port = await nursery.start(site.serve)
        first, again = (
            Link(Address("127.0.0.1", port), "plugin:chat", name, lambda now_us, body: None, lambda: 0)
            for name in ("first", "again")
        )
        await nursery.start(first.run)
        first.send((ARRIVE, 1, site.names.id("channel", "chat"), bytes(16), 1, 0, 1, ()), Sent(ARRIVE, 0))
        first.flush()
        with trio.fail_after(5):
            while first.unanswered:
                await trio.sleep(0.01)
            await nursery.start(again.run)
            await trio.sleep(0.05)
            again.hear_state(lambda now_us, rows: told.extend(rows))
        nursery.cancel_scope.cancel()
    assert [row[0] for row in told] == [1]


@pytest.mark.parametrize("target", ["10.0.0.1:8701", "example.org:80", "127.0.0.1", "localhost:x", "[::1]:0"])
def test_only_loopback_is_flooded(target: str) -> None:
    with pytest.raises(FloodError, match="--target: expected "):
        Address.parse(target)


def test_loopback_in_all_spellings() -> None:
    assert Address.parse("[::1]:8701") == Address("::1", 8701)
    assert Address.parse("localhost:8701").port == 8701
