"""A requirement as people write it: `mandarin >= 50 and not trainee >= 1 or english >= 80`.

`and` binds stronger than `or`; what `or` separates are the alternatives, and one of them has to hold.
`not english >= 80` means below 80; who lacks a skill has level 0 of it. There are no parentheses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from engine.requirements import MAX_ALTERNATIVES, MAX_NEEDS, Need, Requirement

_WORD = re.compile(r">=|[A-Za-z0-9][A-Za-z0-9_-]*|[<>=!]+|\S")
_NAME = re.compile(r"[A-Za-z0-9]")
_KEYWORDS: Final = ("and", "or", "not")


class RequirementError(ValueError):
    """The text is no requirement; the message says where and what is expected."""


def read_requirement(text: str) -> Requirement:
    """Read a requirement; an empty text asks nothing.

    Raises:
        RequirementError: it cannot be read. Whether skills exist and levels are 1..100 is not looked at.
    """
    words = _Words(text)
    alternatives: list[list[Need]] = []
    joined = "or"
    while words.left() or alternatives:
        need = words.need()
        if joined == "or":
            alternatives.append([])
        if any((one.skill, one.negated) == (need.skill, need.negated) for one in alternatives[-1]):
            raise RequirementError(f'"{need.skill}" is asked twice in one alternative; keep one of them')
        alternatives[-1].append(need)
        if not words.left():
            break
        joined = words.one_of("and", "or")
    if len(alternatives) > MAX_ALTERNATIVES:
        raise RequirementError(
            f"{len(alternatives)} alternatives are listed, at most {MAX_ALTERNATIVES} can be"
        )
    longest = max(map(len, alternatives), default=0)
    if longest > MAX_NEEDS:
        raise RequirementError(f"{longest} skills are asked in one alternative, at most {MAX_NEEDS} can be")
    return tuple(map(tuple, alternatives))


def alternatives_of(requires: str | Mapping[str, int] | None) -> Requirement:
    """Take a requirement as a text, or as skill -> lowest level, all of which must be met.

    Raises:
        RequirementError: the text cannot be read.
    """
    if isinstance(requires, str):
        return read_requirement(requires)
    return (tuple(Need(skill, False, level) for skill, level in requires.items()),) if requires else ()


def write_requirement(requirement: Requirement) -> str:
    """Return the text that `read_requirement` reads as this requirement."""
    return " or ".join(" and ".join(map(_write, needs)) for needs in requirement)


def _write(need: Need) -> str:
    return f"{'not ' if need.negated else ''}{need.skill} >= {need.level}"


class _Words:
    """The words of a text, one after the other."""

    def __init__(self, text: str) -> None:
        self._words = [(match.start() + 1, match.group()) for match in _WORD.finditer(text)]
        self._next = 0

    def left(self) -> bool:
        return self._next < len(self._words)

    def _peek(self) -> str:
        return self._words[self._next][1] if self.left() else ""

    def _take(self) -> str:
        self._next += 1
        return self._words[self._next - 1][1]

    def _fail(self, expected: str) -> RequirementError:
        if not self.left():
            return RequirementError(f"ends where {expected} is expected")
        at, word = self._words[self._next]
        hint = ""
        if word in "()":
            hint = '; there are no parentheses, write every alternative out and join them with "or"'
        elif expected == '">="':
            hint = '; for less than a level say "not skill >= level"'
        return RequirementError(f'expected {expected} at character {at}, got "{word}"{hint}')

    def need(self) -> Need:
        negated = self._peek() == "not"
        if negated:
            self._take()
        if not _NAME.match(self._peek()) or self._peek() in _KEYWORDS:
            raise self._fail("a skill")
        skill = self._take()
        if self._peek() != ">=":
            raise self._fail('">="')
        self._take()
        if not (self._peek().isascii() and self._peek().isdigit()):
            raise self._fail("a level 1..100")
        return Need(skill, negated, int(self._take()))

    def one_of(self, *words: str) -> str:
        if self._peek() not in words:
            raise self._fail(" or ".join(f'"{word}"' for word in words))
        return self._take()
