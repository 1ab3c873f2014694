"""The web chat channel: mounts the customer's page and carries effects to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import trio

from channels.webchat.app import create_app
from channels.webchat.options import Options, load_options
from channels.webchat.protocol import MAX_TEXT_CHARS
from channels.webchat.reception import Reception
from engine.channel import Capabilities, Port


class WebChat:
    """Chats with customers on a page of this site."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.capabilities = Capabilities(
            typing=True, max_message_bytes=4 * MAX_TEXT_CHARS, max_attachment_bytes=options.file_mb << 20
        )

    async def run(self, port: Port, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled."""
        async with trio.open_nursery() as nursery:
            reception = Reception(self._options, port, nursery)
            await reception.recover()
            port.mount(create_app(reception), self._options.prefix)
            nursery.start_soon(reception.show_positions)
            task_status.started()
            try:
                async for effect in port.effects():
                    await reception.carry_out(effect)
            finally:
                # The sockets belong to the web server and would outlive the channel, deaf.
                reception.closed.set()
            nursery.cancel_scope.cancel()


def create(options: Mapping[str, Any]) -> WebChat:
    """Return the channel for a section's options.

    Raises:
        ConfigError: names the option that is wrong.
    """
    return WebChat(load_options(options))
