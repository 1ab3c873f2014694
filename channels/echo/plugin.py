"""Echo: a customer who says back whatever the agent writes; the folder to copy for a new channel."""

from __future__ import annotations

from collections.abc import Mapping

import trio

from engine.channel import Capabilities, Connect, Ended, MessageOut, Port
from engine.errors import ConfigError


class Echo:
    """A channel whose outside are method calls; a real one listens to its network in `run`."""

    capabilities = Capabilities(max_message_bytes=4_096)

    def __init__(self, queue: str | None) -> None:
        self._queue = queue
        self._port: Port
        self.heard: dict[int, list[str]] = {}
        self.ended: dict[int, str] = {}

    async def run(self, port: Port, *, task_status: trio.TaskStatus[None]) -> None:
        """Carry out effects until cancelled."""
        self._port = port
        if self._queue is not None:
            await self.open("echo", self._queue)
        task_status.started()
        async for effect in port.effects():
            if isinstance(effect, Connect):
                await port.connected(effect.contact)
            elif isinstance(effect, MessageOut):
                # A cancelled effect comes again: first what may be repeated, then what counts.
                if self._queue is not None:
                    await self.say(effect.contact, effect.text, f"echo-{effect.message_id}")
                self.heard.setdefault(effect.contact, []).append(effect.text)
            elif isinstance(effect, Ended):
                self.ended[effect.contact] = effect.outcome

    async def open(self, external_id: str, queue: str) -> int:
        """Bring a contact in; return its number."""
        return (await self._port.arrive(external_id, queue=queue)).contact

    async def say(self, contact: int, text: str, external_id: str) -> None:
        """Let the customer write."""
        await self._port.message(contact, text, external_id)

    async def leave(self, contact: int) -> None:
        """Let the customer go."""
        await self._port.abandon(contact)


def create(options: Mapping[str, str]) -> Echo:
    """Make the channel; option `queue`: let a customer wait there from the start."""
    if unknown := sorted(set(options) - {"queue"}):
        raise ConfigError([f"{name}: unknown; echo has only `queue`" for name in unknown])
    return Echo(options.get("queue"))
