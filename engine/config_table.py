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

    def texts(self, key: str) -> Iterator[tuple[str, str]]:
        """Read an array of strings that are not empty; an absent one has none.

        Yields:
            Each string with the key of its own errors, ``holidays[2]``.
        """
        value = self._get(key, list, required=False)
        for index, text in enumerate(value if isinstance(value, list) else []):
            at = f"{key}[{index}]"
            if not isinstance(text, str):
                self.error(at, f"expected a string, got {type_word(text)}")
            elif not text.strip():
                self.error(at, "is empty; say something or leave it out")
            else:
                yield at, text

    def words(self, key: str) -> tuple[str, ...]:
        """Read one string or an array of them; none if absent."""
        if isinstance(self.values.get(key), list):
            return tuple(text for _, text in self.texts(key))
        text = self.optional_text(key)
        return () if text is None else (text,)

    def table(self, key: str) -> Table:
        """Read a table; an absent one is empty."""
        value = self._get(key, dict, required=False)
        return Table(self.at(key), value if isinstance(value, dict) else {}, self.errors)

    def numbers(self, key: str, kind: str, known: Mapping[str, object], high: int) -> dict[str, int]:
        """Read name = number, 1 to ``high``, where the names are known ones of a kind."""
        inner = self.table(key)
        numbers: dict[str, int] = {}
        for name in inner.values:
            number = inner.optional_integer(name, 1, high)
            if name not in known:
                inner.error(name, f'no {kind} "{name}"; {did_you_mean(name, known)}')
            elif number is not None:
                numbers[name] = number
        return numbers

    def names(
        self, key: str, kind: str | None = None, known: Mapping[str, object] | None = None
    ) -> tuple[str, ...]:
        """Read an array of strings, each once; with ``known`` they are names of a kind."""
        value = self._get(key, list, required=False)
        words: dict[str, None] = {}
        for place, word in enumerate(value if isinstance(value, list) else []):
            at = f"{key}[{place}]"
            if not isinstance(word, str):
                self.error(at, f"expected a string, got {type_word(word)}")
            elif word in words:
                self.error(at, f'"{word}" is listed twice')
            elif known is not None and word not in known:
                self.error(at, f'no {kind} "{word}"; {did_you_mean(word, known)}')
            else:
                words[word] = None
        return tuple(words)

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

    def tables(self, key: str, limit: int) -> Iterator[Table]:
        """Read an array of tables, `[[key]]` in the file; an absent one is empty.

        Args:
            key: the array's key.
            limit: how many there may be.

        Yields:
            Each table; errors call it ``key[0]``, ``key[1]``...
        """
        value = self._get(key, list, required=False)
        rows = value if isinstance(value, list) else []
        if len(rows) > limit:
            self.error(key, f"{len(rows)} are listed, at most {limit} can be")
        for index, row in enumerate(rows):
            at = f"{key}[{index}]"
            if isinstance(row, dict):
                yield Table(self.at(at), row, self.errors)
            else:
                self.error(at, f"expected a table, got {type_word(row)}")

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
