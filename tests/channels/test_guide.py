"""The plugin guide's own channel passes the kit, away from this repository's tests and settings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from engine.testing.channel_kit import RULES

ROOT = Path(__file__).resolve().parents[2]
GUIDES = {
    language: (ROOT / f"docs/{language}/plugin-guide.md").read_text("utf-8") for language in ("en", "zh")
}


def files(guide: str) -> dict[str, str]:
    """The guide's files, by the name in their first line."""
    return dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", guide, re.DOTALL))


@pytest.mark.slow  # a test run of its own, with a site for each check
def test_the_guides_channel_is_right(tmp_path: Path) -> None:
    for name, text in files(GUIDES["en"]).items():
        (tmp_path / name).write_text(text)
    (tmp_path / "pytest.ini").write_text("[pytest]\ntrio_mode = true\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3_000:]
    assert "1 passed" in done.stdout


def test_both_guides_show_the_same_channel() -> None:
    assert set(files(GUIDES["en"])) == {"pigeon_channel.py", "test_pigeon.py"}
    assert files(GUIDES["en"]) == files(GUIDES["zh"])


@pytest.mark.parametrize("language", GUIDES)
def test_every_rule_stands_in_the_guide(language: str) -> None:
    assert re.findall(r"^\| `(\w+)` \|", GUIDES[language], re.MULTILINE) == list(RULES)


def test_the_guide_says_what_the_kit_says() -> None:
    for rule in RULES.values():
        assert f"| `{rule.name}` | {rule.text} | {rule.hint} |" in GUIDES["en"]
