"""The demonstration's background, in virtual time on the demonstration's own configuration."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from engine.config import read_site
from engine.config_compile import compile_config
from engine.names import Names
from engine.router import Overview
from loadtest.drive_virtual import VirtualSite
from loadtest.errors import InputError
from loadtest.ledger import Ledger
from loadtest.people import Numbers
from loadtest.players import Players, players_scenario
from loadtest.tokens import sort_tokens

US = 1_000_000
DEMO = read_site((resources.files("engine.cli") / "demo_bank.toml").read_text("utf-8"), Path("data"))


class Stage:
    """The players on a virtual site."""

    def __init__(self, seed: int = 1) -> None:
        config, names = compile_config(DEMO, Names())
        self.names = names
        self.scenario = players_scenario(DEMO, seed)
        self.site = VirtualSite(config)
        self.ledger = Ledger(0, 10**12)
        self.players = self.new_players()
        self.players.sign_in(0)
        self.site.deliver(self.players)

    def new_players(self) -> Players:
        numbers = Numbers(
            [self.names.id("channel", name) for name in self.scenario.channels],
            [self.names.id("queue", name) for name in self.scenario.queues],
            [self.names.id("agent", name) for name, _ in self.scenario.agent_names()],
        )
        reasons = [self.names.id("reason", name) for name in DEMO.reasons]
        return Players(self.scenario, numbers, self.site, self.ledger, reasons)

    def play_until(self, seconds: float) -> Overview:
        while self.site.now_us < seconds * US:
            self.site.go_on(self.players)
        return self.site.router.overview()


def test_only_the_simulated_agents_are_played() -> None:
    scenario = players_scenario(DEMO, 1)
    names = [name for name, _ in scenario.agent_names()]
    assert "you" not in names
    assert set(names) == set(DEMO.agents) - {"you"}
    assert list(scenario.channels) == ["voice", "app"], "the web chat is for people"


def test_the_floor_is_alive_at_once() -> None:
    stage = Stage()
    overview = stage.play_until(1)
    assert stage.ledger.counts["arrivals"] >= 10
    assert sum(overview.contacts) >= 10
    assert stage.play_until(4).contacts.engaged >= 15
    assert sum(line.presence == 2 for line in overview.agents) == len(stage.scenario.groups)


@pytest.mark.slow
def test_a_surge_makes_a_queue_that_goes_away_again() -> None:
    stage = Stage()
    waiting = [stage.play_until(second).contacts.waiting for second in range(5, 1_200, 5)]
    assert max(waiting) >= 8
    assert sum(count > 0 for count in waiting) >= 20, "for a while, not for a blink"
    assert waiting.count(0) >= 20, "and it is worked off"
    per_minute = stage.ledger.counts["arrivals"] / 20
    assert 24 <= per_minute <= 40
    busy = sum(bool(line.engaged or line.wrap_ups) for line in stage.play_until(1_200).agents)
    assert 20 <= busy <= 40
    assert stage.ledger.counts["expired"] > 0
    assert stage.ledger.counts["abandoned"] > 0


def test_new_players_take_over_what_the_old_ones_left() -> None:
    stage = Stage()
    stage.play_until(90)
    before = stage.site.router.overview().contacts
    assert before.engaged > 10
    left = {
        contact: (number, line)
        for number in stage.players._numbers.channels
        for contact in range(1, 400)
        if (line := stage.site.router.contact(contact)) is not None and line.channel == number
    }
    stage.players = stage.new_players()
    hand_over(stage, left)
    for _ in range(200_000):
        if all(stage.site.router.contact(contact) is None for contact in left):
            break
        stage.site.go_on(stage.players)
    assert all(stage.site.router.contact(contact) is None for contact in left), "nobody talks for ever"


def hand_over(stage: Stage, left: dict) -> None:
    """Tells the players what a gateway tells them after a connect and an attach."""
    now_us, router = stage.site.now_us, stage.site.router
    for channel, number in enumerate(stage.players._numbers.channels):
        rows = [
            [contact, line.state, line.agent, bytes(16)] for contact, (n, line) in left.items() if n == number
        ]
        stage.players.hear_contacts(now_us, channel, rows)
    rows = []
    for agent in stage.players.agents:
        desk = router.desk(agent.id)
        contacts = [[held.contact, held.channel, held.queue, held.state] for held in desk.contacts]
        offers = [
            [offer.offer, offer.contact, offer.channel, offer.queue, offer.deadline] for offer in desk.offers
        ]
        wrap_ups = [[one.contact, one.channel, one.deadline] for one in desk.wrap_ups]
        rows.append([agent.id, desk.presence, desk.signing_out, desk.locked, offers, contacts, wrap_ups])
    stage.players.hear_desks(now_us, rows)
    stage.site.deliver(stage.players)


def token(claims: str) -> str:
    import base64

    return "x." + base64.urlsafe_b64encode(claims.encode()).decode().rstrip("=") + ".y"


def test_tokens_are_sorted_by_what_they_are_for() -> None:
    chat, edge = token('{"typ":"plugin","channel":"chat"}'), token('{"typ":"edge","any_agent":true}')
    tokens = sort_tokens([edge, chat], ["chat"])
    assert (tokens.channels, tokens.edge) == ({"chat": chat}, edge)


@pytest.mark.parametrize(
    ("tokens", "fault"),
    [
        ([], "missing: plugin for channel chat, edge; paidui token issues them"),
        (["nonsense"], "expected three parts"),
        ([token('{"typ":"edge"}')], "not for any agent; paidui token edge --any-agent"),
        ([token('{"typ":"analyst"}')], "got one for 'analyst'"),
        ([token("[]")], "its claims are not an object"),
    ],
)
def test_what_is_wrong_with_tokens_is_said(tokens: list[str], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        sort_tokens(tokens, ["chat"])
