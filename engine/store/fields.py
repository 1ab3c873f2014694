"""Checks of what comes from outside, before it is stored."""

from __future__ import annotations

from typing import Final

from engine.errors import Malformed

MAX_EXTERNAL_ID: Final = 200
MAX_TEXT_BYTES: Final = 16_384


def check_length(field: str, value: str, least: int, most: int) -> None:
    """Refuse a text that is too short or too long.

    Raises:
        Malformed: names the field and says what is expected.
    """
    if not least <= len(value) <= most:
        raise Malformed(f"{field}: expected {least}..{most} characters, got {len(value)}")
    _check_unicode(field, value)


def check_text(text: str) -> None:
    """Refuse a message that is empty or too long.

    Raises:
        Malformed: names the field and says what is expected.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if not text.strip() or size > MAX_TEXT_BYTES:
        raise Malformed(f"text: expected 1..{MAX_TEXT_BYTES} bytes that are not all blank, got {size}")
    _check_unicode("text", text)


def _check_unicode(field: str, text: str) -> None:
    # No database takes the one, and PostgreSQL not the other.
    if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise Malformed(f"{field}: expected Unicode text without NUL characters and lone surrogates")
