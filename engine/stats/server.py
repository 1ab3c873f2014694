"""The endpoint of analysts' SQL.

``POST /sql`` with ``{"sql": "..."}`` or ``{"report": "NAME"}`` and a Bearer token of the purpose
``analyst``; ``GET /reports`` lists the reports; ``GET /healthz`` says how far behind the rows are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import trio
from quart import Response, request
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException

from engine.auth import BadToken, Tokens
from engine.stats.guard import MAX_SQL_BYTES, StatementRefused
from engine.stats.reader import Reader
from engine.stats.reports import UnknownReport, load_report, report_names

STATEMENTS_AT_ONCE: Final = 2
STATEMENTS_WAITING: Final = 16
GRACE_MS: Final = 1_000
"""After its time-out a statement is interrupted; one that does not notice is left alone after this."""
MAX_BODY_BYTES: Final = 2 * MAX_SQL_BYTES
"""JSON may write one character of a statement as several."""
_STATUS: Final = {"bad_sql": 400, "not_allowed": 400, "stopped": 400, "too_large": 413}


class Health(msgspec.Struct, frozen=True):
    """How far the rows are behind the journal.

    Attributes:
        applied_seq: the last batch whose events are in the rows.
        journal_seq: the journal's last batch.
        lag: how many batches are missing.
    """

    applied_seq: int
    journal_seq: int
    lag: int


class Ask(msgspec.Struct, forbid_unknown_fields=True):
    """The body of ``POST /sql``: one of the two."""

    sql: str | None = None
    report: str | None = None


@dataclass(slots=True)
class _Endpoint:
    reader: Reader
    timeout_ms: int
    tokens: Tokens
    health: Callable[[], Health]
    limiter: trio.CapacityLimiter

    async def sql(self) -> Response:
        self._authorise()
        statement = _statement(await request.body)
        if self.limiter.statistics().tasks_waiting >= STATEMENTS_WAITING:
            return _error(
                503, "busy", "too many statements wait; try again in a moment", {"Retry-After": "1"}
            )
        with trio.move_on_after((self.timeout_ms + GRACE_MS) / 1_000):
            return _json(await self._run(statement))
        # The thread goes on and keeps its place in the limiter until it is through.
        return _error(400, "stopped", "stopped: it took or waited too long; ask for less")

    async def _run(self, statement: str) -> bytes:
        def run() -> bytes:
            return msgspec.json.encode(self.reader.answer(statement))

        return await trio.to_thread.run_sync(run, limiter=self.limiter, abandon_on_cancel=True)

    async def reports(self) -> Response:
        self._authorise()
        reports = [load_report(name) for name in report_names()]
        listed = [
            {
                "name": one.name,
                "title": {"en": one.title.en, "zh": one.title.zh},
                "formula": one.formula,
                "source": one.source,
            }
            for one in reports
        ]
        return _json(msgspec.json.encode({"reports": listed}))

    async def healthz(self) -> Response:
        return _json(msgspec.json.encode(self.health()))

    def _authorise(self) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise BadToken("malformed")
        self.tokens.verify(token.strip(), "analyst")


def create_endpoint(
    reader: Reader, timeout_ms: int, tokens: Tokens, health: Callable[[], Health]
) -> QuartTrio:
    """Return the ASGI application.

    Args:
        reader: runs the statements.
        timeout_ms: after which the reader stops one.
        tokens: verify who asks.
        health: how far the rows are.
    """
    endpoint = _Endpoint(reader, timeout_ms, tokens, health, trio.CapacityLimiter(STATEMENTS_AT_ONCE))
    app = QuartTrio("paidui.stats", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.add_url_rule("/sql", "sql", endpoint.sql, methods=["POST"])
    app.add_url_rule("/reports", "reports", endpoint.reports, methods=["GET"])
    app.add_url_rule("/healthz", "healthz", endpoint.healthz, methods=["GET"])
    app.register_error_handler(BadToken, _unauthorised)
    app.register_error_handler(StatementRefused, _refused)
    app.register_error_handler(UnknownReport, _unknown_report)
    app.register_error_handler(HTTPException, _http_error)
    return app


def _statement(body: bytes) -> str:
    try:
        ask = msgspec.json.decode(body, type=Ask)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StatementRefused("bad_sql", f'send JSON, {{"sql": "SELECT ..."}}: {error}') from error
    if ask.sql is not None and ask.report is None:
        return ask.sql
    if ask.report is not None and ask.sql is None:
        return load_report(ask.report).sql
    raise StatementRefused("bad_sql", "give either sql or report")


def _json(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    response = Response(body, status, headers, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return _json(msgspec.json.encode({"error": {"code": code, "message": message}}), status, headers)


async def _unauthorised(error: BadToken) -> Response:
    text = f"a token of the purpose analyst is needed ({error.reason})"
    return _error(401, "unauthorised", text, {"WWW-Authenticate": "Bearer"})


async def _refused(error: StatementRefused) -> Response:
    return _error(_STATUS[error.code], error.code, str(error))


async def _unknown_report(error: UnknownReport) -> Response:
    return _error(404, "unknown_report", str(error))


async def _http_error(error: HTTPException) -> Any:
    status = error.code or 500
    code = "too_large" if status == 413 else error.name.lower().replace(" ", "_")
    return _error(status, code, error.description or error.name)
