"""What the customer's page and the channel say to each other: pure, typed, every fault named.

JSON text frames, each an object with a `type`. The page speaks first (`hello`), then opens or
reopens its chat (`start`); everything may be repeated without harm, because a chat and a message
carry the ids that the page gave them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final

import msgspec

from engine.channel import StoredMessage, Wait

MAX_FRAME_BYTES: Final = 64 * 1024
FRAME_BYTES: Final = 48 * 1024
"""After so much text a frame to a page is full; with the longest message it stays near 64 KiB."""

MAX_TEXT_CHARS: Final = 4_000
MAX_NAME_CHARS: Final = 80
_MINUTE_US: Final = 60_000_000
ID: Final = r"^[A-Za-z0-9_-]{8,64}$"

Id = Annotated[str, msgspec.Meta(pattern=ID)]
Token = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT_CHARS)]
Name = Annotated[str, msgspec.Meta(max_length=MAX_NAME_CHARS)]
QueueName = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Language = Annotated[str, msgspec.Meta(max_length=35)]
PageAddress = Annotated[str, msgspec.Meta(max_length=500)]
Position = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class BadMessage(ValueError):
    """A frame that is not a message; `field` says where, the text says what was expected."""

    def __init__(self, field: str, text: str) -> None:
        """Keeps the field."""
        super().__init__(f"{field}: {text}" if field else text)
        self.field = field


class ClientMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", kw_only=True):
    """What a page may say."""


class Hello(ClientMessage, frozen=True, tag="hello"):
    """The first frame; `token` is what an earlier `welcome` gave."""

    token: Token | None = None


class Start(ClientMessage, frozen=True, tag="start"):
    """Opens the chat `chat`, or goes on with it.

    Attributes:
        chat: the page's own random id for it.
        queue: where it shall wait; counts the first time only.
        name: what the customer wants to be called.
        after: the position up to which the page has all messages.
        language: the customer's, as "zh" or "zh-CN".
        page: the address that the customer came from; what routing points know as attribute `page`.
        place: the ticket of an earlier chat's place, from `place`; counts the first time only.
    """

    chat: Id
    queue: QueueName
    name: Name | None = None
    after: Position = 0
    language: Language = ""
    page: PageAddress = ""
    place: Token | None = None


class Say(ClientMessage, frozen=True, tag="say"):
    """A message; `external_id` makes its repetition harmless."""

    external_id: Id
    text: Text


class SayTyping(ClientMessage, frozen=True, tag="typing"):
    """The customer is typing, or has stopped."""

    on: bool


class End(ClientMessage, frozen=True, tag="end"):
    """The customer ends the chat; with `keep_place`, to come back to the place in the queue."""

    keep_place: bool = False


AnyClientMessage = Hello | Start | Say | SayTyping | End


class Topic(msgspec.Struct, frozen=True, omit_defaults=True):
    """A queue that the customer may choose, with its titles by language; a closed one takes nobody in."""

    name: str
    title: Mapping[str, str]
    closed: bool = False


class ServerMessage(msgspec.Struct, frozen=True, tag_field="type", kw_only=True, omit_defaults=True):
    """What the channel says."""


class Welcome(ServerMessage, frozen=True, tag="welcome"):
    """The answer to `hello`: keep the token, choose one of the topics.

    Attributes:
        token: to be sent in the next `hello`.
        known: whether the token in `hello` was good; otherwise chats from before cannot be reopened.
        keeps_places: whether `end` can keep the place of who waits.
        file_bytes: the largest file that the customer may send; 0 = none are taken.
    """

    token: str
    known: bool
    topics: Sequence[Topic]
    title: Mapping[str, str]
    keeps_places: bool = False
    file_bytes: int = 0


class ChatState(ServerMessage, frozen=True, tag="chat"):
    """Where the chat is.

    Attributes:
        state: "waiting", "engaged" or "ended".
        position: how many are before it, while it waits.
        minutes: the wait to be expected, from and to, in whole minutes; absent when it cannot be told.
        outcome: "served", "abandoned", "blocked", "withdrawn" or "overflowed", when it ended.
        reason: why it was blocked: "queue_full", "site_full" or "closed"; while it waits "lease_lost": it was
            engaged, and its agent is gone.
        text: what the site says, by language, to a customer who is passed on to a place outside.
    """

    chat: str
    state: str
    position: int | None = None
    minutes: tuple[int, int] | None = None
    outcome: str | None = None
    reason: str | None = None
    text: Mapping[str, str] | None = None


class PageFile(msgspec.Struct, frozen=True):
    """A file that came with a message; the page gets it at `files/CHAT/ID`.

    Attributes:
        name: what its sender calls it.
        size: in bytes.
        image: whether it is a picture that may be shown in place.
    """

    id: str
    name: str
    size: int
    image: bool


class PageMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stored message as the page gets it; the engine's own numbers stay inside.

    Attributes:
        text: may be empty beside files.
    """

    position: int
    sender: str
    text: str
    at_ms: int
    external_id: str
    files: Sequence[PageFile] = ()


