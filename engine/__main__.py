"""`python -m engine` is the `paidui` command."""

from engine.cli import main

raise SystemExit(main())
