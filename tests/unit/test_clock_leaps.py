"""Whatever the machine's clock does between two lives, stamps never go back and deadlines come in time."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from engine.clock import ManualClock, not_before
from engine.follower import Follower
from engine.service import Service
from engine.testing.channel_checks import until
from engine.testing.fixtures import small_service
from tests.unit.test_supervision import arrive

HOUR_US, MONTH_US = 3_600 * 10**6, 30 * 86_400 * 10**6
LEAPS_US = (-MONTH_US, -5 * HOUR_US, -HOUR_US, -1, 0, 1, HOUR_US, 7 * HOUR_US, MONTH_US)
TIMEOUT_MS = 5_000


def test_a_later_clock_goes_on_from_the_last_stamp() -> None:
    chance = Random(1)
    for _ in range(200):
        now_us = 1_700_000_000 * 10**6 + chance.randint(-MONTH_US, MONTH_US)
        at_us = 1_700_000_000 * 10**6 + chance.choice(LEAPS_US)
        machine = ManualClock(now_us)
        clock = not_before(machine, at_us)
        assert clock.now_us() == max(now_us, at_us)
        assert (clock is machine) == (now_us >= at_us)
        step_ms = chance.randint(0, 10_000)
        machine.advance_ms(step_ms)
        assert clock.now_us() == max(now_us, at_us) + step_ms * 1_000


async def test_it_sleeps_as_long_as_the_machine_says() -> None:
    machine = ManualClock()
    clock = not_before(machine, machine.now_us() + MONTH_US)
    machine.advance_ms(1_000)
    await clock.sleep_until(machine.now_us() + MONTH_US)


def state(service: Service, contact: int) -> str | None:
    found = service.contact_state(contact)
    return None if found is None else found.state


async def one_life(service: Service, clock: ManualClock, key: int) -> None:
    """An offer that nobody answers is over in its time, not a month later; the next one is served."""
    ann = service.desk("ann")
    if ann.state().presence == "signed_out":
        await ann.sign_in()
    contact = await service.command(arrive(service, key))
    assert state(service, contact) == "offered"
    offer = ann.state().offers[0].offer
    clock.advance_ms(TIMEOUT_MS - 1)
    await service.command(arrive(service, key))
    assert state(service, contact) == "offered", "not before its time"
    clock.advance_ms(1)
    await until("the offer is over", lambda: [one.offer for one in ann.state().offers] != [offer])
    clock.advance_ms(2_000)
    await until("it is offered again", lambda: state(service, contact) == "offered")
    await ann.accept(ann.state().offers[0].offer)
    await ann.end(contact)


@pytest.mark.slow  # a service for each life
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_stamps_never_go_back_and_deadlines_come(tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    now_us = 1_700_000_000 * 10**6
    for life in range(8):
        clock = ManualClock(now_us)
        async with small_service(tmp_path, clock=clock) as service:
            await one_life(service, clock, 100 * seed + life + 1)
        now_us = clock.now_us() + chance.choice(LEAPS_US)
    follower = Follower(tmp_path / "data" / "journal")
    stamps = [batch.at for batch in follower.poll()]
    follower.router.check()
    follower.close()
    assert stamps == sorted(stamps)
    assert len(stamps) > 8 * 5
