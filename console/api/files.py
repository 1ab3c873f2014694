"""`/api/contacts/CONTACT/files`: an agent sends a file to a customer, and gets those of a conversation.

The access token stands in a header: no page of another site can have a file fetched or sent, and no address
that gives one away stands in a browser's history or a proxy's log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import trio
from quart import Blueprint, request
from quart_trio.wrappers import TrioRequest
from quart_trio.wrappers import TrioResponse as Response
from werkzeug.exceptions import RequestEntityTooLarge

from console.access import check_origin, identify
from console.acts import acts_of
from console.api.site import done
from console.problems import Problem, unknown_contact
from engine.channel_attachments import NewAttachment
from engine.facade import Facade
from engine.file_types import headers
from engine.logins import Logins
from engine.store import Store

AT_ONCE: Final = 32
"""Files that all agents may be sending together; one more is told to try again."""
AT_ONCE_EACH: Final = 2
AGAIN_MS: Final = 2_000
SEND_WITHIN_S: Final = 600.0


def request_class(most_bytes: int) -> type[TrioRequest]:
    """Return the application's kind of request: the body of a file may be larger than any other."""

    class FileRequest(TrioRequest):
        def __init__(self, method: str, scheme: str, path: str, *rest: Any, **more: Any) -> None:
            if method == "POST" and path.endswith("/files"):
                more["max_content_length"] = most_bytes
            super().__init__(method, scheme, path, *rest, **more)

    return FileRequest


def files_api(service: Facade, store: Store, logins: Logins) -> Blueprint:
    """Return the blueprint."""
    api = Blueprint("files", __name__, url_prefix="/api/contacts/<int:contact>/files")
    turns = _Turns()
    most_bytes = service.site.store.attachment_bytes

    @api.post("")
    async def send(contact: int) -> Response:
        check_origin(request)
        identity = await identify(logins)
        _check(contact)
        asked = request.args
        new = NewAttachment(asked.get("name", ""), request.body, request.content_type or "")
        with turns.one(identity.login), trio.move_on_after(SEND_WITHIN_S):
            try:
                acts = acts_of(service, store, identity)
                await acts.send_file(contact, asked.get("external_id", ""), new)
            except RequestEntityTooLarge:
                text = f"attachment: expected {most_bytes} bytes or less"
                raise Problem(413, "too_large", text, field="attachment") from None
            return done()
        raise Problem(408, "too_slow", f"the file was not here within {SEND_WITHIN_S:g} s")

    @api.get("/<file>")
    async def fetch(contact: int, file: str) -> Response:
        identity = await identify(logins)
        _check(contact)
        row, content = await acts_of(service, store, identity).file(contact, file)
        response = Response(content, headers=headers(row))
        response.timeout = None  # a large one takes its time; who stops reading is the server's affair
        return response

    return api


class _Turns:
    """How many files are on their way, and whose."""

    def __init__(self) -> None:
        self._sending: Counter[str] = Counter()

    @contextmanager
    def one(self, login: str) -> Iterator[None]:
        """Have a turn in this block.

        Raises:
            Problem: there is none now.
        """
        if self._sending.total() >= AT_ONCE or self._sending[login] >= AT_ONCE_EACH:
            raise Problem(503, "busy", "too many files are on their way", retry_after_ms=AGAIN_MS)
        self._sending[login] += 1
        try:
            yield
        finally:
            self._sending[login] -= 1
            if not self._sending[login]:
                del self._sending[login]


def _check(contact: int) -> None:
    if contact >= 1 << 53:
        raise unknown_contact()
