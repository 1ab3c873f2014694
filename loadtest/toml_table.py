"""Reads scenario tables: typed, in range, unknown keys refused, every fault reported at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field

NUMBER = "a number"


@dataclass(slots=True)
class Section:
    """One TOML table; what is wrong goes to the shared list and the default takes its place."""

    path: str
    values: Mapping[str, object]
    errors: list[str]
    asked: set[str] = field(default_factory=set)

    def fault(self, key: str, text: str) -> None:
        """Keeps the fault of one key."""
        self.errors.append(f"{self.path}.{key}: {text}" if self.path else f"{key}: {text}")

    def _get(self, key: str) -> object | None:
        self.asked.add(key)
        return self.values.get(key)

    def number(self, key: str, low: float, high: float, default: float | None) -> float:
        """Reads a number between two bounds; without a default it must be there."""
        value = self._get(key)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            got = "nothing" if value is None else repr(value)
            self.fault(key, f"expected {NUMBER} {low:g}..{high:g}, got {got}")
            return low if default is None else default
        return value

    def integer(self, key: str, low: int, high: int, default: int | None) -> int:
        """Reads a whole number between two bounds."""
        value = self.number(key, low, high, default)
        if value != int(value):
            self.fault(key, f"expected a whole number, got {value!r}")
        return int(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """Reads true or false."""
        value = self._get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.fault(key, f"expected true or false, got {value!r}")
            return default
        return value

    def word(self, key: str, words: tuple[str, ...], default: str) -> str:
        """Reads one of a few words."""
        value = self._get(key)
        if value is None:
            return default
        if value not in words:
            self.fault(key, f"expected one of {', '.join(words)}, got {value!r}")
            return default
        return str(value)

    def text(self, key: str, default: str) -> str:
        """Reads a string."""
        value = self._get(key)
        if value is None:
            return default
        if not isinstance(value, str):
            self.fault(key, f"expected a string, got {value!r}")
            return default
        return value

    def table(self, key: str) -> "Section":
        """Reads a table; one that is not there is empty."""
        value = self._get(key)
        if value is not None and not isinstance(value, dict):
            self.fault(key, f"expected a table, got {value!r}")
        path = f"{self.path}.{key}" if self.path else key
        return Section(path, value if isinstance(value, dict) else {}, self.errors)

    def tables(self, key: str) -> dict[str, "Section"]:
        """Reads a table of named tables."""
        outer = self.table(key)
        return {name: outer.table(name) for name in outer.values}

    def list_of_tables(self, key: str) -> list["Section"]:
        """Reads an array of tables."""
        value = self._get(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.fault(key, "expected an array of tables")
            return []
        path = f"{self.path}.{key}" if self.path else key
        return [Section(f"{path}[{n}]", one, self.errors) for n, one in enumerate(value)]

    def counts(self, key: str, known: Mapping[str, object], high: int) -> dict[str, int]:
        """Reads a table of known name -> whole number from 1."""
        inner = self.table(key)
        result = {}
        for name in inner.values:
            if name not in known:
                inner.fault(name, f"not known; known are {', '.join(known) or 'none'}")
            result[name] = inner.integer(name, 1, high, None)
        return result

    def finish(self) -> None:
        """Reports the keys that nobody asked for."""
        for key in self.values:
            if key not in self.asked:
                self.fault(key, f"unknown key; known are {', '.join(sorted(self.asked))}")
