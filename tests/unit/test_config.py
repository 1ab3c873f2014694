"""The configuration file: what is read, and that every error is named at once."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import engine
from engine.config import Address, SiteConfig, load_site, read_site
from engine.errors import ConfigError

SAMPLE = Path(engine.__file__).parent / "sample.toml"
MINIMAL = '[site]\nname = "one"\n'


def read(text: str) -> SiteConfig:
    return read_site(text, Path("/srv/paidui"))


def errors_of(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return caught.value.errors


def test_sample_loads_and_says_what_it_says() -> None:
    site = load_site(SAMPLE)
    assert site.name == "demo-bank"
    assert site.title.text("zh-CN") == "示范银行"
    assert site.title.text("en") == "Demo Bank"
    assert site.data == SAMPLE.resolve().parent / "data"
    assert site.gateway.socket == site.data / "gateway.sock"
    assert site.web.bind == Address("127.0.0.1", 8700)
    assert list(site.agents) == ["chen_wei", "leasing_desk", "li_na"]
    assert site.agents["chen_wei"].title.en == "陈伟"
    assert site.agents["chen_wei"].capacity == {"webchat": 3, "voice": 1}
    assert site.agents["li_na"].was == "lina"
    assert site.queues["loans"].rank_skill == "loans"
    assert site.queues["loans"].max_waiting is None
    options = {"abandon_after_s": 60, "file_mb": 10, "files_per_minute": 20}
    assert site.channels["webchat"].options == options
    assert site.channels["voice"].account == "voice"
    assert site.targets["head_office"].address == "+8657100000000"
    assert (site.agents["chen_wei"].wrap_up_ms, site.agents["li_na"].wrap_up_ms) == (3_000, None)


def test_defaults_are_those_that_the_sample_names() -> None:
    site = read(MINIMAL + '[channels.c]\nplugin = "echo"\n[queues.q]\n')
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    said = {
        match["key"]: match["default"]
        for line in lines
        if (match := re.match(r"(?P<key>\w+) = .*#.*default (?P<default>[\w.:]+?)\b(?:[.;]|$|:)", line))
    }
    assert said["retry_after_ms"] == str(site.routing.retry_after_ms)
    assert said["key_retention_days"] == str(site.routing.key_retention_days)
    assert said["offer_timeout_ms"] == str(site.queues["q"].offer_timeout_ms)
    assert said["expected_handle_s"] == str(site.queues["q"].expected_handle_s)
    assert said["wrap_up_ms"] == str(site.queues["q"].wrap_up_ms)
    assert said["flush_ms"] == str(site.stats.flush_ms)
    assert said["query_timeout_ms"] == str(site.stats.query_timeout_ms)
    assert said["max_rows"] == str(site.stats.max_rows)
    assert said["max_reply_bytes"] == str(site.stats.max_reply_bytes)
    assert said["memory_limit_mb"] == str(site.stats.memory_limit_mb)
    assert said["process_limit_mb"] == str(site.stats.process_limit_mb)
    assert said["connect_timeout_ms"] == str(site.channels["c"].connect_timeout_ms)
    assert site.routing.miss_limit == 3
    assert site.routing.order == "longest"
    assert site.routing.max_waiting is None
    assert site.queues["q"].strategy == "longest_idle"
    assert said["seed"] == str(site.routing.seed)
    assert site.queues["q"].rank_skill is None
    assert (site.title.zh, site.timezone) == ("one", "UTC")


def test_sample_has_every_key_that_is_known() -> None:
    """Each section's unknown-key error lists what is known; the sample must use all of it."""
    sample = tomllib.loads(SAMPLE.read_text(encoding="utf-8"))
    probe = (
        MINIMAL
        + "zzz = 1\n"
        + "\n".join(
            f"[{section}]\n{extra}zzz = 1"
            for section, extra in {
                "routing": "",
                "web": "",
                "gateway": "",
                "stats": "",
                "domains.x": "",
                "reasons.x": "",
                "skills.x": "",
                "channels.x": 'plugin = "echo"\n',
                "calendars.x": "",
                "queues.x": "",
                "regions.x": 'fallback = "y"\nsets = { y = { requires = { x = 1 } } }\n',
                "agents.x": "",
            }.items()
        )
    )
    errors = errors_of(probe)
    assert len(errors) == 13
    for error in errors:
        section = error.split(".zzz")[0]
        known = set(error.split("known: ")[1].split(", "))
        group, _, named = section.partition(".")
        tables = [sample[group]] if not named else list(sample[group].values())
        used = set().union(*tables)
        # `was` stands once, with an agent: it is the same for every named section.
        assert known - used <= {"was"}, section


