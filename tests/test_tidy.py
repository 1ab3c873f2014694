"""House rules that a machine can check; each ban names its replacement."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES = 400
FUNCTION_LINES = 70
# The binding's own tests may look at it directly.
TESTS_OF_THE_BINDING = {str(path.relative_to(ROOT)) for path in (ROOT / "tests/unit").glob("test_*.py")}


def tracked(*endings: str) -> list[Path]:
    """Every file that git knows, or would, with one of the endings."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    return [ROOT / name for name in listed if name.endswith(endings) and (ROOT / name).exists()]


def test_files_are_read_in_one_sitting() -> None:
    sources = tracked(".py", ".rs", ".ts", ".vue", ".css", ".js")
    long = {
        str(path.relative_to(ROOT)): lines
        for path in sources
        if (lines := path.read_text("utf-8").count("\n")) > FILE_LINES
    }
    assert not long, f"over {FILE_LINES} lines; cut along ideas: {long}"


def python_functions() -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in tracked(".py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node


def test_functions_fit_on_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name} ({node.end_lineno - node.lineno + 1})"
        for path, node in python_functions()
        if node.end_lineno and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]
    assert not long, f"over {FUNCTION_LINES} lines; name the steps: {long}"


BANS = [
    # (where, pattern, what to do instead)
    (("engine", "channels", "console"), r"\bimport asyncio\b", "trio: one async library in the house"),
    (
        ("engine", "channels", "console"),
        r"\bprint\(",
        "structlog, or the command line's own output in engine/cli",
    ),
    (
        ("engine", "channels", "console", "loadtest"),
        r"\bdatetime\.now\(|\butcnow\(",
        "engine.clock: time is an argument",
    ),
    (("crates/router_core/src",), r"\bHashMap\b|\bHashSet\b", "BTreeMap, Vec: iteration order is a decision"),
    (
        ("crates/router_core/src",),
        r"\bInstant\b|\bSystemTime\b|\bf32\b|\bf64\b",
        "Micros as an argument; integers",
    ),
    (("crates/router_core/src", "engine/model.py"), r"\bTODO\b|\bFIXME\b", "do it, or say why not in an ADR"),
    (("console/web/src", "channels/webchat"), r"v-html|innerHTML", "text is rendered as text"),
]
MAY_PRINT = re.compile(r"engine/(cli/|stats/client|testing/)")


@pytest.mark.parametrize(("where", "pattern", "instead"), BANS, ids=[ban[2] for ban in BANS])
def test_banned_words_have_a_replacement(where: tuple[str, ...], pattern: str, instead: str) -> None:
    hits = []
    for path in tracked(".py", ".rs", ".ts", ".vue", ".js"):
        name = str(path.relative_to(ROOT))
        if not name.startswith(where) or ("print" in pattern and MAY_PRINT.search(name)):
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            code = line.split("//")[0] if path.suffix != ".py" else line.split("#")[0]
            if re.search(pattern, code):
                hits.append(f"{name}:{number}")
    assert not hits, f"use {instead}: {hits}"


# The glossary's banned words, as whole identifiers of the row's own concept (semantics 38).
BANNED_IDENTIFIERS = r"\b(ticket_id|call_id|task_id|interaction|operator_id|worker_id|reservation|spill)\b"


def test_the_core_speaks_the_glossary() -> None:
    hits = []
    for path in [*tracked(".rs"), *(ROOT / "engine/messages").glob("*.py"), ROOT / "engine/stats/schema.sql"]:
        if "router_core/src" in str(path) or path.suffix in {".py", ".sql"}:
            hits += [
                f"{path.name}: {word}" for word in re.findall(BANNED_IDENTIFIERS, path.read_text("utf-8"))
            ]
    assert not hits, f"GLOSSARY.md has the words to use: {hits}"


def test_lock_files_record_no_address() -> None:
    for name in ("requirements.lock", "requirements-dev.lock", "console/web/package-lock.json"):
        text = (ROOT / name).read_text("utf-8")
        addresses = re.findall(
            r"https?://(?!(?:opencollective|github|www\.patreon|tidelift)\b)[^\s\"]+", text
        )
        own = [
            address
            for address in addresses
            if "registry" in address or "pythonhosted" in address or "pypi" in address
        ]
        assert not own, f"{name} records download addresses: {own[:3]}"
        assert '"resolved"' not in text, f"{name} records where a package came from"


def test_every_locked_package_has_a_hash() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text("utf-8")
        for entry in re.split(r"\n(?=[a-zA-Z0-9])", text):
            if re.match(r"^[a-zA-Z0-9_.-]+==", entry):
                assert "--hash=sha256:" in entry, f"{name}: {entry.splitlines()[0]} has no hash"


def test_nothing_speaks_of_this_machine() -> None:
    words = r"/work/|/root/\.|\bpyenv\b|contract\.md"
    here = Path(__file__).resolve()
    hits = [
        str(path.relative_to(ROOT))
        for path in tracked(".py", ".rs", ".ts", ".vue", ".md", ".toml", ".sql", ".json", ".txt", "Makefile")
        if path != here and re.search(words, path.read_text("utf-8", errors="replace"))
    ]
    assert not hits, f"the repository speaks of the project alone: {hits}"


def test_the_router_facade_alone_imports_the_extension() -> None:
    importers = set()
    for path in tracked(".py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names] + [node.module]
            if any(name.startswith("engine._router") for name in names):
                importers.add(str(path.relative_to(ROOT)))
    assert importers - TESTS_OF_THE_BINDING <= {"engine/router.py"}, "import engine.router instead"
