"""Echo: a customer who says back whatever the agent writes; the folder to copy for a new channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import trio

from engine.channel import AttachedFile, Capabilities, Connect, Ended, MessageOut, NewAttachment, Port
from engine.errors import ConfigError


class Echo:
    """A channel whose outside are method calls; a real one listens to its network in `run`."""

    capabilities = Capabilities(max_message_bytes=4_096, max_attachment_bytes=1 << 20)

    def __init__(self, queue: str | None) -> None:
        self._queue = queue
        self._port: Port
        self.heard: dict[int, list[str]] = {}
        self.files: dict[int, list[NewAttachment]] = {}
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
                files = [await self._read(effect.contact, one) for one in effect.attachments]
                if self._queue is not None:
                    await self.say(effect.contact, effect.text, f"echo-{effect.message_id}", files)
                self.heard.setdefault(effect.contact, []).append(effect.text)
                self.files.setdefault(effect.contact, []).extend(files)
            elif isinstance(effect, Ended):
                self.ended[effect.contact] = effect.outcome

    async def open(self, external_id: str, queue: str) -> int:
        """Bring a contact in; return its number."""
        return (await self._port.arrive(external_id, queue=queue)).contact

    async def say(
        self, contact: int, text: str, external_id: str, files: Sequence[NewAttachment] = ()
    ) -> None:
        """Let the customer write, and send files with it."""
        await self._port.message(contact, text, external_id, attachments=files)

    async def _read(self, contact: int, file: AttachedFile) -> NewAttachment:
        """Get a file that came with the agent's message; a small one, so all at once."""
        _, content = await self._port.attachment(contact, file.id)
        return NewAttachment(file.file_name, b"".join([piece async for piece in content]), file.media_type)

    async def leave(self, contact: int) -> None:
        """Let the customer go."""
        await self._port.abandon(contact)


def create(options: Mapping[str, str]) -> Echo:
    """Make the channel; option `queue`: let a customer wait there from the start."""
    if unknown := sorted(set(options) - {"queue"}):
        raise ConfigError([f"{name}: unknown; echo has only `queue`" for name in unknown])
    return Echo(options.get("queue"))
