"""The process in which a site's own strategy runs: choices come by standard input, answers leave by output.

    python -m engine.strategy_worker package.module:name

One frame is a big-endian u32 length and MessagePack. Whatever the function prints goes to standard error.
The process ends with its standard input, even in the middle of a choice that never ends.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, BinaryIO, Final

import msgspec

from engine.strategies import Answer, Choice

LENGTH_BYTES: Final = 4
MAX_TEXT: Final = 500
"""Characters of an error that are passed on."""


def load(function: str) -> Callable[[Choice], Any]:
    """Return the function of a name like `package.module:name`.

    Raises:
        ValueError: there is no such function; the text says why.
    """
    module, _, name = function.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception as error:  # the module is the site's own, and may raise whatever it likes
        raise ValueError(f"{function}: {described(error)}") from error
    if not callable(found):
        raise ValueError(f"{function}: expected a function, got {type(found).__name__}")
    return found  # type: ignore[no-any-return]


def described(error: BaseException) -> str:
    """Say an error in one line."""
    return f"{type(error).__name__}: {error}"[:MAX_TEXT]


def answered(function: Callable[[Choice], Any], choice: Choice) -> Answer:
    """Ask the function; whatever it does becomes an answer."""
    try:
        agent = function(choice)
    except Exception as error:
        return Answer(choice.choice, fault="raised", text=described(error))
    if agent is not None and not isinstance(agent, str):
        return Answer(choice.choice, fault="nonsense", text=f"expected a name, got {type(agent).__name__}")
    return Answer(choice.choice, agent)


def main(function: str) -> None:
    """Answer choices until standard input ends."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing that is printed gets between the answers
    try:
        choose = load(function)
    except ValueError as error:
        _write(output, Answer(0, fault="import", text=str(error)))
        return
    _write(output, Answer(0))
    choices: SimpleQueue[Choice] = SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, choices), daemon=True).start()
    while True:
        _write(output, answered(choose, choices.get()))


def _write(output: BinaryIO, answer: Answer) -> None:
    body = msgspec.msgpack.encode(answer)
    output.write(len(body).to_bytes(LENGTH_BYTES, "big") + body)
    output.flush()


def _read(stdin: BinaryIO, choices: SimpleQueue[Choice]) -> None:
    decoder = msgspec.msgpack.Decoder(Choice)
    while head := stdin.read(LENGTH_BYTES):
        choices.put(decoder.decode(stdin.read(int.from_bytes(head, "big"))))
    os._exit(0)  # who asked is gone; the function may never return


if __name__ == "__main__":
    main(sys.argv[1])
