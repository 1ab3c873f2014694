"""`/`: the built page and its files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import trio
from quart import Blueprint, send_from_directory
from quart import Response as Reply
from quart_trio.wrappers import TrioResponse as Response
from werkzeug.security import safe_join

from console.problems import Problem

YEAR_S: Final = 365 * 24 * 3600
INDEX: Final = "index.html"

NOT_BUILT: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Paidui</title>
<h1>The page has not been built</h1>
<p>The engine is running. Build its page with <code>make build</code>, then reload.</p>
<p lang="zh">引擎正在运行。请先执行 <code>make build</code> 构建页面，然后刷新。</p>
</html>
"""


def pages_api(static: Path) -> Blueprint:
    """Return the blueprint.

    Args:
        static: where the build puts the page.
    """
    api = Blueprint("pages", __name__)

    @api.get("/")
    @api.get("/<path:name>")
    async def page(name: str = INDEX) -> Reply:
        if name.startswith(("api/", "ws")):
            raise Problem(404, "not_found", "no such address")
        if (response := await _file(static, name)) is not None:
            return response
        if "." in name.rsplit("/", 1)[-1] and name != INDEX:
            raise Problem(404, "not_found", "no such file")
        # Addresses inside the page are the page's own affair.
        if (index := await _file(static, INDEX)) is not None:
            return index
        return Response(NOT_BUILT, status=503, content_type="text/html; charset=utf-8")

    return api


async def _file(static: Path, name: str) -> Reply | None:
    path = safe_join(str(static), name)  # None for what leads elsewhere
    if path is None or not await trio.Path(path).is_file():
        return None
    response = await send_from_directory(static, name)
    # Vite puts a hash of the content into the names of assets.
    forever = name.startswith("assets/")
    response.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable" if forever else "no-cache"
    return response
