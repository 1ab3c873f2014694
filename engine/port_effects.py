"""A channel's effects in order, and how far it has confirmed them: that outlives the process.

Events come from the bus, messages from the store: a notice only says up to where to look. What the
channel has finished is written down in the store, so that after a crash everything behind it comes
again, under the ids that it had. An effect that was carried out just before the crash is repeated,
never forgotten; its id tells the repeat.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import structlog

from engine import model
from engine.bus import ForChannel, Item, SlowReader, TooOld
from engine.channel import Connect, Effect, Ended, MessageOut, Typing
from engine.conversations import Conversations
from engine.effects import effects_of
from engine.facade import Facade
from engine.faults import Faults
from engine.message_store import Confirmed, Message
from engine.notices import MessageNotice, TypingNotice
from engine.port_attachments import attached_files
from engine.subscription import EventBatch, Subscription
from engine.views import CONTACT_STATES

CONFIRM_EVERY = 16
"""So many finished effects are repeated at most where a channel never comes to an end of them."""

FAR_BEHIND = 10_000
"""A quiet channel's place is written anew after so many batches: the ring keeps only so much."""

EVERYTHING = 2**62
"""An id that no message will have."""

CONNECTING = CONTACT_STATES.index("connecting")
_log = structlog.get_logger(__name__)


class _Pending(NamedTuple):
    """An effect, and what its end confirms.

    Attributes:
        seq: the batch of an event's effect; 0 = none.
        nth: how many of the batch's effects are finished with it.
        last: it is the batch's last.
        message: the message's id, when all before it are finished with it; 0 = none.
    """

    effect: Effect
    seq: int = 0
    nth: int = 0
    last: bool = False
    message: int = 0


