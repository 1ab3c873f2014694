"""`paidui user`: who may sign in at the console, while the site runs or not."""

from __future__ import annotations

import argparse
from functools import partial

import trio

from engine.cli.site_options import add_site_options, chosen_site
from engine.config import SiteConfig
from engine.errors import ConfigError
from engine.passwords import Passwords, generate_password
from engine.store import Store

ROLES = ("agent", "supervisor", "admin")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `paidui user`."""
    what = parser.add_subparsers(dest="what", metavar="add|password|disable", required=True)
    add = what.add_parser("add", help="let somebody in; prints a generated password, once")
    add.add_argument("--role", choices=ROLES, default="agent", help="what they may do (default: agent)")
    add.add_argument("--agent", help="whose desk it is (default: the agent of the login's name, if any)")
    add.add_argument("--name", help="what people read (default: the agent's title, else the login)")
    password = what.add_parser("password", help="give somebody a new password, and print it once")
    disable = what.add_parser("disable", help="let somebody in no more; open pages close within ten minutes")
    for branch in (add, password, disable):
        branch.add_argument("login", help="a to z, 0 to 9 and . _ @ -")
        add_site_options(branch, port=False)


def run(options: argparse.Namespace) -> int:
    """Change who may sign in, and say what was done."""
    acts = {"add": _add, "password": _password, "disable": _disable}
    print(trio.run(partial(_with_store, acts[options.what], chosen_site(options), options)))
    return 0


async def _with_store(act: object, site: SiteConfig, options: argparse.Namespace) -> str:
    assert callable(act)
    async with Store(site.data / "store.sqlite") as store:
        said: str = await act(store, site, options)
        return said


async def _add(store: Store, site: SiteConfig, options: argparse.Namespace) -> str:
    login = options.login
    agent = options.agent if options.agent is not None else login if login in site.agents else None
    if agent is None and options.role == "agent":
        raise ConfigError([f"--agent: no agent {login!r} is configured; name the one whose desk it is"])
    if agent is not None and agent not in site.agents:
        raise ConfigError([f"--agent: no agent {agent!r} is configured; add it to the configuration first"])
    title = site.agents[agent].title if agent is not None else None
    name = options.name or (title.en if title is not None else login)
    password = generate_password()
    password_hash = await Passwords().hash(password)
    await store.add_user(login, name=name, password_hash=password_hash, role=options.role, agent=agent)
    return f"login {login}   password {password}   (shown only now)"


async def _password(store: Store, site: SiteConfig, options: argparse.Namespace) -> str:
    password = generate_password()
    await store.set_password_hash(await _id(store, options.login), await Passwords().hash(password))
    return f"login {options.login}   password {password}   (shown only now)"


async def _disable(store: Store, site: SiteConfig, options: argparse.Namespace) -> str:
    await store.disable_user(await _id(store, options.login))
    return f"login {options.login} is disabled"


async def _id(store: Store, login: str) -> int:
    found = await store.credentials(login)
    if found is None:
        raise ConfigError([f"login: there is no {login!r}; `paidui user add` lets somebody in"])
    return found[0].id
