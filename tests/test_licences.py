"""Every dependency's licence fits Apache-2.0: permissive, or weak copyleft that is only linked or run."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FITS = re.compile(
    r"apache|\bmit\b|bsd|\bisc\b|mpl|mozilla|python software foundation|psf|unlicense|zlib|cc0|"
    r"unicode|0bsd|blueoak|any-osi|public domain|cc-by-4\.0",
    re.IGNORECASE,
)
# Weak copyleft: an optional dependency, which an operator asks for by name and which is in no wheel of ours.
ONLY_LINKED = {"psycopg": "LGPL-3.0-only", "psycopg-binary": "LGPL-3.0-only"}
# Read by hand where the metadata is silent; package -> what its own licence file says.
READ_BY_HAND: dict[str, str] = {}


def python_packages() -> list[str]:
    """The names in the run-time lock: what a user of the wheel installs."""
    lock = (ROOT / "requirements-dev.lock").read_text("utf-8")
    return re.findall(r"^([a-zA-Z0-9_.-]+)==", lock, re.MULTILINE)


def licence_of(package: str) -> str | None:
    """What an installed distribution says of its licence, or None when this platform lacks it."""
    try:
        about = metadata.metadata(package)
    except metadata.PackageNotFoundError:
        return None
    classifiers = [text for text in about.get_all("Classifier") or [] if text.startswith("License")]
    short = (about.get("License") or "")[:80]
    return " ".join(
        [about.get("License-Expression") or "", short, *classifiers, READ_BY_HAND.get(package, "")]
    )


def test_python_licences_fit() -> None:
    found = {name: licence for name in python_packages() if (licence := licence_of(name)) is not None}
    assert len(found) > 20, "the lock's packages are not installed here"
    unfit = {name: licence for name, licence in found.items() if not FITS.search(licence)}
    linked = {name: licence.strip() for name, licence in unfit.items() if name in ONLY_LINKED}
    assert linked == ONLY_LINKED
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    assert not [one for one in needed if re.match(r"[\w-]+", one)[0] in ONLY_LINKED], "make it an extra"
    assert unfit.keys() == linked.keys(), f"read these licences: {unfit}"


def test_rust_licences_fit() -> None:
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--offline"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    packages = json.loads(shown)["packages"]
    unfit = {
        package["name"]: package["license"]
        for package in packages
        if not FITS.search(package["license"] or "")
    }
    assert packages
    assert not unfit, f"read these licences: {unfit}"


def test_npm_licences_fit() -> None:
    lock = json.loads((ROOT / "console/web/package-lock.json").read_text("utf-8"))
    packages = {name: about for name, about in lock["packages"].items() if name}
    unfit = {
        name: about.get("license")
        for name, about in packages.items()
        if not FITS.search(about.get("license", ""))
    }
    assert packages
    assert not unfit, f"read these licences: {unfit}"
