"""What customers see and can do while they wait: real server, real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from tests.e2e.conftest import PATIENCE_MS, People, RunningSite
from tests.e2e.test_browser import accept, customer_says, texts
from tests.e2e.test_browser_hours import make, row

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A site that tells those who wait where they stand, as often as can be configured."""
    running = RunningSite(tmp_path_factory.mktemp("site"), announce_s=1)
    running.start()
    yield running
    running.stop()


def ahead(page: Page, count: int) -> None:
    """The page says so many are before its customer."""
    words = f"Customers before you: {count}" if count else "You are next"
    expect(page.locator("#waiting-text")).to_have_text(words)


def told(page: Page) -> Locator:
    return page.locator(".message.system .text")


def line_of(position: int) -> re.Pattern[str]:
    """What is announced; the wait is the estimate's affair."""
    return re.compile(rf"^You are number {position} in line · Expected wait: .*minutes?$")


def keep(page: Page) -> None:
    page.get_by_role("button", name="Leave and keep my place").click()
    expect(page.locator("#over-text")).to_have_text("You have left the queue.")
    expect(page.locator("#kept")).to_contain_text("Your place is kept until")


def test_who_keeps_the_place_and_comes_back_stands_where_they_stood(people: People) -> None:
    first, leaver, last = (people.customer("wealth", name) for name in ("First", "王芳", "Last"))
    ahead(leaver, 1)
    ahead(last, 2)
    people.shot(leaver, "place-to-keep")
    keep(leaver)
    people.shot(leaver, "place-kept")
    ahead(last, 1)

    leaver.goto("about:blank")
    leaver.goto(f"{people.site.url}/chat/")
    expect(leaver.locator("#kept")).to_contain_text("Your place is kept until")
    leaver.get_by_role("button", name="Back to my place").click()
    ahead(leaver, 1)
    ahead(last, 2)
    expect(leaver.locator("#kept")).to_be_hidden()
    people.shot(leaver, "place-back")
    leaver.reload()
    ahead(leaver, 1)

    desk = people.agent("eva")
    for name in ("First", "王芳", "Last"):
        expect(desk.locator(".offer", has_text=name)).to_be_visible()
    first.close()


def test_who_comes_back_to_a_closed_queue_still_has_the_place(people: People) -> None:
    boss = people.agent("sue", ready=False)
    leaver = people.customer("accounts", "Li Na", locale="zh-CN", dark=True, width=390)
    expect(leaver.locator("#waiting-text")).to_have_text("下一位就是您")
    leaver.get_by_role("button", name="先离开，保留我的位置").click()
    later = people.customer("accounts", "Later")
    ahead(later, 0)
    leaver.locator("#again").click()
    people.shot(leaver, "place-kept-zh-dark")

    make(boss, "Accounts", "Close")
    expect(row(boss, "Accounts").locator(".hours")).to_contain_text("Closing")
    leaver.get_by_role("button", name="回到我的位置").click()
    expect(leaver.locator("#over-text")).to_contain_text("现在不在服务时间")
    expect(leaver.locator("#kept")).to_contain_text("您的位置保留至")
    people.shot(leaver, "place-closed-zh-dark")
    make(boss, "Accounts", "Open")
    expect(row(boss, "Accounts").locator(".hours")).to_contain_text("Open")
    leaver.get_by_role("button", name="回到我的位置").click()
    expect(leaver.locator("#waiting-text")).to_have_text("下一位就是您")
    ahead(later, 1)


def test_a_ticket_that_got_lost_on_its_way_is_asked_for_again(people: People) -> None:
    first, leaver = people.customer("vip", "First"), people.page(width=480, height=760)
    lost: list[str] = []

    def lose_tickets(page_side: WebSocketRoute) -> None:
        site_side = page_side.connect_to_server()

        def pass_on(frame: str | bytes) -> None:
            if not lost and json.loads(frame)["type"] == "place":
                lost.append(str(frame))
            else:
                page_side.send(frame)

        site_side.on_message(pass_on)

    leaver.route_web_socket("**/chat/ws", lose_tickets)
    leaver.goto(f"{people.site.url}/chat/")
    leaver.locator(".topic input[value=vip]").check()
    leaver.locator("#start").click()
    ahead(leaver, 1)
    later = people.customer("vip", "Later")
    leaver.get_by_role("button", name="Leave and keep my place").click()
    expect(leaver.locator("#over-text")).to_have_text("You have left the queue.")
    ahead(later, 1)
    assert len(lost) == 1
    expect(leaver.locator("#kept")).to_be_hidden()
    leaver.reload()
    leaver.get_by_role("button", name="Back to my place").click()
    ahead(leaver, 1)
    ahead(first, 0)
    leaver.locator("#end").click()
    leaver.locator("#end").click()
    expect(leaver.locator("#over-text")).to_have_text("You have left the queue.")
    leaver.reload()
    expect(leaver.locator("#over-text")).to_have_text("You have left the queue.")
    expect(leaver.locator("#kept")).to_be_hidden()


def test_a_waiting_customer_reads_place_and_wait_as_a_line(people: People) -> None:
    desk = people.agent("bob")
    for name in ("One", "Two", "Three"):
        served = people.customer("loans", name)
        expect(desk.locator(".offer")).to_contain_text(name)
        accept(desk)
        expect(served.locator("#status")).to_have_text("An agent is here")
    next_one = people.customer("loans", "Next")
    customer = people.customer("loans", "王芳")
    customer_says(customer, "I have a question about my loan")
    expect(told(customer)).to_have_text(line_of(2))
    people.shot(customer, "announced")
    next_one.locator("#end").click()
    next_one.locator("#end").click()
    expect(told(customer)).to_have_text(line_of(1))
    people.shot(customer, "announced-again")
    served.locator("#end").click()
    served.locator("#end").click()
    desk.get_by_role("button", name="Done").click()
    expect(desk.locator(".offer")).to_contain_text("王芳")
    accept(desk)
    expect(told(customer)).to_have_text("An agent is here. Go ahead.")
    expect(texts(desk)).to_have_text(["I have a question about my loan"])
