"""The statistics process on its own: ``python -m engine.stats --config bank.toml``."""

from __future__ import annotations

import argparse
import logging
import sys

from engine.config import load_site
from engine.errors import PaiduiError
from engine.stats.run import run


def main() -> int:
    """Run it.

    Returns:
        0 after an orderly stop; 1 if it could not start or go on.
    """
    parser = argparse.ArgumentParser(prog="python -m engine.stats", description=__doc__)
    parser.add_argument("--config", required=True, help="the site's TOML file")
    parser.add_argument("--child", action="store_true", help="end when standard input ends")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        run(load_site(options.config), child=options.child)
    except PaiduiError as error:
        print(f"statistics: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
