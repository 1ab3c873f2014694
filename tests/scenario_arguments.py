"""The words of scenarios: `k=v` pairs, and what stands in them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.oracle.config import NO_LIMIT, Demand, Need, Requirement, SkillLevel, SkillWeight


class Arguments:
    """The `k=v` words of a line; every one must be asked for."""

    def __init__(self, words: Sequence[str]) -> None:
        self._values = dict(word.split("=", 1) for word in words)

    def text(self, name: str, default: str | None = None) -> str:
        """Return an argument; without a default it must be there."""
        if name not in self._values and default is not None:
            return default
        return self._values.pop(name)

    def number(self, name: str, default: int | None = None) -> int:
        """Return a decimal or 0xhex number."""
        return int(self.text(name, None if default is None else str(default)), 0)

    def us(self, name: str, default: str) -> int:
        """Return milliseconds as microseconds."""
        return to_us(self.text(name, default))

    def limit(self, name: str) -> int:
        """Return a number, or no limit for `-`."""
        text = self.text(name, "-")
        return NO_LIMIT if text == "-" else int(text)

    def pairs(self, name: str) -> list[tuple[int, int]]:
        """Return `1:50,2:1` as pairs."""
        return pairs(self.text(name, ""))

    def numbers(self, name: str) -> tuple[int, ...]:
        """Return `4,5` as numbers."""
        text = self.text(name, "-")
        return () if text == "-" else tuple(map(int, text.split(",")))

    def demand(self) -> Demand:
        """Return what a contact asks for."""
        return Demand(
            requirement(self.text("requires", "-")),
            tuple(SkillWeight(*pair) for pair in self.pairs("prefers")),
            self.numbers("preferred"),
            self.us("preferred_wait_ms", "0"),
            self.numbers("excludes"),
            self.yes("beyond", "no"),
        )

    def yes(self, name: str, default: str) -> bool:
        """Return yes or no as a bool."""
        return {"yes": True, "no": False}[self.text(name, default)]

    def levels(self, name: str) -> tuple[SkillLevel, ...]:
        """Return `1:50,2:1` as skills with levels."""
        return levels(self.text(name, ""))

    def command_id(self) -> bytes | None:
        """Return the command id, if there is one."""
        return self.number("id").to_bytes(16) if "id" in self._values else None

    def done(self) -> None:
        """Refuse what nobody asked for."""
        if self._values:
            raise ValueError(f"unknown: {', '.join(self._values)}")


def to_us(text: str) -> int:
    """Return milliseconds with up to three decimals as microseconds."""
    whole, _, decimals = text.partition(".")
    if len(decimals) > 3:
        raise ValueError(f"{text}: at most three decimals")
    return int(whole) * 1000 + int(decimals.ljust(3, "0"))


def pairs(text: str) -> list[tuple[int, int]]:
    """Return `1:50,2:1` as pairs; nothing, or `-`, is none."""
    entries = [entry.split(":") for entry in text.split(",")] if text not in {"", "-"} else []
    return [(int(first), int(second)) for first, second in entries]


def levels(text: str) -> tuple[SkillLevel, ...]:
    """Return `1:50,2:1` as skills with levels."""
    return tuple(SkillLevel(*pair) for pair in pairs(text))


def requirement(text: str) -> Requirement:
    """Return `1:50,!2:30|3:10` as alternatives of needs; nothing, or `-`, is none."""
    if text in {"", "-"}:
        return ()
    return tuple(
        tuple(_need(entry) for entry in needs.split(",") if entry != "-") for needs in text.split("|")
    )


def _need(text: str) -> Need:
    skill, level = text.removeprefix("!").split(":")
    return Need(int(skill), int(level), text.startswith("!"))
