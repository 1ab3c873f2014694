"""Erasure: nothing of a customer is left, in the store's rows, in its files, and of both on the disk.

The journal, the statistics and the audit log never held anything but numbers and keyed hashes. Left to others
are backups, until they expire, and the blocks that the file system has freed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import trio

from engine.attachments import Attachments
from engine.store import Store, StoreBusy, StoreError
from engine.store.erasing import Erased

TRIES: Final = 5


async def erase_customers(
    store: Store, attachments: Attachments, customer_ids: Sequence[int], by: str
) -> Erased:
    """Erase customers: all of them, or none.

    Args:
        store: where they are.
        attachments: where their files are.
        customer_ids: their numbers; those who were merged into them go, too.
        by: who wants it, for the audit log.

    Returns:
        What was erased.

    Raises:
        NoSuchCustomer: one of them is not there.
        CustomerConflict: one was merged into another, or has a contact that has not ended.
        StoreError: the rows are gone, but not yet from the disk; `forget_erased` goes on with it.
    """
    erased = await store.erase(customer_ids, by)
    with trio.CancelScope(shield=True):
        await attachments.sweep(erased.files)
        await forget_erased(store)
    return erased


async def forget_erased(store: Store) -> None:
    """Leave nothing of what was erased on the disk.

    Raises:
        StoreError: others have kept the store to themselves for too long; nothing is lost, do it again.
    """
    for attempt in range(TRIES):
        try:
            await store.forget()
        except (StoreError, StoreBusy):
            if attempt == TRIES - 1:
                raise
            await trio.sleep(1)
        else:
            return
