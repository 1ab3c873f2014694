"""The files of chats by HTTP: sent and fetched with the customer's token, not with a cookie or an address."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import msgspec
from quart import Blueprint, request
from quart_trio.wrappers import TrioResponse as Response
from werkzeug.exceptions import RequestEntityTooLarge

from channels.webchat import protocol
from channels.webchat.failures import NotTaken
from channels.webchat.reception import Reception
from engine.channel import file_headers

_STATUS: Final = {
    "malformed": 400,
    "bad_token": 401,
    "foreign_origin": 403,
    "no_file": 404,
    "too_slow": 408,
    "no_chat": 409,
    "ended": 409,
    "too_large": 413,
    "too_fast": 429,
    "damaged": 500,
    "busy": 503,
}


def same_origin(origin: str | None, host: str | None) -> bool:
    """Whether a page of this very site asks; browsers always say who opens a socket or posts."""
    if not origin or not host:
        return False
    return urlsplit(origin).netloc.lower() == host.lower()


def files_api(reception: Reception) -> Blueprint:
    """Return the blueprint.

    `POST files?chat=..&external_id=..&name=..` with the bytes as body stores a file as a message of the chat;
    `GET files/CHAT/ID` gives one. Both need `Authorization: Bearer TOKEN`, the token of `welcome`.
    """
    api = Blueprint("files", __name__, url_prefix="/files")

    @api.post("")
    async def send() -> Response:
        origin = request.headers.get("origin")
        if origin is not None and not same_origin(origin, request.headers.get("host")):
            raise NotTaken(
                protocol.Failure(code="foreign_origin", text="this site serves its own pages only")
            )
        asked = request.args
        chat = reception.files.chat_of(_token(), asked.get("chat", ""))
        try:
            await reception.take_file(
                chat,
                asked.get("external_id", ""),
                asked.get("name", ""),
                request.content_type or "",
                request.body,
            )
        except RequestEntityTooLarge:
            text = f"attachment: expected {reception.files.max_bytes} bytes or less"
            raise NotTaken(protocol.Failure(code="too_large", text=text)) from None
        return Response(b"", status=204)

    @api.get("/<chat>/<file>")
    async def fetch(chat: str, file: str) -> Response:
        found, content = await reception.files.give(reception.files.chat_of(_token(), chat), file)
        response = Response(content, headers=file_headers(found))
        response.timeout = None  # a large one takes its time; who stops reading is the server's affair
        return response

    @api.errorhandler(NotTaken)
    async def refuse(not_taken: NotTaken) -> Response:
        failure = not_taken.failure
        body = msgspec.json.encode({"error": failure})
        return Response(body, status=_STATUS.get(failure.code, 409), content_type="application/json")

    @api.after_request
    async def private(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        return response

    return api


def _token() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
