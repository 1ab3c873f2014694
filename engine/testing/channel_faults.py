"""The kit's checks that need a grip on the plugin: cancelled at each await, its outside gone, or full."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Awaitable, Callable
from contextvars import ContextVar

import trio
from trio.testing import wait_all_tasks_blocked

from engine.testing.channel_checks import (
    PATIENCE_S,
    engaged,
    engaged_at_last,
    require_seen,
    state,
    told_of_end,
    until_state,
    written,
)
from engine.testing.hosted import HostedChannel
from engine.testing.kit_site import ChannelDriver, KitSite, Outside
from engine.testing.rules import broken, require, require_same

MOST_AWAITS = 2_000
"""A conversation that has more of them is not finished by the plugin."""

ROUNDS = 3
BUFFERED: ContextVar[int] = ContextVar("paidui_buffered", default=0)
"""How many messages the plugin under test may hold by itself."""

HELD_BACK, HELD_BACK_BYTES = 150, 4_000
OF_BUFFER = 3
"""So many times what a plugin says that it may hold is written besides, so that it can be told apart."""

QUIET_S = 0.1


async def cancelled_at_each_await(site: KitSite, driver: ChannelDriver, hosted: HostedChannel) -> None:
    """For every k: a whole conversation, in which the plugin is cancelled at its k-th await."""
    for step in range(1, MOST_AWAITS):
        hosted.cancel_at(step)
        await _conversation(site, driver, f"customer-{step}")
        if not hosted.has_cancelled:
            return
    raise broken(f"fewer than {MOST_AWAITS} awaits in one conversation", "more")


async def cancelled_while_it_starts(site: KitSite, driver: ChannelDriver, hosted: HostedChannel) -> None:
    """For every k: the plugin crashes, and its successor is cancelled at its k-th await."""
    contact = await engaged(site, driver, "one")
    said: list[str] = []
    for step in range(1, MOST_AWAITS):
        await site.ann.say(contact, f"word {step}", f"a{step}")
        said.append(f"word {step}")
        hosted.cancel_at(step)
        with trio.move_on_after(PATIENCE_S.get()) as patience:
            await hosted.crash()
        require(not patience.cancelled_caught, "the plugin opens again", f"not after await {step}")
        await require_seen(driver, "one", said, "survives_cancellation")
        if not hosted.has_cancelled:
            return
    raise broken(f"fewer than {MOST_AWAITS} awaits in one start", "more")


async def _conversation(site: KitSite, driver: ChannelDriver, who: str) -> None:
    contact = await engaged_at_last(site, driver, who)
    await driver.customer_says(who, "hello", "m1")
    again = await driver.customer_opens(who)
    require(again == contact, f"{who!r} is contact {contact}", again)
    await site.ann.say(contact, "good day", "a1")
    await driver.customer_says(who, "good-bye", "m2")
    await site.ann.say(contact, "good-bye to you", "a2")
    await site.ann.end(contact)
    await told_of_end(driver, who)
    await until_state(site, contact, "served")
    await require_seen(driver, who, ["good day", "good-bye to you"], "survives_cancellation")
    found = await written(site, contact)
    require_same("what the store has", ["hello", "good-bye"], found, "survives_cancellation")
    if (is_done := getattr(driver, "customer_is_done", None)) is not None:
        is_done(who)


async def the_outside_goes_and_comes_back(site: KitSite, driver: ChannelDriver, outside: Outside) -> None:
    """Several times, while both sides write."""
    contact = await engaged(site, driver, "one")
    said, heard = [], []
    for number in range(ROUNDS):
        await driver.customer_says("one", f"before {number}", f"m{number}")
        await outside.goes_away()
        heard.append(f"are you there? {number}")
        await site.ann.say(contact, heard[-1], f"a{number}")
        said += [f"before {number}", f"meanwhile {number}"]
        with trio.move_on_after(PATIENCE_S.get()):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(driver.customer_says, "one", said[-1], f"n{number}")
                await outside.comes_back()
        await require_seen(driver, "one", heard, "reconnects")
        require_same("what the store has", said, await written(site, contact), "reconnects")
    with trio.move_on_after(PATIENCE_S.get()):
        await driver.customer_opens("two")
        return
    raise broken("new customers come in after the outside has come back", "nobody comes")


async def the_outside_takes_nothing(site: KitSite, driver: ChannelDriver, outside: Outside) -> None:
    """Memory stays; and once it takes again, everything comes, in order."""
    count = HELD_BACK + OF_BUFFER * BUFFERED.get()
    contact = await engaged(site, driver, "one")
    await site.ann.say(contact, "first", "a")
    await require_seen(driver, "one", ["first"], "holds_back")
    texts = [f"{number}".ljust(HELD_BACK_BYTES, ".") for number in range(count)]
    outside.takes_nothing()
    tracemalloc.start()
    try:
        before = await _settled_bytes()
        for number, text in enumerate(texts):
            await site.ann.say(contact, text, f"a{number}")
        grown = await _settled_bytes() - before
    finally:
        tracemalloc.stop()
    whole = count * HELD_BACK_BYTES
    require(
        grown < whole / 2,
        f"less than half of {whole} bytes that were written to a customer who takes nothing",
        f"memory has grown by {grown} bytes",
    )
    outside.takes_again()
    await require_seen(driver, "one", ["first", *texts], "holds_back")


async def a_crash_loses_nothing(
    site: KitSite, driver: ChannelDriver, restart: Callable[[], Awaitable[None]]
) -> None:
    """What either side wrote before, during and after it is there, once."""
    contact = await engaged(site, driver, "one")
    await driver.customer_says("one", "before", "m1")
    await site.ann.say(contact, "still there?", "a1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(restart)
        await site.ann.say(contact, "hello?", "a2")
    await driver.customer_says("one", "after", "m2")
    again = await driver.customer_opens("one")
    require(again == contact, f"after a crash the customer is contact {contact}", again)
    await require_seen(driver, "one", ["still there?", "hello?"], "survives_crashes")
    require_same("what the store has", ["before", "after"], await written(site, contact), "survives_crashes")
    seen = state(site, contact)
    require(seen == "engaged", "a crash of the channel is not the customer's leaving", seen)


async def _settled_bytes() -> int:
    """How much Python holds once everybody waits for something."""
    await wait_all_tasks_blocked(QUIET_S)
    gc.collect()
    return tracemalloc.get_traced_memory()[0]
