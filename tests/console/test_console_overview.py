"""The figures of the strip, counted by hand."""

from __future__ import annotations

from pathlib import Path

from console.overview import MAX_LOCKED, MAX_REASON, AgentFigures, overview_message
from console.sight import Sight
from engine.testing.fixtures import small_site
from engine.views import AgentOverview, ChannelOverview, ContactCounts, Overview, QueueOverview


def agent(name: str, presence: str = "ready", **fields: int) -> AgentOverview:
    values = {"locked": 0, "offers": 0, "connecting": 0, "engaged": 0, "wrap_ups": 0, **fields}
    return AgentOverview(
        name,
        presence,
        None,
        False,
        bool(values["locked"]),
        values["offers"],
        values["connecting"],
        values["engaged"],
        values["wrap_ups"],
        0,
        values.get("joined", 0),
    )


def site_overview(*agents: AgentOverview) -> Overview:
    queues = [QueueOverview("cards", 2, 1_000_000), QueueOverview("loans", 0, None)]
    return Overview(1, 0, queues, list(agents), ContactCounts(2, 1, 1, 3))


def test_every_agent_is_counted_once_under_what_matters_most(tmp_path: Path) -> None:
    overview = site_overview(
        agent("a", "signed_out"),
        agent("b", locked=1, engaged=1),
        agent("c", engaged=2, offers=1),
        agent("d", connecting=1),
        agent("j", joined=1, offers=1),
        agent("e", offers=1, wrap_ups=1),
        agent("f", "not_ready", wrap_ups=1),
        agent("g", "not_ready"),
        agent("h"),
    )
    message = overview_message(small_site(tmp_path), overview, 31_500_000)
    assert message.agents == AgentFigures(
        ready=1, talking=3, wrap_up=1, not_ready=1, locked=1, signed_out=1, ringing=1
    )
    assert message.locked_agents == ["b"]
    assert message.now_ms == 31_500
    assert [(q.name, q.waiting, q.longest_wait_ms) for q in message.queues] == [
        ("cards", 2, 30_500),
        ("loans", 0, 0),
    ]


def test_list_of_the_locked_is_bounded_but_not_their_number(tmp_path: Path) -> None:
    overview = site_overview(*(agent(f"a{number}", locked=1) for number in range(60)))
    message = overview_message(small_site(tmp_path), overview, 0)
    assert message.agents.locked == 60
    assert message.locked_agents == [f"a{number}" for number in range(MAX_LOCKED)]
    assert message.queues[0].longest_wait_ms == 0


def test_channels_are_shown_to_who_may_see_them_with_one_line_of_why(tmp_path: Path) -> None:
    channels = [
        ChannelOverview(
            "chat", "failed", "Boom: " + "x" * 500 + "\nat a line of code", 3, 5_000_000, 9_000_000
        ),
        ChannelOverview("voice", "gone", gone_since_us=5_000_000),
    ]
    site, overview = small_site(tmp_path), site_overview()
    chat, voice = overview_message(site, overview, 0, channels=channels).channels
    assert (chat.name, chat.title["en"], chat.state, chat.failures) == ("chat", "chat", "failed", 3)
    assert chat.reason == ("Boom: " + "x" * 500)[:MAX_REASON]
    assert (chat.gone_since_ms, chat.kept_until_ms) == (5_000, 9_000)
    assert (voice.state, voice.reason, voice.gone_since_ms, voice.kept_until_ms) == ("gone", "", 5_000, None)
    for seen in (frozenset(), frozenset({"voice"})):
        message = overview_message(site, overview, 0, Sight(channels=seen), channels=channels)
        assert {one.name for one in message.channels} == seen
