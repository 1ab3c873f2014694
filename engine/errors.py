"""Every error that Paidui raises on purpose.

Each refusal of the core has its own class and stable code; the classes below `Refused` are the one
table, and a parity test holds it against `Code::ALL` of `crates/router_core/src/rejection.rs`.
"""

from __future__ import annotations

import re
from typing import ClassVar, Final


class PaiduiError(Exception):
    """The base of all of them."""


class Malformed(PaiduiError, ValueError):
    """Bytes that are not what they should be; the text names the kind and the field."""


class ConfigError(PaiduiError):
    """The configuration file cannot be used; `errors` names every fault at once."""

    def __init__(self, errors: list[str]) -> None:
        """Keeps the list, one fault a line."""
        super().__init__("\n".join(errors))
        self.errors = errors


class Busy(PaiduiError):
    """More is waiting than the engine admits; ask again after `retry_after_ms`."""

    def __init__(self, retry_after_ms: int) -> None:
        """Keeps the delay."""
        super().__init__(f"busy, retry after {retry_after_ms} ms")
        self.retry_after_ms = retry_after_ms


class Draining(Busy):
    """The site is about to stop and takes no arrivals in; ask again after `retry_after_ms`."""


class NotAdmitted(PaiduiError):
    """A routing point of the site refuses the arrival: no contact came to be.

    Attributes:
        outcome: the site's word for it, `closed`, `barred`.
        reason: which row decided, and what failed in those before it.
    """

    def __init__(self, outcome: str, reason: str) -> None:
        """Keeps both."""
        super().__init__(f"not admitted ({outcome}): {reason}")
        self.outcome = outcome
        self.reason = reason


class NotDurable(PaiduiError):
    """The journal did not take the command: nothing more is acknowledged, the process ends."""


class BadToken(PaiduiError):
    """A token that proves nothing.

    Attributes:
        reason: "too_large", "malformed", "bad_signature", "expired", "wrong_purpose", "wrong_site",
            "missing_claim", "not_yet"; of tickets and refresh tokens also "unknown", "used", "reused",
            "revoked".
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadTicket(BadToken):
    """A place ticket that gives no place; `reason` as of `BadToken`."""


REFUSALS: Final[dict[int, type[Refused]]] = {}
"""The class of each of the core's stable codes (`crates/router_core/src/rejection.rs`)."""


class Refused(PaiduiError):
    """The core refused a command; nothing changed but the clock.

    Attributes:
        code: the stable number.
        name: its name, `unknown_channel`.
        field: the command's field that is at fault, if it is one.
        detail: the offending id or value.
    """

    code: ClassVar[int] = 0
    name: ClassVar[str] = "refused"
    field: ClassVar[str | None] = None

    def __init_subclass__(cls, *, code: int, field: str | None = None) -> None:
        """Enters the class in `REFUSALS`."""
        cls.code = code
        cls.name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        cls.field = field
        REFUSALS[code] = cls

    def __init__(self, detail: int = 0) -> None:
        """Keeps the detail."""
        super().__init__(f"{self.name} ({detail}): {(self.__doc__ or '').splitlines()[0]}")
        self.detail = detail


def refusal(code: int, detail: int) -> Refused:
    """The exception for a code of the core."""
    return REFUSALS[code](detail)


class NotConfigured(Refused, code=1):
    """The first command must be `configure`."""


class TimeBackwards(Refused, code=2):
    """The time lies before the router's clock; detail = the clock."""


class UnknownChannel(Refused, code=10, field="channel"):
    """No such channel."""


class UnknownQueue(Refused, code=11, field="queue"):
    """No such queue."""


class UnknownSkill(Refused, code=12, field="requires"):
    """No such skill."""


class UnknownAgent(Refused, code=13, field="agent"):
    """No such agent."""


class UnknownContact(Refused, code=14, field="contact"):
    """No such contact, or another's."""


class UnknownOffer(Refused, code=15, field="offer"):
    """No such offer, or another's."""


class UnknownReason(Refused, code=16, field="reason"):
    """No such reason."""


class UnknownTarget(Refused, code=17, field="target"):
    """No such target."""


class UnknownChoice(Refused, code=18, field="choice"):
    """No such choice, or it is over; detail = the choice."""


