"""The wheel has everything, and a site opens from it that has never seen this checkout."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from engine.store.migrate import FOLDER
from tests.e2e.serve_process import ROOT, Serve
from tools.setup import pack

STEPS = sorted((FOLDER / "versions").glob("r*.py"))
PACKAGES = ("engine", "channels", "console", "loadtest")
pytestmark = pytest.mark.slow  # a wheel is built, and a site started from it


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `make wheel` builds it."""
    folder = tmp_path_factory.mktemp("dist")
    pack(folder)
    (wheel,) = folder.iterdir()
    return wheel


def test_what_is_in_it(wheel: Path) -> None:
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *PACKAGES]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True)
    sources = {name for name in listed.stdout.split() if not name.startswith("console/web/")}
    pages = {str(path.relative_to(ROOT)) for path in (ROOT / "console/static").rglob("*") if path.is_file()}
    assert pages, "the console is not built: make build"
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name and not name.endswith("/")}
    (core,) = (name for name in names if name.startswith("engine/_router.") and name.endswith(".so"))
    assert names == sources | pages | {core}
    assert {str(path.relative_to(ROOT)) for path in STEPS} <= names


async def test_a_site_opens_from_it(wheel: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-index", "--no-deps", "--target", str(installed), str(wheel)], check=True)
    # The checkout is the working folder of the process, which Python shall not look into.
    site = Serve(tmp_path, {"PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"})
    async with site.running():
        assert f" {installed}/engine/_router" in Path(f"/proc/{site.process.pid}/maps").read_text("utf-8")
        assert '<div id="app">' in (await site.ask("/")).text
        assert (await site.ask("/chat/")).status_code == 200
        site.tell(signal.SIGTERM)
        assert await site.end() == 0, site.log()
    with closing(sqlite3.connect(site.site.data / "store.sqlite")) as store:
        (newest,) = store.execute("SELECT version_num FROM alembic_version").fetchall()[0]
    assert f'revision = "{newest}"' in STEPS[-1].read_text("utf-8")