def test_all_errors_come_at_once_with_their_paths() -> None:
    errors = errors_of(
        """
        [site]
        name = "demo bank"
        [routing]
        order = "fifo"
        miss_limit = -1
        retry_after = 5
        [web]
        bind = "8700"
        [skills.cards]
        [channels.webchat]
        plugin = "webchat"
        instant = 1
        [queues.cards]
        offer_timeout_ms = 0
        skills = {kards = 1, cards = 101}
        rank_skill = "card"
        [agents."chen wei"]
        capacity = {webchat = 0, voice = 1}
        """
    )
    assert [error.split(": ")[0] for error in errors] == [
        "site.name",
        "channels.webchat.instant",
        "queues.cards.skills.kards",
        "queues.cards.skills.cards",
        "queues.cards.rank_skill",
        "queues.cards.offer_timeout_ms",
        "agents.chen wei",
        "agents.chen wei.capacity.webchat",
        "agents.chen wei.capacity.voice",
        "routing.order",
        "routing.miss_limit",
        "routing.retry_after",
        "web.bind",
    ]
    assert "queues.cards.offer_timeout_ms: expected 1..86400000, got 0" in errors
    assert 'queues.cards.skills.kards: no skill "kards"; did you mean "cards"?' in errors
    assert 'routing.retry_after: unknown key; did you mean "retry_after_ms"?' in errors
    assert "channels.webchat.instant: expected true or false, got an integer" in errors


def test_an_exclusive_channel_is_not_interruptible() -> None:
    text = '[channels.c]\nplugin = "echo"\nexclusive = true\ninterruptible = true\n'
    assert errors_of(MINIMAL + text) == [
        "channels.c.interruptible: an exclusive channel cannot be interrupted; take one of the two out"
    ]


def test_a_target_is_reached_by_its_name_unless_it_has_an_address() -> None:
    site = read(MINIMAL + '[targets.desk]\n[targets.boss]\naddress = "+1"\nwas = "chief"\n')
    assert [(one.name, one.address, one.was) for one in site.targets.values()] == [
        ("desk", "desk", None),
        ("boss", "+1", "chief"),
    ]


def test_an_unknown_strategy_is_told_the_known_ones() -> None:
    (error,) = errors_of(MINIMAL + '[queues.q]\nstrategy = "fifo"')
    assert error.startswith('queues.q.strategy: expected "longest_idle" or "least_occupied" or ')
    assert error.endswith(' or "ring_all" or "outside", got "fifo"')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "site.name: is missing; give the site a short name"),
        (MINIMAL + "[queue.q]", 'queue: unknown key; did you mean "queues"?'),
        (MINIMAL + "queues = 1", "site.queues: unknown key; known: name, data, timezone, title, drain_s"),
        ("queues = 3\n" + MINIMAL, "queues: expected a table, got an integer"),
        (MINIMAL + "[channels.a]", "channels.a.plugin: is missing; give a string"),
        (MINIMAL + "[routing]\nseed = -1", "routing.seed: expected 0..9223372036854775807, got -1"),
        (MINIMAL + "[agents.a]\nshare = 1001", "agents.a.share: expected 1..1000, got 1001"),
        (MINIMAL + "[stats]\nflush_ms = true", "stats.flush_ms: expected an integer, got true or false"),
        (MINIMAL + "[stats]\nflush_ms = 0.5", "stats.flush_ms: expected an integer, got a number"),
        (
            MINIMAL + '[web]\nbind = "127.0.0.1:99999"',
            'web.bind: expected "host:port" with a port 0..65535, got "127.0.0.1:99999"',
        ),
        (
            MINIMAL + '[web]\nbind = "127.0.0.1:8702"',
            "stats.bind: 127.0.0.1:8702 is already web.bind; choose another port",
        ),
        (
            MINIMAL + '[channels.a]\nplugin = "mail"\n[channels.a.options]\npassword = "x"',
            "channels.a.options.password: secrets do not stand in this file; "
            'use "password_file" or "password_env"',
        ),
        (
            MINIMAL + '[channels.a]\nplugin="e"\naccount="x"\n[channels.b]\nplugin="e"\naccount="x"',
            'channels.b.account: "x" is already channels.a',
        ),
        (
            MINIMAL + '[skills.a]\n[skills.b]\nwas = "a"',
            'skills.b.was: "a" is still a section; take one of the two out',
        ),
        (
            MINIMAL + '[skills.a]\nwas = "c"\n[skills.b]\nwas = "c"',
            'skills.b.was: "c" was already renamed by skills.a',
        ),
        (
            MINIMAL + 'timezone = "Beijing"',
            'site.timezone: no time zone "Beijing"; give an IANA name such as "Asia/Shanghai"',
        ),
        (MINIMAL + "title = 3", "site.title: expected a string or a table, got an integer"),
        (
            MINIMAL + 'title = {de = "Bank"}',
            "site.title.de: unknown key; known: en, zh",
        ),
    ],
)
def test_one_fault_is_one_error(text: str, expected: str) -> None:
    assert errors_of(text) == [expected]


