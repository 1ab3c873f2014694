"""The documents hold together: links lead somewhere, both languages have the same chapters."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


def documents() -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [ROOT / name for name in names if (ROOT / name).exists()]


def anchors(path: Path) -> set[str]:
    """The anchors that a heading gets on the usual hosts."""
    headings = re.findall(r"^#+\s+(.*)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    prose = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    broken = []
    for link in (first or second for first, second in LINK.findall(prose)):
        if re.match(r"https?:|mailto:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert not broken, f"dead links: {broken}"


def test_both_languages_have_the_same_chapters() -> None:
    english = {path.name for path in (ROOT / "docs/en").glob("*.md")}
    chinese = {path.name for path in (ROOT / "docs/zh").glob("*.md")}
    assert english
    assert english == chinese


def test_every_adr_has_the_three_parts() -> None:
    for path in sorted((ROOT / "docs/adr").glob("[0-9]*.md")):
        text = path.read_text("utf-8")
        for part in ("## Context", "## Decision", "## Consequences"):
            assert part in text, f"{path.name} lacks {part}"
