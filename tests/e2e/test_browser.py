"""Customers and agents at their pages: real server, real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import PATIENCE_MS, People

# Real time and a browser; real sockets that the browser closes when it likes.
pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=PATIENCE_MS)

HOSTILE = "<script>alert(1)</script> & <b>"
NAME = (
    "e => e.ariaLabel || e.textContent.trim() || [...(e.labels ?? [])].map(l => l.textContent.trim()).join()"
)


def composer(desk: Page) -> Locator:
    return desk.locator(".composer textarea")


def say(desk: Page, words: str) -> None:
    composer(desk).fill(words)
    composer(desk).press("Enter")


def customer_says(page: Page, words: str) -> None:
    page.locator("#text").fill(words)
    page.locator("#text").press("Enter")


def texts(page: Page) -> Locator:
    """The messages of either page, without what is still on its way."""
    return page.locator(".message .text:not(.sending)")


def accept(desk: Page) -> None:
    desk.locator(".offer").first.wait_for()
    desk.keyboard.press("Alt+a")
    composer(desk).wait_for()


def test_a_conversation_from_both_sides(people: People) -> None:
    desk = people.agent("ann")
    customer = people.customer("cards", "王芳")
    customer_says(customer, HOSTILE)
    offer = desk.locator(".offer")
    expect(offer).to_contain_text("王芳")
    expect(offer).to_contain_text(HOSTILE)
    people.shot(desk, "ringing")
    accept(desk)
    expect(composer(desk)).to_be_focused()
    expect(customer.locator("#status")).to_have_text("An agent is here")
    say(desk, f"Hello! {HOSTILE}")
    expect(texts(customer).last).to_have_text(f"Hello! {HOSTILE}")
    customer_says(customer, "My card was used abroad.")
    expect(texts(desk).last).to_have_text("My card was used abroad.")
    expect(desk.locator(".awaiting")).to_be_visible()

    composer(desk).fill("half a sent")
    desk.reload()
    expect(texts(desk)).to_have_text([HOSTILE, f"Hello! {HOSTILE}", "My card was used abroad."])
    expect(composer(desk)).to_have_value("half a sent")
    people.shot(desk, "after-reload")

    second = people.customer("cards", "James")
    customer_says(second, "Me too, please")
    composer(desk).focus()
    composer(desk).press("End")
    expect(desk.locator(".offer")).to_contain_text("James")
    desk.keyboard.type("ence")
    expect(composer(desk)).to_be_focused()
    expect(composer(desk)).to_have_value("half a sentence")
    desk.get_by_role("button", name="Accept").click()
    expect(desk.locator(".thread h1")).to_have_text("James")
    say(desk, "One moment, James")
    expect(texts(second).last).to_have_text("One moment, James")
    desk.locator(".item", has_text="王芳").click()
    expect(composer(desk)).to_have_value("half a sentence")
    composer(desk).press("Enter")
    expect(texts(customer).last).to_have_text("half a sentence")
    people.shot(desk, "two-customers")

    desk.get_by_role("button", name="End", exact=True).click()
    expect(customer.locator("#over-text")).to_contain_text("The chat has ended")
    expect(desk.locator(".thread")).to_contain_text("Wrap-up")
    expect(desk.locator(".row.over")).to_contain_text("王芳")
    people.shot(desk, "wrap-up")
    desk.get_by_role("button", name="Done").click()
    expect(desk.locator(".row")).to_have_count(1)
    expect(desk.locator(".thread h1")).to_have_text("James")

    second.locator("#end").click()
    second.locator("#end").click()
    expect(second.locator("#over-text")).to_contain_text("The chat has ended")
    expect(desk.locator(".row.over")).to_contain_text("James")
    desk.keyboard.press("Alt+w")
    expect(desk.locator(".row")).to_have_count(0)
    desk.get_by_role("button", name="Reason").click()
    desk.get_by_role("menuitemradio", name="Lunch").click()
    expect(desk.locator(".me .state")).to_have_text("Not ready · Lunch")
    desk.get_by_role("button", name="Be ready").click()
    expect(desk.locator(".me .state")).to_have_text("Ready")
    second.locator("#again").click()
    expect(second.locator("#topics")).to_be_visible()


def compose(page: Page, typed: str, chosen: str) -> None:
    """Type with an input method: letters, Enter while they are composed, then the chosen words."""
    session = page.context.new_cdp_session(page)
    for end in range(1, len(typed) + 1):
        session.send(
            "Input.imeSetComposition", {"text": typed[:end], "selectionStart": end, "selectionEnd": end}
        )
    page.evaluate("window.composing = []")
    page.evaluate("document.addEventListener('keydown', e => window.composing.push(e.isComposing), true)")
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
    session.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    session.send("Input.dispatchKeyEvent", {"type": "keyUp", **enter})
    assert page.evaluate("window.composing") == [True], "the browser did not compose"
    session.send("Input.insertText", {"text": chosen})
    session.detach()


def test_an_input_method_s_enter_never_sends(people: People) -> None:
    desk = people.agent("bob")
    customer = people.customer("loans", "李娜")
    customer.locator("#text").focus()
    compose(customer, "nihao", "你好")
    expect(customer.locator("#text")).to_have_value("你好")
    expect(texts(customer)).to_have_count(0)
    customer.locator("#text").press("Enter")
    expect(texts(customer)).to_have_text(["你好"])

    accept(desk)
    composer(desk).focus()
    compose(desk, "qingjiang", "请讲")
    expect(composer(desk)).to_have_value("请讲")
    expect(texts(desk)).to_have_text(["你好"])
    composer(desk).press("Shift+Enter")
    desk.keyboard.type("!")
    expect(composer(desk)).to_have_value("请讲\n!")
    composer(desk).press("Enter")
    expect(texts(customer)).to_have_text(["你好", "请讲\n!"], use_inner_text=True)


def test_lost_networks_and_closed_pages(people: People) -> None:
    desk = people.agent("eva")
    gone = people.customer("wealth", "Gone")
    expect(desk.locator(".offer")).to_contain_text("Gone")
    gone.close()
    expect(desk.locator(".offer")).to_have_count(0)

    customer = people.customer("wealth", "Stays")
    accept(desk)
    expected = []
    for turn in range(4):
        customer.context.set_offline(True)
        desk.context.set_offline(turn % 2 == 1)
        customer_says(customer, f"customer {turn}")
        say(desk, f"agent {turn}")
        expected += [f"customer {turn}", f"agent {turn}"]
        desk.context.set_offline(False)
        customer.context.set_offline(False)
        expect(texts(desk)).to_have_count(len(expected))
        expect(texts(customer)).to_have_count(len(expected))
    assert sorted(texts(desk).all_inner_texts()) == sorted(expected)
    assert texts(customer).all_inner_texts() == texts(desk).all_inner_texts()


def test_a_killed_server_loses_nothing_of_a_conversation(people: People) -> None:
    desk = people.agent("tom")
    customer = people.customer("accounts", "赵强")
    customer_says(customer, "before")
    accept(desk)
    say(desk, "I am here")
    expect(texts(customer)).to_have_text(["before", "I am here"])
    people.site.kill()
    people.complaints.clear()
    customer_says(customer, "while it was dead")
    say(desk, "I wrote too")
    expect(desk.locator(".banner")).to_be_visible()
    people.shot(desk, "interrupted")
    people.site.start()
    expect(texts(desk)).to_have_count(4)
    expect(texts(customer)).to_have_count(4)
    expect(desk.locator(".banner")).to_have_count(0)
    assert sorted(texts(desk).all_inner_texts()) == [
        "I am here",
        "I wrote too",
        "before",
        "while it was dead",
    ]
    say(desk, "Still there?")
    expect(texts(customer).last).to_have_text("Still there?")
    desk.get_by_role("button", name="End", exact=True).click()
    expect(customer.locator("#over-text")).to_be_visible()
    # What the browser said about refused connections is no fault of the pages.
    people.complaints[:] = [line for line in people.complaints if "ERR_CONNECTION_REFUSED" not in line]


def test_a_killed_edge_loses_nothing_of_a_conversation(people: People) -> None:
    desk = people.agent("mia")
    customer = people.customer("lost", "钱多")
    customer_says(customer, "before")
    accept(desk)
    say(desk, "I am here")
    expect(texts(customer)).to_have_text(["before", "I am here"])
    people.site.kill_edge()
    customer_says(customer, "while it was dead")
    say(desk, "I wrote too")
    expect(texts(desk)).to_have_count(4)
    expect(texts(customer)).to_have_count(4)
    expect(desk.locator(".banner")).to_have_count(0)
    say(desk, "Still there?")
    expect(texts(customer).last).to_have_text("Still there?")
    desk.get_by_role("button", name="End", exact=True).click()
    expect(customer.locator("#over-text")).to_be_visible()
    # What the browser said about broken connections is no fault of the pages.
    people.complaints[:] = [line for line in people.complaints if "ERR_CONNECTION" not in line]


def test_places_in_the_queue_are_true_for_customers_and_supervisors(people: People) -> None:
    supervisor = people.agent("sue", ready=False)
    line = supervisor.locator(".by-queue tr", has_text="Private banking").locator("td").first
    strip = supervisor.locator(".queue", has_text="Private banking")
    expect(line).to_have_text("0")
    first = people.customer("vip", "First")
    expect(first.locator("#waiting-text")).to_have_text("You are next")
    second = people.customer("vip", "Second")
    expect(second.locator("#waiting-text")).to_have_text("Customers before you: 1")
    people.shot(second, "waiting")
    expect(line).to_have_text("2")
    expect(strip).to_contain_text("longest 0:")
    people.shot(supervisor, "supervisor")
    first.locator("#end").click()
    first.locator("#end").click()
    expect(first.locator("#over-text")).to_have_text("You have left the queue.")
    expect(second.locator("#waiting-text")).to_have_text("You are next")
    expect(line).to_have_text("1")


def test_who_does_not_answer_is_locked_until_a_supervisor_unlocks(people: People) -> None:
    supervisor = people.agent("sue", ready=False)
    desk = people.agent("ida")
    people.customer("night", "Sleepless")
    expect(desk.locator(".me .state")).to_have_text("Locked")
    expect(desk.locator(".me")).to_contain_text("Missed offers in a row: 2")
    expect(desk.locator(".me")).to_contain_text("A supervisor can unlock you.")
    people.shot(desk, "locked")
    supervisor.get_by_role("button", name="Unlock an agent").click()
    people.shot(supervisor, "unlocking")
    supervisor.get_by_role("menuitemradio", name="Ida").click()
    expect(desk.locator(".offer")).to_contain_text("Sleepless")
    desk.get_by_role("button", name="Sign out").click()
    expect(desk.locator(".me .state")).to_have_text("Signed out")


def test_both_languages_and_appearances(people: People) -> None:
    page = people.page(locale="zh-CN")
    page.goto(people.site.url)
    expect(page.get_by_role("heading", name="登录坐席工作台")).to_be_visible()
    people.shot(page, "login-zh")
    page.locator("[name=username]").fill("ann")
    page.locator("[name=password]").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("登录名或密码错误。")
    people.complaints.clear()
    page.get_by_role("button", name="语言").click()
    page.get_by_role("menuitemradio", name="English").click()
    expect(page.get_by_role("heading", name="Log in to your desk")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Log in to your desk")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "en"

    chat = people.page(locale="zh-CN", dark=True, width=390, height=780)
    chat.goto(f"{people.site.url}/chat/")
    expect(chat.get_by_role("button", name="开始对话")).to_be_visible()
    people.shot(chat, "chat-zh-dark")
    chat.locator("#language").select_option("en")
    expect(chat.get_by_role("button", name="Start chatting")).to_be_visible()


def test_every_control_has_a_name(people: People) -> None:
    desk = people.agent("ann", ready=False)
    desk.locator(".me").wait_for()
    desk.keyboard.press("Alt+/")
    expect(desk.get_by_role("dialog", name="Keyboard")).to_be_visible()
    desk.keyboard.press("Escape")
    chat = people.page()
    chat.goto(f"{people.site.url}/chat/")
    chat.locator(".topic").first.wait_for()
    for page in (desk, chat):
        for control in page.locator("button:visible, input:visible, select:visible, textarea:visible").all():
            assert control.evaluate(NAME), control.evaluate("e => e.outerHTML")
