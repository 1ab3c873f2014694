"""The numbers of names: each agent, queue, skill, channel and reason gets one when it first appears."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from engine.errors import Malformed, PaiduiError

Kind: TypeAlias = Literal["agent", "domain", "queue", "skill", "channel", "reason", "target"]
KINDS: Final[tuple[Kind, ...]] = ("agent", "channel", "domain", "queue", "reason", "skill", "target")
_MAX_NUMBER: Final = 0xFFFF_FFFF

# Sorted keys: the same names are the same bytes, whatever order they were given in.
_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(dict[str, dict[str, int]])


class UnknownName(PaiduiError, LookupError):
    """Nothing of this kind has this name, or this number."""

    def __init__(self, kind: str, sought: str | int) -> None:
        super().__init__(f"no {kind} {sought!r}")
        self.kind = kind
        self.sought = sought


class Names:
    """The map kind -> name -> number, as `configure` journals it.

    Numbers count from 1 in each kind and are never used again: a name that leaves the configuration
    keeps its number, so that the past stays readable and the name can come back.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {kind: {} for kind in KINDS}
        self._names: dict[str, dict[int, str]] = {kind: {} for kind in KINDS}
        self._last: dict[str, int] = dict.fromkeys(KINDS, 0)

    def assign(self, kind: Kind | str, name: str) -> int:
        """The number of a name; it gets one if it has none."""
        numbers = self._of(kind)
        number = numbers.get(name)
        if number is None:
            number = self._last[kind] + 1
            self._enter(kind, name, number)
        return number

    def id(self, kind: Kind | str, name: str) -> int:
        """The number of a name.

        Raises:
            UnknownName: it has none; only `assign` gives numbers, or a typing error would get one.
        """
        try:
            return self._of(kind)[name]
        except KeyError:
            raise UnknownName(kind, name) from None

    def name(self, kind: Kind | str, number: int) -> str:
        """The name of a number; "" for 0, which stands for "nobody" and "none".

        Raises:
            UnknownName: no name has this number.
        """
        if number == 0:
            return ""
        self._of(kind)
        try:
            return self._names[kind][number]
        except KeyError:
            raise UnknownName(kind, number) from None

    def rename(self, kind: Kind | str, was: str, name: str) -> None:
        """Gives `name` the number of `was`, which is free from then on.

        Nothing happens when `name` has a number or `was` has none: `was` may stay in the file.
        """
        numbers = self._of(kind)
        if name not in numbers and was in numbers:
            self._enter(kind, name, numbers.pop(was))

    def of(self, kind: Kind | str) -> dict[str, int]:
        """Every name of a kind with its number; a copy."""
        return dict(self._of(kind))

    def as_dict(self) -> dict[str, dict[str, int]]:
        """The map kind -> name -> number; a copy."""
        return {kind: dict(numbers) for kind, numbers in self._numbers.items()}

    def copy(self) -> Names:
        """The same names, to go on with."""
        return self._from(self._numbers)

    def encode(self) -> bytes:
        """The map as MessagePack: the field `names` of `configure`."""
        return _encoder.encode(self._numbers)

    @classmethod
    def decode(cls, encoded: bytes) -> Names:
        """The names that `encode` wrote; none for no bytes (before the first `configure`).

        Raises:
            Malformed: the bytes are no such map.
        """
        if not encoded:
            return cls()
        try:
            numbers = _decoder.decode(encoded)
        except msgspec.DecodeError as error:
            raise Malformed(f"names: {error}") from error
        return cls._from(numbers)

    @classmethod
    def _from(cls, numbers: dict[str, dict[str, int]]) -> Names:
        names = cls()
        for kind, of_kind in numbers.items():
            for name, number in of_kind.items():
                names._enter(kind, name, number)
        return names

    def _of(self, kind: str) -> dict[str, int]:
        if kind not in self._numbers:
            raise UnknownName("kind", kind)
        return self._numbers[kind]

    def _enter(self, kind: str, name: str, number: int) -> None:
        if kind not in self._numbers:
            raise Malformed(f"names: no kind {kind!r}")
        if not 1 <= number <= _MAX_NUMBER:
            raise Malformed(f"names.{kind}.{name}: expected 1..{_MAX_NUMBER}, got {number}")
        if self._names[kind].get(number, name) != name and self._names[kind][number] in self._numbers[kind]:
            raise Malformed(f"names.{kind}.{name}: number {number} is taken")
        self._numbers[kind][name] = number
        self._names[kind][number] = name
        self._last[kind] = max(self._last[kind], number)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Names) and self._numbers == other._numbers

    def __hash__(self) -> int:
        return hash(self.encode())
