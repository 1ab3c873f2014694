"""One page's WebSocket: what it asks for comes in, what the hub pushes goes out."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
import structlog
import trio
from quart import Websocket

from console.acts import Acts, Asked, Do, History, Say, Typing, decoder
from console.live import Hub, encode
from console.outgoing import Outgoing
from console.problems import Problem, malformed, problem_of
from console.sight import sight_of
from console.watching import Watch
from engine.errors import UnknownContact
from engine.facade import Facade
from engine.logins import Identity, Logins
from engine.names import UnknownName
from engine.store import Store

_ID: Final = re.compile(r'"id"\s*:\s*"([\w-]{1,64})"', re.ASCII)
GONE: Final = 1001
POLICY: Final = 1008

_log: Final = structlog.get_logger(__name__)


class Socket:
    """An accepted WebSocket of a person who was let in.

    Args:
        identity: whose ticket it was opened with.
        outgoing: what is to be sent.
        sight: what of the site may be shown.
    """

    def __init__(self, service: Facade, store: Store, logins: Logins, identity: Identity) -> None:
        self.identity = identity
        self.outgoing = Outgoing()
        self._logins = logins
        self._leases = service.leases
        try:
            self._desk = service.desk(identity.agent) if identity.agent is not None else None
        except UnknownName:
            _log.warning("a login's agent is not in the configuration", login_id=identity.user_id)
            self._desk = None
        self.sight = sight_of(service.site, identity)
        self._acts = Acts(service, store, identity, self._desk)

    async def serve(self, websocket: Websocket, hub: Hub, closing: trio.Event | None) -> None:
        """Serve until either side ends.

        Args:
            websocket: accepted.
            hub: feeds it.
            closing: set when the server stops.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._end_with_sign_in)
            if closing is not None:
                nursery.start_soon(self._end_with_server, closing)
            nursery.start_soon(self._read, websocket, hub)
            feed = hub.join(self, self._desk)
            try:
                await self._write(websocket)
            finally:
                hub.leave(self, feed)
            nursery.cancel_scope.cancel()

    async def _write(self, websocket: Websocket) -> None:
        last = ""
        while (text := await self.outgoing.get()) is not None:
            await websocket.send(text)
            last = text
        await websocket.close(GONE if '"draining"' in last else POLICY)

    async def _end_with_sign_in(self) -> None:
        self.outgoing.end(await self._logins.wait_until_over(self.identity))

    async def _end_with_server(self, closing: trio.Event) -> None:
        await closing.wait()
        self._leases.stop()
        self.outgoing.end("draining")

    async def _read(self, websocket: Websocket, hub: Hub) -> None:
        while True:
            data: str | bytes = await websocket.receive()
            try:
                asked = decoder.decode(data)
            except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
                self._answer(_id_in(data), malformed(error))
                continue
            self._answer(*await self._carry_out(asked, hub))

    async def _carry_out(self, asked: Asked, hub: Hub) -> tuple[str | None, Problem | None]:
        """Return the id to answer, if an answer is due, and what went wrong."""
        request_id = asked.id if isinstance(asked, Do | Say) else None
        try:
            self._logins.check(self.identity)
            match asked:
                case Do():
                    await self._acts.do(asked)
                case Say():
                    await self._acts.say(asked)
                case Typing():
                    self._type(asked)
                case History():
                    self.outgoing.put(encode(await self._acts.history(asked.contact, asked.after)))
                case Watch():
                    self._acts.check_watch(asked)
                    hub.watching.watch(self, asked, self.sight)
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                _log.exception("an act failed", **self._acts.named(asked))
                problem = Problem(500, "error", "this went wrong here; it has been logged")
            return request_id, problem
        return request_id, None

    def _type(self, asked: Typing) -> None:
        try:
            self._acts.typing(asked)
        except UnknownContact:
            return  # it ended while the agent was typing

    def _answer(self, request_id: str | None, problem: Problem | None) -> None:
        """Answer what carries an id; of the rest, only what went wrong."""
        if request_id is None and problem is None:
            return
        result: dict[str, Any] = {"type": "result", "id": request_id, "ok": problem is None}
        if problem is not None:
            result["error"] = problem.body()
        self.outgoing.put(encode(result))


def _id_in(data: str | bytes) -> str | None:
    """Find the id of a message that cannot be read, so that the page knows which it was."""
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    found = _ID.search(text)
    return found[1] if found else None
