"""Reading one table of the configuration file: typed, and every error kept, not only the first.

A :class:`Table` hands out its values by typed methods. Whatever is wrong goes to the shared list of
errors and the default takes its place, so that one run names everything that has to be mended.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

MAX_NAME_CHARS: Final = 64
"""Names go into every report's rows; longer ones are titles."""
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{MAX_NAME_CHARS - 1}}}\Z")
_TYPE_WORDS: Final = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a string",
    list: "an array",
    dict: "a table",
}


def did_you_mean(given: str, known: Mapping[str, object] | list[str]) -> str:
    """Say which of the known words was probably meant, or list them all.

    Args:
        given: what the file says.
        known: the words that would be right.

    Returns:
        The end of an error's sentence.
    """
    words = list(known)
    close = get_close_matches(given, words, n=1, cutoff=0.6)
    if close:
        return f'did you mean "{close[0]}"?'
    return f"known: {', '.join(words)}" if words else "none is defined"


def type_word(value: object) -> str:
    """Name a TOML value's type in plain words."""
    return _TYPE_WORDS.get(type(value), type(value).__name__)


@dataclass(slots=True)
class Table:
    """One TOML table, read key by key.

    Attributes:
        path: dotted path of the table, empty for the file itself.
        values: what the file says.
        errors: shared by all tables of one file.
        known: keys that have been asked for, in that order.
    """

    path: str
    values: Mapping[str, object]
    errors: list[str]
    known: list[str] = field(default_factory=list)

    def at(self, key: str) -> str:
        """Return the dotted path of a key."""
        return f"{self.path}.{key}" if self.path else key

    def error(self, key: str, text: str) -> None:
        """Keep an error of one key."""
        self.errors.append(f"{self.at(key)}: {text}")

    def _get(self, key: str, expected: type, *, required: bool) -> object | None:
        self.known.append(key)
        if key not in self.values:
            if required:
                self.error(key, f"is missing; give {_TYPE_WORDS[expected]}")
            return None
        value = self.values[key]
        # bool is a subclass of int in Python, not in TOML.
        if type(value) is expected:
            return value
        self.error(key, f"expected {_TYPE_WORDS[expected]}, got {type_word(value)}")
        return None

    def integer(self, key: str, low: int, high: int, default: int) -> int:
        """Read an integer of a closed range."""
        value = self.optional_integer(key, low, high)
        return default if value is None else value

    def optional_integer(self, key: str, low: int, high: int) -> int | None:
        """Read an integer of a closed range; None if absent."""
        value = self._get(key, int, required=False)
        if not isinstance(value, int):
            return None
        if not low <= value <= high:
            self.error(key, f"expected {low}..{high}, got {value}")
            return None
        return value

    def boolean(self, key: str, *, default: bool) -> bool:
        """Read true or false."""
        value = self._get(key, bool, required=False)
        return value if isinstance(value, bool) else default

    def text(self, key: str, default: str | None = None) -> str:
        """Read a string that is not empty; without a default it must be there."""
        value = self._get(key, str, required=default is None)
        if not isinstance(value, str):
            return default or ""
        if not value.strip():
            self.error(key, "is empty; say something or leave the key out")
        return value

    def optional_text(self, key: str) -> str | None:
        """Read a string that is not empty; None if absent."""
        value = self._get(key, str, required=False)
        if not isinstance(value, str):
            return None
        if not value.strip():
            self.error(key, "is empty; say something or leave the key out")
            return None
        return value

    def choice(self, key: str, choices: tuple[str, ...], default: str) -> str:
        """Read one of a few words."""
        value = self.text(key, default)
        if value in choices:
            return value
        words = " or ".join(f'"{word}"' for word in choices)
        self.error(key, f'expected {words}, got "{value}"')
        return default

    def name(self, key: str) -> str | None:
        """Read a name; None if absent."""
        value = self.optional_text(key)
        if value is not None and not is_name(value):
            self.error(key, name_rule(value))
            return None
        return value

    def table(self, key: str) -> Table:
        """Read a table; an absent one is empty."""
        value = self._get(key, dict, required=False)
        return Table(self.at(key), value if isinstance(value, dict) else {}, self.errors)

    def raw(self, key: str) -> object | None:
        """Read a value of any type; None if absent."""
        self.known.append(key)
        return self.values.get(key)

    def named_tables(self, key: str, limit: int) -> Iterator[tuple[str, Table]]:
        """Read a table of tables that the file names itself, in the file's order.

        Args:
            key: the key of the outer table.
            limit: how many there may be.

        Yields:
            Each name with its table.
        """
        outer = self.table(key)
        if len(outer.values) > limit:
            self.error(key, f"{len(outer.values)} are listed, at most {limit} can be")
        for name in outer.values:
            if not is_name(name):
                outer.error(name, name_rule(name))
            yield name, outer.table(name)

    def finish(self) -> None:
        """Report every key that nobody asked for."""
        for key in self.values:
            if key not in self.known:
                self.error(key, f"unknown key; {did_you_mean(key, self.known)}")


def is_name(text: str) -> bool:
    """Tell whether a text can be a name."""
    return _NAME.match(text) is not None


def name_rule(text: str) -> str:
    """Say what a name is made of."""
    return (
        f'"{text}" is not a name; use 1 to {MAX_NAME_CHARS} letters a-z, digits, "_" or "-", '
        "and put the words for people into title"
    )
