"""Arrival keys: the keyed hashes that stand for a customer's request in the core."""

from __future__ import annotations

from hashlib import blake2b

KEY_BYTES = 16
SECRET_BYTES = 32


def channel_secret(site_secret: bytes, channel: str) -> bytes:
    """Return the secret of one channel, as `welcome` gives it to a plugin (32 bytes).

    Args:
        site_secret: the site's own, which never leaves it.
        channel: the channel's name.
    """
    return blake2b(channel.encode(), key=site_secret[:64], digest_size=SECRET_BYTES).digest()


def arrival_key(secret: bytes, account: str, external_id: str) -> bytes:
    """Return what makes an arrival this one and no other (16 bytes).

    Args:
        secret: the channel's; without it the hash says nothing about the customer.
        account: the channel's account.
        external_id: what the outside calls the request.
    """
    digest = blake2b(key=secret, digest_size=KEY_BYTES)
    for text in (account, external_id):
        data = text.encode()
        digest.update(len(data).to_bytes(4, "big") + data)
    return digest.digest()
