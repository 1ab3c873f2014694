"""Tables of text for a terminal, which read well in Markdown too."""

from __future__ import annotations

from collections.abc import Sequence


def show(heading: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints a Markdown table whose columns are aligned."""
    lines = [list(map(str, heading)), *(list(map(str, row)) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heading))]
    lines.insert(1, ["-" * width for width in widths])
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print(f"| {' | '.join(cells)} |", flush=True)


def title(text: str) -> None:
    """Begins a part."""
    print(f"\n== {text}", flush=True)


def rate(mean_ns: float) -> str:
    """What a mean cost comes to in a second."""
    per_s = 1e9 / mean_ns
    return f"{per_s / 1e6:.2f} M" if per_s >= 1e6 else f"{per_s:,.0f}"


def ns(value: float) -> str:
    """A duration with as many digits as it deserves."""
    for limit, unit in ((1e3, "ns"), (1e6, "µs"), (1e9, "ms")):
        if value < limit:
            scaled = value / (limit / 1e3)
            return f"{scaled:.0f} {unit}" if scaled >= 100 or unit == "ns" else f"{scaled:.1f} {unit}"
    return f"{value / 1e9:.1f} s"
