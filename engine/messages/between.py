"""Frames between a site's core and its own edge, on top of the gateway's; nobody else gets or sends them.

Both ends are of the same release and the same start, so these kinds may change with every release.
"""

from __future__ import annotations

from typing import Any, Final, Literal, Union, cast

import msgspec

from engine.errors import Malformed
from engine.messages.config import HoursState
from engine.messages.frame import Frame


class Between(Frame, frozen=True):
    """A frame between the processes of one site."""


class Bell(Between, frozen=True, tag=160, kw_only=True):
    """Core: batch `seq` is in the journal. It rings again once `Heard` has come."""

    seq: int


class Heard(Between, frozen=True, tag=161, kw_only=True):
    """Edge: the bell was heard, and everything up to `seq` was read."""

    seq: int


class MessageTold(Between, frozen=True, tag=162, kw_only=True):
    """Both ways: a message was stored after batch `seq`; the fields are `engine.notices.MessageNotice`'s."""

    seq: int
    contact: int
    channel: int
    agents: tuple[int, ...]
    sender: str
    conversation: int
    message_id: int
    position: int


class TypingTold(Between, frozen=True, tag=163, kw_only=True):
    """Both ways: somebody is typing after batch `seq`; the fields are `engine.notices.TypingNotice`'s."""

    seq: int
    contact: int
    channel: int
    agents: tuple[int, ...]
    sender: str
    on: bool


class Holds(Between, frozen=True, tag=164, kw_only=True):
    """Edge: somebody is at these agents' desks and behind these channels, or (`on` false) nobody any more."""

    on: bool
    agents: list[int]
    channels: list[int]


class ByHand(Between, frozen=True, tag=165, kw_only=True):
    """Edge: a supervisor has opened or closed a queue; `at` in Unix microseconds."""

    queue: str
    state: HoursState
    at: int


class LeaseOver(Between, frozen=True, tag=166, kw_only=True):
    """Core: an agent's lease was lost at `at`, Unix microseconds. Both: 0 = it has signed in again since."""

    agent: int
    at: int


class Asked(Between, frozen=True, tag=167, kw_only=True):
    """Edge: somebody asks for a health page; `trusted` = names and figures are for them."""

    number: int
    path: str
    trusted: bool


class Page(Between, frozen=True, tag=168, kw_only=True):
    """Core: the page that was asked for."""

    number: int
    status: int
    content_type: str
    body: bytes


class EdgeState(Between, frozen=True, tag=169, kw_only=True):
    """Edge: that its pages are open, and how its channels are: name -> the fields of `ChannelHealth`."""

    channels: dict[str, tuple[Literal["starting", "open", "failed"], int, str, int]]


class ChannelAway(Between, frozen=True, tag=170, kw_only=True):
    """Core: nobody is behind a channel, in `engine.channel_health.Away`'s words; `since` 0 = somebody is."""

    channel: int
    since: int
    until: int


_decoder: Final[msgspec.msgpack.Decoder[Between]] = msgspec.msgpack.Decoder(
    cast(Any, Union[tuple(Between.__subclasses__())])  # noqa: UP007
)
_FIRST, _LAST = 160, 170
_KIND_AT: Final = 2
"""A body begins with an array of fewer than 16 fields (one byte) and a kind above 127 (0xcc and the kind)."""


def decode_between(body: bytes | memoryview) -> Between | None:
    """Return the message of a body of one of these kinds, None for any other kind.

    Raises:
        Malformed: it is of such a kind, and not as this release writes it.
    """
    if len(body) <= _KIND_AT or body[1] != 0xCC or not _FIRST <= body[_KIND_AT] <= _LAST:
        return None
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(str(error)) from error
