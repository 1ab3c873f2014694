"""Where a site's secrets are: files of mode 0600 in its data folder."""

from __future__ import annotations

from pathlib import Path

from engine.auth import Tokens, read_or_create_key
from engine.config import SiteConfig


def token_key(data: Path) -> bytes:
    """The key that signs tokens; made at the first start."""
    return read_or_create_key(data / "keys" / "tokens.key")


def site_key(data: Path) -> bytes:
    """The key of the arrivals' hashes; made at the first start."""
    return read_or_create_key(data / "keys" / "site.key")


def tokens_of(site: SiteConfig) -> Tokens:
    """What issues and verifies this site's tokens."""
    return Tokens(token_key(site.data), site.name)
