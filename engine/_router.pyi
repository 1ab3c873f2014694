"""The Rust core behind Python: bytes and plain numbers cross, nothing is decided here.

Only engine/router.py imports it. A panic inside (a broken invariant) arrives as
pyo3_runtime.PanicException, a BaseException: the router is unusable from then on and the process
has to end; the journal brings it back.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, final

from engine.router_rows import ColumnRows

__all__ = [
    "CODES",
    "KINDS",
    "MAX_CONFIGURE_BYTES",
    "MAX_FRAME_BYTES",
    "Batch",
    "DecodeError",
    "Fanout",
    "Figures",
    "FloodStopped",
    "History",
    "Intake",
    "Router",
    "flood",
    "recode",
    "simulate",
]

class DecodeError(ValueError):
    """Bytes that are no message of a known kind and version; the text names kind and field."""

class FloodStopped(Exception):
    """The site went away, refused a connection or broke the protocol; the text says which."""

CODES: list[tuple[int, str]]
"""Every code of a refusal, with its name."""
KINDS: list[tuple[int, str, list[str]]]
"""Every kind of command and event: number, name, fields in order (without kind and version)."""
MAX_FRAME_BYTES: int
MAX_CONFIGURE_BYTES: int

@final
class Router:
    """One router. One thread uses it at a time: a second one gets RuntimeError."""

    def __new__(cls) -> Router: ...
    @property
    def now(self) -> int:
        """The router's clock, Unix microseconds; 0 before the first command."""

    @property
    def next_contact(self) -> int:
        """The number that the next arrival gets."""

    def apply(self, at: int, body: bytes) -> tuple[int, int, bytes]:
        """One command -> (code, value, event frames); code 0 = accepted, else value = detail."""

    def apply_batch(self, seq: int, at: int, parts: Sequence[tuple[int, int, bytes]]) -> Batch:
        """A committed batch: parts of (source, first_request_no, scanned command frames).

        No command at all advances the clock. Undecodable frames panic: they were scanned before
        they were journaled. The GIL is released when the parts are big.
        """

    def advance(self, at: int) -> bytes:
        """Fires every deadline up to `at`; the event frames."""

    def next_deadline(self) -> int | None: ...
    def check(self) -> None:
        """Panics when an invariant is broken."""

    def state_hash(self) -> int: ...
    def snapshot(self) -> bytes: ...
    @staticmethod
    def restore(snapshot: bytes) -> Router:
        """A router from a snapshot; ValueError when the bytes are none."""

    def names(self) -> bytes:
        """What `configure` carried as names; empty before it."""

    def config_hash(self) -> bytes:
        """The 32 bytes that `configure` carried as hash; empty before it."""

    def config(self) -> bytes:
        """The configuration in force as a `configure` body; empty before it."""

    def overview(
        self,
    ) -> tuple[
        list[tuple[int, int, int, int]],
        list[tuple[int, int, int, bool, bool, int, int, int, int, int, int]],
        tuple[int, int, int, int, int],
    ]:
        """(queue, waiting, oldest|0)s, agents, live contacts by state.

        An agent: (agent, presence 0 signed out 1 not ready 2 ready, reason, signing_out, locked,
        offers, connecting, engaged, wrap_ups, idle_since, joined). The states: (waiting, offered,
        connecting, engaged, scheduled).
        """

    def hours(self, queue: int) -> int | None:
        """0 open, 1 closing, 2 closed; None = no such queue."""

    def position(self, contact: int) -> int | None:
        """Contacts that stand before it in its queue; None unless it waits."""

    def estimate(self, contact: int) -> tuple[int, int, int, int, int] | None:
        """(position, ahead, mean_us, p50_us, p90_us); None unless it waits and can be served."""

    def desk(
        self, agent: int
    ) -> (
        tuple[
            int,
            int,
            bool,
            bool,
            int,
            int,
            list[tuple[int, int, int, int, int, int]],
            list[tuple[int, int, int, int, int, int, bool, bool, list[int]]],
            list[tuple[int, int, int]],
            list[tuple[int, int, int, int, int, int]],
            list[tuple[int, int, int, int, int, int]],
        ]
        | None
    ):
        """(presence, reason, signing_out, locked, misses, idle_since, five lists of what is in hand).

        An offer: (offer, contact, channel, queue, deadline, enqueued_at). A contact: (contact,
        channel, queue, state 2 connecting 3 engaged, deadline|0, arrived_at, on_hold, parked,
        participants). A wrap-up: (contact, channel, deadline). An invitation: (offer, contact,
        channel, queue, who serves it, deadline). A joined contact: (contact, channel, queue, who
        serves it, joined_at, arrived_at). None = no such agent.
        """

    def contact(self, contact: int) -> tuple[int, int, int, int, int, int, bool, bool, list[int]] | None:
        """(channel, queue, state 0..4, agent|0, arrived_at, enqueued_at, on_hold, parked, participants).

        State 4, scheduled: it does not wait before `enqueued_at`. None = not live.
        """

    def invited(self, contact: int) -> list[tuple[int, int, int]]:
        """(invitation, agent, deadline) of who has been asked to join a contact and has not answered."""

    def channel_contacts(self, channel: int) -> list[tuple[int, int, int, bytes]]:
        """(contact, state 0..4, agent|0, arrival key) of a channel's live contacts, by contact."""

    def ended(self, contact: int) -> tuple[int, int, int, int, int, bool] | None:
        """(channel, outcome, last_agent|0, ended_at, enqueued_at, place_used).

        Outcome 0 served, 1 abandoned, 2 blocked, 3 withdrawn, 4 overflowed.
        """

    def explain(
        self, contact: int, agent: int
    ) -> (
        tuple[
            bool,
            list[tuple[str, bool, int, int, int, int]],
            tuple[int, int, int, int, int, int, int],
            int,
            list[tuple[int, int, int, int, int, int, int]],
            int,
            int,
            int,
            list[int],
        ]
        | None
    ):
        """(eligible, checks, key, candidates, best, agents_ahead, rivals, contacts_ahead, ahead).

        A check: (predicate, holds, subject, has, needs, held). A key: (agent, level, strategy,
        number, idle_since, position). None = the contact is not remembered, or no such agent.
        """

    def before_offer(self, at: int, frames: bytes, offer: int) -> Router | None:
        """A copy in the state in which an offer of the batch (`at`, `frames`) was chosen.

        None = the batch makes no such offer.
        """

