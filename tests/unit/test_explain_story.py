"""`paidui explain` and `paidui replay` beside a running service, in this process."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import apsw
import pytest
import trio

from engine.cli import main
from engine.cli.replay import replayed
from engine.clock import ManualClock
from engine.config import load_site
from engine.journal import events_hash
from engine.journal.contract import FORMAT_VERSION, RULES_VERSION, BatchRow, first_chain, next_chain
from engine.journal.folder import LOCK
from engine.journal.reader import HEAD
from engine.model import (
    Abandon,
    Accept,
    Arrive,
    Decline,
    End,
    HoursState,
    LeaseLost,
    Release,
    ReleasedBy,
    SignIn,
    encode_frame,
)
from engine.names import UnknownName
from engine.service import Service, open_service
from engine.testing.fixtures import SMALL_SITE

START_US = 1_700_000_000_000_000


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(SMALL_SITE, "utf-8")
    return path


def arrive(service: Service, key: int, queue: str = "cards") -> Arrive:
    numbers = service.names.id("channel", "chat"), service.names.id("queue", queue)
    return Arrive(channel=numbers[0], key=key.to_bytes(16, "big"), queue=numbers[1])


async def played(service: Service, clock: ManualClock) -> None:
    """Ann (who knows cards) serves contact 1 and declines contact 2; bob, who does not, waits."""
    ann, bob = (service.names.id("agent", name) for name in ("ann", "bob"))
    await service.command(SignIn(agent=bob))
    # One batch: contact 1 arrives before ann signs in, and is chosen in the middle of it.
    frames = [arrive(service, 1), SignIn(agent=ann), arrive(service, 2)]
    answered = trio.Event()
    source = service.add_source(lambda _: answered.set(), urgent=True)
    assert service.submit(source, 0, b"".join(map(encode_frame, frames)), len(frames), arrivals=False)
    await answered.wait()
    clock.advance_ms(1_000)
    await service.command(Accept(agent=ann, offer=1))
    await service.command(Decline(agent=ann, offer=2))
    await service.command(End(agent=ann, contact=1))


def explain(capsys: pytest.CaptureFixture[str], config: Path, *words: str) -> str:
    capsys.readouterr()
    assert main(["explain", *words, "--config", str(config)]) == 0
    return capsys.readouterr().out


async def test_a_story_told_beside_the_service(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clock = ManualClock(START_US)
    async with open_service(load_site(config), clock) as service:
        await played(service, clock)
        english = explain(capsys, config, "1", "--agent", "bob", "--language", "en")
        assert "contact 1 · chat · cards · served" in english
        assert "offered to ann (offer 1, batch" in english
        assert "Nobody else could take it" in english
        assert "✗ skill cards: has 0, the queue needs 1" in english
        assert "→ raise skill cards of bob from 0 to 1" in english
        chinese = explain(capsys, config, "1", "--agent", "bob", "--language", "zh")
        assert "把 bob 的技能 cards 从 0 提高到 1" in chinese
        assert "That is who got it" in explain(capsys, config, "1", "--agent", "ann", "--language", "en")
        waiting = explain(capsys, config, "2", "--agent", "ann", "--language", "en")
        assert "contact 2 · chat · cards · waiting" in waiting
        assert "ann is asked again at" in waiting
        assert "It waits. Of 2 agents:" in waiting
        live = service.explain(2, "ann")
        assert live is not None
        assert [reason.predicate for reason in live.failing] == ["not_attempted"]
        assert service.explain(99, "ann") is None
        with pytest.raises(UnknownName):
            service.explain(2, "nobody")


async def test_a_ring_at_several_is_told_with_who_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "site.toml"
    config.write_text(SMALL_SITE.replace("[queues.loans]", '[queues.loans]\nstrategy = "ring_all"'), "utf-8")
    async with open_service(load_site(config), ManualClock(START_US)) as service:
        ann, bob = service.desk("ann"), service.desk("bob")
        await ann.sign_in()
        await bob.sign_in()
        contact = await service.command(arrive(service, 1, "loans"))
        ringing = explain(capsys, config, str(contact), "--language", "en")
        assert "Why ann?" in ringing
        assert "It rings at 2 agents at once." in ringing
        await bob.accept(bob.state().offers[0].offer)
        await bob.invite(contact, "ann")
        await ann.accept(ann.state().invitations[0].offer)
        await bob.hold(contact)
        await bob.leave(contact)
        await service.take_over(contact, "bob")
        await service.move(contact, "cards")
        story = explain(capsys, config, str(contact), "--language", "en", "--at", str(service.seq - 1))
        assert "Why bob?" in story
        assert "It rang at 2 agents at once, and bob answered first." in story
        for line in (
            "the offer to ann was withdrawn",
            "bob invited ann (offer 3)",
            "ann joined",
            "bob put it on hold",
            "bob left it to ann",
            "bob took it over from ann",
        ):
            assert line in story, line
        moved = explain(capsys, config, str(contact), "--language", "zh")
        assert "班长将其从 bob 强制转接到 cards" in moved


async def test_an_instant_of_the_past(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clock = ManualClock(START_US)
    async with open_service(load_site(config), clock) as service:
        await played(service, clock)
    story = json.loads(explain(capsys, config, "2", "--json"))
    offered = next(line for line in story["story"] if line["event"] == "offer_made")
    assert story["choice"] is None
    then = json.loads(explain(capsys, config, "2", "--json", "--at", str(offered["seq"])))
    assert then["state"] == "offered"
    assert then["choice"]["agent"] == "ann"
    assert then["choice"]["why"]["eligible"] is True
    # The same instant as a time: contact 2 arrived in the middle of the batch, offers before it stand.
    by_time = json.loads(explain(capsys, config, "2", "--json", "--at", "2023-11-14T22:13:20"))
    assert by_time["story"] == then["story"]
    assert json.loads(explain(capsys, config, "last", "--json"))["contact"] == 2


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["x"], "CONTACT: expected"),
        (["77"], "no contact 77"),
        (["1", "--agent", "nobody"], "no agent 'nobody'"),
        (["1", "--at", "yesterday"], "--at: expected"),
        (["last", "--at", "1"], "nothing has been offered"),
    ],
)
async def test_what_is_not_there_is_named(
    config: Path, capsys: pytest.CaptureFixture[str], words: list[str], text: str
) -> None:
    clock = ManualClock(START_US)
    async with open_service(load_site(config), clock) as service:
        await played(service, clock)
    assert main(["explain", *words, "--config", str(config)]) == 1
    assert text in capsys.readouterr().err


async def test_a_contact_that_nobody_was_offered(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clock = ManualClock(START_US)
    async with open_service(load_site(config), clock) as service:
        contact = await service.command(arrive(service, 5))
        await service.command(Abandon(channel=service.names.id("channel", "chat"), contact=contact))
    text = explain(capsys, config, str(contact), "--agent", "ann", "--language", "en")
    assert "It was never offered to anybody." in text
    assert "→ ann signs in, ready" in text


# ----- replay


@pytest.fixture
async def journal(config: Path) -> Path:
    """The folder of a journal whose service has stopped."""
    clock = ManualClock(START_US)
    site = load_site(config)
    async with open_service(site, clock) as service:
        await played(service, clock)
        service_hash = service.router.state_hash()
        assert replayed(site.data / "journal").state == f"{service_hash:016x}"
    return site.data / "journal"


def copy_of(journal: Path) -> Path:
    copy = journal.parent / "copy"
    shutil.copytree(journal, copy, ignore=shutil.ignore_patterns(LOCK))
    return copy


def rows(db: apsw.Connection) -> list[BatchRow]:
    query = (
        "SELECT seq, epoch, at, count, frames, events_hash_previous, chain, state_hash_previous FROM batches"
    )
    return [BatchRow(*values) for values in db.execute(query)]


def edit(folder: Path, seq: int, frames: bytes, *, forged: bool, head: bool = False) -> None:
    """Put other commands into a row; a forger makes every chain hash fit again."""
    db = apsw.Connection(str(folder / "000001.sqlite"))
    db.execute("UPDATE batches SET frames = ? WHERE seq = ?", (frames, seq))
    if forged:
        chain = first_chain(FORMAT_VERSION, RULES_VERSION, "small")
        for row in rows(db):
            chain = next_chain(chain, row)
            db.execute("UPDATE batches SET chain = ? WHERE seq = ?", (chain, row.seq))
    if not head:
        (folder / HEAD).unlink()
    db.close()


async def test_the_same_hashes_as_recorded(
    journal: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", "--config", str(config)]) == 0
    text = capsys.readouterr().out
    assert "the same as recorded" in text
    done = replayed(journal)
    with apsw.Connection(str(journal / "000001.sqlite")) as db:
        last = rows(db)[-1]
    assert (done.seq, done.chain, done.commands > 5) == (last.seq, last.chain.hex(), True)
    part = replayed(journal, until_seq=last.seq - 1)
    assert part.events == last.events_hash_previous.hex()
    assert events_hash(b"").hex() != part.events


async def test_an_edited_copy_is_caught_and_named(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = copy_of(journal)
    with apsw.Connection(str(copy / "000001.sqlite")) as db:
        seq = len(rows(db)) - 2
    edit(copy, seq, encode_frame(SignIn(agent=1)), forged=False)
    assert main(["replay", "--journal", str(copy)]) == 1
    assert f"DIVERGES at batch {seq}" in capsys.readouterr().out
    assert replayed(journal).divergence == ""


async def test_an_edited_copy_with_forged_hashes_is_caught_too(journal: Path) -> None:
    copy = copy_of(journal)
    with apsw.Connection(str(copy / "000001.sqlite")) as db:
        seq = len(rows(db)) - 2
    edit(copy, seq, encode_frame(SignIn(agent=2)), forged=True)
    done = replayed(copy)
    assert (done.diverged_at, "other events" in done.divergence) == (seq, True)


@pytest.mark.parametrize(
    ("frames", "why"), [(b"\0\0\0\x03abc", "cannot be read"), (b"", "holds 0 commands, 1 were recorded")]
)
async def test_commands_that_no_gateway_let_in_are_named(journal: Path, frames: bytes, why: str) -> None:
    copy = copy_of(journal)
    edit(copy, 3, frames, forged=True)
    done = replayed(copy)
    assert (done.diverged_at, why in done.divergence) == (3, True)


async def test_the_last_row_is_held_against_the_head(journal: Path) -> None:
    copy = copy_of(journal)
    with apsw.Connection(str(copy / "000001.sqlite")) as db:
        seq = len(rows(db))
    edit(copy, seq, encode_frame(SignIn(agent=2)), forged=True, head=True)
    done = replayed(copy)
    assert (done.diverged_at, "head file" in done.divergence) == (seq, True)


async def test_a_cut_tail_is_named(journal: Path) -> None:
    copy = copy_of(journal)
    db = apsw.Connection(str(copy / "000001.sqlite"))
    seq = len(rows(db))
    db.execute("DELETE FROM batches WHERE seq = ?", (seq,))
    db.close()
    assert replayed(copy).diverged_at == seq
    assert replayed(copy, until_seq=seq - 1).divergence == ""


RULES = """
[targets.voicemail]
[[queues.cards.overflow]]
when = "wait"
after_s = 60
to = "queue:loans"
[[queues.loans.overflow]]
when = "wait"
after_s = 120
to = "target:voicemail"
"""


async def test_hours_and_overflow_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "site.toml"
    config.write_text(SMALL_SITE + RULES, "utf-8")
    clock = ManualClock(START_US)
    async with open_service(load_site(config), clock) as service:
        contact = await service.command(arrive(service, 1))
        await service.set_hours("cards", HoursState.CLOSED)
        await service.desk("ann").sign_in()
        told = service.explain(contact, "ann")
        assert told is not None
        assert [(one.predicate, one.subject) for one in told.failing] == [("queue_open", "cards")]
        assert [(fix.action, fix.subject) for fix in told.fixes] == [("open_queue", "cards")]
        closed = explain(capsys, config, str(contact), "--agent", "ann", "--language", "en")
        assert "✗ cards is not closed: it is" in closed
        assert "→ cards opens" in closed
        await service.desk("ann").sign_out()
        await service.set_hours("loans", HoursState.CLOSING)
        await service.set_hours("loans", HoursState.OPEN)
        await service.set_hours("cards", HoursState.CLOSING)
        for _ in range(2):
            clock.advance_ms(60_000)
            await service.command(arrive(service, 9, "loans"))
        await service.set_hours("loans", HoursState.CLOSED)
        for language, lines in {
            "en": [
                "arrived",
                "waits in cards",
                "cards closes",
                "cards takes nobody in any more",
                "it had waited too long in cards: sent on to loans",
                "waits in loans after an overflow",
                "it had waited too long in loans: sent on to voicemail",
            ],
            "zh": [
                "到达",
                "进入队列 cards",
                "队列 cards 关闭",
                "队列 cards 停止接入",
                "在队列 cards 等待过久：溢出到 loans",
                "溢出后进入队列 loans",
                "在队列 loans 等待过久：溢出到 voicemail",
            ],
        }.items():
            told_lines = explain(capsys, config, str(contact), "--language", language).splitlines()
            assert [line[27:] for line in told_lines if line.startswith("  20")] == lines
        assert "contact 1 · chat · loans · overflowed" in explain(capsys, config, "1", "--language", "en")


async def test_a_lost_lease_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "site.toml"
    config.write_text(SMALL_SITE, "utf-8")
    async with open_service(load_site(config), ManualClock(START_US)) as service:
        ann = service.desk("ann")
        await ann.sign_in()
        contact = await service.command(arrive(service, 1))
        await ann.accept(ann.state().offers[0].offer)
        await service.command(LeaseLost(agent=ann.number))
        await service.command(Release(contact=contact, by=ReleasedBy.ENGINE))
        for language, lines in {
            "en": [
                "engaged with ann",
                "ann was gone: nobody had stood behind its desk for as long as its lease lasts",
                "back at its place in cards",
                "ended: its channel's plugin was gone for too long",
            ],
            "zh": [
                "由 ann 服务中",
                "ann 已失联：其桌面在租约期内无人",
                "回到队列 cards 的原位",
                "结束：其渠道插件失联过久",
            ],
        }.items():
            told = explain(capsys, config, str(contact), "--language", language).splitlines()
            assert [line[27:] for line in told if line.startswith("  20")][-4:] == lines
