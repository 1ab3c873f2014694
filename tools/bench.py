"""The figures of docs/benchmarks.md, in one run: `make bench`, `make bench ARGS="--only core --quick"`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.bench.run import main  # the package beside this file

if __name__ == "__main__":
    raise SystemExit(main())
