"""The kit passes a right plugin, and tells the author of a wrong one which rule it breaks."""

from __future__ import annotations

from collections import defaultdict, deque
from pathlib import Path
from typing import Any

import pytest
import trio

from engine.channel import Effect, MessageOut
from engine.testing.channel_kit import RULES, BrokenRule, check_channel
from tests.channels.pigeon import Pigeon
from tests.channels.pigeon_driver import opener

pytestmark = pytest.mark.slow  # a site for each of the kit's checks, real sockets


class Loses(Pigeon):
    """Forgets every seventh message."""

    async def carry_out(self, stream: trio.SocketStream, effect: Effect) -> None:
        if not (isinstance(effect, MessageOut) and effect.message_id % 7 == 0):
            await super().carry_out(stream, effect)


class Doubles(Pigeon):
    """Sends every seventh message once more, under a key of its own."""

    async def send(self, stream: trio.SocketStream, message: dict[str, Any]) -> None:
        await super().send(stream, message)
        if message.get("send", "").endswith("7"):
            await super().send(stream, {**message, "send": message["send"] + "/again"})


class Reorders(Pigeon):
    """Lets every message that ends with a 7 wait for the one after it."""

    async def send_effects(self, stream: trio.SocketStream) -> None:
        waiting: deque[Effect] = deque()
        async for effect in self.port.effects():
            if isinstance(effect, MessageOut) and effect.text.endswith("7"):
                waiting.append(effect)
                continue
            await self.carry_out(stream, effect)
            while waiting:
                await self.carry_out(stream, waiting.popleft())


class Buffers(Pigeon):
    """Takes every effect at once into a list, which outlives a crash; asks for the next before it is sent."""

    def __init__(self, port: int, buffer: deque[Effect]) -> None:
        super().__init__(port)
        self._buffer = buffer
        self._more = trio.Event()

    async def send_effects(self, stream: trio.SocketStream) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._empty, stream)
            async for effect in self.port.effects():
                if not self._buffer or self._buffer[-1].effect_id != effect.effect_id:
                    self._buffer.append(effect)
                self._more.set()

    async def _empty(self, stream: trio.SocketStream) -> None:
        while True:
            while self._buffer:
                await self.carry_out(stream, self._buffer[0])
                self._buffer.popleft()
            self._more = trio.Event()
            await self._more.wait()


class Cancelled(Pigeon):
    """Has one effect in hand while it asks for the next: who stops it there has lost that one."""

    async def send_effects(self, stream: trio.SocketStream) -> None:
        to_send, to_carry_out = trio.open_memory_channel[Effect](0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._one_by_one, stream, to_carry_out)
            async for effect in self.port.effects():
                await to_send.send(effect)

    async def _one_by_one(
        self, stream: trio.SocketStream, effects: trio.MemoryReceiveChannel[Effect]
    ) -> None:
        async for effect in effects:
            await self.carry_out(stream, effect)


class Stays(Pigeon):
    """Does not connect a second time."""

    async def lost(self) -> None:
        await trio.sleep_forever()


def buffers() -> Any:
    kept: defaultdict[int, deque[Effect]] = defaultdict(deque)
    return lambda port: Buffers(port, kept[port])


MUTANTS = {
    "loses_nothing": lambda: Loses,
    "doubles_nothing": lambda: Doubles,
    "keeps_order": lambda: Reorders,
    "holds_back": buffers,
    "survives_cancellation": lambda: Cancelled,
    "reconnects": lambda: Stays,
}


@pytest.mark.parametrize("instant", [pytest.param(True, marks=pytest.mark.torture), False])
async def test_a_right_plugin_keeps_every_rule(tmp_path: Path, instant: bool) -> None:
    certificate = await check_channel(tmp_path, opener(Pigeon), plugin="pigeon", instant=instant)
    assert certificate.rules == set(RULES) - {"carries_files"}
    assert set(certificate.not_checked) == {"carries_files"}, "pigeons carry letters"


@pytest.mark.parametrize("rule", MUTANTS)
async def test_a_wrong_plugin_is_told_its_rule(tmp_path: Path, rule: str) -> None:
    create: Any = MUTANTS[rule]()
    with pytest.raises(BrokenRule) as caught:
        await check_channel(tmp_path, opener(create), plugin="pigeon", patience_s=3)
    assert caught.value.rule.name == rule
    text = str(caught.value)
    assert RULES[rule].text in text
    assert "expected:" in text
    assert "plugin-guide.md" in text
