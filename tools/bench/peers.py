"""What others do, as measured on another day: printed beside ours, never mixed with them."""

from __future__ import annotations

from tools.bench.table import show, title

SOURCE = """\
Measured elsewhere, not in this run: FreeSWITCH 1.11.1 mod_callcenter and Asterisk 22.10.1 app_queue,
built from source, one machine of 2 shared cores and 24 GiB (Debian 12, November 2026), no SIP and no
media (loopback legs), databases in memory, logging off, talks of 100 ms so that the distributor is what
is measured. One to three runs a cell; Asterisk's saturation varied up to 2.5 times, FreeSWITCH's about
20 %. They carry call legs; a flood of this engine carries sockets, a durable journal and statistics,
and no legs: not the same work. With talks of 180 s, half a second until the next offer costs 0.3 % of
an agent's time, and 10 contacts/s is no limit of a real centre."""

ROWS = (
    ("an agent is idle → offered, p50 / p99 ms, 100 agents", "44 / 100", "0.1 / 0.6"),
    ("the same, 2,000 agents", "55 / 105", "1.5 / 5.3"),
    (
        "freed while contacts wait → next offer, p50 / p99 ms, 100 agents",
        "717 / 967 (153 / 296)",
        "440 / 1,011",
    ),
    (
        "highest arrival rate kept up with, 1,000 agents",
        "150/s; collapses at 200/s",
        "300/s; collapses at 400/s",
    ),
    ("its SQL alone, contacts/s on one core, 1,000 agents", "421", "–"),
    ("memory per waiting contact", "0.33 MiB", "0.10 MiB"),
    ("at overload", "no shedding, collapse", "no shedding, collapse"),
)

PUBLISHED = """\
Published by others, measured by nobody here: exchange-core 5 M operations/s, p99 42 µs (matching of
orders, Java); LMAX 6 M/s on one thread; Twilio TaskRouter: at most 15,000 workers (7,500 at once) and
500,000 waiting; Cisco's reference designs: up to 48,000 agents. (153 / 296: with mod_callcenter's one-
second rule defeated.)"""


def run(quick: bool) -> None:
    """Prints the peers' figures; `quick` changes nothing."""
    del quick
    title("peers, MEASURED ELSEWHERE")
    print(SOURCE, flush=True)
    show(["what", "FreeSWITCH mod_callcenter", "Asterisk app_queue"], ROWS)
    print(PUBLISHED, flush=True)
