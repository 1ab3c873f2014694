"""The recording library is built once for all tests of this folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.faults.disk import compiled


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled disk.c."""
    if shutil.which("cc") is None:
        reason = (
            "no C compiler: what a disk does cannot be recorded (Debian: `apt-get install gcc libc6-dev`)"
        )
        if os.environ.get("STRICT") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return compiled(tmp_path_factory.mktemp("library"))
