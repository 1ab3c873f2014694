"""For whom an edge may act: each agent that it attaches brings a sign-in that is not over.

An edge whose token is not for any agent shows, for each agent, the access token which that person got at the
site's login. The token proves the sign-in, once: it lives ten minutes, so what leaks of an attach is soon
worth nothing. From then on the store is asked whether the sign-in is over, as long as the agent is attached.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import trio

from engine.errors import BadToken, PaiduiError
from engine.logins import ACCESS_TYP
from engine.model import Attach, Detached
from engine.names import UnknownName

if TYPE_CHECKING:
    from engine.service import Service

CHECK_EVERY_S: Final = 5.0
"""For so long at most an edge acts for an agent whose sign-in is over; and for as long as the store takes."""
UNCHECKED_FOR_S: Final = 60.0
"""A store that does not answer is believed to be as it was for so long; then nobody is acted for."""

TEXTS: Final = {
    "no_access": "attach.access: expected an access token for each agent, in their order; only the token of "
    "`paidui token edge --any-agent` does without",
    "bad_access": "attach.access: expected a living access token of this site; refresh it, or sign in again",
    "other_agent": "attach.access: the access token is not this agent's",
    "over": "the sign-in is over: signed out, revoked, or a day old; sign in again",
    "unchecked": "the store does not say whether the sign-in is over; attach again later",
}
"""Why an agent is not attached, or no longer: the codes of `Detached`."""


class AccessVerifier(Protocol):
    """What is needed of `engine.auth.Tokens`."""

    def verify(self, token: str, typ: str) -> Mapping[str, Any]:
        """Return the claims; raise `BadToken` if it is none of this purpose."""
        ...


class SignIns:
    """The sign-ins with which one edge acts for agents.

    Args:
        service: whose agents, and whose store.
        tokens: who has signed the access tokens.
    """

    def __init__(self, service: Service, tokens: AccessVerifier) -> None:
        self._service = service
        self._tokens = tokens
        self._held: dict[int, str] = {}
        self._known_s = trio.current_time()

    async def admit(self, attach: Attach) -> tuple[list[int], list[Detached]]:
        """Look at those whom an edge wants to attach.

        Returns:
            The agents whose sign-ins are not over; and why the others are not attached, whatever they were.
        """
        access = attach.access or []
        if len(access) != len(attach.agents):
            return [], [_detached(attach.agents, "no_access")] if attach.agents else []
        shown: dict[int, str] = {}
        refused: dict[str, list[int]] = {}
        for agent, token in zip(attach.agents, access, strict=True):
            code, sign_in = self._shown(agent, token)
            if code:
                refused.setdefault(code, []).append(agent)
            else:
                shown[agent] = sign_in
        living = await self._living(shown.values())
        code = "over" if living is not None else "unchecked"
        for agent, sign_in in shown.items():
            if not self._is_of(agent, (living or {}).get(sign_in)):
                refused.setdefault(code, []).append(agent)
        not_let_in = set().union(*refused.values())  # also who is named twice, once in vain
        admitted = {agent: sign_in for agent, sign_in in shown.items() if agent not in not_let_in}
        self._held.update(admitted)
        return list(admitted), [_detached(agents, code) for code, agents in refused.items()]

    async def look_after(self, tell: Callable[[Sequence[Detached]], None]) -> None:
        """Say whose sign-ins are over, until cancelled.

        Args:
            tell: is told who is not to be acted for any more.
        """
        while True:
            await trio.sleep(CHECK_EVERY_S)
            tell(await self.over())

    async def over(self) -> list[Detached]:
        """Return those whose sign-ins are over by now; they are forgotten."""
        held, asked_s = dict(self._held), trio.current_time()
        living = await self._living(held.values())
        if living is not None:
            self._known_s = asked_s
            gone, code = [one for one in held if not self._is_of(one, living.get(held[one]))], "over"
        elif asked_s - self._known_s >= UNCHECKED_FOR_S:
            gone, code = list(held), "unchecked"
        else:
            return []
        # Not those who were attached anew meanwhile.
        gone = [agent for agent in gone if self._held.get(agent) == held[agent]]
        self.forget(gone)
        return [_detached(gone, code)] if gone else []

    def forget(self, agents: Iterable[int]) -> None:
        """Look after these no more."""
        for agent in agents:
            self._held.pop(agent, None)

    def _shown(self, agent: int, token: str) -> tuple[str, str]:
        """What is wrong with an agent's access token, "" = nothing; and the sign-in that it is of."""
        try:
            claims = self._tokens.verify(token, ACCESS_TYP)
        except BadToken:
            return "bad_access", ""
        sign_in = claims.get("sign_in")
        if not isinstance(sign_in, str):
            return "bad_access", ""
        return "" if self._is_of(agent, claims.get("agent")) else "other_agent", sign_in

    def _is_of(self, agent: int, name: object) -> bool:
        try:
            return isinstance(name, str) and self._service.names.id("agent", name) == agent
        except UnknownName:
            return False

    async def _living(self, sign_ins: Collection[str]) -> Mapping[str, str] | None:
        """Those that are not over, and whose; None when the store does not answer."""
        conversations = self._service.conversations
        if not sign_ins or conversations is None:
            return {}
        try:
            return await conversations.store.agents_signed_in(list(sign_ins))
        except PaiduiError:
            return None


def _detached(agents: list[int], code: str) -> Detached:
    return Detached(agents=agents, code=code, text=TEXTS[code])