class UnknownDomain(Refused, code=19, field="config"):
    """No such domain."""


class BadLevel(Refused, code=20, field="requires"):
    """A level is not 1..100."""


class BadWeight(Refused, code=21, field="weight"):
    """A weight is not 1..100."""


class BadHeadStart(Refused, code=22, field="head_start_us"):
    """A head start is longer than a week, or than its queue gives."""


class BadRequirement(Refused, code=23, field="requires"):
    """Too many or too few alternatives, needs, preferred skills or steps, or not strictly increasing.

    Detail = the count, or the skill that is out of order.
    """


class BadAgents(Refused, code=24, field="preferred"):
    """Too many preferred or excluded agents, not strictly increasing, or none to go beyond the capacity of.

    Detail = the count, or the agent that is out of order; 0 where `beyond_capacity` names nobody.
    """


class BadPlace(Refused, code=25, field="place"):
    """No contact whose place could be taken; detail = the contact named.

    None is remembered, it is live, was served or blocked, or has not yet had a place; or the new one is
    not to wait yet.
    """


class PlaceUsed(Refused, code=26, field="place"):
    """The place of that contact has been taken; detail = the contact named."""


class SignedOut(Refused, code=30, field="agent"):
    """The agent is signed out, or on the way out."""


class WrongState(Refused, code=31, field="contact"):
    """The contact is not in a state for this."""


class OfferExpired(Refused, code=32, field="offer"):
    """The offer expired before the answer came."""


class OfferWithdrawn(Refused, code=33, field="offer"):
    """The offer was withdrawn before the answer came."""


class OfferDeclined(Refused, code=34, field="offer"):
    """The agent has declined this offer."""


class OfferAccepted(Refused, code=35, field="offer"):
    """The agent has accepted this offer."""


class QueueClosed(Refused, code=36, field="queue"):
    """The queue takes nobody in now; detail = the queue."""


class OtherDomain(Refused, code=37, field="queue"):
    """The queue is another domain's, and no contract opens it; detail = the queue."""


class TooManyContacts(Refused, code=40):
    """As many contacts are live as the router may hold; detail = the limit."""


class TooManyParticipants(Refused, code=41, field="invitee"):
    """As many agents are in the contact, or invited, as may be; detail = the limit."""


class DuplicateId(Refused, code=50, field="config"):
    """The configuration lists an id twice, or not in order."""


class AgentInUse(Refused, code=51, field="config"):
    """The new configuration lacks an agent who is at work or has something in hand."""


class QueueInUse(Refused, code=52, field="config"):
    """The new configuration lacks a queue that holds live contacts."""


class ChannelInUse(Refused, code=53, field="config"):
    """The new configuration lacks a channel that has live contacts."""


class TooManyAgents(Refused, code=54, field="config"):
    """More agents than the limit."""


class TooManyQueues(Refused, code=55, field="config"):
    """More queues than the limit."""


class TooManyChannels(Refused, code=56, field="config"):
    """More channels than the limit."""


class TooManySkills(Refused, code=57, field="config"):
    """More skills than the limit."""


class BadDuration(Refused, code=58):
    """A duration is out of its range, or a time too early or too far ahead; detail = the value."""


class SkillInUse(Refused, code=59, field="config"):
    """The new configuration lacks a skill that a live contact needs."""


class BadShare(Refused, code=60, field="config"):
    """An agent's share is not 1..1000; detail = the value."""


class BadPriority(Refused, code=61, field="config"):
    """A queue's priority is not 1..9; detail = the value."""


class BadRatio(Refused, code=62, field="config"):
    """A queue's ratio is not 1..1000; detail = the value."""


class BadRingLimit(Refused, code=63, field="config"):
    """A queue's ring limit is not 1..1000; detail = the value."""


class BadChannel(Refused, code=64, field="config"):
    """A channel is exclusive and interruptible; detail = the channel."""


class BadOverflow(Refused, code=65, field="config"):
    """More than 8 overflow rules, or one that leads to its own queue or has a threshold out of its range.

    Detail = its place in the list.
    """


class BadTier(Refused, code=66, field="config"):
    """A queue's tier is not 2 or 3; detail = the value."""


class BadStrategy(Refused, code=67, field="config"):
    """What a queue falls back on is a strategy from outside itself; detail = the queue."""
