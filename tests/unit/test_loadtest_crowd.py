"""The crowd, the books and the report, in virtual time."""

import json

import pytest

from engine import model
from engine.model import COMMANDS, EVENTS
from loadtest import protocol
from loadtest.drive_virtual import simulate_scenario
from loadtest.ledger import Ledger
from loadtest.report import describe_mix, describe_results, render
from loadtest.scenario import Scenario, load_scenario


def smoke(**changes: float) -> Scenario:
    return load_scenario("smoke").resized(**changes)


def test_the_kinds_are_those_of_the_model() -> None:
    commands = {one.__name__: kind for kind, one in COMMANDS.items()}
    events = {one.__name__: kind for kind, one in EVENTS.items()}
    for name in protocol.COMMAND_NAMES.values():
        camel = "".join(part.capitalize() for part in name.split("_"))
        assert getattr(protocol, name.upper()) == commands[camel]
    for name in (
        *("Arrived", "Queued", "Blocked", "OfferMade", "OfferExpired", "Connecting", "Engaged"),
        *("Abandoned", "Ended", "AgentLocked", "WrapUpStarted", "WrapUpEnded"),
    ):
        constant = "".join("_" + c if c.isupper() else c for c in name).strip("_").upper()
        assert getattr(protocol, constant) == events[name]
    assert events["ConnectFailedEvent"] == protocol.CONNECT_FAILED


@pytest.mark.parametrize(
    ("event", "places"),
    [
        (model.Arrived, {"contact": protocol.CONTACT, "key": protocol.ARRIVED_KEY}),
        (model.Queued, {"enqueued_at": protocol.QUEUED_AT, "cause": protocol.QUEUED_CAUSE}),
        (
            model.OfferMade,
            {"offer": protocol.OFFER, "contact": protocol.OFFER_CONTACT, "agent": protocol.OFFER_AGENT},
        ),
        (model.Engaged, {"contact": protocol.CONTACT, "agent": protocol.HELD_AGENT}),
        (model.Connecting, {"contact": protocol.CONTACT, "agent": protocol.HELD_AGENT}),
        (model.Ended, {"contact": protocol.CONTACT, "agent": protocol.ENDED_AGENT, "by": protocol.ENDED_BY}),
        (model.WrapUpStarted, {"agent": protocol.WRAP_UP_AGENT, "contact": protocol.WRAP_UP_CONTACT}),
        (model.WrapUpEnded, {"agent": protocol.WRAP_UP_AGENT, "by": protocol.WRAP_UP_BY}),
        (model.AgentLocked, {"agent": protocol.LOCKED_AGENT}),
    ],
)
def test_the_fields_stand_where_the_model_puts_them(event: type, places: dict[str, int]) -> None:
    fields = [name for name in event.__struct_fields__ if name != "version"]
    assert fields.index("at") + 2 == protocol.AT
    for name, place in places.items():
        assert fields.index(name) + 2 == place, name


def test_every_contact_ends_exactly_once() -> None:
    ledger, _ = simulate_scenario(smoke())
    assert len(ledger.acknowledged) == ledger.counts["arrivals"] > 200
    assert not ledger.missing()
    assert ledger.doubled == 0
    fates = ledger.fates()
    assert sum(fates.values()) == ledger.counts["arrivals"]
    assert fates["served"] > 0
    assert fates["abandoned"] > 0
    assert ledger.counts["expired"] > 0, "the scenario has agents who miss offers"


def test_the_same_seed_gives_the_same_run_and_another_one_does_not() -> None:
    def run(seed: int) -> str:
        ledger, site = simulate_scenario(smoke(seed=seed))
        return json.dumps([describe_results(smoke(), ledger), site.now_us, site.state_hash()])

    assert run(7) == run(7)
    assert run(7) != run(8)


def test_in_virtual_time_a_freed_agent_has_the_next_offer_at_once() -> None:
    ledger, _ = simulate_scenario(smoke())
    assert ledger.freed_offer.count > 50
    assert ledger.freed_offer.largest == 0
    assert ledger.arrival_offer_idle.count > 50
    assert ledger.arrival_offer_idle.largest == 0
    assert ledger.arrival_offer.largest > 100_000, "in a surge somebody has to wait"


def test_throughput_follows_the_load() -> None:
    scenario = load_scenario("thousand").resized(rate_per_s=200, agents=100, duration_s=10)
    ledger, _ = simulate_scenario(scenario)
    results = describe_results(scenario, ledger)
    assert results["lifecycles_per_s"] == pytest.approx(200 * (1 + 0.3 / 5), rel=0.1)


def test_the_books_notice_a_lost_and_a_doubled_contact() -> None:
    ledger = Ledger(0, 10)
    for contact in (1, 2, 3):
        ledger.acknowledge(contact)
    ledger.end(1, "served", 5)
    ledger.end(2, "abandoned", 5)
    ledger.end(1, "served", 6)
    assert ledger.missing() == {3}
    assert ledger.doubled == 1
    books = describe_results(smoke(), ledger)["conservation"]
    assert (books["missing"], books["missing_contacts"], books["ended_twice"]) == (1, [3], 1)
    assert books["holds"] is False


def test_the_window_is_measured_and_the_rest_counted() -> None:
    ledger = Ledger(10, 20)
    for at_us in (9, 10, 19, 20):
        ledger.count("arrivals", at_us)
    assert (ledger.counts["arrivals"], ledger.measured["arrivals"]) == (4, 2)


def test_a_report_says_what_was_played_and_what_came_of_it() -> None:
    scenario = smoke()
    ledger, _ = simulate_scenario(scenario)
    report = {"mix": describe_mix(scenario), "results": describe_results(scenario, ledger)}
    text = render(report)
    assert "seed 7: 20 agents, 40 contacts/s" in text
    assert "0 missing, 0 ended twice" in text
    assert "arrival → offer, waiting included" in text
    assert json.loads(json.dumps(report))["mix"]["seed"] == 7
