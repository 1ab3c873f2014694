"""The checks of the channel kit that every plugin passes; each stands under the rule that it certifies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar

import trio

from engine.store import Message
from engine.testing.kit_site import ChannelDriver, KitSite, OpenDriver
from engine.testing.rules import broken, require, require_same

LOOK_EVERY_S = 0.002
MANY = 20
PIECE = 50

PATIENCE_S: ContextVar[float] = ContextVar("paidui_patience_s", default=10.0)
"""Longer than anything here takes on a busy machine; what hangs fails instead."""


async def until(
    what: str, is_so: Callable[[], bool], seen: Callable[[], object] = lambda: "it did not"
) -> None:
    """Wait until something has become so; what never does breaks the rule that is checked."""
    with trio.move_on_after(PATIENCE_S.get()):
        while not is_so():  # noqa: ASYNC110 - the kit looks from outside, nobody tells it
            await trio.sleep(LOOK_EVERY_S)
        return
    raise broken(what, seen())


def state(site: KitSite, contact: int) -> str:
    """A contact's state, or outcome, or "unknown"."""
    found = site.service.contact_state(contact)
    return found.state if found is not None else "unknown"


async def until_state(site: KitSite, contact: int, wanted: str) -> None:
    """Wait until a contact is in a state."""
    await until(
        f"contact {contact} becomes {wanted}",
        lambda: state(site, contact) == wanted,
        lambda: f"it is {state(site, contact)}",
    )


async def messages(site: KitSite, contact: int) -> Sequence[Message]:
    """What the store has of a contact's conversation."""
    conversation = await site.store.by_contact(contact)
    require(conversation is not None, f"contact {contact} has a conversation in the store", "it has none")
    assert conversation is not None
    return await site.store.messages(conversation.id)


async def written(site: KitSite, contact: int) -> list[str]:
    """What the store has of a customer's words."""
    return [one.text for one in await messages(site, contact) if one.sender == "customer"]


async def require_seen(
    driver: ChannelDriver, who: str, expected: Sequence[str], rule: str | None = None
) -> None:
    """Wait until a customer has seen what agents wrote, as long as more comes; then compare."""
    seen = await driver.seen_by_customer(who, 0)
    while missing := sum((Counter(expected) - Counter(seen)).values()):
        with trio.move_on_after(PATIENCE_S.get()) as patience:
            seen = await driver.seen_by_customer(who, len(seen) + min(missing, PIECE))
        if patience.cancelled_caught:
            break
    require_same(f"what {who!r} sees", expected, await driver.seen_by_customer(who, 0), rule)


async def offered(site: KitSite) -> tuple[int, int]:
    """Wait for the agent's one offer; return it and its contact."""
    await until("the agent has an offer", lambda: bool(site.ann.state().offers))
    (offer,) = site.ann.state().offers
    return offer.offer, offer.contact


async def engaged(site: KitSite, driver: ChannelDriver, who: str) -> int:
    """Bring a customer to the agent."""
    contact = await driver.customer_opens(who)
    if site.ann.state().presence == "signed_out":
        await site.ann.sign_in()
    offer, _ = await offered(site)
    await site.ann.accept(offer)
    await until_state(site, contact, "engaged")
    return contact


async def engaged_at_last(site: KitSite, driver: ChannelDriver, who: str) -> int:
    """The same where the channel may fail to connect them at first: the contact is offered again."""
    contact = await driver.customer_opens(who)
    if site.ann.state().presence == "signed_out":
        await site.ann.sign_in()

    def there() -> bool:
        return state(site, contact) == "engaged" or bool(site.ann.state().offers)

    while state(site, contact) != "engaged":
        await until(f"contact {contact} is offered or engaged", there, lambda: state(site, contact))
        for offer in site.ann.state().offers:
            await site.ann.accept(offer.offer)
        await until(
            "it is connected, or that has failed",
            lambda: state(site, contact) not in ("offered", "connecting"),
        )
    return contact


