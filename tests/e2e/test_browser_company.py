"""Conversations in several hands, at the pages of all who are in them: real server, real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import PATIENCE_MS, People
from tests.e2e.test_browser import accept, composer, customer_says, say, texts

pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=PATIENCE_MS)


def engaged(
    people: People, login: str, queue: str, name: str, words: str, **how: object
) -> tuple[Page, Page]:
    """An agent's desk with a customer's conversation shown, and the customer's page."""
    desk = people.agent(login, **how)  # type: ignore[arg-type]  # locale, dark, width, height
    customer = people.customer(queue, name)
    customer_says(customer, words)
    accept(desk)
    expect(texts(desk)).to_have_text([words])
    return desk, customer


def option(desk: Page, name: str) -> Locator:
    return desk.locator(".panel .option", has_text=name)


def invite(desk: Page, name: str) -> None:
    """By keyboard only: the list, a part of the name, Enter."""
    desk.keyboard.press("Alt+i")
    expect(desk.get_by_role("combobox", name="Search colleagues")).to_be_focused()
    desk.keyboard.type(name[:2].lower())
    expect(desk.locator(".panel .option")).to_have_count(1)
    expect(option(desk, name)).to_be_visible()
    desk.keyboard.press("Enter")
    expect(desk.locator(".company")).to_contain_text(f"{name} asked")


def test_three_in_one_conversation_and_a_handover(people: People) -> None:
    desk, customer = engaged(people, "kai", "fraud", "王芳", "My card was used abroad")
    lin = people.agent("lin")
    busy = people.agent("max", ready=False)
    busy.get_by_role("button", name="Sign in, not ready").click()
    expect(busy.locator(".me .state")).to_have_text("Not ready")

    composer(desk).fill("half a sent")
    desk.keyboard.press("Alt+i")
    expect(option(desk, "Lin")).to_contain_text("Ready")
    expect(option(desk, "Max")).to_contain_text("Not ready")
    expect(option(desk, "Sam")).to_contain_text("Signed out")
    expect(option(desk, "Sam")).to_have_attribute("aria-disabled", "true")
    expect(option(desk, "Kai")).to_have_count(0)
    people.shot(desk, "invite-list")
    busy.get_by_role("button", name="Sign out").click()
    expect(option(desk, "Max")).to_have_attribute("aria-disabled", "true")
    desk.keyboard.press("Escape")
    expect(desk.get_by_role("button", name="Invite")).to_be_focused()
    expect(composer(desk)).to_have_value("half a sent")

    invite(desk, "Lin 林")
    card = lin.locator(".invitation")
    expect(card).to_contain_text("Kai 凯 invites you")
    expect(card).to_contain_text("王芳")
    people.shot(lin, "invitation")
    people.shot(desk, "asked")
    lin.keyboard.press("Alt+x")
    expect(desk.locator(".company .asked")).to_have_count(0)
    invite(desk, "Lin 林")
    card.wait_for()
    lin.keyboard.press("Alt+a")
    expect(lin.locator(".company")).to_contain_text("Kai 凯 serves")
    expect(texts(lin)).to_have_text(["My card was used abroad"])
    expect(desk.locator(".company")).to_contain_text("Lin 林")
    expect(composer(desk)).to_have_value("half a sent")

    said = ["My card was used abroad"]
    for turn in range(3):
        say(lin, f"lin {turn}")
        customer_says(customer, f"customer {turn}")
        say(desk, f"kai {turn}")
        said += [f"lin {turn}", f"customer {turn}", f"kai {turn}"]
    for page in (desk, lin, customer):
        expect(texts(page)).to_have_count(len(said))
    assert sorted(texts(desk).all_inner_texts()) == sorted(said)
    assert texts(lin).all_inner_texts() == texts(desk).all_inner_texts()
    assert texts(customer).all_inner_texts() == texts(desk).all_inner_texts()
    expect(desk.locator(".message.colleague").first).to_contain_text("Lin 林")
    people.shot(desk, "three")
    people.shot(lin, "guest")
    lin.reload()
    expect(texts(lin)).to_have_count(len(said))
    expect(lin.locator(".company")).to_contain_text("Kai 凯 serves")

    desk.keyboard.press("Alt+l")
    expect(desk.locator(".thread")).to_contain_text("Lin 林 goes on with this customer.")
    people.shot(desk, "handed-over")
    expect(lin.get_by_role("button", name="End", exact=True)).to_be_visible()
    say(lin, "You are with me now")
    expect(texts(customer).last).to_have_text("You are with me now")
    desk.keyboard.press("Alt+w")
    expect(desk.locator(".row")).to_have_count(0)
    lin.get_by_role("button", name="End", exact=True).click()
    expect(customer.locator("#over-text")).to_contain_text("The chat has ended")


