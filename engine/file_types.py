"""What a file is: by its first bytes, never by its name; and the headers with which a browser gets it."""

from __future__ import annotations

import re
from typing import Final, Protocol
from urllib.parse import quote

from engine.errors import Malformed

UNKNOWN_TYPE: Final = "application/octet-stream"
HEAD_BYTES: Final = 16
"""So many first bytes tell."""
MAX_NAME: Final = 255
_SIGNATURES: Final = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp"),
)
SHOWN_TYPES: Final = frozenset(name for _, name in _SIGNATURES)
"""What pages show in place: pictures that hold no script."""
_DECLARED: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")


class Described(Protocol):
    """A file of which this is known."""

    @property
    def file_name(self) -> str:
        """What its sender calls it."""
        ...

    @property
    def media_type(self) -> str:
        """What it is."""
        ...

    @property
    def size_bytes(self) -> int:
        """How long it is."""
        ...


def media_type(head: bytes, declared: str = "") -> str:
    """Return what a file is.

    Args:
        head: its first bytes; `HEAD_BYTES` are enough. What they say holds.
        declared: what its sender says, where they say nothing. Nobody shows or opens a file by that, and a
            picture that is none is not called one.
    """
    known = next((name for pattern, name in _SIGNATURES if pattern.match(head)), None)
    if known is not None:
        return known
    return UNKNOWN_TYPE if declared in SHOWN_TYPES else declared or UNKNOWN_TYPE


def declared_type(text: str) -> str:
    """Return a declared type without its parameters, in small letters; "" = nothing was declared.

    Raises:
        Malformed: it is no type.
    """
    kind = text.partition(";")[0].strip().lower()
    if kind and not _DECLARED.fullmatch(kind):
        raise Malformed('media_type: expected a type such as "application/pdf", or nothing')
    return kind


def check_name(name: str) -> None:
    """Refuse a file name that is none, or is a path.

    Raises:
        Malformed: names the field.
    """
    wrong = (
        not 1 <= len(name) <= MAX_NAME
        or not name.strip(". ")
        or any(c in "/\\" or not c.isprintable() for c in name)
    )
    if wrong:
        raise Malformed(f"file_name: expected 1..{MAX_NAME} printable characters without / and \\")


def headers(file: Described) -> dict[str, str]:
    """Return the headers with which a browser gets a file: only known images are shown in place.

    A declared type is not repeated to a browser: whatever is no such image is a download of no type.
    """
    shown = file.media_type in SHOWN_TYPES
    disposition = "inline" if shown else "attachment"
    return {
        "Content-Type": file.media_type if shown else UNKNOWN_TYPE,
        "Content-Length": str(file.size_bytes),
        "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(file.file_name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