async def arrival_becomes_a_contact(site: KitSite, driver: ChannelDriver) -> None:
    """A customer who opens waits in the queue."""
    contact = await driver.customer_opens("one")
    found = site.service.contact_state(contact)
    seen = None if found is None else (found.state, found.queue, found.channel)
    require(seen == ("waiting", site.queue, site.channel), "the contact waits in the queue", seen)
    waiting = site.service.overview().contacts.waiting
    require(waiting == 1, "one contact waits", waiting)


async def redelivery_is_the_same_contact(site: KitSite, driver: ChannelDriver) -> None:
    """However often an arrival comes, there is one contact; two customers are two."""
    contact = await driver.customer_opens("one")
    again = await driver.customer_opens("one")
    require(again == contact, f"contact {contact} for an arrival that is delivered again", again)
    other = await driver.customer_opens("two")
    require(other != contact, "another contact for another customer", other, "keeps_customers_apart")
    waiting = site.service.overview().contacts.waiting
    require(waiting == 2, "two contacts wait", waiting)


async def a_message_is_stored_once(site: KitSite, driver: ChannelDriver) -> None:
    """A repeated message is one message."""
    contact = await engaged(site, driver, "one")
    for _ in range(3):
        await driver.customer_says("one", "hello", "m1")
    await driver.customer_says("one", "hello", "m2")
    require_same("what the store has", ["hello", "hello"], await written(site, contact))


async def messages_keep_their_order(site: KitSite, driver: ChannelDriver) -> None:
    """The store has them in the order in which they were sent, and unchanged."""
    contact = await engaged(site, driver, "one")
    texts = [f"{number} 你好 <b>&amp; 🙂" for number in range(MANY)]
    for number, text in enumerate(texts):
        await driver.customer_says("one", text, f"m{number}")
    require_same("what the store has", texts, await written(site, contact))
    senders = {one.sender for one in await messages(site, contact)}
    require(senders == {"customer"}, "all of them are the customer's", senders)


async def agents_messages_reach_their_customer(site: KitSite, driver: ChannelDriver) -> None:
    """All of them, once, in order, and no other customer's."""
    first = await engaged(site, driver, "one")
    second = await engaged(site, driver, "two")
    texts = [f"answer {number}" for number in range(MANY)]
    for number, text in enumerate(texts):
        await site.ann.say(first, text, f"a{number}")
    await site.ann.say(first, texts[-1], f"a{MANY - 1}")
    await site.ann.say(second, "for the other", "a0")
    # Whatever was doubled comes before this last one.
    await site.ann.say(first, "that is all", "all")
    await require_seen(driver, "one", [*texts, "that is all"])
    await require_seen(driver, "two", ["for the other"])


async def a_position_shown_is_the_right_one(site: KitSite, driver: ChannelDriver) -> None:
    """A channel that tells positions tells the engine's."""
    await driver.customer_opens("one")
    await driver.customer_opens("two")
    shown = [await driver.position_shown(who) for who in ("one", "two")]
    require(shown in ([0, 1], [None, None]), "[0, 1], or nothing", shown)


async def leaving_while_waiting_abandons(site: KitSite, driver: ChannelDriver) -> None:
    """The contact does not stay behind as a ghost."""
    contact = await driver.customer_opens("one")
    await driver.customer_leaves("one")
    await until_state(site, contact, "abandoned")


async def leaving_while_offered_frees_the_agent(site: KitSite, driver: ChannelDriver) -> None:
    """The offer is withdrawn."""
    contact = await driver.customer_opens("one")
    await site.ann.sign_in()
    await offered(site)
    await driver.customer_leaves("one")
    await until_state(site, contact, "abandoned")
    require(site.ann.state().offers == [], "the agent has no offer", site.ann.state().offers)