class EffectQueue:
    """What one channel has to carry out.

    Args:
        service: the running service.
        conversations: the store behind it.
        channel: the channel's name.
        faults: what is to go wrong, in a test.
    """

    def __init__(
        self, service: Facade, conversations: Conversations, channel: str, faults: Faults | None = None
    ) -> None:
        self._faults = faults
        self._service = service
        self._store = conversations.store
        self._channel = channel
        self._number = service.names.id("channel", channel)
        self._subscription: Subscription = service.subscribe(ForChannel(self._number), notices=True)
        self._item: EventBatch | MessageNotice | TypingNotice | None = None
        self._cursor: int | None = None  # up to this message all have been queued
        self._resuming = False
        self._ahead: set[int] = set()  # messages behind the cursor that were queued all the same
        self._confirmed = Confirmed(seq=service.seq)
        self._connects: dict[int, str] = {}
        self._unconfirmed = 0
        self._pending: deque[_Pending] = deque(self._unanswered(None))
        self._given: _Pending | None = None

    async def resume(self) -> None:
        """Go on behind what an earlier process has confirmed; the first time, from now on."""
        found = await self._store.confirmed(self._channel)
        if found is None:
            _, self._cursor = await self._store.messages_out(self._channel, EVERYTHING, EVERYTHING)
            self._confirmed = msgspec.structs.replace(self._confirmed, message=self._cursor)
            await self._write()
            return
        self._pending.clear()
        self._confirmed, self._cursor = found, found.message
        self._connects = dict(found.connects)
        self._subscribe(found.seq, self._connects)

    @property
    def behind(self) -> bool:
        """Whether something waits for the channel."""
        return bool(self._pending) or self._subscription.waiting

    @property
    def in_hand(self) -> dict[str, int]:
        """What the channel carries out now, for the log: the contact, and the batch where it is known."""
        if self._given is None:
            return {}
        found = {"contact": self._given.effect.contact, "seq": self._given.seq}
        return {name: number for name, number in found.items() if number}

    def close(self) -> None:
        """End the subscription."""
        self._subscription.close()

    async def next(self) -> Effect:
        """Return the oldest unfinished effect; wait for one."""
        while True:
            while not self._pending:
                if self._unconfirmed and not self._subscription.waiting:
                    await self._write()
                await self._fill()
            if self._unconfirmed >= CONFIRM_EVERY:
                await self._write()
            if self._faults is not None:
                self._faults.strike("effect_given")
            effect = self._pending[0].effect
            if not isinstance(effect, Connect) or self._waits_for(effect):
                self._given = self._pending[0]
                return effect
            self.finish(effect)

    def finish(self, effect: Effect) -> None:
        """The channel has carried it out."""
        self._given = None
        if not self._pending or self._pending[0].effect is not effect:
            return
        done = self._pending.popleft()
        change: dict[str, int] = {}
        if done.seq:
            part = (0, 0) if done.last else (done.seq, done.nth)
            seq = done.seq if done.last else self._confirmed.seq
            change = {"seq": seq, "part_seq": part[0], "part_count": part[1]}
        if done.message:
            change = {"message": done.message}
        if change:
            self._confirmed = msgspec.structs.replace(self._confirmed, **change)
            self._unconfirmed += 1

    async def settle(self) -> None:
        """Write down where a quiet channel is before the ring has forgotten it; called now and then."""
        if not self.behind and self._service.seq - self._confirmed.seq > FAR_BEHIND:
            await self._write()

    async def _write(self) -> None:
        """Make it durable up to where the channel has finished."""
        idle = not self._pending and self._item is None and not self._subscription.waiting
        if idle and self._subscription.subscriber.live and not self._resuming:
            done = max(self._service.seq, self._confirmed.seq)
            message = max(self._cursor or 0, self._confirmed.message)
            self._confirmed = Confirmed(seq=done, message=message)
        live = {contact for contact, *_ in self._connecting()}
        self._connects = {contact: known for contact, known in self._connects.items() if contact in live}
        confirmed = msgspec.structs.replace(self._confirmed, connects=self._connects)
        covered, self._unconfirmed = self._unconfirmed, 0
        try:
            if self._faults is not None:
                self._faults.strike("effect_confirmed")
            await self._store.confirm(self._channel, confirmed)
        except BaseException:
            self._unconfirmed += covered
            raise

    # ----- where effects come from ------------------------------------------------------------

    async def _fill(self) -> None:
        """Turn the next item into effects; one that was taken when a crash came is taken up again."""
        if self._item is None:
            try:
                self._item = await self._subscription.receive()
            except (SlowReader, TooOld) as error:
                seq = error.seq if isinstance(error, SlowReader) else None
                _log.warning("a channel was cut because it did not keep up", channel=self._channel, seq=seq)
                self._subscribe(seq, {})
                return
        item = self._item
        if isinstance(item, EventBatch):
            pending = await self._of_events(item)
        elif isinstance(item, MessageNotice):
            pending = await self._of_notice(item)
        else:
            typing = Typing(effect_id="", contact=item.contact, on=item.on)
            pending = [_Pending(typing)] if item.sender == "agent" else []
            self._item = None
        self._pending.extend(pending)

    async def _of_events(self, batch: EventBatch) -> list[_Pending]:
        effects: list[Effect] = []
        over: set[int] = set()
        names, targets = self._service.names, self._service.site.targets
        for index, event in batch.events:
            effect_id = f"{self._service.site.name}/{batch.seq}/{index}"
            for effect in effects_of(names, effect_id, event, targets):
                # Those who were in it leave when it is over; to the channel that says nothing more.
                if effect.contact not in over:
                    effects.append(effect)
                if isinstance(effect, Ended):
                    over.add(effect.contact)
                    served_by = isinstance(event, model.Ended) and names.name("agent", event.agent)
                    await self._store.close_conversation(effect.contact, served_by or None)
        words = await self._words_before_ends(over) if self._resuming else []
        self._item = None
        self._connects |= {one.contact: one.effect_id for one in effects if isinstance(one, Connect)}
        finished = self._confirmed.part_count if batch.seq == self._confirmed.part_seq else 0
        pending = [
            _Pending(one, batch.seq, nth, last=nth == len(effects))
            for nth, one in enumerate(effects, 1)
            if nth > finished
        ]
        return [*words, *pending]

    async def _of_notice(self, notice: MessageNotice) -> list[_Pending]:
        """All messages up to the notice's that have not been queued, whichever was told first."""
        if self._cursor is None:
            self._cursor = notice.message_id - 1
        if notice.sender == "customer" or notice.message_id <= self._cursor:
            self._item = None
            return []
        found, upto = await self._store.messages_out(self._channel, self._cursor, notice.message_id)
        self._cursor = max(self._cursor, upto)
        news = [
            _Pending(self._message_out(contact, message), message=message.id)
            for contact, message in found
            if message.id not in self._ahead
        ]
        if not found or self._cursor >= notice.message_id:  # else there is another page
            self._item = None
        if not found and notice.message_id == EVERYTHING:
            self._resuming = False
            self._ahead.clear()
        return news

    async def _words_before_ends(self, over: set[int]) -> list[_Pending]:
        """After a restart no notice says which words came before an end: all that there are."""
        words: list[MessageOut] = []
        for contact in sorted(over):
            conversation = await self._store.by_contact(contact)
            messages = await self._store.messages(conversation.id) if conversation is not None else []
            for message in messages:
                news = message.id > (self._cursor or 0) and message.id not in self._ahead
                if message.sender != "customer" and news:
                    words.append(self._message_out(contact, message))
        self._ahead |= {word.message_id for word in words}
        return [_Pending(word) for word in words]

    def _message_out(self, contact: int, message: Message) -> MessageOut:
        effect_id = f"{self._service.site.name}/m{message.id}"
        return MessageOut(
            effect_id=effect_id,
            contact=contact,
            message_id=message.id,
            text=message.text,
            attachments=attached_files(message),
        )

    # ----- beginning, and beginning again -----------------------------------------------------

    def _subscribe(self, seq: int | None, asked: Mapping[int, str]) -> None:
        """Go on from the ring behind `seq`, else from now; then look for messages once.

        Args:
            seq: what the channel has seen; None = it is not known any more.
            asked: contact -> effect id of each `Connect` that the channel had finished and not answered.
        """
        self._subscription.close()
        self._item = None
        try:
            self._subscription = self._service.subscribe(ForChannel(self._number), seq, notices=True)
        except TooOld as error:
            _log.warning(
                "a channel's place is not at hand any more",
                channel=self._channel,
                seq=seq,
                reason=str(error),
            )
            seq = None
            self._subscription = self._service.subscribe(ForChannel(self._number), notices=True)
        if seq is None:
            self._confirmed = Confirmed(seq=self._service.seq, message=self._confirmed.message)
        self._pending.extend(self._unanswered(asked if seq is not None else None))
        self._resuming = True
        subscriber = self._subscription.subscriber
        look = MessageNotice(0, 0, self._number, (), "system", 0, EVERYTHING, 0)
        subscriber.on_live = lambda: subscriber.push(Item(subscriber.seq, look))
        if subscriber.live:
            subscriber.on_live()

    def _connecting(self) -> list[tuple[int, int]]:
        rows = self._service.channel_contacts(self._number)
        return [(contact, agent) for contact, state, agent, *_ in rows if state == CONNECTING]

    def _waits_for(self, connect: Connect) -> bool:
        """Whether it still is that agent whom the contact is to be connected with."""
        found = self._service.contact_state(connect.contact)
        return found is not None and (found.state, found.agent) == ("connecting", connect.agent)

    def _unanswered(self, asked: Mapping[int, str] | None) -> list[_Pending]:
        """`Connect` for contacts that wait for the channel's answer; None = for all, under new ids."""
        pending = []
        for contact, agent in self._connecting():
            if asked is not None and contact not in asked:
                continue  # an event that follows says so
            effect_id = f"{self._service.site.name}/{self._service.seq}/c{contact}"
            if asked is not None:
                effect_id = asked[contact]
            desk = self._service.router.desk(agent)
            contacts = desk.contacts if desk else []
            deadline_us = next((one.deadline for one in contacts if one.contact == contact), 0)
            connect = Connect(
                effect_id=effect_id,
                contact=contact,
                agent=self._service.names.name("agent", agent),
                deadline_ms=deadline_us // 1_000,
            )
            pending.append(_Pending(connect))
        return pending
