"""The customer's page, its socket and its files as an ASGI application."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import Final

import msgspec
from quart import Response, abort, request, websocket
from quart_trio import QuartTrio

from channels.webchat.file_pages import files_api, same_origin
from channels.webchat.page_socket import PageSocket
from channels.webchat.reception import Reception

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class PageFile(msgspec.Struct, frozen=True):
    """A file of the page, in memory."""

    body: bytes
    content_type: str
    etag: str


def page_files() -> dict[str, PageFile]:
    """Return the page's files by name, read once; nothing else can be asked for."""
    files = {}
    for entry in resources.files("channels.webchat").joinpath("page").iterdir():
        suffix = entry.name[entry.name.rfind(".") :]
        if suffix in _TYPES:
            body = entry.read_bytes()
            files[entry.name] = PageFile(body, _TYPES[suffix], hashlib.sha256(body).hexdigest()[:20])
    return files


def create_app(reception: Reception) -> QuartTrio:
    """Return the application to mount."""
    app = QuartTrio(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = reception.files.max_bytes
    files = page_files()

    def answer(name: str) -> Response:
        file = files.get(name)
        if file is None:
            abort(404)
        if file.etag in request.if_none_match:
            response = Response(b"", 304)
        else:
            response = Response(file.body, 200, content_type=file.content_type)
        response.set_etag(file.etag)
        response.headers["cache-control"] = "no-cache"
        return response

    @app.get("/")
    async def index() -> Response:
        return answer("index.html")

    @app.get("/<name>")
    async def page_file(name: str) -> Response:
        return answer(name)

    app.register_blueprint(files_api(reception))

    @app.websocket("/ws")
    async def socket() -> None:
        if not same_origin(websocket.headers.get("origin"), websocket.headers.get("host")):
            abort(403)
        # Quart would accept at the first send; a page that only listens would hang in the handshake.
        await websocket.accept()
        address = websocket.remote_addr or ""
        closing = websocket.scope.get("state", {}).get("closing")
        await PageSocket(reception, websocket.receive, websocket.send, address).serve(closing)

    return app
