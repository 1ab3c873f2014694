"""Which version of the protocol a connection speaks: both sides name theirs, the highest of both is taken."""

from __future__ import annotations

from engine.errors import PaiduiError
from engine.model import SPOKEN_VERSIONS


class BadVersions(PaiduiError):
    """There is none to agree on.

    Attributes:
        code: the `closing` code that says so.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"hello.versions: {text}")
        self.code = code


def agreed_version(versions: tuple[int, int] | None, spoken: tuple[int, int] = SPOKEN_VERSIONS) -> int:
    """Return the version that a connection speaks.

    Args:
        versions: the client's lowest and highest; None = it speaks version 1 alone.
        spoken: the site's.

    Raises:
        BadVersions: there is none that both speak.
    """
    lowest, highest = versions or (1, 1)
    if lowest > highest:
        raise BadVersions("protocol_error", f"expected [lowest, highest], got [{lowest}, {highest}]")
    agreed = min(highest, spoken[1])
    if agreed < max(lowest, spoken[0]):
        way = "upgrade the site first" if lowest > spoken[1] else "take a newer client"
        text = f"the client speaks {_range(lowest, highest)}, this site {_range(*spoken)}; {way}"
        raise BadVersions("version", text)
    return agreed


def _range(lowest: int, highest: int) -> str:
    return f"version {lowest}" if lowest == highest else f"versions {lowest} to {highest}"
