"""Recorded traffic: a call log goes in, and what the router would have done with it comes out.

The formats are those of two public references: whole seconds and the words AGENT, HANG, UNSERVED
(a bank's week), or whole milliseconds and the letters S, A, B (traces). The column names say which.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from loadtest.errors import InputError
from loadtest.table import Row, Table

SERVED, ABANDONED, BLOCKED, UNSERVED = range(4)
WORDS = {1_000_000: ("AGENT", "HANG", "BLOCKED", "UNSERVED"), 1_000: ("S", "A", "B", "U")}
NOBODY = {1_000_000: "", 1_000: "-1"}
LEVEL_PREFIX = "level_type"
BEST_LEVEL = 100
MAX_KINDS = 10_000
MAX_US = 4_000_000_000 * 1_000_000  # Unix seconds up to the year 2096; sums stay far below 2^63


@dataclass(frozen=True, slots=True)
class RecordedContact:
    """One line of the call log; times in microseconds, `None` for an empty cell."""

    row: int
    arrive_us: int
    kind: str
    service_us: int | None
    patience_us: int | None
    head_start_us: int


@dataclass(frozen=True, slots=True)
class RecordedDuty:
    """One interval in which an agent is signed in."""

    agent: str
    sign_in_us: int
    sign_out_us: int | None


@dataclass(slots=True)
class RecordedDay:
    """What one fresh router sees."""

    contacts: list[RecordedContact] = field(default_factory=list)
    duty: list[RecordedDuty] = field(default_factory=list)


@dataclass(slots=True)
class Recording:
    """A whole call log, read and checked."""

    unit_us: int
    sequence: list[str]
    days: dict[str, RecordedDay]
    levels: dict[str, dict[str, int]]
    kinds: list[str]


@dataclass(frozen=True, slots=True)
class Rules:
    """What the flags of `paidui simulate` say about the router."""

    by_level: bool = False
    room: int | None = None
    wrap_up_us: int = 0
    reached_talk_us: int = 120_000_000
    head_start_us: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one contact."""

    outcome: int
    wait_us: int
    agent: str | None


def read_recording(contacts: Path, agents: Path | None, skills: Path | int, rules: Rules) -> Recording:
    """Reads the files of a recording.

    Args:
        contacts: the call log.
        agents: duty intervals; without them everybody is signed in from the start.
        skills: the file of who can do what, or how many equal agents there are.
        rules: head starts are applied while reading.

    Raises:
        InputError: names file, line and column.
    """
    recording = _read_contacts(contacts, rules)
    if isinstance(skills, int):
        recording.levels = {str(n): dict.fromkeys(recording.kinds, BEST_LEVEL) for n in range(skills)}
    else:
        recording.levels = read_levels(skills)
    if agents is None:
        for day in recording.days.values():
            day.duty = [RecordedDuty(agent, 0, None) for agent in recording.levels]
    else:
        _read_duty(agents, recording)
    return recording