def test_at_most_sixteen_skills_for_a_queue() -> None:
    names = [f"s{number}" for number in range(17)]
    sections = "".join(f"[skills.{name}]\n" for name in names)
    required = ", ".join(f"{name} = 1" for name in names)
    errors = errors_of(f"{MINIMAL}{sections}[queues.q]\nskills = {{{required}}}\n")
    assert errors == ["queues.q.skills: 17 are listed, at most 16 can be"]


def test_secret_may_be_named_by_file_or_variable() -> None:
    site = read(MINIMAL + '[channels.a]\nplugin = "mail"\noptions = {password_file = "/run/p"}')
    assert site.channels["a"].options == {"password_file": "/run/p"}


@pytest.mark.parametrize(
    ("section", "instead"),
    [
        ("web", "give certificate and key"),
        ("gateway", "give certificate and key"),
        ("stats", "through a proxy that speaks TLS"),
        ("ops", "through a proxy that speaks TLS"),
    ],
)
def test_plain_text_beyond_this_machine_has_to_be_wanted(section: str, instead: str) -> None:
    text = MINIMAL + f'[{section}]\nbind = "0.0.0.0:9000"\n'
    (error,) = errors_of(text)
    assert error.startswith(f"{section}.bind: 0.0.0.0:9000 would be plain text for everybody on the way; ")
    assert instead in error
    assert error.endswith(f"say insecure = true in [{section}]")
    assert str(getattr(read(text + "insecure = true\n"), section).bind) == "0.0.0.0:9000"


@pytest.mark.parametrize("section", ["web", "gateway"])
def test_a_certificate_makes_it_fit_for_others(section: str) -> None:
    text = MINIMAL + f'[{section}]\nbind = "[::]:9000"\ncertificate = "a.pem"\n'
    errors = errors_of(text)
    assert errors[0] == f"{section}.key: is missing beside certificate; name both PEM files, or neither"
    certificate = getattr(read(text + 'key = "/etc/k.pem"'), section).certificate
    assert (certificate.chain.name, str(certificate.key)) == ("a.pem", "/etc/k.pem")
    assert certificate.chain.is_absolute()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "[::1]"])
def test_this_machine_needs_no_certificate(host: str) -> None:
    assert read(MINIMAL + f'[web]\nbind = "{host}:9000"').web.bind.port == 9000


def test_trusted_proxies_are_networks() -> None:
    text = MINIMAL + "[web]\ntrusted_proxies = "
    assert [str(one) for one in read(text + '["10.0.0.0/8", "::1"]').web.trusted_proxies] == [
        "10.0.0.0/8",
        "::1/128",
    ]
    assert errors_of(text + '["10.0.0.1/8"]') == [
        'web.trusted_proxies[0]: expected an address or a network such as "10.0.0.0/8", got "10.0.0.1/8"'
    ]


def test_ipv6_address_keeps_its_brackets() -> None:
    address = read(MINIMAL + '[web]\nbind = "[::1]:0"').web.bind
    assert address == Address("::1", 0)
    assert str(address) == "[::1]:0"


def test_not_toml_says_where() -> None:
    (error,) = errors_of("[site\n")
    assert error.startswith("not TOML: ")
    assert "line 1" in error


def test_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_site(tmp_path / "none.toml")
    assert "none.toml: No such file or directory; give an existing file" in caught.value.errors[0]


def test_file_that_is_not_utf8_says_so(tmp_path: Path) -> None:
    file = tmp_path / "gbk.toml"
    file.write_bytes('[site]\nname = "x" # 银行'.encode("gbk"))
    with pytest.raises(ConfigError, match="is not UTF-8; save it as UTF-8"):
        load_site(file)


def test_one_title_serves_both_languages() -> None:
    site = read('[site]\nname = "x"\ntitle = {zh = "银行"}')
    assert (site.title.en, site.title.zh) == ("银行", "银行")
