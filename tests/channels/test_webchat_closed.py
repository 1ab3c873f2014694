"""What a customer reads whom nobody can serve: closed queues, places outside."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

from channels.webchat.reception import REMEMBERED_ENDS
from engine.channel import Announcement, Ended, TransferOut, Wait
from engine.errors import ConfigError
from tests.channels.test_webchat_chats import CHAT, start
from tests.channels.webchat_double import House

TEXT = {"en": "Leave a message", "zh": "请留言"}


def over(house: House, contact: int, outcome: str, reason: str = "") -> Ended:
    house.port.states[contact] = outcome
    effect_id = house.port.next_effect()
    return Ended(effect_id=effect_id, contact=contact, outcome=outcome, by="engine", reason=reason)


def out(house: House, contact: int, target: str) -> TransferOut:
    return TransferOut(effect_id=house.port.next_effect(), contact=contact, target=target, address="1")


async def test_a_topic_that_takes_nobody_in_is_marked(nursery: trio.Nursery) -> None:
    house = House(nursery)
    house.port.closed_queues.add("loans")
    topics = (await house.visit()).heard[0]["topics"]
    assert [(one["name"], one.get("closed", False)) for one in topics] == [("cards", False), ("loans", True)]


async def test_who_comes_to_a_closed_queue_reads_that_it_is_closed(nursery: trio.Nursery) -> None:
    house = House(nursery)
    visit = await house.visit()
    await start(visit)
    await house.reception.carry_out(over(house, 1, "blocked", "closed"))
    await trio.testing.wait_all_tasks_blocked()
    assert visit.of("chat")[-1] == {
        "type": "chat",
        "chat": CHAT,
        "state": "ended",
        "outcome": "blocked",
        "reason": "closed",
    }


async def test_the_reason_may_come_before_the_chat_is_open(nursery: trio.Nursery) -> None:
    """The journal answers the channel, and the effect may overtake that answer."""
    house = House(nursery)
    visit = await house.visit()
    await house.reception.carry_out(over(house, 1, "blocked", "queue_full"))
    house.port.ids[f"{visit.heard[0]['token'].removeprefix('token-of-')}.{CHAT}"] = 1
    house.port.stored[1] = []
    (told,) = [one for one in await start(visit) if one["type"] == "chat"]
    assert (told["outcome"], told["reason"]) == ("blocked", "queue_full")


@pytest.mark.parametrize(("target", "text"), [("voicemail", TEXT), ("callback", None)])
async def test_an_overflow_outside_ends_the_chat_with_the_targets_text(
    nursery: trio.Nursery, target: str, text: dict[str, str] | None
) -> None:
    house = House(nursery, {"targets": {"voicemail": TEXT}})
    visit = await house.visit()
    await start(visit)
    await house.reception.carry_out(out(house, 1, target))
    await house.reception.carry_out(over(house, 1, "overflowed", "wait"))
    await trio.testing.wait_all_tasks_blocked()
    last: dict[str, Any] = visit.of("chat")[-1]
    assert (last["state"], last["outcome"], last.get("text")) == ("ended", "overflowed", text)
    again = await house.visit(visit.heard[0]["token"])
    (told,) = [one for one in await start(again) if one["type"] == "chat"]
    assert told == last, "a page that comes back reads the same"


@pytest.mark.parametrize(("wait", "minutes"), [(None, None), (Wait(61_000_000, 170_000_000), [2, 3])])
async def test_an_announcement_is_said_once_to_who_waits(
    nursery: trio.Nursery, wait: Wait | None, minutes: list[int] | None
) -> None:
    house = House(nursery)
    visit = await house.visit()
    await start(visit)
    effect = Announcement(effect_id=house.port.next_effect(), contact=1, position=3, wait=wait)
    await house.reception.carry_out(effect)
    await trio.testing.wait_all_tasks_blocked()
    (told,) = visit.of("announcement")
    assert (told["position"], told.get("minutes")) == (3, minutes)
    await house.reception.carry_out(house.port.changed(1, "engaged"))
    await house.reception.carry_out(effect)
    await trio.testing.wait_all_tasks_blocked()
    assert len(visit.of("announcement")) == 1, "who talks already is not told"


async def test_what_is_remembered_is_bounded(nursery: trio.Nursery) -> None:
    house = House(nursery)
    for contact in range(1, REMEMBERED_ENDS + 3):
        await house.reception.carry_out(over(house, contact, "blocked", "closed"))
        await house.reception.carry_out(over(house, contact + 10**6, "served"))
    assert len(house.reception._ends) == REMEMBERED_ENDS
    assert 1 not in house.reception._ends


def test_texts_of_targets_are_typed() -> None:
    from channels.webchat.options import load_options

    with pytest.raises(ConfigError, match=r"targets\[\.\.\.\]"):
        load_options({"targets": {"voicemail": "text"}})
