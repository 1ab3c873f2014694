"""`paidui user`: who may sign in at the console, while the site runs or not."""

from __future__ import annotations

import argparse
import csv
from functools import partial
from pathlib import Path

import msgspec
import trio

from engine.cli.site_options import actor, add_site_options, chosen_site
from engine.config import SiteConfig
from engine.errors import ConfigError, PaiduiError
from engine.passwords import Passwords, generate_password
from engine.store import Store
from engine.store.users import NewUser, check_new_user

ROLES = ("agent", "supervisor", "admin")
COLUMNS = ("login", "role", "agent", "name")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `paidui user`."""
    what = parser.add_subparsers(dest="what", metavar="add|import|password|disable", required=True)
    add = what.add_parser("add", help="let somebody in; prints a generated password, once")
    add.add_argument("--role", choices=ROLES, default="agent", help="what they may do (default: agent)")
    add.add_argument("--agent", help="whose desk it is (default: the agent of the login's name, if any)")
    add.add_argument("--name", help="what people read (default: the agent's title, else the login)")
    password = what.add_parser("password", help="give somebody a new password, and print it once")
    disable = what.add_parser("disable", help="let somebody in no more; open pages close within ten minutes")
    many = what.add_parser(
        "import", help="let everybody in a CSV file in; prints login and password of each, once, as CSV"
    )
    many.add_argument(
        "file", type=Path, help="UTF-8 with a first line that names its columns: login, and role, agent, name"
    )
    add_site_options(many, port=False)
    for branch in (add, password, disable):
        branch.add_argument("login", help="a to z, 0 to 9 and . _ @ -")
        add_site_options(branch, port=False)


def run(options: argparse.Namespace) -> int:
    """Change who may sign in, and say what was done."""
    acts = {"add": _add, "import": _import, "password": _password, "disable": _disable}
    print(trio.run(partial(_with_store, acts[options.what], chosen_site(options), options)))
    return 0


async def _with_store(act: object, site: SiteConfig, options: argparse.Namespace) -> str:
    assert callable(act)
    async with Store.of(site) as store:
        said: str = await act(store, site, options)
        return said


async def _add(store: Store, site: SiteConfig, options: argparse.Namespace) -> str:
    agent = _agent_of(site, options.login, options.role, options.agent, "--agent")
    name = options.name or _name_of(site, options.login, agent)
    password = await _let_in(store, options.login, options.role, agent, name)
    return f"login {options.login}   password {password}   (shown only now)"


async def _import(store: Store, site: SiteConfig, options: argparse.Namespace) -> str:
    """Everybody in the file, or, with an error in it, nobody."""
    passwords, wanted, errors = Passwords(), [], []
    said = ["login,password"]
    for line, row in _rows(options.file):
        login, role, password = row["login"], row["role"] or "agent", generate_password()
        try:
            agent = _agent_of(site, login, role, row["agent"] or None, "agent")
            one = NewUser(login, row["name"] or _name_of(site, login, agent), "", role, agent)
            check_new_user(one)
        except PaiduiError as error:
            errors.append(f"{options.file}:{line}: {error}")
            continue
        said.append(f"{login},{password}")
        wanted.append((one, password))
    if errors:
        raise ConfigError(errors)
    people = [msgspec.structs.replace(one, password_hash=await passwords.hash(word)) for one, word in wanted]
    await store.add_users(people, actor())
    return "\n".join(said)


def _rows(file: Path) -> list[tuple[int, dict[str, str]]]:
    """The file's rows with their line numbers; what is left out is empty."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"file: cannot read {file}: {error}; give a CSV file in UTF-8"]) from error
    reader = csv.DictReader(lines, restval="")
    unknown = sorted(set(reader.fieldnames or ()) - set(COLUMNS))
    if "login" not in (reader.fieldnames or ()) or unknown:
        fault = f"unknown column {unknown[0]!r}" if unknown else "no column `login`"
        raise ConfigError([f"{file}:1: {fault}; the first line names the columns: {', '.join(COLUMNS)}"])
    rows = []
    for row in reader:
        if None in row:
            raise ConfigError(
                [f"{file}:{reader.line_num}: more values than columns; quote those with a comma"]
            )
        rows.append((reader.line_num, {column: (row.get(column) or "").strip() for column in COLUMNS}))
    return rows


def _agent_of(site: SiteConfig, login: str, role: str, named: str | None, field: str) -> str | None:
    """Whose desk a login opens: the agent that is named, else the one of the login's own name."""
    agent = named if named is not None else login if login in site.agents else None
    if agent is None and role == "agent":
        raise ConfigError([f"{field}: no agent {login!r} is configured; name the one whose desk it is"])
    if agent is not None and agent not in site.agents:
        raise ConfigError([f"{field}: no agent {agent!r} is configured; add it to the configuration first"])
    return agent


def _name_of(site: SiteConfig, login: str, agent: str | None) -> str:
    title = site.agents[agent].title if agent is not None else None
    return title.en if title is not None else login


async def _let_in(store: Store, login: str, role: str, agent: str | None, name: str) -> str:
    password = generate_password()
    password_hash = await Passwords().hash(password)
    await store.add_user(login, name=name, password_hash=password_hash, role=role, agent=agent, by=actor())
    return password


async def _password(store: Store, site: SiteConfig, options: argparse.Namespace) -> str:
    password = generate_password()
    await store.set_password(await _id(store, options.login), await Passwords().hash(password), actor())
    return f"login {options.login}   password {password}   (shown only now)"


async def _disable(store: Store, site: SiteConfig, options: argparse.Namespace) -> str:
    await store.disable_user(await _id(store, options.login), actor())
    return f"login {options.login} is disabled"


async def _id(store: Store, login: str) -> int:
    found = await store.credentials(login)
    if found is None:
        raise ConfigError([f"login: there is no {login!r}; `paidui user add` lets somebody in"])
    return found[0].id
