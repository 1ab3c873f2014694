"""The options of a `[channels.NAME.options]` section."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from engine.errors import ConfigError

Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Rate = Annotated[int, msgspec.Meta(ge=1, le=100_000)]
_AT = re.compile(r" - at `\$\.?([^`]*)`$")


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a web chat behaves.

    Attributes:
        prefix: where the page is served.
        title: what the page is headed with, by language.
        queues: the queues a customer may choose, in this order; none = all.
        abandon_after_s: a waiting customer whose page is gone for so long has left.
        close_after_s: the same for one who is talking: the agent may still be writing an answer.
        keep_place: a customer who leaves while waiting may come back to the place, if the site keeps places.
        messages_per_minute: of one visitor; a sixth of it may come at once.
        chats_per_minute: that one visitor opens, or comes back to.
        visitors_per_minute: new ones from one network address.
        file_mb: MiB of the largest file, either way; 0 = no files. The site may take less.
        files_per_minute: that one visitor sends; half of it may come at once.
        targets: what a customer reads who is passed on to a place outside: target -> text by language.
    """

    prefix: Annotated[str, msgspec.Meta(pattern=r"^(/[A-Za-z0-9_-]+)+$")] = "/chat"
    title: Mapping[str, str] = msgspec.field(default_factory=lambda: {"zh": "在线客服", "en": "Chat with us"})
    queues: tuple[str, ...] = ()
    abandon_after_s: Seconds = 60.0
    close_after_s: Seconds = 600.0
    keep_place: bool = True
    messages_per_minute: Rate = 120
    chats_per_minute: Rate = 30
    visitors_per_minute: Rate = 600
    file_mb: Annotated[int, msgspec.Meta(ge=0, le=100)] = 10
    files_per_minute: Rate = 20
    targets: Mapping[str, Mapping[str, str]] = msgspec.field(default_factory=dict)


def load_options(options: Mapping[str, Any]) -> Options:
    """Return the options of a section.

    Raises:
        ConfigError: names the option that is wrong.
    """
    if unknown := sorted(set(options) - set(Options.__struct_fields__)):
        known = ", ".join(Options.__struct_fields__)
        raise ConfigError([f"{name}: unknown; web chat has {known}" for name in unknown])
    try:
        return msgspec.convert(dict(options), Options)
    except msgspec.ValidationError as error:
        text = str(error)
        found = _AT.search(text)
        field = found.group(1) if found else "options"
        sentence = text[: found.start()] if found else text
        raise ConfigError([f"{field}: {sentence[:1].lower()}{sentence[1:]}"]) from None
