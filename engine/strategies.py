"""A strategy of one's own: what a site's function is given, and what it answers with.

A queue with `strategy = "outside"` and `function = "package.module:name"` asks that function whom each of
its contacts shall go to: `name(choice: Choice) -> str | None`, the name of one of the candidates, or None
to leave it to the queue's fallback. It runs in a process of its own, one for each queue: what its module
keeps is this queue's own. Nothing personal is in a choice. docs/en/strategies.md tells the rest.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Candidate(msgspec.Struct, frozen=True):
    """An agent who could have the contact now.

    Attributes:
        name: the agent's, in the configuration.
        skills: skill -> level, as configured.
        units: how many units the agent can hold on the contact's channel, as configured.
        idle_us: for how long the agent has been idle, microseconds.
        offers: offers that ring at the agent.
        connecting: contacts that are being connected.
        engaged: contacts in conversation, parked ones too.
        joined: contacts of others that the agent is in.
        wrap_ups: contacts in after-contact work.
        misses: offers in a row that the agent has not answered.
    """

    name: str
    skills: Mapping[str, int]
    units: int
    idle_us: int
    offers: int
    connecting: int
    engaged: int
    joined: int
    wrap_ups: int
    misses: int


class Choice(msgspec.Struct, frozen=True):
    """A contact that somebody could have, and who could.

    Attributes:
        choice: its number; grows from choice to choice.
        contact: the contact's number.
        channel: where the contact came from.
        queue: where it waits.
        at_us: when the choice is made, Unix microseconds.
        deadline_us: until when an answer counts; then the fallback decides.
        arrived_at_us: when the contact came in.
        enqueued_at_us: since when it stands in its queue.
        candidates: at least one, at most 64, the fallback's first one first.
    """

    choice: int
    contact: int
    channel: str
    queue: str
    at_us: int
    deadline_us: int
    arrived_at_us: int
    enqueued_at_us: int
    candidates: tuple[Candidate, ...]

    @property
    def waited_us(self) -> int:
        """For how long the contact has waited in its queue."""
        return max(0, self.at_us - self.enqueued_at_us)


class Answer(msgspec.Struct, frozen=True):
    """What a function has made of a choice.

    Attributes:
        choice: which one; 0 = the process is ready, or cannot begin.
        agent: the candidate's name; None = left to the fallback.
        fault: what went wrong; "" = nothing.
        text: in the words of the error.
    """

    choice: int
    agent: str | None = None
    fault: str = ""
    text: str = ""
