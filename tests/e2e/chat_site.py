"""`paidui serve` with a web chat, and visitors who chat over its socket, whatever happens to it."""

from __future__ import annotations

import itertools
import json
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import trio
from trio_websocket import ConnectionClosed, HandshakeError, WebSocketConnection, wrap_client_stream

from loadtest.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
AGAIN_S = 0.05
SITE = """
[site]
name = "chats"
data = "data"
[web]
bind = "127.0.0.1:{web}"
[gateway]
bind = "127.0.0.1:{gateway}"
[stats]
bind = "127.0.0.1:{stats}"
flush_ms = 50
[store]
phone_region = "CN"
{store}
[channels.webchat]
plugin = "webchat"
[channels.webchat.options]
abandon_after_s = 60
messages_per_minute = 60000
chats_per_minute = 60000
visitors_per_minute = 60000
files_per_minute = 60000
[queues.cards]
"""


class ChatSite:
    """A site in a process of its own.

    Args:
        folder: where its configuration and data stand.
        url: of its store's PostgreSQL; None = SQLite.
    """

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder = folder
        self.config = folder / "chats.toml"
        self.port, gateway, stats = free_ports(3)
        store = "" if url is None else f'url = "{url}"'
        text = SITE.format(web=self.port, gateway=gateway, stats=stats, store=store)
        self.config.write_text(text, "utf-8")
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it and wait until it says that it is open."""
        log = (self.folder / "serve.log").open("a")
        command = [sys.executable, "-m", "engine", "serve", "--config", str(self.config)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
        )
        log.close()
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if re.search(r"is open", line):
                return
        self.end(signal.SIGKILL)
        raise AssertionError(f"the site did not open:\n{(self.folder / 'serve.log').read_text()}")

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, as an operator would or as a power cut."""
        process, self._process = self._process, None
        if process is not None:
            with process:
                process.send_signal(how)
                process.wait(30)

    def paidui(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a subcommand with this site's configuration."""
        command = [sys.executable, "-m", "engine", *arguments, "--config", str(self.config)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@asynccontextmanager
async def _connected(port: int) -> AsyncIterator[WebSocketConnection]:
    """A page's socket; the stream is closed also when it is refused."""
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream, trio.open_nursery() as nursery:
        host = f"127.0.0.1:{port}"
        headers = [("Origin", f"http://{host}")]
        yield await wrap_client_stream(nursery, stream, host, "/chat/ws", extra_headers=headers)
        nursery.cancel_scope.cancel()


class SentFile(NamedTuple):
    """A file that a visitor sends by HTTP, beside the socket."""

    name: str
    content: bytes


FILE_EVERY = 5
"""A visitor who goes on sends so many messages, then a file as the next."""


class Visitor:
    """A browser with one chat: what is not answered is said again after every loss of the connection.

    Attributes:
        said: what was acknowledged: external id -> text.
        sent: which files were: external id -> file.
    """

    def __init__(self, site: ChatSite, number: int, name: str) -> None:
        self.said: dict[str, str] = {}
        self.sent: dict[str, SentFile] = {}
        self._site = site
        self._number = number
        self._name = name
        self._token: str | None = None
        self._over = False

    async def chat(self, texts: Sequence[str | SentFile] | None = None) -> None:
        """Say these texts and send these files, or others until cancelled."""
        await self._chat(texts, end=False)

    async def end(self) -> None:
        """End the chat."""
        await self._chat([], end=True)

    def _on_and_on(self) -> Iterator[str | SentFile]:
        for number in itertools.count():
            text = f"{self._name} says {number}"
            yield SentFile(f"{number}.txt", text.encode()) if number % FILE_EVERY == 0 else text

    async def _chat(self, texts: Sequence[str | SentFile] | None, *, end: bool) -> None:
        counted = self._on_and_on()
        said = enumerate(texts if texts is not None else counted)
        outbox = next(said, None)
        while outbox is not None or (end and not self._over):
            try:
                async with _connected(self._site.port) as connection:
                    await self._open(connection)
                    while outbox is not None:
                        number, text = outbox
                        external_id = f"visitor-{self._number}-{number:06}"
                        if isinstance(text, SentFile):
                            await self._send(external_id, text)
                        else:
                            await self._say(connection, external_id, text)
                        outbox = next(said, None)
                    if end:
                        await self._end(connection)
            except* (ConnectionClosed, HandshakeError, OSError, httpx.TransportError, trio.TooSlowError):
                await trio.sleep(AGAIN_S)

    async def _open(self, connection: Any) -> None:
        hello = {"type": "hello"} if self._token is None else {"type": "hello", "token": self._token}
        await connection.send_message(json.dumps(hello))
        self._token = (await self._until(connection, "welcome"))["token"]
        start = {"type": "start", "chat": f"chat-{self._number:08}", "queue": "cards", "name": self._name}
        await connection.send_message(json.dumps(start))
        await self._until(connection, "chat")

    async def _say(self, connection: Any, external_id: str, text: str) -> None:
        await connection.send_message(json.dumps({"type": "say", "external_id": external_id, "text": text}))
        while external_id not in self.said:
            for one in (await self._until(connection, "messages"))["messages"]:
                self.said[one["external_id"]] = one["text"]

    async def _send(self, external_id: str, file: SentFile) -> None:
        asked = {"chat": f"chat-{self._number:08}", "external_id": external_id, "name": file.name}
        url = f"http://127.0.0.1:{self._site.port}/chat/files"
        async with httpx.AsyncClient(verify=False) as http:
            bearer = {"Authorization": f"Bearer {self._token}"}
            answer = await http.post(url, params=asked, content=file.content, headers=bearer)
        if answer.status_code != httpx.codes.NO_CONTENT:
            raise ConnectionResetError(answer.text)  # not taken: come again
        self.sent[external_id] = file

    async def _end(self, connection: Any) -> None:
        await connection.send_message(json.dumps({"type": "end"}))
        while (await self._until(connection, "chat"))["state"] == "waiting":
            pass
        self._over = True

    async def _until(self, connection: Any, kind: str) -> dict[str, Any]:
        with trio.fail_after(20):
            while True:
                message: dict[str, Any] = json.loads(await connection.get_message())
                if message["type"] == kind:
                    return message
                if message["type"] == "error":
                    raise ConnectionResetError(message["text"])  # not taken: come again
