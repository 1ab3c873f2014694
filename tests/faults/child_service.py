"""The whole engine on a recorded disk: `python -m tests.faults.child_service FOLDER SEED CALLERS`.

So many callers at once bring contacts, 20 each, and abandon every third again. What each was answered
goes into the file `promises`, as in tests/faults/child.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

import trio

from engine.errors import NotDurable
from engine.model import Abandon, Arrive
from engine.service import Service, open_service
from engine.testing.fixtures import small_site
from tests.faults.child import PROMISES, STOPPED, Promises, turn_the_clock

CONTACTS_OF_A_CALLER = 20


async def call(service: Service, promises: Promises, caller: int) -> None:
    """Bring contacts, one after the other; others do so at the same time, so batches hold several."""
    channel, queue = service.names.id("channel", "chat"), service.names.id("queue", "loans")
    for number in range(CONTACTS_OF_A_CALLER):
        key = (caller * 1_000 + number + 1).to_bytes(16, "big")
        contact = await service.command(Arrive(channel=channel, key=key, queue=queue))
        promises.note("arrived", contact)
        if number % 3 == 0:
            await service.command(Abandon(contact=contact, channel=channel))
            promises.note("abandoned", contact)


async def serve(folder: Path, callers: int) -> None:
    """Serve until every caller is done."""
    promises = Promises(folder / PROMISES)
    async with open_service(small_site(folder)) as service, trio.open_nursery() as nursery:
        for caller in range(callers):
            nursery.start_soon(call, service, promises, caller)


def main() -> int:
    """Serve, and say on standard error why it could not go on."""
    turn_the_clock(int(sys.argv[2]))
    code = 0  # `except*` may not return
    code = 0
    try:
        trio.run(serve, Path(sys.argv[1]), int(sys.argv[3]))
    except* NotDurable as errors:
        sys.stderr.write("".join(f"{error}\n" for error in errors.exceptions))
        code = STOPPED
    return code


if __name__ == "__main__":
    sys.exit(main())
