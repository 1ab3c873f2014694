"""The console's interface over HTTP and WebSocket: one file per resource, each a blueprint."""

from __future__ import annotations
