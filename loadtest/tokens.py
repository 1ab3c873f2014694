"""Sorts the tokens of `--token` by what they say they are for."""

import base64
import json
from collections.abc import Sequence

from loadtest.drive_live import Tokens
from loadtest.errors import InputError


def sort_tokens(tokens: Sequence[str], channels: Sequence[str]) -> Tokens:
    """Returns the tokens by use: one plugin token per channel, one edge token for any agent.

    Only the claims are read; the site alone can check the signature.

    Raises:
        InputError: a token is none, or one that is needed is not there.
    """
    plugins: dict[str, str] = {}
    edge = ""
    for token in tokens:
        claims = _claims(token)
        kind = claims.get("typ")
        if kind == "edge":
            if claims.get("any_agent") is not True:
                raise InputError("--token: the edge's is not for any agent; paidui token edge --any-agent")
            edge = token
        elif kind == "plugin" and isinstance(claims.get("channel"), str):
            plugins[str(claims["channel"])] = token
        else:
            raise InputError(f"--token: expected a plugin's or an edge's token, got one for {kind!r}")
    missing = [f"plugin for channel {name}" for name in channels if name not in plugins]
    if not edge:
        missing.append("edge")
    if missing:
        raise InputError(f"--token: missing: {', '.join(missing)}; paidui token issues them")
    return Tokens(plugins, edge)


def _claims(token: str) -> dict[str, object]:
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError) as error:
        raise InputError(
            "--token: expected three parts with dots between them, as paidui token prints"
        ) from error
    if not isinstance(claims, dict):
        raise InputError("--token: its claims are not an object")
    return claims
