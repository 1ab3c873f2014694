"""The figures: what Prometheus' own parser reads of them is what happened."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio.testing
from prometheus_client.parser import text_string_to_metric_families

from engine.bus import ForAll
from engine.clock import ManualClock
from engine.metrics import SiteFigures, exposition
from engine.model import Abandon, Accept, Arrive, encode_frame
from engine.plugins import ChannelHealth
from engine.service import Service
from engine.testing.fixtures import SMALL_SITE, small_service
from engine.wire_client import Disconnected, connect
from tests.unit.gateway_site import arrive as page_arrive
from tests.unit.gateway_site import plugin, served

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(service: Service, **channels: ChannelHealth) -> Samples:
    text = exposition(service, SiteFigures(service, channels)).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[f"paidui_{name}", frozenset(labels.items())]


def arrive(service: Service, key: int, queue: str = "cards") -> Arrive:
    names = service.names
    return Arrive(
        channel=names.id("channel", "chat"), key=key.to_bytes(16, "big"), queue=names.id("queue", queue)
    )


async def test_the_figures_are_what_happened(tmp_path: Path) -> None:
    clock = ManualClock()
    text = SMALL_SITE.replace("skills = { cards = 1 }", "skills = { cards = 1 }\nservice_level_ms = 7000")
    async with small_service(tmp_path, clock=clock, text=text) as service:
        contact = await service.command(arrive(service, 1))
        await service.command(arrive(service, 2))
        clock.advance_ms(6_000)
        ann = service.desk("ann")
        await ann.sign_in()
        waiting = read(service)
        assert value(waiting, "contacts_waiting", queue="cards") == 0
        assert value(waiting, "contacts", state="offered") == 2
        assert value(waiting, "agents", state="ringing") == 1
        for offer in ann.state().offers:
            await ann.accept(offer.offer)
        await service.command(arrive(service, 3))
        clock.advance_ms(2_500)
        await ann.end(contact)
        (third,) = ann.state().offers
        await ann.decline(third.offer)
        samples = read(service)
    assert value(samples, "contacts_arrived_total") == 3
    assert value(samples, "contacts_ended_total", outcome="served") == 1
    assert value(samples, "contacts_ended_total", outcome="abandoned") == 0
    assert {
        r: value(samples, "offers_total", result=r) for r in ("made", "accepted", "declined", "expired")
    } == {
        "made": 3,
        "accepted": 2,
        "declined": 1,
        "expired": 0,
    }
    assert value(samples, "contacts_waiting", queue="cards") == 1
    assert value(samples, "longest_wait_seconds", queue="cards") == 2.5
    assert value(samples, "agents", state="talking") == 1
    assert value(samples, "agents", state="signed_out") == 1
    # Both waited 6 s: above 5, within the queue's own service level of 7.
    assert value(samples, "wait_seconds_bucket", queue="cards", le="5.0") == 0
    assert value(samples, "wait_seconds_bucket", queue="cards", le="7.0") == 2
    assert value(samples, "wait_seconds_sum", queue="cards") == 12
    assert value(samples, "wait_seconds_count", queue="loans") == 0
    assert value(samples, "journal_seq") == service.seq


async def test_batches_are_counted_by_stage_and_refusals_by_code(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        before = service.seq
        chat = service.names.id("channel", "chat")
        for command in (arrive(service, 1), Abandon(channel=chat, contact=99), Accept(agent=1, offer=5)):
            try:
                await service.command(command)
            except Exception as error:
                assert str(error).startswith("unknown_")  # noqa: PT017  # the third and the second alone
        samples = read(service)
    assert value(samples, "commands_total") == 3
    assert value(samples, "batches_total") == service.seq - before == 3
    assert value(samples, "refusals_total", code="unknown_contact") == 1
    assert value(samples, "refusals_total", code="unknown_offer") == 1
    for stage in ("queue", "journal", "apply", "send"):
        assert value(samples, "decision_seconds_count", stage=stage) == 3
        assert value(samples, "decision_seconds_sum", stage=stage) > 0
    assert value(samples, "journal_size_bytes") > 0


async def test_no_series_is_of_one_agent_or_contact(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        await service.desk("ann").sign_in()
        few = read(service, web=ChannelHealth("open"))
        for key in range(50):
            await service.command(arrive(service, key))
        many = read(service, web=ChannelHealth("failed", 2))
    new = {name for name, _ in many.keys() - few.keys()}
    assert new <= {"paidui_refusals_total"}
    labels = {label for _, labels in many for label, _ in labels}
    assert labels <= {
        *("queue", "state", "stage", "le", "outcome", "result", "code", "channel"),
        *("version", "journal_format", "rules"),
    }
    assert value(few, "channel_open", channel="web") == 1
    assert value(many, "channel_open", channel="web") == 0
    assert value(many, "channel_failures_total", channel="web") == 2


async def test_what_was_not_let_in_is_counted(tmp_path: Path) -> None:
    text = SMALL_SITE.replace("[channels.voice]", "[channels.voice]\narrivals_per_s = 1")
    async with served(tmp_path, text=text) as (service, address), plugin(address) as voice:
        quiet = read(service)
        assert value(quiet, "connections") == 1
        assert value(quiet, "arrivals_not_admitted_total", channel="voice") == 0
        assert value(quiet, "connections_turned_away_total", code="bad_token") == 0
        with pytest.raises(Disconnected):
            async with connect(address, "nonsense", "x"):
                pass
        frames = b"".join(encode_frame(page_arrive(voice, number)) for number in range(5))
        await voice.send(frames, 5)
        while service.admission.refused["voice"] < 4:
            await voice.incoming()
        samples = read(service)
    assert value(samples, "connections_turned_away_total", code="bad_token") == 1
    assert value(samples, "arrivals_not_admitted_total", channel="voice") == 4


async def test_a_plugin_of_another_process_is_open_while_it_is_there(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        voice = service.names.id("channel", "voice")
        await trio.testing.wait_all_tasks_blocked()
        assert value(read(service), "channel_open", channel="voice") == 0
        with service.leases.channels.held(voice):
            assert value(read(service), "channel_open", channel="voice") == 1
        samples = read(service)
        assert value(samples, "channel_open", channel="voice") == 0
        assert not [name for name, labels in samples if ("channel", "voice") in labels and "failures" in name]


async def test_a_reader_that_is_cut_is_counted(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        service.bus.subscriber_bytes = 300
        slow = service.bus.subscribe(ForAll())
        listening = read(service)
        for key in range(5):
            await service.command(arrive(service, key))
        samples = read(service)
        assert slow.cut.is_set()
    assert value(samples, "readers_cut_total") == value(listening, "readers_cut_total") + 1
    assert value(samples, "subscribers") == value(listening, "subscribers") - 1
