"""Backup and restore: one moment, every byte checked, nothing overwritten."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from engine import model
from engine.backup import MANIFEST, BackupError, back_up, read_manifest, restore
from engine.channel_attachments import NewAttachment
from engine.cli import main
from engine.config import load_site
from engine.errors import ConfigError
from engine.journal.segment import numbers_in
from engine.keeper import Keeper, Plan
from engine.keys import site_key, token_key
from engine.service import open_service
from engine.store import Store
from engine.testing.fixtures import SECRET, SMALL_SITE

OFTEN = SMALL_SITE.replace("[journal]", "[journal]\nsegment_batches = 10\nsnapshot_every = 10")


async def site_with(folder: Path, conversations: int) -> Path:
    """A site that has served, with everything that a data folder may hold; its configuration's path."""
    config = folder / "site.toml"
    folder.mkdir(exist_ok=True)
    config.write_text(OFTEN)
    site = load_site(config)
    site.data.mkdir()
    token_key(site.data)
    site_key(site.data)
    async with (
        Store(site.data / "store.sqlite") as store,
        open_service(site, store=store, secret=SECRET) as service,
    ):
        for number in range(conversations):
            assert service.conversations is not None
            contact, _ = await service.conversations.arrive("chat", f"visitor {number}", queue="loans")
            news = [NewAttachment(f"{number}.txt", f"file {number}".encode())]
            async with service.conversations.attachments.drafted(news) as files:
                await service.conversations.customer_says("chat", contact, f"question {number}", "1", files)
    with closing(Keeper(site.data / "journal", Plan(10, 400, 1 << 40))) as keeper:
        keeper.step()
    (site.data / "attachments" / "incoming-half").write_bytes(b"not whole yet")
    (site.data / "stats.duckdb").write_bytes(b"made again")
    return config


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


async def test_there_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = await site_with(tmp_path / "here", 30)
    assert main(["backup", str(tmp_path / "copy"), "--config", str(config)]) == 0
    assert not list((tmp_path / "copy").rglob("stats*")), "it is rebuilt"
    elsewhere = tmp_path / "there" / "site.toml"
    elsewhere.parent.mkdir()
    assert main(["restore", str(tmp_path / "copy"), "--config", str(elsewhere)]) == 0
    said = capsys.readouterr().out
    assert "contacts up to 30" in said
    data = elsewhere.parent / "data"
    assert not list((data / "attachments").glob("incoming*")), "half a file is nobody's"
    assert {path.name for path in (data / "keys").iterdir()} == {"site.key", "tokens.key"}
    assert numbers_in(data / "journal") == numbers_in(config.parent / "data" / "journal")
    assert list((data / "journal").glob("*.snapshot"))
    assert list((data / "journal").glob("*.events"))
    async with (
        Store(data / "store.sqlite") as store,
        open_service(load_site(elsewhere), store=store, secret=SECRET) as service,
    ):
        assert service.conversations is not None
        contact, conversation = await service.conversations.arrive("chat", "visitor 7", queue="loans")
        assert (contact, conversation.contact) == (8, 8), "the same contact as before"
        (message,) = await store.messages(conversation.id)
        assert message.text == "question 7"
        _, content = await service.conversations.attachment(contact, message.attachments[0].public_id)
        assert [piece async for piece in content] == [b"file 7"]
        new = model.Arrive(channel=1, key=bytes(15) + b"\1", queue=2)
        assert await service.command(new) == 31


async def test_what_an_erasure_takes_away_meanwhile_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = await site_with(tmp_path / "here", 3)
    gone = sorted((config.parent / "data" / "attachments").iterdir())[0]
    copy = shutil.copy2

    def copy_late(source: Path, dest: Path) -> None:
        gone.unlink(missing_ok=True)
        copy(source, dest)

    monkeypatch.setattr(shutil, "copy2", copy_late)
    assert main(["backup", str(tmp_path / "copy"), "--config", str(config)]) == 0
    copied = {path.name for path in (tmp_path / "copy" / "data" / "attachments").iterdir()}
    assert len(copied) == 2
    assert gone.name not in copied


