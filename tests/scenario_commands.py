"""The commands of scenarios, from text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.oracle import commands as cmd
from tests.oracle.config import (
    NO_LIMIT,
    AgentConfig,
    ChannelConfig,
    ChannelUnits,
    Config,
    Order,
    QueueConfig,
    SkillLevel,
    Strategy,
)


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


def _arrive(given: Arguments) -> cmd.Command:
    return cmd.Arrive(
        given.number("channel"),
        given.number("key").to_bytes(16),
        given.number("queue"),
        given.us("head_start_ms", "0"),
        given.number("weight", 1),
        given.levels("requires"),
    )


def _transfer(given: Arguments) -> cmd.Command:
    return cmd.Transfer(
        given.number("agent"),
        given.number("contact"),
        given.number("queue"),
        given.us("head_start_ms", "0"),
        given.levels("requires"),
    )


def _change(given: Arguments) -> cmd.Command:
    requires = given.text("requires", "keep")
    return cmd.Change(
        given.number("contact"),
        given.number("queue", 0),
        cmd.KEEP_HEAD_START_US if (ms := given.text("head_start_ms", "keep")) == "keep" else to_us(ms),
        None if requires == "keep" else levels("-" if requires == "none" else requires),
        given.command_id(),
    )


def _sign_in(given: Arguments) -> cmd.Command:
    ready = {"yes": True, "no": False}[given.text("ready", "yes")]
    return cmd.SignIn(given.number("agent"), ready, given.command_id())


VERBS: dict[str, Callable[[Arguments], cmd.Command]] = {
    "restarted": lambda _: cmd.Restarted(),
    "arrive": _arrive,
    "abandon": lambda given: cmd.Abandon(given.number("channel"), given.number("contact")),
    "connected": lambda given: cmd.Connected(given.number("channel"), given.number("contact")),
    "connect_failed": lambda given: cmd.ConnectFailed(given.number("channel"), given.number("contact")),
    "sign_in": _sign_in,
    "sign_out": lambda given: cmd.SignOut(given.number("agent"), given.command_id()),
    "ready": lambda given: cmd.Ready(given.number("agent"), given.command_id()),
    "not_ready": lambda given: cmd.NotReady(
        given.number("agent"), given.number("reason", 0), given.command_id()
    ),
    "unlock": lambda given: cmd.Unlock(given.number("agent"), given.command_id()),
    "accept": lambda given: cmd.Accept(given.number("agent"), given.number("offer")),
    "decline": lambda given: cmd.Decline(
        given.number("agent"), given.number("offer"), given.number("reason", 0)
    ),
    "end": lambda given: cmd.End(given.number("agent"), given.number("contact")),
    "end_wrap_up": lambda given: cmd.EndWrapUp(given.number("agent"), given.number("contact")),
    "transfer": _transfer,
    "change": _change,
    "release": lambda given: cmd.Release(given.number("contact"), given.command_id()),
}


def parse_command(words: Sequence[str], below: Sequence[str]) -> cmd.Command:
    """Return the command of a line's words and of the indented lines below it.

    Raises:
        ValueError: The line has something that is not understood.
        KeyError: The verb is unknown, or an argument is missing.
    """
    if words[0] == "configure":
        return cmd.Configure(parse_config(below))
    given = Arguments(words[1:])
    command = VERBS[words[0]](given)
    given.done()
    return command


def parse_config(lines: Sequence[str]) -> Config:
    """Return the configuration that the lines below `configure` say."""
    parts = _Parts()
    for line in lines:
        parts.read(line.split())
    return parts.config()


class _Parts:
    """A configuration that is being read."""

    def __init__(self) -> None:
        self.routing = Arguments(())
        self.hash = b""
        self.channels: list[ChannelConfig] = []
        self.skills: list[int] = []
        self.reasons: list[int] = []
        self.queues: list[QueueConfig] = []
        self.agents: list[AgentConfig] = []

    def read(self, words: Sequence[str]) -> None:
        """Take one line in."""
        match words:
            case ["routing", *rest]:
                self.routing = Arguments(rest)
            case ["channel", number, *rest]:
                self.channels.append(_channel(int(number), rest))
            case ["skill", *numbers]:
                self.skills += map(int, numbers)
            case ["reason", *numbers]:
                self.reasons += map(int, numbers)
            case ["queue", number, *rest]:
                self.queues.append(_queue(int(number), Arguments(rest)))
            case ["agent", number, *rest]:
                self.agents.append(_agent(int(number), Arguments(rest)))
            case [word] if word.startswith("hash="):
                self.hash = bytes.fromhex(word.removeprefix("hash="))
            case _:
                raise ValueError(f"not a line of a configuration: {' '.join(words)}")

    def config(self) -> Config:
        """Return the whole."""
        given = self.routing
        config = Config(
            Order[given.text("order", "longest").upper()],
            given.number("miss_limit", 3),
            given.us("retry_after_ms", "5000"),
            given.limit("max_waiting"),
            given.us("key_retention_ms", "604800000"),
            given.us("memory_ms", "600000"),
            given.number("seed", 0),
            tuple(self.channels),
            tuple(self.skills),
            tuple(self.reasons),
            tuple(self.queues),
            tuple(self.agents),
            b"",
            self.hash.ljust(32, b"\0"),
        )
        given.done()
        return config


def _channel(number: int, words: Sequence[str]) -> ChannelConfig:
    flags = {word for word in words if "=" not in word}
    given = Arguments([word for word in words if "=" in word])
    channel = ChannelConfig(number, "exclusive" in flags, "instant" in flags, given.us("connect_ms", "10000"))
    given.done()
    if not flags <= {"exclusive", "instant"}:
        raise ValueError(f"unknown: {flags}")
    return channel


def _queue(number: int, given: Arguments) -> QueueConfig:
    queue = QueueConfig(
        number,
        given.levels("requires"),
        given.number("rank", 0),
        given.limit("max"),
        given.us("offer_ms", "20000"),
        given.us("wrap_ms", "0"),
        Strategy[given.text("strategy", "longest_idle").upper()],
    )
    given.done()
    return queue


def _agent(number: int, given: Arguments) -> AgentConfig:
    capacity = tuple(ChannelUnits(*pair) for pair in given.pairs("capacity"))
    agent = AgentConfig(number, given.levels("skills"), capacity, given.number("share", 100))
    given.done()
    return agent
