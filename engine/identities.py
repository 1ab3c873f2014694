"""How customers are recognised: a number, an address, a name that a channel has given; written one way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
import phonenumbers

from engine.errors import Malformed

MAX_VALUE: Final = 320
MAX_ACCOUNT: Final = 200


class IdentityKey(msgspec.Struct, frozen=True):
    """Something that one customer of a domain has and no other.

    Attributes:
        kind: one of `KINDS`.
        value: the number, address or name.
        account: in which account it means something: a channel's name for `channel`, the official account
            for `wechat`; "" where it means the same everywhere.
    """

    kind: str
    value: str
    account: str = ""

    def __str__(self) -> str:
        """As the command line takes it."""
        return f"{self.kind}:{self.account}/{self.value}" if self.account else f"{self.kind}:{self.value}"


def identity_of(text: str, region: str | None = None) -> IdentityKey:
    """Return what `kind:value` or `kind:account/value` means, normalised.

    Raises:
        Malformed: it means nothing; the text says what is expected.
    """
    kind, colon, rest = text.partition(":")
    if not colon or kind not in KINDS:
        kinds = ", ".join(KINDS)
        raise Malformed(f"identity: expected kind:value with a kind of {kinds}, got {text!r}")
    account, value = rest.split("/", 1) if kind in OF_AN_ACCOUNT and "/" in rest else ("", rest)
    return normalised(IdentityKey(kind, value, account), region)


def normalised(identity: IdentityKey, region: str | None = None) -> IdentityKey:
    """Return an identity as it is stored: two ways of writing one thing give one identity.

    Args:
        identity: as somebody wrote it.
        region: whose telephone numbers are known without a country code, as "CN".

    Raises:
        Malformed: names the field.
    """
    if identity.kind not in KINDS:
        raise Malformed(f"identity.kind: expected one of {', '.join(KINDS)}, got {identity.kind!r}")
    value, account = identity.value.strip(), identity.account.strip()
    needs_account = identity.kind in OF_AN_ACCOUNT
    if needs_account != bool(account) or len(account) > MAX_ACCOUNT:
        wanted = f"{identity.kind}:account/value" if needs_account else f"no account for {identity.kind}"
        raise Malformed(f"identity.account: expected {wanted}, got {account!r}")
    if not 1 <= len(value) <= MAX_VALUE or "\x00" in value + account:
        raise Malformed(f"identity.value: expected 1..{MAX_VALUE} characters, got {len(value)}")
    if identity.kind == "phone":
        value = _phone(value, region)
    elif (rule := KINDS[identity.kind]) is not None:
        value = rule(value)
    return IdentityKey(identity.kind, value, account)


def _phone(value: str, region: str | None) -> str:
    """E.164; what is written with 00 or a national prefix is understood where the region is known."""
    try:
        number = phonenumbers.parse(value.removeprefix("tel:"), region)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        how = "write it with + and country code" + ("" if region else ", or set store.phone_region")
        raise Malformed(f"identity.value: {value!r} is no telephone number; {how}")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _email(value: str) -> str:
    """The domain is the same in capitals; what stands before the @ is its server's affair."""
    local, at, domain = value.removeprefix("mailto:").rpartition("@")
    try:
        host = domain.rstrip(".").lower().encode("idna").decode("ascii")
    except UnicodeError:
        host = ""
    if not at or not local or "." not in host or any(one.isspace() for one in local):
        raise Malformed(f"identity.value: {value!r} is no e-mail address; expected name@domain")
    return f"{local}@{host}"


def _sip(value: str) -> str:
    """An address of record: without scheme, port and parameters."""
    plain = value.removeprefix("sips:").removeprefix("sip:").partition(";")[0]
    user, at, host = plain.rpartition("@")
    host = host.lower().partition(":")[0]
    if not at or not user or not host:
        raise Malformed(f"identity.value: {value!r} is no SIP address; expected user@host")
    return f"{user}@{host}"


KINDS: Final[dict[str, Callable[[str], str] | None]] = {
    "phone": None,
    "email": _email,
    "sip": _sip,
    "wechat": None,
    "web": None,
    "app": None,
    "channel": None,
}
"""What there is, and how it is written; None = as it was given. `channel`: what one calls a customer."""
OF_AN_ACCOUNT: Final = ("wechat", "web", "app", "channel")
