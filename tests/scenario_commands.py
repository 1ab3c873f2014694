"""The commands of scenarios, from text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.oracle import commands as cmd
from tests.oracle.causes import ReleasedBy
from tests.oracle.config import QueueState
from tests.scenario_arguments import Arguments, requirement, to_us
from tests.scenario_config import parse_config


def _arrive(given: Arguments) -> cmd.Command:
    return cmd.Arrive(
        given.number("channel"),
        given.number("key").to_bytes(16),
        given.number("queue"),
        given.us("head_start_ms", "0"),
        given.number("weight", 1),
        *given.demand(),
        given.number("place", 0),
        given.us("not_before_ms", "0"),
        given.us("reply_by_ms", "0"),
    )


def _transfer(given: Arguments) -> cmd.Command:
    return cmd.Transfer(
        given.number("agent"),
        given.number("contact"),
        given.number("queue"),
        given.us("head_start_ms", "0"),
        *given.demand(),
    )


def _move(given: Arguments) -> cmd.Command:
    return cmd.Move(
        given.number("contact"),
        given.number("queue"),
        given.us("head_start_ms", "0"),
        requirement(given.text("requires", "-")),
        given.command_id(),
    )


def _own(given: Arguments) -> tuple[int, int]:
    return given.number("agent"), given.number("contact")


def _change(given: Arguments) -> cmd.Command:
    requires = given.text("requires", "keep")
    return cmd.Change(
        given.number("contact"),
        given.number("queue", 0),
        cmd.KEEP_HEAD_START_US if (ms := given.text("head_start_ms", "keep")) == "keep" else to_us(ms),
        None if requires == "keep" else requirement("-" if requires == "none" else requires),
        given.command_id(),
    )


def _hours(given: Arguments) -> cmd.Command:
    state = QueueState[given.text("state").upper()]
    return cmd.Hours(given.number("queue"), state, given.command_id())


def _release(given: Arguments) -> cmd.Command:
    by = ReleasedBy[given.text("by", "supervisor").upper()]
    return cmd.Release(given.number("contact"), given.command_id(), by)


def _sign_in(given: Arguments) -> cmd.Command:
    return cmd.SignIn(given.number("agent"), given.yes("ready", "yes"), given.command_id())


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
    "hold": lambda given: cmd.Hold(*_own(given)),
    "resume": lambda given: cmd.Resume(*_own(given)),
    "park": lambda given: cmd.Park(*_own(given)),
    "unpark": lambda given: cmd.Unpark(*_own(given)),
    "invite": lambda given: cmd.Invite(*_own(given), given.number("invitee"), given.command_id()),
    "leave": lambda given: cmd.Leave(*_own(given)),
    "take_over": lambda given: cmd.TakeOver(*_own(given), given.command_id()),
    "move": _move,
    "transfer_out": lambda given: cmd.TransferOut(*_own(given), given.number("target")),
    "hours": _hours,
    "choose": lambda given: cmd.Choose(given.number("choice"), given.number("agent")),
    "release": _release,
    "lease_lost": lambda given: cmd.LeaseLost(given.number("agent")),
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
