"""Who is not there: a closed laptop's customer goes on elsewhere, supervisors see whose plugin is gone."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from engine.config import load_site
from engine.keys import tokens_of
from engine.model import Hello, encode_frame
from tests.e2e.conftest import PATIENCE_MS, People, RunningSite

expect.set_options(timeout=PATIENCE_MS)
pytestmark = pytest.mark.slow  # a whole site and a real browser
LOST = "We have lost your agent. You keep your place, and the next agent sees the whole conversation."


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A site with a lease that is over soon."""
    running = RunningSite(tmp_path_factory.mktemp("leases"), agent_lease_s=1)
    running.start()
    yield running
    running.stop()


def write(page: Page, words: str) -> None:
    page.locator("#text").fill(words)
    page.locator("#send").click()


def test_a_closed_laptop_frees_its_chat_at_its_old_place(people: People) -> None:
    bob = people.agent("bob")
    first = people.customer("loans", "Fang")
    write(first, "My loan was refused.")
    bob.get_by_role("button", name="Accept").click()
    expect(bob.locator(".thread h1")).to_have_text("Fang")
    bob.locator(".composer textarea").fill("Let me look into it.")
    bob.keyboard.press("Enter")
    expect(first.locator("#messages")).to_contain_text("Let me look into it.")
    bob.get_by_role("button", name="Reason").click()
    bob.get_by_role("menuitemradio", name="Lunch").click()
    second = people.customer("loans", "James")
    expect(second.locator("#waiting-text")).to_have_text("You are next")

    bob.context.close()
    expect(first.locator("#waiting-hint")).to_have_text(LOST)
    expect(first.locator("#waiting-text")).to_have_text("You are next")
    expect(second.locator("#waiting-text")).to_have_text("Customers before you: 1")
    people.shot(first, "agent-lost")
    write(first, "Are you still there?")

    heir = people.agent("max")
    expect(heir.locator(".offer").first).to_contain_text("Fang")
    heir.locator(".offer").first.get_by_role("button", name="Accept").click()
    expect(heir.locator(".thread h1")).to_have_text("Fang")
    for words in ("My loan was refused.", "Let me look into it.", "Are you still there?"):
        expect(heir.locator(".thread")).to_contain_text(words)
    expect(first.locator("#waiting")).to_be_hidden()
    heir.locator(".composer textarea").fill("I am here now.")
    heir.keyboard.press("Enter")
    expect(first.locator("#messages")).to_contain_text("I am here now.")

    back = people.agent("bob", ready=False)
    expect(back.locator(".me .state")).to_have_text("Signed out")
    expect(back.locator(".me .notice")).to_contain_text("nobody had been at this desk for too long")
    expect(back.locator(".row")).to_have_count(0)
    people.shot(back, "desk-after-lease")
    back.get_by_role("button", name="Sign in, not ready").click()
    expect(back.locator(".me .state")).to_have_text("Not ready")
    expect(back.locator(".me .notice")).to_have_count(0)


def test_a_supervisor_sees_which_plugin_is_there_and_which_is_gone(people: People) -> None:
    boss = people.agent("sue", ready=False, width=1024, height=768)
    phone = boss.locator(".by-channel tbody tr", has_text="Phone")
    expect(boss.locator(".by-channel tbody tr").filter(has_text="webchat")).to_contain_text("Open")
    expect(phone).to_contain_text("Gone")
    site = load_site(people.site.config)
    token = tokens_of(site).issue("plugin", "line-under-test", 60, channel="line")
    with socket.create_connection((site.gateway.bind.host, site.gateway.bind.port)) as plugin:
        plugin.sendall(encode_frame(Hello(token=token, name="line")))
        expect(phone).to_contain_text("Connected")
        assert "since" not in (phone.text_content() or "")
    expect(phone).to_contain_text("Gone")
    expect(phone).to_contain_text("contacts are kept until")
    phone.scroll_into_view_if_needed()
    people.shot(boss, "plugin-gone")
    assert boss.locator(".board").evaluate("e => e.scrollWidth <= e.clientWidth"), "wider than the page"
