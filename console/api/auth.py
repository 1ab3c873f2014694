"""`/api/auth`: log in, stay in, log out.

The access token is for the page's memory. The refresh token is a cookie that scripts cannot read, that no
other site's page can send, and that goes to these addresses only.
"""

from __future__ import annotations

from typing import Final

import msgspec
from quart import Blueprint, request
from quart_trio.wrappers import TrioResponse as Response

from console.access import address, body, check_origin
from console.api.site import done
from engine.auth import BadToken
from engine.logins import REFRESH_TTL_S, Grant, Logins

COOKIE: Final = "paidui_refresh"
PATH: Final = "/api/auth"


class Credentials(msgspec.Struct, forbid_unknown_fields=True):
    """What a person types."""

    login: str
    password: str


class UserView(msgspec.Struct, frozen=True):
    """Who has logged in."""

    login: str
    name: str
    role: str
    agent: str | None


class GrantView(msgspec.Struct, frozen=True):
    """An access token for `expires_in_s` seconds, and whose it is."""

    access: str
    expires_in_s: int
    user: UserView


def auth_api(logins: Logins) -> Blueprint:
    """Return the blueprint."""
    api = Blueprint("auth", __name__, url_prefix=PATH)

    @api.before_request
    async def own_pages_only() -> None:
        check_origin(request)

    @api.post("/login")
    async def login() -> Response:
        credentials = await body(Credentials)
        return _granted(await logins.login(credentials.login, credentials.password, address(request)))

    @api.post("/refresh")
    async def refresh() -> Response:
        token = request.cookies.get(COOKIE)
        if not token:
            raise BadToken("unknown")
        return _granted(await logins.refresh(token))

    @api.post("/logout")
    async def logout() -> Response:
        await logins.logout(request.cookies.get(COOKIE, ""))
        response = done()
        response.delete_cookie(COOKIE, path=PATH, httponly=True, samesite="Strict")
        return response

    return api


def _granted(grant: Grant) -> Response:
    who = grant.identity
    view = GrantView(grant.access, grant.expires_in_s, UserView(who.login, who.name, who.role, who.agent))
    response = Response(msgspec.json.encode(view), content_type="application/json")
    response.set_cookie(
        COOKIE,
        grant.refresh,
        max_age=REFRESH_TTL_S,
        path=PATH,
        httponly=True,
        samesite="Strict",
        secure=_is_secure(),
    )
    return response


def _is_secure() -> bool:
    """Whether the browser came by HTTPS; behind a TLS proxy only the page's own origin tells."""
    return request.scheme == "https" or request.headers.get("Origin", "").startswith("https:")