def _read_contacts(path: Path, rules: Rules) -> Recording:
    table = Table(path, ("seq", "type"))
    arrive, unit_us = table.time_column("arrive")
    service, service_unit_us = table.time_column("service")
    patience, patience_unit_us = table.time_column("patience")
    if rules.head_start_us and "priority" not in table.columns:
        raise InputError(f"{path}:1: column priority: missing, and --head-start goes by it")
    recording = Recording(unit_us, [], {}, {}, [])
    seen: set[str] = set()
    kinds: dict[str, None] = {}
    for index, row in enumerate(table.rows()):
        seq = row.required("seq")
        if seq in seen:
            raise row.fault("seq", f"{seq} stands in this file twice")
        seen.add(seq)
        recording.sequence.append(seq)
        kind = row.required("type")
        kinds[kind] = None
        if len(kinds) > MAX_KINDS:
            raise row.fault("type", f"more than {MAX_KINDS} types")
        head_start_us = rules.head_start_us.get(row.integer("priority"), 0) if rules.head_start_us else 0
        contact = RecordedContact(
            index,
            row.integer(arrive, 0, MAX_US // unit_us) * unit_us,
            kind,
            _duration_us(row, service, service_unit_us, endless=False),
            _duration_us(row, patience, patience_unit_us, endless=True),
            head_start_us,
        )
        recording.days.setdefault(row.text("day"), RecordedDay()).contacts.append(contact)
    recording.kinds = list(kinds)
    for day in recording.days.values():
        day.contacts.sort(key=lambda contact: contact.arrive_us)  # stable: equal times keep the file's order
    return recording


def _duration_us(row: Row, column: str, unit_us: int, *, endless: bool) -> int | None:
    """Reads a duration; empty means "not known", and -1 means endless where that makes sense."""
    text = row.text(column)
    if not text or (endless and text == "-1"):
        return None
    return row.integer(column, 0, MAX_US // unit_us) * unit_us


def read_levels(path: Path) -> dict[str, dict[str, int]]:
    """Reads who can do what: agent -> type -> level 1..100, 100 best, in the file's order.

    Two forms: a column `types` (joined by ``+``, all at the best level), or one column
    `level_typeX` per type X with 1 = best and 0 = not at all.
    """
    table = Table(path, ("agent",))
    graded = [name for name in table.columns if name.startswith(LEVEL_PREFIX)]
    if not graded and "types" not in table.columns:
        raise InputError(f"{path}:1: column types: missing, and so is every {LEVEL_PREFIX}...")
    levels: dict[str, dict[str, int]] = {}
    for row in table.rows():
        agent = row.required("agent")
        if agent in levels:
            raise row.fault("agent", f"{agent} stands in this file twice")
        if graded:
            ranks = {name.removeprefix(LEVEL_PREFIX): row.integer(name, 0, BEST_LEVEL) for name in graded}
            levels[agent] = {kind: BEST_LEVEL + 1 - rank for kind, rank in ranks.items() if rank}
        else:
            kinds = row.required("types").split("+")
            if not all(kinds):
                raise row.fault("types", f"expected names joined by +, got {row.text('types')!r}")
            levels[agent] = dict.fromkeys(kinds, BEST_LEVEL)
    if not levels:
        raise InputError(f"{path}: expected at least one agent, got none")
    return levels


def _read_duty(path: Path, recording: Recording) -> None:
    table = Table(path, ("agent",))
    sign_in, in_unit_us = table.time_column("login")
    sign_out, out_unit_us = table.time_column("logout")
    dated = set(recording.days) != {""}
    if dated and "day" not in table.columns:
        raise InputError(f"{path}:1: column day: missing, and the contacts have one")
    for row in table.rows():
        agent = row.required("agent")
        if agent not in recording.levels:
            raise row.fault("agent", f"{agent} is not in the skills")
        starts_us = row.integer(sign_in, 0, MAX_US // in_unit_us) * in_unit_us
        ends_us = _duration_us(row, sign_out, out_unit_us, endless=True)
        if ends_us is not None and ends_us < starts_us:
            raise row.fault(sign_out, f"{row.text(sign_out)} lies before {sign_in} {row.text(sign_in)}")
        day = recording.days.get(row.text("day") if dated else "")
        if day is not None:
            day.duty.append(RecordedDuty(agent, starts_us, ends_us))


PlayDay = Callable[[Recording, RecordedDay, Rules], Iterable[Fate]]


def play(recording: Recording, rules: Rules, play_day: PlayDay) -> list[Fate]:
    """Plays every day on a fresh router; the fates stand in the order of the call log."""
    fates = [Fate(UNSERVED, 0, None)] * len(recording.sequence)
    for day in recording.days.values():
        for contact, fate in zip(day.contacts, play_day(recording, day, rules), strict=True):
            fates[contact.row] = fate
    return fates


def format_fates(recording: Recording, fates: list[Fate]) -> str:
    """Writes `seq,outcome,wait,agent` in the words and the unit of the input."""
    words, nobody = WORDS[recording.unit_us], NOBODY[recording.unit_us]
    lines = ["seq,outcome,wait,agent"]
    for seq, fate in zip(recording.sequence, fates, strict=True):
        agent = nobody if fate.agent is None else fate.agent
        lines.append(f"{seq},{words[fate.outcome]},{fate.wait_us // recording.unit_us},{agent}")
    return "\n".join(lines) + "\n"
