"""The service: durable answers, time, restart, admission."""

from __future__ import annotations

import queue
from pathlib import Path
from typing import Any, cast

import apsw
import msgspec
import pytest
import trio

from engine.bus import ForAgents, ForAll, ForChannel
from engine.clock import ManualClock
from engine.config import SiteConfig
from engine.errors import (
    Busy,
    ConfigError,
    Malformed,
    NotDurable,
    OfferExpired,
    Refused,
    SignedOut,
    UnknownContact,
    UnknownQueue,
)
from engine.follower import Follower
from engine.journal import (
    Appending,
    Diverged,
    JournalError,
    JournalReader,
    JournalWriter,
    NewBatch,
    SqliteJournal,
    sqlite,
)
from engine.journal.contract import next_chain
from engine.journal.reader import HEAD
from engine.journal.repair import rebuild_head
from engine.model import (
    Ack,
    Arrive,
    Arrived,
    Engaged,
    OfferMade,
    Restarted,
    RestartedEvent,
    decode_body,
    encode_frame,
)
from engine.service import IN_PROCESS, Service, open_service
from engine.testing.fixtures import SECRET, SMALL_SITE, MemoryStore, small_service, small_site


def arrive(service: Service, key: int, queue: str = "cards", channel: str = "chat") -> Arrive:
    return Arrive(
        channel=service.names.id("channel", channel),
        key=key.to_bytes(16, "big"),
        queue=service.names.id("queue", queue),
    )


