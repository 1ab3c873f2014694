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
    BAD_LEVEL = 20
    BAD_WEIGHT = 21
    BAD_HEAD_START = 22
    BAD_REQUIREMENT = 23
    SIGNED_OUT = 30
    WRONG_STATE = 31
    OFFER_EXPIRED = 32
    OFFER_WITHDRAWN = 33
    OFFER_DECLINED = 34
    OFFER_ACCEPTED = 35
    TOO_MANY_CONTACTS = 40
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


class Refusal(Exception):
    """A command was refused; nothing changed but the clock."""

    def __init__(self, code: int, detail: int = 0) -> None:
        super().__init__(f"{Code(code).name.lower()} {detail}")
        self.code = Code(code)
        self.detail = detail
