"""The `paidui` command: what a person types wrong is one line that says what to do, and changes nothing."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
import trio

from engine.auth import Tokens
from engine.cli import demo, main, serve
from engine.logins import Logins, WrongPassword
from engine.passwords import Passwords
from engine.store import Store

SITE = """
[site]
name = "small"

[web]
bind = "127.0.0.1:0"

[gateway]
bind = "127.0.0.1:0"

[stats]
bind = "127.0.0.1:0"

[channels.pigeon]
plugin = "socket"

[agents.chen_wei]
title = { en = "Chen Wei", zh = "陈伟" }
"""


@pytest.fixture(autouse=True)
def no_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other tests of this process keep their own."""
    for module in (demo, serve):
        monkeypatch.setattr(module, "set_up_logs", lambda options: None)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(SITE)
    return path


def fault(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    """What the command says when it fails."""
    assert main([str(word) for word in words]) == 1
    return capsys.readouterr().err


WRONG = {
    "plugin": (
        'plugin = "webchatt"',
        "channels.chat.plugin: expected one of echo, socket, webchat, got 'web",
    ),
    "option": ('plugin = "webchat"\noptions = { abandon = 6 }', "channels.chat.options: abandon: unknown; "),
}


@pytest.mark.parametrize(("section", "error"), WRONG.values(), ids=WRONG)
def test_a_wrong_plugin_or_option_is_found_before_the_start(
    capsys: pytest.CaptureFixture[str], config: Path, section: str, error: str
) -> None:
    config.write_text(f"{SITE}\n[channels.chat]\n{section}\n")
    assert error in fault(capsys, "check-config", config)
    assert main(["check-config", "--json", str(config)]) == 1
    assert error in json.loads(capsys.readouterr().out)["errors"][0]
    assert error in fault(capsys, "serve", "--quiet", "--config", config)
    assert not (config.parent / "data").exists()


def test_check_config_says_hours_and_overtaking(capsys: pytest.CaptureFixture[str], config: Path) -> None:
    config.write_text(
        '[site]\nname = "one"\n[routing]\norder = "agent_level"\n[skills.a]\n[skills.b]\n'
        '[channels.c]\nplugin = "echo"\n[calendars.never]\n'
        '[queues.a]\nskills = { a = 1 }\nwaive_overtaking = "b is the fire brigade"\n'
        "[queues.b]\nskills = { b = 1 }\nmax_head_start_s = 90\n"
        "[agents.z]\nskills = { a = 3, b = 4 }\ncapacity = { c = 1 }\n"
    )
    assert main(["check-config", str(config)]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "calendar never: always closed",
        "overtaking in a  unbounded because agent z has level 4 for b and 3 for a, "
        'and order is "agent_level"; waived: b is the fire brigade',
        "overtaking in b  bounded: 90 s (its own contacts, agent z)",
    ]
    assert main(["check-config", "--json", str(config)]) == 0
    assert json.loads(capsys.readouterr().out)["overtaking_s"] == {"a": None, "b": 90}


def test_what_is_not_toml_is_named(capsys: pytest.CaptureFixture[str], config: Path) -> None:
    config.write_text("[site\n")
    assert f"{config}: not TOML: " in fault(capsys, "check-config", config)


def test_a_data_folder_that_cannot_be(capsys: pytest.CaptureFixture[str], config: Path) -> None:
    (config.parent / "data").write_text("a file")
    said = fault(capsys, "serve", "--quiet", "--config", config)
    assert said.startswith("paidui: site.data: ")
    assert said.endswith("choose a folder that can be written\n")


def test_a_store_that_is_none(capsys: pytest.CaptureFixture[str], config: Path) -> None:
    (config.parent / "data").mkdir()
    (config.parent / "data" / "store.sqlite").write_bytes(b"no database at all" * 100)
    assert "store.sqlite: file is not a database; restore" in fault(
        capsys, "serve", "--quiet", "--config", config
    )


async def test_a_store_without_its_journal(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with Store(config.parent / "data" / "store.sqlite") as store:
        assert await store.highest_contact() == 0
        conversation = await store.conversation_for("pigeon", "one", queue="q")
        await store.attach_contact(conversation.id, 1)
        assert await store.highest_contact() > 0
    words = ["serve", "--quiet", "--config", str(config)]
    assert await trio.to_thread.run_sync(main, words) == 1
    assert "restore both from one copy" in capsys.readouterr().err
    assert not (config.parent / "data" / "journal").exists()


@pytest.mark.parametrize("seconds", ["0", "-3", "nan"])
def test_a_demonstration_lasts(capsys: pytest.CaptureFixture[str], tmp_path: Path, seconds: str) -> None:
    said = fault(capsys, "demo", "--for", seconds, "--data", tmp_path / "demo")
    assert said.startswith("paidui: --for: expected more than 0 seconds")
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize(
    ("words", "error"), [((), "name the plugin's channel"), (("--channel", "dove"), "no 'dove' here")]
)
def test_a_plugin_s_token_needs_its_channel(
    capsys: pytest.CaptureFixture[str], config: Path, words: tuple[str, ...], error: str
) -> None:
    said = fault(capsys, "token", "plugin", "--config", config, *words)
    assert said == f"paidui: --channel: {error}; configured are: pigeon\n"


def test_a_token_for_any_agent_says_so(capsys: pytest.CaptureFixture[str], config: Path) -> None:
    for words, claimed in (([], None), (["--any-agent"], True)):
        assert main(["token", "edge", "--config", str(config), *words]) == 0
        claims = capsys.readouterr().out.split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        assert (said["typ"], said.get("any_agent")) == ("edge", claimed)
    said = fault(capsys, "token", "follower", "--config", config, "--any-agent")
    assert "--any-agent: goes with `paidui token edge`, not with follower" in said


def test_a_token_for_a_channel_that_is_served_here(capsys: pytest.CaptureFixture[str], config: Path) -> None:
    config.write_text(SITE + '[channels.echo]\nplugin = "echo"\n')
    said = fault(capsys, "token", "plugin", "--config", config, "--channel", "echo")
    assert "'echo' is served here by 'echo', without a token" in said


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(list(words)) == 0
    return capsys.readouterr().out


async def may_sign_in(config: Path, login: str, password: str) -> tuple[str, str | None] | None:
    """The role and agent of a login, or None when it is refused."""
    async with Store(config.parent / "data" / "store.sqlite") as store:
        logins = Logins(store, Tokens(bytes(32), "small"), bytes(32), passwords=Passwords())
        try:
            grant = await logins.login(login, password, "127.0.0.1")
        except WrongPassword:
            return None
        return grant.identity.role, grant.identity.agent


def test_people_are_let_in_and_no_more(capsys: pytest.CaptureFixture[str], config: Path) -> None:
    file = str(config)

    def password(*words: str) -> str:
        return said(capsys, "user", *words, "--config", file).split()[3]

    first = password("add", "chen_wei")
    boss = password("add", "sue", "--role", "supervisor")
    assert trio.run(may_sign_in, config, "chen_wei", first) == ("agent", "chen_wei")
    assert trio.run(may_sign_in, config, "sue", boss) == ("supervisor", None)
    assert "taken" in fault(capsys, "user", "add", "chen_wei", "--config", file)
    second = password("password", "chen_wei")
    assert trio.run(may_sign_in, config, "chen_wei", first) is None
    assert trio.run(may_sign_in, config, "chen_wei", second) is not None
    said(capsys, "user", "disable", "chen_wei", "--config", file)
    assert trio.run(may_sign_in, config, "chen_wei", second) is None


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["add", "bob"], "--agent: no agent 'bob' is configured"),
        (["add", "bob", "--agent", "rob"], "--agent: no agent 'rob' is configured"),
        (["password", "bob"], "login: there is no 'bob'"),
        (["disable", "bob"], "login: there is no 'bob'"),
        (["add", "Bob!", "--role", "admin"], "login: expected 1..64 of a-z"),
    ],
)
def test_a_wrong_login_is_named(
    capsys: pytest.CaptureFixture[str], config: Path, words: list[str], error: str
) -> None:
    assert error in fault(capsys, "user", *words, "--config", config)


