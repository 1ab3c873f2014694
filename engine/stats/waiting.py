"""What happens to contacts before anybody has them: scheduled, lifted, a choice from outside."""

from __future__ import annotations

from typing import Final

from engine.model import ChoiceCause, ChoiceOver, ChoiceWanted, Lifted, Reserved, Scheduled
from engine.stats.in_hand import InHand
from engine.stats.ledger import Ledger
from engine.stats.rows import ChoiceRow, ContactRow

_CHOICE: Final = {cause: cause.name.lower() for cause in ChoiceCause}


class Waiting(InHand):
    """The part of the history that happens while a contact waits, or before."""

    def __init__(self) -> None:
        super().__init__()
        self.choices: Ledger[ChoiceRow] = Ledger()
        self.ledgers["choices"] = self.choices

    def _on_scheduled(self, event: Scheduled) -> None:
        row = self._contact(event.contact)
        row.state = "scheduled"
        row.scheduled_for = row.enqueued_at = event.until

    def _on_lifted(self, event: Lifted) -> None:
        row = self._contact(event.contact)
        row.tier = event.tier
        row.lifted_at, row.reply_by = event.at, event.reply_by

    def _on_reserved(self, event: Reserved) -> None:
        self._contact(event.contact).reserved += 1

    def _on_choice_wanted(self, event: ChoiceWanted) -> None:
        row = self._contact(event.contact)
        self._drop_choice(row, event.at)
        row.choice = event.choice
        self.choices.add(event.choice, ChoiceRow(event, self.seq))

    def _on_choice_over(self, event: ChoiceOver) -> None:
        row = self._contact(event.contact)
        self._end_choice(row, event.at, _CHOICE[event.cause], event.agent or None)

    def _drop_choice(self, row: ContactRow, at: int) -> None:
        """End a choice of which no event says that it is over: what it was about has changed."""
        if row.choice:
            self._end_choice(row, at, "dropped", None)

    def _end_choice(self, row: ContactRow, at: int, cause: str, agent: int | None) -> None:
        choice = self.choices.open[row.choice]
        choice.over_at, choice.cause, choice.agent, choice.seq = at, cause, agent, self.seq
        self.choices.close(row.choice)
        row.choice = 0

    def _drop_choices(self, at: int) -> None:
        """A restart and a configuration end every choice; new ones begin at once."""
        for choice in list(self.choices.open.values()):
            self._drop_choice(self._contact(choice.wanted.contact), at)