def test_hold_park_and_transfer_outside(people: People) -> None:
    desk, customer = engaged(people, "mia", "lost", "Li Na", "I lost my card", width=1024, height=700)
    desk.keyboard.press("Alt+h")
    expect(desk.locator(".head .paused")).to_have_text("· On hold")
    expect(desk.locator(".row .mark")).to_be_visible()
    people.shot(desk, "on-hold")
    desk.get_by_role("button", name="Resume").click()
    expect(desk.locator(".head .paused")).to_have_text("")

    say(desk, "I will look it up")
    composer(desk).fill("a draft")
    desk.keyboard.press("Alt+p")
    expect(desk.locator(".apart")).to_contain_text("Parked")
    expect(composer(desk)).to_have_count(0)
    for name in ("One", "Two", "Three"):
        customer_says(people.customer("lost", name), f"I am {name}")
        expect(desk.locator(".offer")).to_contain_text(name)
        accept(desk)
    expect(desk.locator(".row")).to_have_count(4)
    expect(desk.locator(".row").last).to_contain_text("Li Na")
    expect(desk.locator(".returned")).to_have_count(0)
    customer_says(customer, "Are you still there?")
    back = desk.locator(".returned")
    expect(back).to_contain_text("Li Na")
    expect(back.locator(".unread")).to_contain_text("1")
    expect(desk.get_by_text("Li Na, who is parked, has written.")).to_have_count(1)
    people.shot(desk, "parked-returned")
    back.locator(".item").click()
    people.shot(desk, "parked")
    desk.keyboard.press("Alt+p")
    expect(composer(desk)).to_have_value("a draft")
    expect(composer(desk)).to_be_focused()
    expect(desk.locator(".apart")).to_have_count(0)

    desk.keyboard.press("Alt+t")
    desk.keyboard.type("pol")
    people.shot(desk, "transfer")
    expect(desk.locator(".panel .option")).to_have_count(1)
    desk.keyboard.press("Enter")
    expect(desk.locator(".thread")).to_contain_text("Wrap-up")
    expect(customer.locator("#over-text")).to_contain_text("The chat has ended")


def test_a_supervisor_sees_every_contact_and_takes_over(people: People) -> None:
    boss = people.agent("sam", width=1024, height=768)
    desk, customer = engaged(people, "tom", "accounts", "赵强", "I want to complain")
    waiting = people.customer("vip", "Waits")
    expect(waiting.locator("#waiting-text")).to_have_text("You are next")
    boss.keyboard.press("Alt+o")
    row = boss.locator(".roster tbody tr", has_text="赵强")
    expect(row).to_contain_text("Tom 汤")
    expect(boss.locator(".roster tbody tr", has_text="Waits")).to_contain_text("Private banking")
    for tile in boss.locator(".queue").all():
        expect(tile).to_be_in_viewport(ratio=1)
    assert boss.locator(".board").evaluate("e => e.scrollWidth <= e.clientWidth"), "wider than the page"
    people.shot(boss, "contacts")
    row.get_by_role("button", name="Take over").click()
    expect(boss.locator(".thread h1")).to_have_text("赵强")
    expect(texts(boss)).to_have_text(["I want to complain"])
    expect(desk.locator(".thread")).to_contain_text("Sam 桑 goes on with this customer.")
    say(boss, "I am the supervisor")
    expect(texts(customer).last).to_have_text("I am the supervisor")

    boss.keyboard.press("Alt+o")
    line = boss.locator(".roster tbody tr", has_text="Waits")
    line.get_by_role("button", name="Queue").click()
    boss.get_by_role("menuitemradio", name="Wealth").click()
    expect(line).to_contain_text("Wealth")
    line.get_by_role("button", name="Head start").click()
    people.shot(boss, "head-start")
    boss.get_by_role("menuitemradio", name="5 min earlier", exact=True).click()
    line.get_by_role("button", name="End").click()
    line.get_by_role("button", name="End it?").click()
    expect(line).to_have_count(0)
    expect(waiting.locator("#over-text")).to_be_visible()

    row.get_by_role("button", name="Queue").click()
    boss.get_by_role("menuitemradio", name="Loans").click()
    expect(row).to_contain_text("Loans")
    expect(customer.locator("#waiting-text")).to_have_text("You are next")
    # The site serves the next tests too: nobody may be left in a queue.
    row.get_by_role("button", name="End").click()
    row.get_by_role("button", name="End it?").click()
    expect(row).to_have_count(0)
    expect(customer.locator("#over-text")).to_be_visible()
    boss.get_by_role("searchbox").fill("nobody of this name")
    expect(boss.locator(".roster tbody th")).to_have_count(0)


def test_a_transfer_to_a_colleague_rings_there(people: People) -> None:
    desk, customer = engaged(people, "bob", "loans", "Mr Ma", "About my loan")
    colleague = people.agent("max")
    desk.keyboard.press("Alt+t")
    expect(option(desk, "Max")).to_contain_text("Ready")
    expect(option(desk, "Zoe")).to_have_attribute("aria-disabled", "true")
    people.shot(desk, "transfer-people")
    desk.keyboard.type("max")
    expect(desk.locator(".panel .option")).to_have_count(1)
    desk.keyboard.press("Enter")
    expect(desk.locator(".thread")).to_contain_text("Wrap-up")
    expect(colleague.locator(".offer")).to_contain_text("Mr Ma")
    accept(colleague)
    expect(texts(colleague)).to_have_text(["About my loan"])
    customer.close()


def test_new_controls_have_names_in_both_languages_and_appearances(people: People) -> None:
    desk, customer = engaged(people, "eva", "wealth", "James", "Hello", dark=True)
    desk.keyboard.press("Alt+h")
    expect(desk.locator(".head .paused")).to_have_text("· On hold")
    desk.keyboard.press("Alt+p")
    expect(desk.locator(".apart")).to_be_visible()
    desk.get_by_role("button", name="Language").click()
    desk.get_by_role("menuitemradio", name="中文").click()
    expect(desk.locator(".apart")).to_contain_text("已挂起")
    people.shot(desk, "parked-zh-dark")
    desk.get_by_role("button", name="取回").first.click()
    desk.keyboard.press("Alt+i")
    expect(desk.get_by_role("combobox", name="搜索同事")).to_be_focused()
    desk.locator(".panel .option").first.wait_for()
    people.shot(desk, "invite-zh-dark")
    for control in desk.locator("button:visible, input:visible, textarea:visible").all():
        assert control.evaluate("e => e.ariaLabel || e.textContent.trim() || e.labels?.length"), (
            control.evaluate("e => e.outerHTML")
        )
    desk.keyboard.press("Escape")
    customer.close()
