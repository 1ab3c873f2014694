"""Control frames: what client and server say to each other about a connection; never journaled."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from msgspec import Meta, field

from engine.messages.any_event import AnyEvent
from engine.messages.frame import Frame

Id: TypeAlias = Annotated[int, Meta(ge=0, le=2**53 - 1)]
"""The number of a contact, as a client gives it."""

Version: TypeAlias = Annotated[int, Meta(ge=1, le=2**32 - 1)]
"""A version of the protocol, as a client gives it."""


class Control(Frame, frozen=True):
    """A frame that is not for the router."""


class Hello(Control, tag=128, frozen=True, kw_only=True):
    """Client, first frame, version 1 for ever: who it is, and the batch after which it wants events.

    Versions are the lowest and the highest of the protocol that it speaks; None = 1 alone.
    """

    token: str
    name: str
    resume_seq: int | None = None
    versions: tuple[Version, Version] | None = None


class Welcome(Control, tag=129, frozen=True, kw_only=True):
    """Server: the site's names (kind -> name -> id); for plugins `arrival_key` (32 bytes) and `targets`.

    Targets are the places outside: name -> (address, options), as the configuration has them. The credit is
    how many commands, and bytes of them, may be unanswered before the gateway reads no further. Agreed is
    the version that both sides speak from here on; it is sent to who has said `versions`.
    """

    site: str
    seq: int
    names: dict[str, dict[str, int]]
    arrival_key: bytes | None = None
    targets: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    credit_commands: int = 0
    credit_bytes: int = 0
    agreed: int | None = None


class Ack(Control, tag=130, frozen=True, kw_only=True):
    """Server, after the commit: `(request_no, index, code, value)` per command; code 0 = accepted.

    The value is the contact's id for `Arrive`, the rejection's detail when the code is not 0.
    """

    seq: int
    results: list[tuple[int, int, int, int]]


class Refusal(Control, tag=131, frozen=True, kw_only=True):
    """Server: a request that never reached the journal ("malformed", "not_allowed", "busy"...)."""

    request_no: int | None
    code: str
    text: str
    retry_after_ms: int = 0


class Events(Control, tag=132, frozen=True, kw_only=True):
    """Server: those events of one batch that concern the subscriber, each with its index."""

    seq: int
    at: int
    events: list[tuple[int, AnyEvent]]


class Closing(Control, tag=133, frozen=True, kw_only=True):
    """Server: about to close; resume behind `seq`. `engine.gateway_frames` has the codes."""

    code: str
    text: str
    seq: int


class Ping(Control, tag=134, frozen=True, kw_only=True):
    """Either side: answer with `Pong` of the same number."""

    n: int


class Pong(Control, tag=135, frozen=True, kw_only=True):
    """The answer to `Ping`."""

    n: int


class Attach(Control, tag=136, frozen=True, kw_only=True):
    """Edge: "I act for these agents"; their events follow.

    Access has each agent's access token, in the agents' order; see `engine.gateway_sign_ins`.
    """

    agents: list[int]
    access: list[str] | None = None


class Detach(Control, tag=137, frozen=True, kw_only=True):
    """Edge: "I no longer act for these agents"."""

    agents: list[int]


class Message(Control, tag=138, frozen=True, kw_only=True):
    """Plugin: the customer wrote; stored, then answered with `MessageStored`."""

    contact: Id
    external_id: str
    text: str


class MessageStored(Control, tag=139, frozen=True, kw_only=True):
    """Server: the customer's message is in the store."""

    contact: int
    external_id: str
    message_id: int


class MessageOut(Control, tag=140, frozen=True, kw_only=True):
    """Server, to the plugin: the agent wrote."""

    contact: int
    message_id: int
    text: str


class Typing(Control, tag=141, frozen=True, kw_only=True):
    """Both ways, never stored: the other side is typing."""

    contact: Id
    on: bool


class Detached(Control, tag=144, frozen=True, kw_only=True):
    """Server, to an edge: it does not act for these agents, or no longer; the text says what to do."""

    agents: list[int]
    code: str
    text: str
