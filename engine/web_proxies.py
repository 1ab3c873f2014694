"""Who is behind a proxy: X-Forwarded-For and -Proto count when a trusted proxy sends them, and never else."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, TypeAlias

from engine.config_types import Network

IPAddress: TypeAlias = IPv4Address | IPv6Address

_SECURE = {"http": "https", "ws": "wss"}


def seen_through(scope: Any, trusted: Sequence[Network]) -> Any:
    """Return an ASGI scope as the client asked for it, not as the last proxy did.

    The client is the last address in X-Forwarded-For that is no trusted proxy: what stands before it, the
    client may have written itself.

    Args:
        scope: of a request or a WebSocket.
        trusted: the proxies.
    """
    peer = _address(scope["client"][0]) if scope.get("client") else None
    if peer is None or not _is_among(peer, trusted):
        return scope
    client = peer
    for text in reversed(_listed(scope, b"x-forwarded-for")):
        told = _address(text)
        if told is None:
            break
        client = told
        if not _is_among(told, trusted):
            break
    seen = dict(scope)
    seen["client"] = (str(client), scope["client"][1] if client == peer else 0)
    protocols = _listed(scope, b"x-forwarded-proto")
    if protocols and protocols[-1].lower() == "https":
        seen["scheme"] = _SECURE.get(scope["scheme"], scope["scheme"])
    return seen


def _listed(scope: Any, header: bytes) -> list[str]:
    values = [bytes(value).decode("latin-1") for name, value in scope["headers"] if name.lower() == header]
    return [text.strip() for text in ",".join(values).split(",") if text.strip()]


def _is_among(address: IPAddress, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _address(text: str) -> IPAddress | None:
    """Read an address, with a port or without; None = it is none."""
    host = text.removeprefix("[").partition("]")[0] if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
