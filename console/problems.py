"""What goes wrong, as clients are told: a status, a stable code, the field at fault, a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec
import structlog

from engine.channel_attachments import AttachmentDamaged, NoSuchAttachment
from engine.errors import BadToken, Busy, Draining, Malformed, PaiduiError, Refused
from engine.logins import WrongPassword
from engine.names import UnknownName
from engine.passwords import TooManyAttempts

_log: Final = structlog.get_logger(__name__)
_FIELD: Final = re.compile(r"([a-z_]+(?:\.[a-z_]+)*): ")
_PATH: Final = re.compile(r" - at `\$\.?([^`]*)`$")
_UNKNOWN_FIELD: Final = re.compile(r"unknown field `([^`]*)`")
_MISSING_FIELD: Final = re.compile(r"missing required field `([^`]*)`")


class Problem(PaiduiError):
    """A request that is not carried out."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        retry_after_ms: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.retry_after_ms = retry_after_ms

    def body(self) -> dict[str, Any]:
        """Return what stands under "error"."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.field is not None:
            body["field"] = self.field
        if self.retry_after_ms is not None:
            body["retry_after_ms"] = self.retry_after_ms
        return body


def not_allowed(message: str) -> Problem:
    """The person's role does not permit it."""
    return Problem(403, "not_allowed", message)


def unknown_contact() -> Problem:
    """No such contact, or another's: the answer is the same."""
    return Problem(404, "unknown_contact", "no such contact is on your desk", field="contact")


def problem_of(error: Exception) -> Problem | None:
    """Return the problem that stands for an error; None when the error is a fault of ours."""
    if isinstance(error, Problem):
        return error
    return next((make(error) for kind, make in _PROBLEMS if isinstance(error, kind)), None)


def malformed(error: msgspec.DecodeError | RecursionError | UnicodeError) -> Problem:
    """Return the problem of a JSON text that cannot be read, with the field's name."""
    text = str(error)
    if not isinstance(error, msgspec.ValidationError):
        return Problem(400, "malformed", "expected JSON of the documented form")
    path = _PATH.search(text)
    inner = _UNKNOWN_FIELD.search(text) or _MISSING_FIELD.search(text)
    field = ".".join(part for part in (path and path[1], inner and inner[1]) if part)
    said = _PATH.sub("", text)
    return Problem(400, "malformed", f"{field}: {said}" if field else said, field=field or None)


def _refused(error: Refused) -> Problem:
    if error.name == "unknown_contact":
        return unknown_contact()
    status = 404 if error.name.startswith("unknown_") else 409
    sentence = (type(error).__doc__ or error.name).split("\n")[0]
    return Problem(status, error.name, sentence, field=error.field)


def _bad_token(error: BadToken) -> Problem:
    if error.reason == "expired":
        return Problem(401, "token_expired", "the access token has expired; refresh it and try again")
    if error.reason in ("revoked", "reused"):
        return Problem(401, error.reason, "this sign-in is over; log in again")
    return Problem(401, "bad_token", "the token proves nothing here; log in again")


def _malformed(error: Malformed) -> Problem:
    found = _FIELD.match(str(error))
    return Problem(400, "malformed", str(error), field=found and found[1])


def _too_many_attempts(error: TooManyAttempts) -> Problem:
    return Problem(429, "too_many_attempts", str(error), retry_after_ms=error.retry_after_s * 1_000)


def _damaged(error: AttachmentDamaged) -> Problem:
    _log.error("an attachment cannot be given out", why=str(error))
    return Problem(500, "attachment_damaged", "the file cannot be read; the administrator's log says why")


_PROBLEMS: Final[tuple[tuple[type[Exception], Callable[[Any], Problem]], ...]] = (
    (Refused, _refused),
    (
        Draining,
        lambda e: Problem(503, "draining", "the site is about to stop", retry_after_ms=e.retry_after_ms),
    ),
    (Busy, lambda e: Problem(503, "busy", "too much is waiting", retry_after_ms=e.retry_after_ms)),
    (TooManyAttempts, _too_many_attempts),
    (WrongPassword, lambda e: Problem(401, "bad_credentials", "the login or the password is wrong")),
    (BadToken, _bad_token),
    (UnknownName, lambda e: Problem(404, f"unknown_{e.kind}", str(e), field=e.kind)),
    (Malformed, _malformed),
    (NoSuchAttachment, lambda e: Problem(404, "unknown_attachment", str(e), field="attachment")),
    (AttachmentDamaged, _damaged),
)