async def leaving_while_engaged_ends(site: KitSite, driver: ChannelDriver) -> None:
    """The contact counts as served, and the agent is free."""
    contact = await engaged(site, driver, "one")
    await driver.customer_leaves("one")
    await until_state(site, contact, "served")
    require(site.ann.state().contacts == [], "the agent has no contact", site.ann.state().contacts)


async def the_agents_end_reaches_the_customer(site: KitSite, driver: ChannelDriver) -> None:
    """The customer is told, after everything that was written before."""
    contact = await engaged(site, driver, "one")
    await site.ann.say(contact, "good-bye", "a1")
    await site.ann.end(contact)
    await told_of_end(driver, "one")
    require_same("what 'one' sees", ["good-bye"], await driver.seen_by_customer("one", 0))


async def told_of_end(driver: ChannelDriver, who: str) -> None:
    """Wait until a customer has been told that it is over."""
    with trio.move_on_after(PATIENCE_S.get()):
        await driver.told_of_end(who)
        return
    raise broken(f"{who!r} is told that it is over", "nothing was told")


async def an_unknown_customer_is_refused(site: KitSite, driver: ChannelDriver) -> None:
    """It is an error, and nothing comes of it."""
    refused = False
    try:
        await driver.customer_says("nobody", "hello", "m1")
    except Exception:
        refused = True
    require(refused, "a message of a customer who never opened is refused", "it was taken")
    waiting = site.service.overview().contacts.waiting
    require(waiting == 0, "nobody waits", waiting)


async def check_service_restart(
    open_site: Callable[[], AbstractAsyncContextManager[KitSite]], open_driver: OpenDriver
) -> None:
    """Cancelled in the middle and opened again, the channel leaves no mount and finds its contacts."""
    async with open_site() as site:
        async with trio.open_nursery() as nursery:
            driver, stopped = await nursery.start(_driver_until_cancelled, site, open_driver)
            contact = await engaged(site, driver, "one")
            waiting = await driver.customer_opens("two")
            await driver.customer_says("one", "before", "m1")
            nursery.cancel_scope.cancel()
        require(stopped.is_set(), "the channel ends when it is cancelled", "it goes on")
        site.mounts.mount("/", _nothing)  # a prefix that is still taken would be an error
    async with open_site() as site, open_driver(site) as driver:
        again = [await driver.customer_opens(who) for who in ("one", "two")]
        require(again == [contact, waiting], f"the same contacts, {[contact, waiting]}", again)
        await driver.customer_says("one", "after", "m2")
        found = await written(site, contact)
        require_same("what the store has", ["before", "after"], found, "survives_restarts")


async def _driver_until_cancelled(
    site: KitSite,
    open_driver: OpenDriver,
    *,
    task_status: trio.TaskStatus[tuple[ChannelDriver, trio.Event]],
) -> None:
    stopped = trio.Event()
    try:
        async with open_driver(site) as driver:
            task_status.started((driver, stopped))
            await trio.sleep_forever()
    finally:
        stopped.set()


async def _nothing(scope: object, receive: object, send: object) -> None:
    await trio.lowlevel.checkpoint()


Check = Callable[[KitSite, ChannelDriver], Awaitable[None]]
CHECKS: Sequence[tuple[str, Check]] = (
    ("opens_contacts", arrival_becomes_a_contact),
    ("doubles_nothing", redelivery_is_the_same_contact),
    ("doubles_nothing", a_message_is_stored_once),
    ("loses_nothing", messages_keep_their_order),
    ("loses_nothing", agents_messages_reach_their_customer),
    ("shows_true_positions", a_position_shown_is_the_right_one),
    ("tells_leaving", leaving_while_waiting_abandons),
    ("tells_leaving", leaving_while_offered_frees_the_agent),
    ("tells_leaving", leaving_while_engaged_ends),
    ("tells_the_end", the_agents_end_reaches_the_customer),
    ("refuses_strangers", an_unknown_customer_is_refused),
)
