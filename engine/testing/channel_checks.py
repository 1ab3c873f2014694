"""The checks of the channel kit, one function each; the names say what is promised."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager

import trio

from engine.store import Message
from engine.testing.kit_site import ChannelDriver, KitSite, OpenDriver

LOOK_EVERY_S = 0.005
MANY = 20


async def until(what: str, is_so: Callable[[], bool]) -> None:
    """Wait until something has become so; the kit's time limit ends the wait."""
    try:
        while not is_so():  # noqa: ASYNC110 - the kit looks from outside, nobody tells it
            await trio.sleep(LOOK_EVERY_S)
    except trio.Cancelled:
        raise AssertionError(f"it did not come to pass: {what}") from None


def state(site: KitSite, contact: int) -> str:
    """A contact's state, or outcome, or "unknown"."""
    found = site.service.contact_state(contact)
    return found.state if found is not None else "unknown"


async def messages(site: KitSite, contact: int) -> Sequence[Message]:
    """What the store has of a contact's conversation."""
    conversation = await site.store.by_contact(contact)
    assert conversation is not None, f"contact {contact} has no conversation in the store"
    return await site.store.messages(conversation.id)


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
    await until("the contact is engaged", lambda: state(site, contact) == "engaged")
    return contact


async def arrival_becomes_a_contact(site: KitSite, driver: ChannelDriver) -> None:
    """A customer who opens waits in the queue, with a conversation in the store."""
    contact = await driver.customer_opens("one")
    found = site.service.contact_state(contact)
    assert found is not None
    assert (found.state, found.queue, found.channel) == ("waiting", site.queue, site.channel)
    assert site.service.overview().contacts.waiting == 1


async def redelivery_is_the_same_contact(site: KitSite, driver: ChannelDriver) -> None:
    """However often an arrival comes, there is one contact; two customers are two."""
    contact = await driver.customer_opens("one")
    assert await driver.customer_opens("one") == contact, "a redelivered arrival made another contact"
    assert await driver.customer_opens("two") != contact, "two customers became one contact"
    assert site.service.overview().contacts.waiting == 2


async def a_message_is_stored_once(site: KitSite, driver: ChannelDriver) -> None:
    """A repeated message is one message."""
    contact = await engaged(site, driver, "one")
    for _ in range(3):
        await driver.customer_says("one", "hello", "m1")
    await driver.customer_says("one", "hello", "m2")
    assert [one.text for one in await messages(site, contact)] == ["hello", "hello"]


async def messages_keep_their_order(site: KitSite, driver: ChannelDriver) -> None:
    """The store has them in the order in which they were sent, and unchanged."""
    contact = await engaged(site, driver, "one")
    texts = [f"{number} 你好 <b>&amp; 🙂" for number in range(MANY)]
    for number, text in enumerate(texts):
        await driver.customer_says("one", text, f"m{number}")
    found = await messages(site, contact)
    assert [one.text for one in found] == texts
    assert {one.sender for one in found} == {"customer"}


async def agents_messages_reach_their_customer(site: KitSite, driver: ChannelDriver) -> None:
    """All of them, once, in order, and no other customer's."""
    first = await engaged(site, driver, "one")
    second = await engaged(site, driver, "two")
    texts = [f"answer {number}" for number in range(MANY)]
    for number, text in enumerate(texts):
        await site.ann.say(first, text, f"a{number}")
    await site.ann.say(first, texts[-1], f"a{MANY - 1}")
    await site.ann.say(second, "for the other", "a0")
    assert await driver.seen_by_customer("one", MANY) == texts
    assert await driver.seen_by_customer("two", 1) == ["for the other"]


async def a_position_shown_is_the_right_one(site: KitSite, driver: ChannelDriver) -> None:
    """A channel that tells positions tells the engine's."""
    await driver.customer_opens("one")
    await driver.customer_opens("two")
    shown = [await driver.position_shown(who) for who in ("one", "two")]
    assert shown in ([0, 1], [None, None]), f"positions shown: {shown}"


async def leaving_while_waiting_abandons(site: KitSite, driver: ChannelDriver) -> None:
    """The contact does not stay behind as a ghost."""
    contact = await driver.customer_opens("one")
    await driver.customer_leaves("one")
    await until("the contact is abandoned", lambda: state(site, contact) == "abandoned")


async def leaving_while_offered_frees_the_agent(site: KitSite, driver: ChannelDriver) -> None:
    """The offer is withdrawn."""
    contact = await driver.customer_opens("one")
    await site.ann.sign_in()
    await offered(site)
    await driver.customer_leaves("one")
    await until("the contact is abandoned", lambda: state(site, contact) == "abandoned")
    assert site.ann.state().offers == []


async def leaving_while_engaged_ends(site: KitSite, driver: ChannelDriver) -> None:
    """The contact counts as served, and the agent is free."""
    contact = await engaged(site, driver, "one")
    await driver.customer_leaves("one")
    await until("the contact is served", lambda: state(site, contact) == "served")
    assert site.ann.state().contacts == []


async def the_agents_end_reaches_the_customer(site: KitSite, driver: ChannelDriver) -> None:
    """The customer is told, after everything that was written before."""
    contact = await engaged(site, driver, "one")
    await site.ann.say(contact, "good-bye", "a1")
    await site.ann.end(contact)
    await driver.told_of_end("one")
    assert await driver.seen_by_customer("one", 1) == ["good-bye"]


async def a_crash_loses_nothing(site: KitSite, driver: ChannelDriver) -> None:
    """What either side wrote before, during and after it is there, once."""
    contact = await engaged(site, driver, "one")
    await driver.customer_says("one", "before", "m1")
    await site.ann.say(contact, "still there?", "a1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(driver.restart)
        await site.ann.say(contact, "hello?", "a2")
    await driver.customer_says("one", "after", "m2")
    assert await driver.customer_opens("one") == contact, "after a crash the customer is another contact"
    assert await driver.seen_by_customer("one", 2) == ["still there?", "hello?"]
    found = [one.text for one in await messages(site, contact) if one.sender == "customer"]
    assert found == ["before", "after"]
    assert state(site, contact) == "engaged", "a crash of the channel is not the customer's leaving"


async def an_unknown_customer_is_refused(site: KitSite, driver: ChannelDriver) -> None:
    """It is an error, and nothing comes of it."""
    refused = False
    try:
        await driver.customer_says("nobody", "hello", "m1")
    except Exception:
        refused = True
    assert refused, "a message of a customer who never opened was taken"
    assert site.service.overview().contacts.waiting == 0


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
        assert stopped.is_set(), "the channel did not end when it was cancelled"
        site.mounts.mount("/", _nothing)  # a prefix that is still taken would be an error
    async with open_site() as site, open_driver(site) as driver:
        assert await driver.customer_opens("one") == contact, (
            "after a restart the customer is another contact"
        )
        assert await driver.customer_opens("two") == waiting
        await driver.customer_says("one", "after", "m2")
        found = [one.text for one in await messages(site, contact) if one.sender == "customer"]
        assert found == ["before", "after"]


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


CHECKS: Sequence[Callable[[KitSite, ChannelDriver], Awaitable[None]]] = (
    arrival_becomes_a_contact,
    redelivery_is_the_same_contact,
    a_message_is_stored_once,
    messages_keep_their_order,
    agents_messages_reach_their_customer,
    a_position_shown_is_the_right_one,
    leaving_while_waiting_abandons,
    leaving_while_offered_frees_the_agent,
    leaving_while_engaged_ends,
    the_agents_end_reaches_the_customer,
    a_crash_loses_nothing,
    an_unknown_customer_is_refused,
)
