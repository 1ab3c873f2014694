"""Opening and closing queues, as supervisors do it and customers read it: real server, real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import PATIENCE_MS, People
from tests.e2e.test_browser import accept, customer_says, texts

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=PATIENCE_MS)


def row(boss: Page, queue: str) -> Locator:
    return boss.locator(".by-queue tbody tr", has_text=queue)


def make(boss: Page, queue: str, what: str) -> None:
    row(boss, queue).get_by_role("button", name=f"Open or close: {queue}").click()
    boss.get_by_role("menuitemradio").get_by_text(what, exact=True).click()


def test_a_supervisor_closes_a_queue_and_opens_it_again(people: People) -> None:
    boss = people.agent("sue", ready=False, width=1024, height=768)
    desk = people.agent("zoe")
    expect(row(boss, "Private banking").locator(".hours")).to_contain_text("Open")
    served = people.customer("vip", "Early")
    customer_says(served, "Hello")
    accept(desk)
    expect(texts(desk)).to_have_text(["Hello"])

    make(boss, "Private banking", "Close")
    expect(row(boss, "Private banking").locator(".hours")).to_contain_text("Closing")
    row(boss, "Private banking").scroll_into_view_if_needed()
    row(boss, "Private banking").get_by_role("button").click()
    people.shot(boss, "hours-menu")
    boss.keyboard.press("Escape")
    expect(desk.locator(".strip .queue", has_text="Private banking")).to_contain_text("Closing")
    assert boss.locator(".board").evaluate("e => e.scrollWidth <= e.clientWidth"), "wider than the page"

    late = people.page(width=480, height=760)
    late.goto(f"{people.site.url}/chat/")
    expect(late.locator(".topic", has_text="Private banking")).to_contain_text("closed now")
    expect(late.locator(".topic", has_text="Loans")).not_to_contain_text("closed now")
    people.shot(late, "topic-closed")
    late.locator(".topic input[value=vip]").check()
    late.locator("#start").click()
    expect(late.locator("#over-text")).to_contain_text("We are closed at the moment")
    people.shot(late, "chat-closed")
    customer_says(served, "I am still here")
    expect(texts(desk)).to_have_text(["Hello", "I am still here"])

    make(boss, "Private banking", "Open")
    expect(row(boss, "Private banking").locator(".hours")).to_contain_text("Open")
    late.locator("#again").click()
    late.locator(".topic input[value=vip]").check()
    late.locator("#start").click()
    accept(desk)
    expect(late.locator("#status")).to_have_text("An agent is here")


def test_who_waits_in_a_queue_that_closes_reads_the_places_text(people: People) -> None:
    boss = people.agent("sue", ready=False)
    customer = people.customer("lost", "林", locale="zh-CN")
    expect(customer.locator("#waiting-text")).to_have_text("下一位就是您")
    make(boss, "Lost cards", "Close at once")
    expect(customer.locator("#over-text")).to_have_text("请留言。")
    people.shot(customer, "chat-voicemail-zh")
    customer.reload()
    expect(customer.locator("#over-text")).to_have_text("请留言。")
    make(boss, "Lost cards", "Open")
    expect(row(boss, "Lost cards").locator(".hours")).to_contain_text("Open")
