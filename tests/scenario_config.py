"""The configurations of scenarios, from text."""

from __future__ import annotations

from collections.abc import Sequence

from tests.oracle.config import (
    QUEUE_WRAP_UP,
    AgentConfig,
    ChannelConfig,
    ChannelUnits,
    Config,
    Contract,
    DomainConfig,
    Goal,
    Lower,
    Order,
    Overflow,
    QueueConfig,
    RelaxStep,
    Strategy,
    When,
)
from tests.scenario_arguments import Arguments, requirement, to_us


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
        self.domains: list[DomainConfig] = []
        self.contracts: list[Contract] = []
        self.channels: list[ChannelConfig] = []
        self.skills: list[int] = []
        self.reasons: list[int] = []
        self.targets: list[int] = []
        self.queues: list[QueueConfig] = []
        self.agents: list[AgentConfig] = []

    def read(self, words: Sequence[str]) -> None:
        """Take one line in."""
        match words:
            case ["routing", *rest]:
                self.routing = Arguments(rest)
            case ["domain", number, *rest]:
                self.domains.append(_domain(int(number), Arguments(rest)))
            case ["contract", *rest]:
                self.contracts.append(_contract(Arguments(rest)))
            case ["channel", number, *rest]:
                self.channels.append(_channel(int(number), rest))
            case ["skill", *numbers]:
                self.skills += map(int, numbers)
            case ["reason", *numbers]:
                self.reasons += map(int, numbers)
            case ["target", *numbers]:
                self.targets += map(int, numbers)
            case ["queue", number, *rest]:
                self.queues.append(_queue(int(number), Arguments(rest)))
            case ["step", *rest]:
                self._step(Arguments(rest))
            case ["overflow", *rest]:
                self._overflow(Arguments(rest))
            case ["agent", number, *rest]:
                self.agents.append(_agent(int(number), rest))
            case [word] if word.startswith("hash="):
                self.hash = bytes.fromhex(word.removeprefix("hash="))
            case _:
                raise ValueError(f"not a line of a configuration: {' '.join(words)}")

    def _step(self, given: Arguments) -> None:
        number = given.number("queue")
        step = RelaxStep(
            given.us("after_ms", "0"),
            given.numbers("drop"),
            tuple(Lower(*pair) for pair in given.pairs("lower")),
            given.numbers("widen"),
            given.us("head_start_ms", "0"),
        )
        given.done()
        *_, place = (place for place, queue in enumerate(self.queues) if queue.id == number)
        self.queues[place] = self.queues[place]._replace(steps=(*self.queues[place].steps, step))

    def _overflow(self, given: Arguments) -> None:
        number, rule = given.number("queue"), _overflow(given)
        given.done()
        *_, place = (place for place, queue in enumerate(self.queues) if queue.id == number)
        queue = self.queues[place]
        self.queues[place] = queue._replace(overflow=(*queue.overflow, rule))

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
            given.us("reserve_after_ms", "0"),
            given.us("reply_margin_ms", "60000"),
            tuple(self.domains),
            tuple(self.channels),
            tuple(self.skills),
            tuple(self.reasons),
            tuple(self.targets),
            tuple(self.queues),
            tuple(self.agents),
            tuple(self.contracts),
            b"",
            self.hash.ljust(32, b"\0"),
        )
        given.done()
        return config


def _split(words: Sequence[str], *flags: str) -> tuple[set[str], Arguments]:
    """Return the words without a value, of which these are known, and the others."""
    bare = {word for word in words if "=" not in word}
    if not bare <= {*flags}:
        raise ValueError(f"unknown: {bare}")
    return bare, Arguments([word for word in words if "=" in word])


def _domain(number: int, given: Arguments) -> DomainConfig:
    domain = DomainConfig(number, given.number("share", 100))
    given.done()
    return domain


def _contract(given: Arguments) -> Contract:
    contract = Contract(given.number("queue"), given.number("domain"))
    given.done()
    return contract


def _channel(number: int, words: Sequence[str]) -> ChannelConfig:
    flags, given = _split(words, "exclusive", "instant", "interruptible")
    channel = ChannelConfig(
        number,
        "exclusive" in flags,
        "instant" in flags,
        given.us("connect_ms", "10000"),
        "interruptible" in flags,
        given.number("domain", 0),
    )
    given.done()
    return channel


def _queue(number: int, given: Arguments) -> QueueConfig:
    queue = QueueConfig(
        number,
        requirement(given.text("requires", "-")),
        given.number("rank", 0),
        given.limit("max"),
        given.us("offer_ms", "20000"),
        given.us("wrap_ms", "0"),
        Strategy[given.text("strategy", "longest_idle").upper()],
        given.number("priority", 5),
        given.us("service_level_ms", "20000"),
        given.number("ratio", 100),
        (),
        given.number("ring_limit", 50),
        expected_handle_us=given.us("handle_ms", "180000"),
        tier=given.number("tier", 2),
        max_in_hand=given.limit("in_hand"),
        announce_us=given.us("announce_ms", "0"),
        domain=given.number("domain", 0),
        fallback=Strategy[given.text("fallback", "longest_idle").upper()],
        choice_timeout_us=given.us("choice_ms", "200"),
    )
    given.done()
    return queue


def _overflow(given: Arguments) -> Overflow:
    when = When[given.text("when").upper()]
    match when:
        case When.WAIT | When.ESTIMATE:
            threshold = to_us(given.text("after_ms"))
        case When.SIZE:
            threshold = given.number("contacts")
        case When.NO_ANSWER:
            threshold = given.number("offers")
        case When.NO_AGENT | When.CLOSED:
            threshold = given.number("threshold", 0)
    target = given.number("target", 0)
    if target:
        return Overflow(when, threshold, Goal.TARGET, target)
    return Overflow(when, threshold, Goal.QUEUE, given.number("to"))


def _agent(number: int, words: Sequence[str]) -> AgentConfig:
    flags, given = _split(words, "auto_accept", "stealth")
    capacity = tuple(ChannelUnits(*pair) for pair in given.pairs("capacity"))
    share, wrap_ms = given.number("share", 100), given.text("wrap_ms", "-")
    agent = AgentConfig(
        number,
        given.levels("skills"),
        capacity,
        share,
        "stealth" in flags,
        "auto_accept" in flags,
        QUEUE_WRAP_UP if wrap_ms == "-" else to_us(wrap_ms),
        given.number("domain", 0),
    )
    given.done()
    return agent