async def test_a_store_that_is_elsewhere_is_not_left_out_in_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = await site_with(tmp_path / "here", 3)
    words = ["backup", str(tmp_path / "copy"), "--config", str(config)]
    assert main([*words, "--without-store"]) == 1
    assert "the store is a file in the data folder" in capsys.readouterr().err
    config.write_text(config.read_text() + '\n[store]\nurl_env = "STORE_URL"\n')
    for path in (config.parent / "data").glob("store.sqlite*"):
        path.unlink()
    assert main(words) == 1
    assert "pg_dump copies. Copy it first" in capsys.readouterr().err
    assert not (tmp_path / "copy").exists()
    assert main([*words, "--without-store"]) == 0
    there = tmp_path / "there" / "site.toml"
    there.parent.mkdir()
    assert main(["restore", str(tmp_path / "copy"), "--config", str(there)]) == 0
    assert "the store is not in the copy" in capsys.readouterr().out
    assert load_site(there).data.is_dir()


async def test_a_folder_that_holds_anything_is_left_as_it_is(tmp_path: Path) -> None:
    config = await site_with(tmp_path / "here", 3)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "mine").touch()
    with pytest.raises(BackupError, match="is not empty"):
        back_up(load_site(config), config, tmp_path / "copy", print)
    back_up(load_site(config), config, tmp_path / "good", print)
    before = files_of(config.parent)
    with pytest.raises(ConfigError, match=r"site\.data: .*is not empty; move it away"):
        restore(tmp_path / "good", config, print)
    assert files_of(config.parent) == before


async def test_another_sites_copy_is_refused(tmp_path: Path) -> None:
    config = await site_with(tmp_path / "here", 3)
    back_up(load_site(config), config, tmp_path / "copy", print)
    other = tmp_path / "other.toml"
    other.write_text(SMALL_SITE.replace('name = "small"', 'name = "other"'))
    with pytest.raises(BackupError, match=r"site\.name: the copy is of 'small'"):
        restore(tmp_path / "copy", other, print)


@pytest.mark.slow  # every file is spoilt in turn
async def test_one_bit_in_any_file_and_nothing_is_restored(tmp_path: Path) -> None:
    config = await site_with(tmp_path / "here", 30)
    copy, elsewhere = tmp_path / "copy", tmp_path / "there.toml"
    back_up(load_site(config), config, copy, print)
    whole = files_of(copy)
    assert len(whole) > 10
    for name, content in whole.items():
        if not content:
            continue
        at = len(content) // 2
        (copy / name).write_bytes(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
        with pytest.raises(BackupError, match=name):
            restore(copy, elsewhere, print)
        assert not elsewhere.exists()
        assert not (tmp_path / "data").exists()
        (copy / name).write_bytes(content)
    restore(copy, elsewhere, print)


@pytest.mark.parametrize("change", ["missing", "more", "unfinished", "leads out"])
async def test_what_is_not_the_copy_is_refused(tmp_path: Path, change: str) -> None:
    config = await site_with(tmp_path / "here", 3)
    copy = tmp_path / "copy"
    back_up(load_site(config), config, copy, print)
    if change == "missing":
        (copy / "data" / "keys" / "site.key").unlink()
    elif change == "more":
        (copy / "data" / "planted").touch()
    elif change == "unfinished":
        (copy / MANIFEST).unlink()
    else:
        from engine import backup

        manifest = read_manifest(copy)
        outside = backup.CopiedFile("../outside", 0, "")
        changed = backup.msgspec.structs.replace(manifest, files=(*manifest.files, outside))
        (copy / MANIFEST).write_bytes(backup._encoded(changed))
    with pytest.raises(BackupError, match=r"missing|not part|leads out"):
        restore(copy, tmp_path / "there.toml", print)
    assert not (tmp_path / "data").exists()


async def test_a_store_of_a_later_moment_is_refused(tmp_path: Path) -> None:
    """As a copy would be that takes the journal first; its own manifest fits."""
    from engine import backup

    config = await site_with(tmp_path / "here", 5)
    copy = tmp_path / "copy"
    back_up(load_site(config), config, copy, print)
    store = copy / "data" / "store.sqlite"
    with closing(apsw.Connection(str(store))) as db:
        db.execute("UPDATE conversations SET contact = 6 WHERE contact = 5")
    manifest = read_manifest(copy)
    files = tuple(backup._described(copy, copy / one.path) for one in manifest.files)
    (copy / MANIFEST).write_bytes(backup._encoded(backup.msgspec.structs.replace(manifest, files=files)))
    with pytest.raises(BackupError, match="the store speaks of contact 6, the journal of 5 at most"):
        restore(copy, tmp_path / "there.toml", print)
    assert json.loads((copy / MANIFEST).read_text())["last_contact"] == 5
