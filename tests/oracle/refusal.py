"""Everything that can be refused, with the numbers of `rejection.rs`."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """Why a command was refused."""

    NOT_CONFIGURED = 1
    TIME_BACKWARDS = 2
    UNKNOWN_CHANNEL = 10
    UNKNOWN_QUEUE = 11
    UNKNOWN_SKILL = 12
    UNKNOWN_AGENT = 13
    UNKNOWN_CONTACT = 14
    UNKNOWN_OFFER = 15
    UNKNOWN_REASON = 16
    UNKNOWN_TARGET = 17
    UNKNOWN_CHOICE = 18
    UNKNOWN_DOMAIN = 19
    BAD_LEVEL = 20
    BAD_WEIGHT = 21
    BAD_HEAD_START = 22
    BAD_REQUIREMENT = 23
    BAD_AGENTS = 24
    BAD_PLACE = 25
    PLACE_USED = 26
    SIGNED_OUT = 30
    WRONG_STATE = 31
    OFFER_EXPIRED = 32
    OFFER_WITHDRAWN = 33
    OFFER_DECLINED = 34
    OFFER_ACCEPTED = 35
    QUEUE_CLOSED = 36
    OTHER_DOMAIN = 37
    TOO_MANY_CONTACTS = 40
    TOO_MANY_PARTICIPANTS = 41
    DUPLICATE_ID = 50
    AGENT_IN_USE = 51
    QUEUE_IN_USE = 52
    CHANNEL_IN_USE = 53
    TOO_MANY_AGENTS = 54
    TOO_MANY_QUEUES = 55
    TOO_MANY_CHANNELS = 56
    TOO_MANY_SKILLS = 57
    BAD_DURATION = 58
    SKILL_IN_USE = 59
    BAD_SHARE = 60
    BAD_PRIORITY = 61
    BAD_RATIO = 62
    BAD_RING_LIMIT = 63
    BAD_CHANNEL = 64
    BAD_OVERFLOW = 65
    BAD_TIER = 66
    BAD_STRATEGY = 67


class Refusal(Exception):
    """A command was refused; nothing changed but the clock."""

    def __init__(self, code: int, detail: int = 0) -> None:
        super().__init__(f"{Code(code).name.lower()} {detail}")
        self.code = Code(code)
        self.detail = detail
