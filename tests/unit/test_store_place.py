"""Where the configuration says the store is; its password is in no file that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import read_site
from engine.errors import ConfigError
from engine.store import Store
from engine.store.place import place_of

SITE = '[site]\nname = "one"\n[store]\n'
URL = "postgresql+psycopg://paidui:hunter2@db.example:5433/store"


def test_sqlite_in_the_data_folder_is_the_default(tmp_path: Path) -> None:
    assert place_of(read_site(SITE, tmp_path)) == tmp_path / "data" / "store.sqlite"


def test_the_url_stands_in_the_file_or_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = "postgresql+psycopg://paidui@db.example/store"
    assert str(place_of(read_site(f"{SITE}url = '{plain}'", tmp_path))) == plain
    (tmp_path / "secret").write_text(URL + "\n")
    for said in ('url_file = "secret"', 'url_env = "STORE"'):
        monkeypatch.setenv("STORE", URL)
        store = Store.of(read_site(SITE + said, tmp_path))
        assert store.place == "postgresql+psycopg://paidui:***@db.example:5433/store"


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (f'url = "{URL}"', "store.url: passwords do not stand in this file; use url_file or url_env"),
        ('url = "mysql://db/store"', "store.url: expected postgresql+psycopg://user@host:port/database"),
        (
            'url = "postgresql+psycopg://db"',
            "store.url: expected postgresql+psycopg://user@host:port/database",
        ),
        ('url = "postgresql+psycopg://db:x/s"', "store.url: expected postgresql+psycopg://user@host"),
        ('url_file = "a"\nurl_env = "B"', "store.url: say it once: url, url_file or url_env"),
        ('phone_region = "china"', 'store.phone_region: expected two capital letters, as "CN", got "china"'),
        ('path = "x"', "store.path: unknown key"),
    ],
)
def test_what_cannot_be_is_refused_by_its_key(tmp_path: Path, said: str, fault: str) -> None:
    with pytest.raises(ConfigError) as told:
        read_site(SITE + said, tmp_path)
    assert fault in str(told.value)
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ('url_env = "NOT_SET"', "store.url_env: the variable NOT_SET is not set; set it to the URL"),
        ('url_file = "nowhere"', "store.url_file: .*nowhere: cannot be read"),
        ('url_file = "wrong"', "store.url_file: expected postgresql"),
    ],
)
def test_a_url_that_cannot_be_had_is_said_when_it_is_needed(tmp_path: Path, said: str, fault: str) -> None:
    (tmp_path / "wrong").write_text("sqlite:///hunter2")
    site = read_site(SITE + said, tmp_path)
    with pytest.raises(ConfigError, match=fault) as told:
        Store.of(site)
    assert "hunter2" not in str(told.value)
