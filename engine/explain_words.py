"""An explanation in words, line by line, in English or Chinese."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from engine.explain import AgentRank, Explained, Fix, Reason
from engine.explain_story import Account, Choice, Line
from engine.explain_texts import (
    CONDITIONS,
    EVENTS,
    FIXES,
    NAMES,
    NUMBERS,
    PRESENCES,
    RULES,
    SHORT,
    STATES,
    TEXTS,
    Language,
)

RUNNERS_UP = 3
"""Who is named behind the agent that got it."""

AHEAD_NAMED = 8
"""How many of those who went before are named; the others are counted."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


MOST = 2**64 - 1
TIMED = frozenset({"ask_again", "open_up", "await", "await_choice"})
"""Fixes that come by themselves, at a time."""


class Words:
    """Turns explanations into lines.

    Args:
        language: "en" or "zh".
        zone: the time zone in which times are said.
    """

    def __init__(self, language: Language, zone: tzinfo) -> None:
        self._index = 1 if language == "zh" else 0
        self._zone = zone

    def account(self, told: Account) -> list[str]:
        """A contact's story, why it went to whom it went, and why not to the agent who was asked about."""
        state = NAMES[told.state][self._index]
        title = self._text("title", contact=told.contact, channel=told.channel, queue=told.queue, state=state)
        lines = [title, ""]
        lines += [f"  {self.time(line.at_us)}  {self._event(line)}" for line in told.story]
        if told.choice is not None:
            choice = told.choice
            lines += ["", *self._why(choice.why, told.order, choice.outside), *self._rung(choice)]
        elif told.state == "waiting":
            lines += self._waits(told)
        elif told.state != "scheduled":
            lines += ["", self._text("never")]
        if told.asked is not None:
            winner = told.choice.agent if told.choice else ""
            lines += ["", *self.why_not(told.asked, told.order, winner)]
        return lines

    def why_not(self, told: Explained, order: str, winner: str = "") -> list[str]:
        """Why an agent does not get a contact: what fails, with its fix, or who goes before."""
        lines = [self._text("why_not", agent=told.agent)]
        if told.agent == winner:
            return [*lines, self._text("it_was")]
        for reason in told.failing:
            lines.append(self._text("not", text=self._condition(reason)))
            fixes = [fix for fix in told.fixes if fix.predicate == reason.predicate]
            fixes = [fix for fix in fixes if fix.subject in ("", reason.subject)] or fixes
            lines += [self._text("fix", text=self._fix(fix)) for fix in fixes]
        lines += self._not_asked(told)
        count = len(told.reasons) - len(told.failing)
        if told.failing:
            lines.append(self._text("others_hold", count=count))
        else:
            lines.append(self._text("all_hold" if told.eligible else "other_rule", count=count))
        return lines + self._ahead(told, order)

    def time(self, at_us: int) -> str:
        """A time of the journal, in the zone, to the millisecond."""
        moment = _EPOCH + timedelta(microseconds=at_us)
        return moment.astimezone(self._zone).isoformat(" ", "milliseconds")[:23]

    def _why(self, why: Explained, order: str, outside: str) -> list[str]:
        lines = [self._text("why", agent=why.agent)]
        if outside:
            lines.append(self._text(f"outside {outside}", agent=why.agent))
        if why.candidates > 1:
            first = self._order(why.rank, order, why.best)
            lines.append(self._text("candidates", count=why.candidates, order=first))
            shown = why.best[: RUNNERS_UP + 1]
            lines += [self._rank(number, one, order) for number, one in enumerate(shown, 1)]
            if why.candidates > len(shown):
                lines.append(self._text("more", count=why.candidates - len(shown)))
        else:
            lines.append(self._text("only"))
        if why.rivals and not why.contacts_ahead:
            lines.append(self._text("first", count=why.rivals + 1, agent=why.agent))
        return lines + self._not_asked(why)

    def _not_asked(self, told: Explained) -> list[str]:
        """What the agent has in hand, where the contact is for it beyond its capacity."""
        texts = [self._condition(reason) for reason in told.not_asked]
        return [self._text("not_asked", agent=told.agent, text=text) for text in texts]

    def _rung(self, choice: Choice) -> list[str]:
        """That it was offered to several at once."""
        if choice.rung == 1:
            return []
        return [self._text("rang" if choice.answered else "rings", count=choice.rung, agent=choice.agent)]

    def _ahead(self, told: Explained, order: str) -> list[str]:
        lines = []
        best = told.best[: min(told.agents_ahead, AHEAD_NAMED)]
        who = ", ".join(one.agent for one in best) + (", …" if told.agents_ahead > len(best) else "")
        if told.agents_ahead:
            key = "agents_would" if told.failing else "agents_ahead"
            lines.append(self._text(key, count=told.agents_ahead, who=who))
            shown = best[: RUNNERS_UP + 1]
            lines += [self._rank(number, one, order) for number, one in enumerate(shown, 1)]
            lines.append(self._rank(told.agents_ahead + 1, told.rank, order))
            lines.append(self._text("rank_fix", who=who))
        elif told.failing and told.contacts_ahead:
            first = told.ahead[0]
            lines.append(self._text("contacts_would", count=told.contacts_ahead, first=first))
        return lines

    def _waits(self, told: Account) -> list[str]:
        if not told.agents:
            return []
        lines = ["", self._text("waits", count=sum(told.agents.values()))]
        for predicate, count in sorted(told.agents.items(), key=lambda one: -one[1]):
            lines.append(self._text("sum", count=count, text=SHORT[predicate][self._index]))
        return lines

    def _event(self, line: Line) -> str:
        texts = EVENTS.get(f"{line.event} {line.cause}") or EVENTS.get(line.event) or (line.event, line.event)
        cause = f"({line.cause})" if line.cause else ""
        text = texts[self._index].format(
            queue=line.queue,
            agent=line.agent,
            other=line.other,
            offer=line.offer,
            seq=line.seq,
            cause=cause,
            until=self.time(line.until_us) if line.until_us else "",
        )
        return text.rstrip()

    def _condition(self, reason: Reason) -> str:
        states = (STATES[reason.has] if reason.predicate == "waiting" else ("", ""))[self._index]
        presence = (PRESENCES[reason.has] if reason.predicate == "ready" else ("", ""))[self._index]
        return CONDITIONS[reason.predicate][self._index].format(
            subject=reason.subject,
            has=reason.has,
            needs=reason.needs,
            held=reason.held,
            state=states.format(subject=reason.subject, until=self.time(reason.needs)),
            presence=presence.format(subject=f"({reason.subject})" if reason.subject else "").rstrip(),
            until=self.time(reason.has) if reason.predicate in ("preferred", "choosing") else "",
        )

    def _fix(self, fix: Fix) -> str:
        at = fix.to if fix.action in TIMED else 0
        when = self._text("retry_at", time=self.time(at)) if at else self._text("retry_later")
        return FIXES[fix.action][self._index].format(
            agent=fix.agent, subject=fix.subject, was=fix.was, to=fix.to, when=when
        )

    def _order(self, rank: AgentRank, order: str, best: list[AgentRank]) -> str:
        """Who comes first, by the site's order, what the contact prefers and the queue's strategy."""
        counts = order == "agent_level" or rank.strategy == "best_skill"
        level = self._text("level_first") if counts else ""
        score = self._text("score_first") if any(one.score for one in best) else ""
        return self._text("order", level=level, score=score, rule=RULES[rank.strategy][self._index])

    def _rank(self, row: int, one: AgentRank, order: str) -> str:
        counts = order == "agent_level" or one.strategy == "best_skill"
        level = self._text("level", level=one.level) if counts else ""
        number = self._strategy_number(one)
        idle = self.time(one.idle_since_us)[11:]
        place = one.position + 1
        return self._text(
            "rank",
            row=row,
            agent=one.agent,
            level=level,
            score=self._text("score", score=one.score) if one.score else "",
            number=number,
            idle=idle,
            position=place,
        )

    def _strategy_number(self, one: AgentRank) -> str:
        """What the strategy goes by, in a person's units."""
        number = one.number
        if one.strategy in {"least_talk", "least_average_talk"}:
            number //= 1_000_000
        elif one.strategy == "longest_average_idle":
            number = (MOST - number) // 1_000_000
        elif one.strategy == "least_occupied":
            number //= 10
        return NUMBERS[one.strategy][self._index].format(number=number)

    def _text(self, key: str, **values: object) -> str:
        return TEXTS[key][self._index].format(**values)