async def test_a_contact_reaches_an_agent(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        ann = service.desk("ann")
        await ann.sign_in()
        contact = await service.command(arrive(service, 1))
        (offer,) = ann.state().offers
        assert (offer.contact, offer.queue, offer.channel) == (contact, "cards", "chat")
        await ann.accept(offer.offer)
        state = service.contact_state(contact)
        assert state is not None
        assert (state.state, state.agent) == ("engaged", "ann")
        assert service.overview().contacts.engaged == 1
        await ann.end(contact)
        state = service.contact_state(contact)
        assert state is not None
        assert (state.state, state.agent) == ("served", "ann")


async def test_a_repeated_arrival_is_the_same_contact(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        first = await service.command(arrive(service, 1))
        assert await service.command(arrive(service, 1)) == first
        assert await service.command(arrive(service, 2)) != first


async def test_refusals_are_typed(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        ann = service.desk("ann")
        with pytest.raises(SignedOut):
            await ann.ready()
        with pytest.raises(UnknownContact):
            await ann.end(99)
        with pytest.raises(UnknownQueue):
            await ann.transfer(99, "nowhere")
        with pytest.raises(LookupError, match="zoe"):
            service.desk("zoe")
        with pytest.raises(Malformed, match="weight"):
            await service.command(msgspec.structs.replace(arrive(service, 1), weight=-1))
        seq = service.seq
        await ann.sign_in()
        assert service.seq == seq + 1, "a malformed command is not journaled"


async def test_deadlines_fire_without_commands(tmp_path: Path) -> None:
    clock = ManualClock()
    async with small_service(tmp_path, clock=clock) as service:
        ann = service.desk("ann")
        await ann.sign_in()
        await service.command(arrive(service, 1))
        (offer,) = ann.state().offers
        with service.subscribe(ForAll()) as subscription:
            clock.advance_ms(4_999)
            await trio.testing.wait_all_tasks_blocked()
            seq = service.seq
            clock.advance_ms(1)
            await anext(aiter(subscription))
        assert service.seq == seq + 1
        with pytest.raises(OfferExpired):
            await ann.accept(offer.offer)
    reader = JournalReader(tmp_path / "data" / "journal")
    empty = [row for row in reader.read() if row.count == 0]
    assert [row.seq for row in empty] == [seq + 1], "one empty batch, journaled at its deadline"
    assert empty[0].at == offer.deadline_us
    reader.close()


async def test_time_never_falls_below_the_journals(tmp_path: Path) -> None:
    late, early = ManualClock(2_000_000_000_000_000), ManualClock(1_000_000_000_000_000)
    async with small_service(tmp_path, clock=late):
        pass
    async with small_service(tmp_path, clock=early) as service:
        await service.command(arrive(service, 1))
        assert service.at_us == late.now_us()


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    clock = ManualClock()
    async with small_service(tmp_path, clock=clock) as service:
        ann = service.desk("ann")
        await ann.sign_in()
        engaged = await service.command(arrive(service, 1))
        await ann.accept(ann.state().offers[0].offer)
        offered = await service.command(arrive(service, 2))
        seq = service.seq
    async with small_service(tmp_path, clock=clock) as service:
        assert service.seq == seq + 1, "restarted, and no configure for the same configuration"
        desk = service.desk("ann").state()
        assert [contact.contact for contact in desk.contacts] == [engaged]
        assert [offer.contact for offer in desk.offers] == [offered], "offered anew after the restart"
        assert await service.command(arrive(service, 2)) == offered
        with service.subscribe(ForAll(), resume_from=0) as subscription:
            kinds = [event for _, _, events in [await anext(aiter(subscription))] for _, event in events]
            assert isinstance(kinds[0], RestartedEvent)


async def test_the_events_hash_stands_in_the_next_row(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        await service.command(arrive(service, 1))
        await service.command(arrive(service, 2))
    follower = Follower(tmp_path / "data" / "journal")
    batches = list(follower.poll())
    follower.close()
    assert [batch.seq for batch in batches] == [1, 2, 3, 4]
    assert batches[-1].events_count == 2  # arrived, queued


async def test_a_diverging_replay_names_the_batch(tmp_path: Path) -> None:
    """Row 4 says that batch 3 made other events; its own hash and chain are made to fit."""
    async with small_service(tmp_path) as service:
        for key in range(4):
            await service.command(arrive(service, key))
    journal = SqliteJournal(tmp_path / "data" / "journal", "small")
    rows = list(journal.read())
    journal.close()
    db = apsw.Connection(str(tmp_path / "data" / "journal" / "000001.sqlite"))
    chain = rows[2].chain
    for row in rows[3:]:
        changed = msgspec.structs.replace(
            row, events_hash_previous=bytes(32) if row.seq == 4 else row.events_hash_previous
        )
        chain = next_chain(chain, changed)
        values = (changed.events_hash_previous, chain, row.seq)
        db.execute("UPDATE batches SET events_hash_previous = ?, chain = ? WHERE seq = ?", values)
    db.close()
    (tmp_path / "data" / "journal" / HEAD).unlink()
    rebuild_head(tmp_path / "data" / "journal")
    with pytest.raises(Diverged, match="batch 3") as caught:
        async with small_service(tmp_path):
            pass
    assert caught.value.seq == 3


async def test_a_changed_configuration_is_journaled(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        seq = service.seq
    text = SMALL_SITE.replace("offer_timeout_ms = 5000", "offer_timeout_ms = 9000")
    async with small_service(tmp_path, text=text) as service:
        assert service.seq == seq + 2
        assert service.config_errors == []
    async with small_service(tmp_path, text=text) as service:
        assert service.seq == seq + 3


async def test_a_refused_configuration_leaves_the_old_one(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        await service.desk("bob").sign_in()
    text = SMALL_SITE.split("[agents.bob]")[0]
    async with small_service(tmp_path, text=text) as service:
        assert any("bob" in error for error in service.config_errors), service.config_errors
        assert service.desk("bob").state().presence == "ready"
        await service.desk("bob").sign_out()
    async with small_service(tmp_path, text=text) as service:
        assert service.config_errors == []


async def test_arrivals_are_refused_before_agents(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        service._inbox._arrivals_bytes = 1_000
        frame = encode_frame(arrive(service, 7))
        acks: list[bytes] = []
        source = service.add_source(acks.append, urgent=False)
        taken = [service.submit(source, n, frame, 1, arrivals=True) for n in range(8)]
        assert taken.count(False) > 0
        assert service.retry_after_ms > 0
        await service.desk("ann").sign_in()
        await service.desk("ann").sign_out()
        assert len(acks) == 1, "what was taken is answered, in one frame"


async def test_a_full_inbox_is_busy(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        service._inbox._limit_bytes = 10
        with pytest.raises(Busy) as caught:
            await service.desk("ann").sign_in()
        assert caught.value.retry_after_ms >= 100


async def test_a_journal_error_ends_the_service(tmp_path: Path) -> None:
    with pytest.RaisesGroup(pytest.RaisesExc(NotDurable, match="the journal failed"), flatten_subgroups=True):
        async with small_service(tmp_path) as service:
            service._writer._journal._segment.db = apsw.Connection(":memory:")
            await service.desk("ann").sign_in()
            raise AssertionError("it was acknowledged")


async def test_events_reach_those_whom_they_concern(tmp_path: Path) -> None:
    async with small_service(tmp_path) as service:
        chat, voice = service.names.id("channel", "chat"), service.names.id("channel", "voice")
        ann = service.desk("ann")
        with (
            service.subscribe(ForChannel(chat)) as of_chat,
            service.subscribe(ForChannel(voice)) as of_voice,
            service.subscribe(ForAgents([ann.number])) as of_ann,
        ):
            await ann.sign_in()
            contact = await service.command(arrive(service, 1))
            await ann.accept(ann.state().offers[0].offer)
            seen = [type(event) async for event in _events(of_chat, 2)]
            assert Arrived in seen
            assert Engaged in seen
            assert OfferMade in [type(event) async for event in _events(of_ann, 3)]
            with trio.move_on_after(0) as scope:
                await of_voice.raw()
            assert scope.cancelled_caught
        assert contact == 1


async def _events(subscription, batches: int):
    iterator = aiter(subscription)
    for _ in range(batches):
        for _, event in (await anext(iterator))[2]:
            yield event


async def test_the_reconciler_sends_lost_arrivals_again(tmp_path: Path) -> None:
    store = MemoryStore(lose_contacts=True)
    async with small_service(tmp_path, store=store) as service:
        contact, _ = await service.conversations.arrive("chat", "one", queue="cards", head_start_ms=500)
        await store.conversation_for("chat", "two", queue="loans")  # the crash came before the journal
    store.lose_contacts = False
    async with small_service(tmp_path, store=store):
        first, second = store.conversations
        assert first.contact == contact, "the same key gives the same contact"
        assert second.contact == contact + 1


async def test_a_journal_older_than_the_store_is_refused(tmp_path: Path) -> None:
    store = MemoryStore()
    async with small_service(tmp_path, store=store) as service:
        contact, conversation = await service.conversations.arrive("chat", "one", queue="cards")
    await store.attach_contact(conversation.id, contact + 5)
    with pytest.raises(JournalError, match=f"ends with contact {contact}, .* up to contact {contact + 5}"):
        async with small_service(tmp_path, store=store):
            pass


async def test_a_socket_contacts_conversation_is_not_an_arrival(tmp_path: Path) -> None:
    store = MemoryStore(lose_contacts=True)
    async with small_service(tmp_path, store=store) as service:
        contact = await service.command(arrive(service, 1, "loans", "voice"))
        assert service.conversations is not None
        await service.conversations.customer_says("voice", contact, "hello", "m1")
    store.lose_contacts = False
    async with small_service(tmp_path, store=store) as service:
        assert [one.contact for one in store.conversations] == [contact]
        assert service.overview().contacts.waiting == 1


async def test_no_configuration_at_all_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine import service as module

    def broken(site: SiteConfig, names: object) -> object:
        config, names = real(site, names)
        queues = (msgspec.structs.replace(config.queues[0], offer_timeout_us=0), *config.queues[1:])
        return msgspec.structs.replace(config, queues=queues), names

    real = module.compile_config
    monkeypatch.setattr(module, "compile_config", broken)
    with pytest.raises(ConfigError, match="bad_duration"):
        async with open_service(small_site(tmp_path), ManualClock(), store=MemoryStore(), secret=SECRET):
            pass


async def test_a_batch_is_told_while_the_next_one_commits_and_never_before_its_own_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is let on by hand: every append waits for a word."""
    words: queue.SimpleQueue[None] = queue.SimpleQueue()
    began: list[int] = []
    real_append, real_begin = sqlite.SqliteJournal.append, JournalWriter.begin

    def append(journal: sqlite.SqliteJournal, *row: Any) -> int:
        words.get(timeout=30)
        return real_append(journal, *row)

    def begin(writer: JournalWriter, batch: NewBatch) -> Appending:
        began.append(batch.count)
        return real_begin(writer, batch)

    told: list[tuple[int, int]] = []
    heard = trio.Event()

    def reply(ack: bytes) -> None:
        body = cast(Ack, decode_body(ack[4:]))
        told.append((body.results[0][0], len(began)))
        heard.set()

    async with small_service(tmp_path) as service:
        source = service.add_source(reply, urgent=False)
        frames = [encode_frame(arrive(service, key)) for key in range(2)]
        monkeypatch.setattr(sqlite.SqliteJournal, "append", append)
        monkeypatch.setattr(JournalWriter, "begin", begin)
        service.submit(source, 0, frames[0], 1, arrivals=True)
        while not began:
            await trio.lowlevel.checkpoint()
        service.submit(source, 1, frames[1], 1, arrivals=True)
        await trio.testing.wait_all_tasks_blocked()
        assert (told, began) == ([], [1]), "not told before it is durable; one batch commits at a time"
        words.put(None)
        await heard.wait()
        assert told == [(0, 2)], "the second batch was on its way when the first one was told"
        heard = trio.Event()
        words.put(None)
        await heard.wait()
        assert told == [(0, 2), (1, 2)]


def test_refused_is_what_the_core_says() -> None:
    assert issubclass(OfferExpired, Refused)
    assert encode_frame(Restarted())[4:] == b"\x92\x02\x01"
    assert IN_PROCESS == 0