@final
class Batch:
    """What an applied batch brought about."""

    @property
    def seq(self) -> int: ...
    @property
    def at(self) -> int: ...
    @property
    def count(self) -> int:
        """Commands."""

    @property
    def events_count(self) -> int: ...
    @property
    def events(self) -> bytes:
        """All events as frames, in order."""

    def results(self) -> list[tuple[int, int]]:
        """(code, value) per command; code 0 = accepted, else value = detail."""

    def acks(self) -> list[tuple[int, bytes]]:
        """(source, one ack frame) per source, in the order of the parts."""

    def deliver(self, fanout: Fanout) -> tuple[list[tuple[int, bytes]], list[tuple[int, bytes]]]:
        """(acks, frames): acks of sources that no subscriber answers for, as `acks` has them.

        Frames are (subscriber, its ack frame and its events frame, one after the other), by subscriber.
        """

    def route(self, fanout: Fanout) -> list[tuple[int, bytes]]:
        """(subscriber, one events frame) for everybody whom an event concerns, by subscriber."""

@final
class Fanout:
    """Who wants which events."""

    def __new__(cls) -> Fanout: ...
    def subscribe_channel(self, subscriber: int, channel: int) -> None: ...
    def attach_agents(self, subscriber: int, agents: Sequence[int]) -> None: ...
    def detach_agents(self, subscriber: int, agents: Sequence[int]) -> None: ...
    def subscribe_all(self, subscriber: int) -> None: ...
    def answer(self, subscriber: int, source: int) -> None:
        """A source's acks go to this subscriber from now on, ahead of the same batch's events."""

    def unsubscribe(self, subscriber: int) -> None:
        """Forgets everything of a subscriber."""

    def route_blob(self, subscriber: int, seq: int, at: int, events: bytes) -> bytes | None:
        """The events frame of one batch for one subscriber (resume); None = nothing concerns it."""

@final
class Figures:
    """Events by kind, refusals by code, waits by queue, of all batches that were counted."""

    def __new__(cls, marks_us: Sequence[tuple[int, Sequence[int]]]) -> Figures:
        """(queue, rising marks in µs) of every queue whose waits are counted."""

    def count(self, router: Router, batch: Batch) -> None:
        """Counts a batch that has just been applied to `router`."""

    def events(self) -> list[tuple[int, int]]:
        """(kind, how many) of the kinds that have happened; of `overflowed` those that went outside."""

    def refusals(self) -> list[tuple[int, int]]:
        """(code, how many) of the refusals that have happened."""

    def waits(self) -> list[tuple[int, list[int], int]]:
        """(queue, counts per mark and one above the last, sum in µs) of waits until engaged."""

