"""What every frame has in common."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Frame(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, kw_only=True):
    """What every frame begins with."""

    version: Literal[1] = 1


SPOKEN_VERSIONS = (1, 1)
"""The lowest and the highest version of the protocol that this release speaks; `hello` agrees on one."""
