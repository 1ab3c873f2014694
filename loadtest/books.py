"""The server's own books, by SQL, to hold against the load tester's."""

import time

from engine.stats.client import AskError, ask
from loadtest.link import Address

CATCH_UP_S = 60
POLL_S = 0.25
LIVE = ("waiting", "offered", "connecting", "engaged")


def ask_server(stats: Address, token: str, arrived: int) -> dict[str, int] | None:
    """Asks the statistics for the conservation law's row, once it has caught up.

    Args:
        stats: the statistics endpoint.
        token: an analyst's.
        arrived: how many contacts it must have seen.

    Returns:
        Contacts by state, `arrived` and `missing`; `None` if the statistics do not answer.
    """
    until_s = time.monotonic() + CATCH_UP_S
    row: dict[str, int] | None = None
    while time.monotonic() < until_s:
        try:
            table = ask(f"http://{stats.host}:{stats.port}", token, "FROM conservation")
        except AskError:
            time.sleep(POLL_S)
            continue
        row = dict(zip(table.columns, table.rows[0], strict=True))
        if row["arrived"] >= arrived and not any(row[state] for state in LIVE):
            break
        time.sleep(POLL_S)
    return row
