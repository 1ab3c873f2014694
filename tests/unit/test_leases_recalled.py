"""After a start it is known again who is out because the lease was lost, as far as the events are at hand."""

from __future__ import annotations

from pathlib import Path

from engine.clock import ManualClock
from engine.keeper import Keeper
from engine.model import Accept, Arrive, Connected, LeaseLost
from engine.service import Service
from engine.testing.fixtures import small_service
from tests.unit.journal_kit import PLAN


async def lose(service: Service, agent: str) -> int:
    """Sign an agent in, and take the lease away; return the agent's number."""
    desk = service.desk(agent)
    await desk.sign_in()
    await service.command(LeaseLost(agent=desk.number))
    return desk.number


async def test_a_start_knows_who_lost_the_lease_and_when(tmp_path: Path) -> None:
    clock = ManualClock()
    async with small_service(tmp_path, clock=clock) as service:
        ann = await lose(service, "ann")
        lost_at_us = service.at_us
        clock.advance_ms(60_000)
        await service.desk("bob").sign_in()
        await service.desk("bob").sign_out()
    for _ in range(2):
        clock.advance_ms(60_000)
        async with small_service(tmp_path, clock=clock) as service:
            assert service.leases.lost_at_us == {ann: lost_at_us}
    async with small_service(tmp_path) as service:
        await service.desk("ann").sign_in()
        assert service.leases.lost_at_us == {}


async def test_who_has_signed_in_since_is_out_for_another_reason(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        await lose(service, "ann")
        await service.desk("ann").sign_in()
        await service.desk("ann").sign_out()
        bob = await lose(service, "bob")
        await service.desk("bob").sign_in()
        await service.command(LeaseLost(agent=bob))
    async with small_service(tmp_path) as service:
        assert list(service.leases.lost_at_us) == [bob]


async def test_who_still_talks_and_leaves_then_has_lost_it_too(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        names, bob = service.names, service.desk("bob")
        await bob.sign_in()
        voice = names.id("channel", "voice")
        contact = await service.command(
            Arrive(channel=voice, key=bytes(16), queue=names.id("queue", "loans"))
        )
        await service.command(Accept(agent=bob.number, offer=bob.state().offers[0].offer))
        await service.command(Connected(channel=voice, contact=contact))
        await service.command(LeaseLost(agent=bob.number))
        assert (bob.state().presence, bob.state().signing_out) == ("ready", True)
    async with small_service(tmp_path) as service:
        assert list(service.leases.lost_at_us) == [service.desk("bob").number]


async def test_a_snapshot_carries_it_as_long_as_its_tail_reaches(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        ann = await lose(service, "ann")
    journal = tmp_path / "data" / "journal"
    keeper = Keeper(journal, PLAN)
    assert keeper.write_snapshot()
    keeper.close()
    async with small_service(tmp_path) as service:
        assert list(service.leases.lost_at_us) == [ann]
        service.leases.lost_at_us.clear()
        service.leases.recall([])
        assert service.leases.lost_at_us == {}, "what the events do not tell stays unknown"


async def test_events_that_this_release_cannot_read_keep_no_site_from_starting(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        service.leases.recall([b"\x00\x00\x00\x04\x95\x72\x01\xc1"])
        assert service.leases.lost_at_us == {}
