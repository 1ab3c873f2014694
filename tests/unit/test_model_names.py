"""Names get numbers once, keep them, and survive the journal."""

from __future__ import annotations

import msgpack
import pytest

from engine.errors import Malformed
from engine.names import Names, UnknownName


def some() -> Names:
    names = Names()
    for name in ("cards", "loans"):
        names.assign("queue", name)
    names.assign("agent", "cards")
    return names


def test_numbers_count_from_one_in_each_kind() -> None:
    names = some()
    assert [names.id("queue", "cards"), names.id("queue", "loans"), names.id("agent", "cards")] == [1, 2, 1]
    assert names.assign("queue", "cards") == 1, "again"
    assert names.name("queue", 2) == "loans"
    assert names.name("queue", 0) == "", "none"
    assert names.of("queue") == {"cards": 1, "loans": 2}


def test_only_assign_gives_numbers() -> None:
    names = some()
    before = names.encode()
    with pytest.raises(UnknownName, match="no queue 'card'"):
        names.id("queue", "card")
    with pytest.raises(UnknownName, match="no queue 3"):
        names.name("queue", 3)
    with pytest.raises(UnknownName, match="no kind 'team'"):
        names.assign("team", "x")
    assert names.encode() == before


def test_a_renamed_thing_keeps_its_number_and_frees_its_name() -> None:
    names = some()
    names.rename("queue", "cards", "plastic")
    names.rename("queue", "cards", "plastic")
    assert (names.id("queue", "plastic"), names.name("queue", 1)) == (1, "plastic")
    assert names.assign("queue", "cards") == 3, "a new thing with the old name"
    names.rename("queue", "cards", "plastic")
    assert names.id("queue", "cards") == 3, "the new name is taken: nothing happens"
    names.rename("queue", "nobody", "new")
    with pytest.raises(UnknownName):
        names.id("queue", "new")


def test_they_survive_the_journal() -> None:
    names = some()
    names.rename("queue", "loans", "credit")
    read = Names.decode(names.encode())
    assert read == names
    assert read.assign("queue", "loans") == 3
    assert msgpack.unpackb(names.encode()) == names.as_dict()
    assert Names.decode(b"") == Names()


def test_order_of_assignment_does_not_show_in_the_bytes() -> None:
    one, other = Names(), Names()
    one.assign("queue", "b")
    one.assign("agent", "a")
    other.assign("agent", "a")
    other.assign("queue", "b")
    assert one.encode() == other.encode()


def test_a_copy_goes_its_own_way() -> None:
    names = some()
    names.copy().assign("queue", "third")
    assert names.of("queue") == {"cards": 1, "loans": 2}


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {"queue": {"a": "1"}},
        {"team": {"a": 1}},
        {"queue": {"a": 0}},
        {"queue": {"a": 1, "b": 1}},
        {"queue": {"a": 2**32}},
    ],
)
def test_other_bytes_are_refused(wrong: object) -> None:
    with pytest.raises(Malformed, match="names"):
        Names.decode(msgpack.packb(wrong))
