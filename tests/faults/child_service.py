"""The whole engine on a recorded disk: `python -m tests.faults.child_service FOLDER SEED CALLERS`.

So many callers at once bring contacts, 20 each, and abandon every third again. What each was answered
goes into the file `promises`, as in tests/faults/child.py. A keeper writes snapshots and seals segments
meanwhile; both follow each other closely.
"""

from __future__ import annotations

import sys
from contextlib import closing, suppress
from pathlib import Path

import trio

from engine.errors import NotDurable
from engine.journal import JournalError
from engine.keeper import Keeper, Plan
from engine.model import Abandon, Arrive
from engine.service import Service, open_service
from engine.testing.fixtures import SMALL_SITE, small_site
from tests.faults.child import PROMISES, STOPPED, Promises, turn_the_clock

CONTACTS_OF_A_CALLER = 20
OFTEN = SMALL_SITE.replace(
    "[journal]\nreserve_bytes = 0\n",
    "[journal]\nsnapshot_every = 10\nsegment_batches = 10\nreserve_bytes = 16384\n",
)


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
    site = small_site(folder, OFTEN)
    async with open_service(site) as service, trio.open_nursery() as keeping:
        keeping.start_soon(keep, site.data / "journal")
        async with trio.open_nursery() as nursery:
            for caller in range(callers):
                nursery.start_soon(call, service, promises, caller)
        keeping.cancel_scope.cancel()


async def keep(folder: Path) -> None:
    """Keep the journal as the keeper's process does."""
    with closing(Keeper(folder, Plan(snapshot_every=10, days=400, max_bytes=1 << 30))) as keeper:
        while True:
            with suppress(
                JournalError
            ):  # the disk fails under it, too; that is its own end, not the service's
                await trio.to_thread.run_sync(keeper.step)
            keeper.rest_until = 0.0
            await trio.sleep(0.001)


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