@final
class History:
    """The rows of the statistics, from a journal's events; `engine/stats/schema.sql` has their columns.

    The same events give the same rows, however often and wherever they are taken in between. Rows are
    (how many, columns in the table's order); a column is (bits of a value: 64, 32, 16, 1, or 0 for
    UTF-8 text; which rows have one, a bit each, None = all; the values; int32s: where each text begins
    and the last ends), laid out as Arrow has them. No row, no columns.
    """

    def __new__(cls) -> History: ...
    @property
    def arrived(self) -> int:
        """How many contacts have ever arrived, counted on its own for the conservation law."""

    def begin_with(self, first_contact: int) -> None:
        """Leaves out whole every contact before this one: the journal does not reach back to them."""

    def apply(self, seq: int, frames: bytes) -> None:
        """The event frames of one batch, in their order; DecodeError when they are none."""

    def configured(self, agents: Sequence[int], queues: Sequence[int], at: int) -> None:
        """All agents and queues of a new configuration, after the events of its batch, which was at `at`."""

    def pending(self) -> int:
        """How many rows the next write has."""

    def stored(self, table: str, keys: Sequence[int]) -> None:
        """The keys of the live rows that the database has of a table."""

    def changes(self, table: str) -> tuple[list[int], ColumnRows, ColumnRows]:
        """(keys that are not live any more, live rows that have changed, rows that are final)."""

    def written(self) -> None:
        """The database has all of it."""

    def discard(self) -> None:
        """Forgets what has changed: the database had it before."""

@final
class Intake:
    """One connection's reader: splits, decodes, numbers and checks the scope of its frames."""

    def __new__(
        cls, kind: Literal["plugin", "edge", "admin", "follower"], channel: int | None = None
    ) -> Intake: ...
    def limit_head_starts(self, limits: Sequence[tuple[int, int]]) -> None:
        """Refuses longer head starts, us, to these queues; in the place of earlier limits."""

    def check_attaches(self) -> None:
        """From now on an edge's `attach` frames attach nobody; the caller does, with `attach`.

        `feed` stops behind each, and goes on with the next piece, which may be empty.
        """

    def attach(self, agents: Sequence[int]) -> None: ...
    def detach(self, agents: Sequence[int]) -> None: ...
    def feed(
        self, data: bytes
    ) -> tuple[
        list[tuple[int, bytes, int]],
        list[tuple[int | None, str, str]],
        list[bytes],
        str | None,
    ]:
        """(runs, refusals, control, fatal).

        A run: (first_request_no, command frames, count), numbers without a gap. A refusal:
        (request_no|None, "malformed"|"not_allowed", text). Control: the bodies of kind >= 128; an
        edge's attach and detach have taken effect on the frames behind them. Fatal: the stream
        cannot be read any further; what stands before it counts.
        """

def recode(body: bytes) -> bytes:
    """Decodes a command or event body and encodes it again; for tests and tools."""

def simulate(
    config: bytes,
    arrive_us: Sequence[int],
    queue: Sequence[int],
    service_us: Sequence[int],
    patience_us: Sequence[int],
    head_start_us: Sequence[int],
    channel: Sequence[int],
    weight: Sequence[int],
    duty_agent: Sequence[int],
    duty_sign_in_us: Sequence[int],
    duty_sign_out_us: Sequence[int],
    reached_talk_us: int,
    requires: Sequence[Sequence[tuple[int, int]]] | None = None,
) -> tuple[bytes, bytes, bytes, dict[str, int]]:
    """A day in virtual time: (outcome u8, wait_us u64, agent u32 per contact, metrics).

    `config` is a `configure` body. Columns are lists or buffers of int64; -1 = no service time
    (then `reached_talk_us`), endless patience, no sign-out. The columns that come back are in the
    machine's own byte order. Outcomes: 0 served 1 abandoned 2 blocked 3 unserved.
    """

def flood(
    address: str,
    plugins: Sequence[tuple[bytes, int]],
    edges: Sequence[bytes],
    agents: Sequence[tuple[int, bool]],
    queues: Sequence[tuple[int, bool]],
    plan: Sequence[Sequence[int]],
    *,
    saturation: tuple[int, int] | None,
    wrap_up_us: int,
    salt: bytes,
    window_us: tuple[int, int],
    drain_us: int,
    watch: Callable[[tuple[int, int, int, int, int, int | None]], object],
) -> dict[str, Any]:
    """A flood over real sockets, played to its end without the GIL; the books.

    `address` is IP:port or the path of a Unix socket. `plugins`: what a connection begins with
    (a hello frame) and its channel's number; `edges`: hello and attach of at most 16 connections,
    agent `i` has edge `i % len(edges)`; `agents`: number, holds one contact at a time; `queues`:
    number, has a wrap-up. `plan`: five columns, as in `simulate`, of who comes: at_us, position of
    plugin, position of queue, head_start_us, talk_us. `saturation`: None = each at its time; else
    (contacts that always wait, arrivals at most), the plan in rotation. What is meant for
    `window_us` is measured. `watch` is called four times a second with (at_us, arrivals,
    lifecycles, live, unanswered, p99 of freed -> offer in us or None).

    Latencies come as (counts by bucket of loadtest.histogram, sum, largest) in microseconds.
    """
