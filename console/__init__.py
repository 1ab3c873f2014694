"""The console: the pages where agents and supervisors work, and the interface behind them."""

from __future__ import annotations

from console.app import create_console

__all__ = ["create_console"]
