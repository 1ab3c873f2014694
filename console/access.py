"""Who asks, from where, and in what form: checks that every part of the interface shares."""

from __future__ import annotations

from typing import Final, TypeVar
from urllib.parse import urlsplit

import msgspec
from quart import Request, Websocket, request

from console.problems import Problem, malformed, not_allowed
from engine.logins import Identity, Logins

T = TypeVar("T")

MAX_BODY_BYTES: Final = 64 * 1024


def check_origin(asking: Request | Websocket) -> None:
    """Refuse a request that another site's page makes with our cookie or to our socket.

    A browser always says where a page is from; other programs need not, and have no cookie of ours.

    Raises:
        Problem: 403.
    """
    origin = asking.headers.get("Origin")
    if origin is None:
        return
    parts = urlsplit(origin)
    if (
        parts.scheme not in ("http", "https")
        or parts.netloc.lower() != asking.headers.get("Host", "").lower()
    ):
        raise Problem(403, "foreign_origin", "this address serves its own pages only")


def address(asking: Request | Websocket) -> str:
    """Return the client's address; behind a proxy the proxy's."""
    client = asking.scope.get("client")
    return client[0] if client else "local"


async def identify(logins: Logins) -> Identity:
    """Return who makes the current request.

    Raises:
        BadToken: nobody that we know.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Problem(401, "bad_token", "expected the header Authorization: Bearer <access token>")
    return await logins.identify(token.strip())


async def supervisor(logins: Logins) -> Identity:
    """Return who makes the current request, if it is a supervisor.

    Raises:
        Problem: 403.
    """
    identity = await identify(logins)
    if not identity.oversees:
        raise not_allowed("supervisors only")
    return identity


async def body(kind: type[T]) -> T:
    """Return the current request's JSON body.

    Raises:
        Problem: it is no such JSON; names the field.
    """
    if request.mimetype != "application/json":
        raise Problem(415, "malformed", "expected Content-Type: application/json")
    data = await request.get_data(cache=False)
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise malformed(error) from None