class Messages(ServerMessage, frozen=True, tag="messages"):
    """Messages of the chat; the page orders them by position and drops what it has."""

    chat: str
    messages: Sequence[PageMessage]


class Announced(ServerMessage, frozen=True, tag="announcement"):
    """The waiting customer's place and wait, for the page to say once.

    Attributes:
        position: 1 = next.
        minutes: the wait to be expected, from and to, in whole minutes; absent when it cannot be told.
    """

    position: int
    minutes: tuple[int, int] | None = None


class KeptPlace(ServerMessage, frozen=True, tag="place"):
    """The place of a chat that its customer has left while waiting: `start` another one with the ticket.

    Attributes:
        seconds: for how long it is kept.
    """

    chat: str
    ticket: str
    seconds: int


class AgentTyping(ServerMessage, frozen=True, tag="typing"):
    """The agent is typing, or has stopped."""

    on: bool


class Failure(ServerMessage, frozen=True, tag="error"):
    """Something was not taken.

    Attributes:
        code: "malformed", "busy", "too_fast", "ended", "no_chat", "bad_ticket", or a refusal's name; of files
            also what `file_pages` has a status for.
        text: for whoever writes a page.
        field: the field that is at fault.
        external_id: the message that was not taken.
        retry_after_ms: repeat it then; without it a repetition is useless.
    """

    code: str
    text: str
    field: str | None = None
    external_id: str | None = None
    retry_after_ms: int | None = None


class Bye(ServerMessage, frozen=True, tag="bye"):
    """The channel closes the socket; the page comes back, unless it was replaced by another tab."""

    code: str


_decoder: Final[msgspec.json.Decoder[AnyClientMessage]] = msgspec.json.Decoder(AnyClientMessage)
_encoder: Final = msgspec.json.Encoder()
_AT = re.compile(r" - at `\$\.?([^`]*)`$")


def decode(frame: str | bytes) -> AnyClientMessage:
    """Return the message of a frame.

    Raises:
        BadMessage: not a text frame, too large, or a field is wrong.
    """
    if isinstance(frame, bytes):
        raise BadMessage("", "expected a text frame with JSON, got a binary one")
    if len(frame) > MAX_FRAME_BYTES or len(frame.encode("utf-8", "replace")) > MAX_FRAME_BYTES:
        raise BadMessage("", f"expected at most {MAX_FRAME_BYTES} bytes")
    try:
        message = _decoder.decode(frame)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise _explained(str(error)) from None
    if isinstance(message, Say) and not message.text.strip():
        raise BadMessage("text", "expected something to read, got only blanks")
    return message


def encode(message: ServerMessage) -> str:
    """Return the text frame of a message."""
    return _encoder.encode(message).decode()


def page_messages(stored: Sequence[StoredMessage]) -> list[PageMessage]:
    """Return what of stored messages a customer may see."""
    return [
        PageMessage(
            one.position,
            one.sender,
            one.text,
            one.at_ms,
            one.external_id,
            tuple(
                PageFile(file.id, file.file_name, file.size_bytes, file.is_shown) for file in one.attachments
            ),
        )
        for one in stored
    ]


def frames_of(chat: str, stored: Sequence[StoredMessage]) -> Iterator[Messages]:
    """Yield messages in frames of some `FRAME_BYTES`: a reader may refuse, and hold, only so much at once."""
    piece: list[StoredMessage] = []
    size = 0
    for message in stored:
        piece.append(message)
        size += len(message.text.encode())
        size += sum(len(file.file_name.encode()) for file in message.attachments)
        if size >= FRAME_BYTES:
            yield Messages(chat=chat, messages=page_messages(piece))
            piece, size = [], 0
    if piece:
        yield Messages(chat=chat, messages=page_messages(piece))


def minutes(wait: Wait) -> tuple[int, int]:
    """Return a wait as it is announced: P50 to P90, each rounded up to whole minutes, at least one."""
    return max(1, -(-wait.p50_us // _MINUTE_US)), max(1, -(-wait.p90_us // _MINUTE_US))


def external_id(visitor: str, chat: str) -> str:
    """Return the channel's name for a chat: a page cannot reach into another visitor's."""
    return f"{visitor}.{chat}"


def split_external_id(name: str) -> tuple[str, str] | None:
    """Return visitor and chat of an external id, or None when it is not one of ours."""
    visitor, dot, chat = name.partition(".")
    return (visitor, chat) if dot and visitor and re.match(ID, chat) else None


def _explained(error: str) -> BadMessage:
    """Turn msgspec's sentence round: the field first."""
    found = _AT.search(error)
    field = found.group(1) if found else ""
    text = error[: found.start()] if found else error
    return BadMessage(field, text[:1].lower() + text[1:])