PEOPLE = """login,role,agent,name
w.chen,,chen_wei,Wei Chen
sue,supervisor,,"Sue, the boss"
"""


def test_many_people_are_let_in_at_once(capsys: pytest.CaptureFixture[str], config: Path) -> None:
    people = config.with_name("people.csv")
    people.write_text("\ufeff" + PEOPLE)
    lines = said(capsys, "user", "import", str(people), "--config", str(config)).splitlines()
    assert lines[0] == "login,password"
    passwords = dict(line.split(",") for line in lines[1:])
    assert trio.run(may_sign_in, config, "w.chen", passwords["w.chen"]) == ("agent", "chen_wei")
    assert trio.run(may_sign_in, config, "sue", passwords["sue"]) == ("supervisor", None)


@pytest.mark.parametrize(
    ("rows", "errors"),
    [
        (PEOPLE + "bob,,,\nEve!,admin,,\n", ["4: agent: no agent 'bob' is configured", "5: login: expected"]),
        (PEOPLE + "sue,admin,,\n", ["login: 'sue' is taken"]),
        (PEOPLE + "chen_wei,,,\n", ["agent: 'chen_wei' is taken"]),
        (PEOPLE + "jo,boss,,\n", ["4: role: expected one of agent, supervisor"]),
        (PEOPLE + "jo,admin,,Jo,6\n", ["4: more values than columns"]),
        ("login,desk\njo,3\n", ["1: unknown column 'desk'; the first line names the columns: login, role"]),
        ("name\njo\n", ["1: no column `login`"]),
    ],
)
def test_with_one_error_nobody_is_let_in(
    capsys: pytest.CaptureFixture[str], config: Path, rows: str, errors: list[str]
) -> None:
    people = config.with_name("people.csv")
    people.write_text(rows)
    told = fault(capsys, "user", "import", people, "--config", config)
    assert all(error in told for error in errors), told

    async def count() -> int:
        async with Store(config.parent / "data" / "store.sqlite") as store:
            return await store.count_users()

    assert trio.run(count) == 0


def test_the_version_by_either_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "--version") == said(capsys, "version")
