"""`paidui customer` and `paidui audit`: what an operator types, and what comes back."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from engine.cli import main
from engine.config import load_site
from engine.store import Store

SITE = """
[site]
name = "small"
[store]
phone_region = "CN"
[domains.leasing]
[channels.pigeon]
plugin = "socket"
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A site with two customers whose contacts have ended, and one of another domain."""
    path = tmp_path / "site.toml"
    path.write_text(SITE)

    async def come() -> None:
        async with Store.of(load_site(path)) as store:
            for number, name in enumerate(("王芳", "Wang Fang"), 1):
                made = await store.conversation_for(
                    "pigeon", f"{number}", queue="cards", customer=f"v{number}", customer_name=name
                )
                await store.attach_contact(made.id, number)
                await store.close_conversation(number, "ann")
            await store.add_customer("sue", domain="leasing", name="Tenant's")

    trio.run(come)
    return str(path)


def did(capsys: pytest.CaptureFixture[str], config: str, *words: str, code: int = 0) -> str:
    assert main([*words, "--config", config]) == code
    out, err = capsys.readouterr()
    return err if code and err else out


def test_a_customer_is_shown_linked_merged_and_parted(
    capsys: pytest.CaptureFixture[str], config: str
) -> None:
    def customer(*words: str, code: int = 0) -> str:
        return did(capsys, config, "customer", *words, code=code)

    assert customer("link", "1", "phone:138 1234 5678") == "phone:+8613812345678 is customer 1's\n"
    taken = customer("link", "2", "phone:+8613812345678", code=1)
    assert taken == "paidui: phone:+8613812345678 is customer 1's; unlink it there, or merge the two\n"
    assert "to undo it: paidui customer unmerge 1" in customer("merge", "channel:pigeon/v1", "2")
    shown = customer("show", "phone:13812345678")
    assert shown.startswith("customer 1   王芳   public id ")
    for line in ("also called Wang Fang", "identity channel:pigeon/v2", "merge 1: customer 2 on 20"):
        assert f"\n{line}" in shown
    assert shown.count(" by ann") == 2
    assert customer("unmerge", "1") == "merge 1 is undone\n"
    assert "notes: likes tea" in customer("describe", "2", "--notes", "likes tea")
    assert (
        customer("unlink", "phone:13812345678") == "phone:+8613812345678 is nobody's; it was customer 1's\n"
    )
    told = did(capsys, config, "audit", "show", "--subject", "customer:1")
    acts = [line.split("customer.")[1].split()[0] for line in told.splitlines()]
    assert acts == ["link", "merge", "unmerge", "unlink"]
    assert "王芳" not in did(capsys, config, "audit", "show")


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("show", "17"), "who: there is no customer '17' in the site's own domain; give a number"),
        (("show", "3"), "who: there is no customer '3' in the site's own domain"),
        (("show", "1", "--domain", "leasing"), "no customer '1' in the domain 'leasing'"),
        (("show", "1", "--domain", "nowhere"), "--domain: no domain 'nowhere' is configured"),
        (("show", "fax:1"), "identity: expected kind:value with a kind of phone"),
        (("merge", "1", "1"), "customer 1 is one already; name two"),
        (("unmerge", "7"), "merge: there is no 7 that could be undone"),
        (("erase", "--yes", "1", "17"), "who: there is no customer '17'"),
    ],
)
def test_what_cannot_be_is_one_line(
    capsys: pytest.CaptureFixture[str], config: str, words: tuple[str, ...], fault: str
) -> None:
    told = did(capsys, config, "customer", *words, code=1)
    assert fault in told
    assert told.count("\n") == 1
    assert "customer 1   王芳" in did(capsys, config, "customer", "show", "1")


def test_erasing_asks_first(
    capsys: pytest.CaptureFixture[str], config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def answer(question: str) -> str:
        asked.append(question)
        return "n" if len(asked) == 1 else "yes"

    monkeypatch.setattr("builtins.input", answer)
    assert did(capsys, config, "customer", "erase", "1", "2") == "nothing was erased\n"
    assert asked == ["erase customer 1, 2 for good? [y/N] "]
    erased = did(capsys, config, "customer", "erase", "1", "2")
    assert erased.startswith(
        "erased customer 1, 2: 2 conversations, 0 messages, 0 attachments, 2 identities;"
    )
    assert did(capsys, config, "customer", "forget") == "nothing of what was erased is left\n"
    assert "there is no customer '1'" in did(capsys, config, "customer", "show", "1", code=1)


def test_the_log_is_verified_and_its_head_kept(capsys: pytest.CaptureFixture[str], config: str) -> None:
    did(capsys, config, "customer", "link", "1", "email:a@b.example")
    told = did(capsys, config, "audit", "verify")
    assert told.startswith("2 rows, whole; head 2:")
    head = told.split()[-1]
    did(capsys, config, "customer", "unlink", "email:a@b.example")
    assert did(capsys, config, "audit", "verify", "--expect", head).startswith("3 rows, whole")
    other = f"2:{'0' * 64}"
    assert did(capsys, config, "audit", "verify", "--expect", other, code=1) == (
        "the audit log is not whole: row 2: it is another one than was noted down: the log was written anew\n"
    )
    (Path(config).parent / "data" / "keys" / "site.key").write_bytes(bytes(32))
    assert "row 1: it, or the one before it" in did(capsys, config, "audit", "verify", code=1)
    wrong = did(capsys, config, "audit", "verify", "--expect", "2", code=1)
    assert wrong.startswith("paidui: --expect: expected a head as `paidui audit verify` prints it")
