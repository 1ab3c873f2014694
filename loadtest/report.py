"""One run's report, as a structure that programs read and as text that people read."""

from collections.abc import Mapping
from typing import cast

from loadtest.ledger import FATES, Ledger
from loadtest.scenario import Scenario

LATENCIES = {
    "arrival_offer_idle": "arrival → offer, an agent was free",
    "arrival_offer": "arrival → offer, waiting included",
    "freed_offer": "freed → next offer, contacts waiting",
    "ack": "command → acknowledged (durable)",
    "late": "this client behind its own plan",
}
LATE_MS = 10.0
COLUMNS = ("p50_ms", "p99_ms", "p999_ms", "max_ms")
HEADINGS = ("p50", "p99", "p99.9", "max")

Report = dict[str, object]


def describe_mix(scenario: Scenario) -> Report:
    """Returns what was played: enough to play it again."""
    return {
        "scenario": scenario.name,
        "title": scenario.title,
        "seed": scenario.seed,
        "rate_per_s": scenario.arrivals.rate_per_s,
        "surges": [
            {"start_s": s.start_s, "duration_s": s.duration_s, "factor": s.factor, "every_s": s.every_s}
            for s in scenario.arrivals.surges
        ],
        "duration_s": scenario.duration_s,
        "warmup_s": scenario.warmup_s,
        "agents": scenario.agents,
        "channels": list(scenario.channels),
        "queues": list(scenario.queues),
        "talk_mean_s": round(scenario.handling.mean_us / 1e6, 4),
        "think_mean_s": scenario.manner.think_us / 1e6,
        "wrap_up_mean_s": scenario.manner.wrap_up_us / 1e6,
        "abandoning_share": scenario.patience.share,
        "patience_mean_s": scenario.patience.mean_us / 1e6,
        "decline_share": scenario.manner.decline_share,
        "miss_share": scenario.manner.miss_share,
    }


def describe_results(scenario: Scenario, ledger: Ledger) -> Report:
    """Returns what came of it: throughput, latencies and the books."""
    window_s = (ledger.until_us - ledger.from_us) / 1e6
    missing = ledger.missing()
    return {
        "window_s": window_s,
        "lifecycles": ledger.measured["lifecycles"],
        "lifecycles_per_s": float(f"{ledger.measured['lifecycles'] / window_s:.5g}"),
        "arrivals_per_s": float(f"{ledger.measured['arrivals'] / window_s:.5g}"),
        "latency": {name: getattr(ledger, name).summary_ms() for name in LATENCIES},
        "service": describe_service(ledger),
        "counts": dict(sorted(ledger.counts.items())),
        "refused": dict(sorted(ledger.refused.items())),
        "conservation": {
            "acknowledged": len(ledger.acknowledged),
            **ledger.fates(),
            "missing": len(missing),
            "missing_contacts": sorted(missing)[:20],
            "ended_twice": ledger.doubled,
            "holds": not missing and not ledger.doubled,
        },
    }


def describe_service(ledger: Ledger) -> Report:
    """Returns the centre's own figures over the contacts that arrived in the window."""
    arrived = ledger.measured["arrivals"]

    def share(count: int) -> float | None:
        return round(count / arrived, 4) if arrived else None

    return {
        "answered": ledger.answered.count,
        "wait_mean_ms": ledger.answered.summary_ms()["mean_ms"],
        "wait_p99_ms": ledger.answered.summary_ms()["p99_ms"],
        "wait_max_ms": ledger.answered.summary_ms()["max_ms"],
        "service_level_20s": share(ledger.answered_in_time),
        "abandoned_share": share(ledger.measured["abandoned"]),
        "blocked_share": share(ledger.measured["blocked"]),
    }


def render(report: Mapping[str, object]) -> str:
    """Writes a report as text."""
    mix, results = cast(Report, report["mix"]), cast(Report, report["results"])
    load = f"{mix['waiting']} always waiting" if "waiting" in mix else f"{mix['rate_per_s']:g} contacts/s"
    lines = [
        f"{mix['title']}",
        f"  {mix['scenario']}, seed {mix['seed']}: {mix['agents']} agents, {load}"
        f" for {mix['duration_s']:g} s after {mix['warmup_s']:g} s of warm-up;"
        f" talks of {mix['talk_mean_s']:g} s,"
        f" {cast(float, mix['abandoning_share']):.0%} of the customers would leave",
        *_machine_lines(report),
        "",
        f"  full lifecycles  {results['lifecycles_per_s']:g}/s  ({results['lifecycles']} in"
        f" {results['window_s']:g} s; arrivals {results['arrivals_per_s']:g}/s)",
        "",
        *_latency_lines(cast(Report, results["latency"])),
        "",
        *_book_lines(results),
        *_server_lines(report),
    ]
    return "\n".join(lines)


def _machine_lines(report: Mapping[str, object]) -> list[str]:
    machine = cast(Report | None, report.get("machine"))
    if machine is None:
        return []
    lines = [
        f"  {machine['processor']}, {machine['cores']} cores, {machine['memory_mib']} MiB,"
        f" {machine['system']}, load {machine['load_average']}"
    ]
    for name, when in (("fsync", "before"), ("fsync_after", "after")):
        fsync = cast(Report | None, report.get(name))
        if fsync is not None:
            p50, p99, longest = fsync["p50_ms"], fsync["p99_ms"], fsync["max_ms"]
            lines.append(f"  fsync of 4 KiB {when}: p50 {p50} ms, p99 {p99} ms, longest {longest} ms")
    late = cast(Report, cast(Report, cast(Report, report["results"])["latency"])["late"])["p99_ms"]
    if late is not None and cast(float, late) > LATE_MS:
        lines.append(
            f"  this program was {late} ms late itself (p99): the machine is short of processors,"
            " and the latencies are its own rather than the site's"
        )
    return lines


def _latency_lines(latency: Mapping[str, object]) -> list[str]:
    lines = ["  milliseconds".ljust(42) + "count".rjust(9) + "".join(h.rjust(11) for h in HEADINGS)]
    for name, words in LATENCIES.items():
        summary = cast(Report, latency[name])
        if summary["max_ms"] == 0:
            continue  # in virtual time commands take no time
        cells = "".join(("–" if summary[c] is None else f"{summary[c]:.2f}").rjust(11) for c in COLUMNS)
        lines.append(f"  {words}".ljust(42) + str(summary["count"]).rjust(9) + cells)
    return lines


def _book_lines(results: Mapping[str, object]) -> list[str]:
    books, service = cast(Report, results["conservation"]), cast(Report, results["service"])
    refused = cast(dict[str, int], results["refused"])
    level = service["service_level_20s"]
    ended = " + ".join(f"{books[fate]} {fate}" for fate in FATES)
    lines = [
        f"  service level    {'–' if level is None else f'{level:.1%}'} of arrivals answered within 20 s,"
        f" mean wait {service['wait_mean_ms']} ms, longest {service['wait_max_ms']} ms",
        f"  conservation     {books['acknowledged']} acknowledged = {ended}; {books['missing']} missing,"
        f" {books['ended_twice']} ended twice",
    ]
    if refused:
        lines.append("  refused          " + ", ".join(f"{count} {name}" for name, count in refused.items()))
    return lines


def _server_lines(report: Mapping[str, object]) -> list[str]:
    if "server" not in report:
        return []
    server = cast(Report | None, report["server"])
    if server is None:
        return ["  the site's SQL   did not answer: its books are not compared"]
    words = " + ".join(f"{server[fate]} {fate}" for fate in FATES)
    return [f"  the site's SQL   {server['arrived']} arrived = {words}; {server['missing']} missing"]
