"""`paidui customer`: who somebody is, by which numbers and addresses, and what is known of them."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

import trio

from engine.attachments import Attachments
from engine.cli.site_options import actor, add_site_options, chosen_site
from engine.config import SiteConfig
from engine.erasure import erase_customers, forget_erased
from engine.errors import ConfigError
from engine.identities import KINDS, IdentityKey, identity_of
from engine.store import Customer, History, Store
from engine.store.customers import Contacted

Act = Callable[[Store, SiteConfig, argparse.Namespace], Awaitable[str]]

WHO = "a number, a public id, or an identity as phone:+861..., email:a@b.example"
IDENTITY = f"kind:value, or kind:account/value; kinds: {', '.join(KINDS)}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `paidui customer`."""
    what = parser.add_subparsers(dest="what", metavar="|".join(ACTS), required=True)
    show = what.add_parser("show", help="what is known of somebody")
    show.add_argument("who", help=WHO)
    describe = what.add_parser("describe", help="give somebody another name or notes")
    describe.add_argument("who", help=WHO)
    describe.add_argument("--name")
    describe.add_argument("--notes")
    link = what.add_parser("link", help="say that a number or address is somebody's")
    link.add_argument("who", help=WHO)
    link.add_argument("identity", help=IDENTITY)
    unlink = what.add_parser("unlink", help="say that a number or address is nobody's")
    unlink.add_argument("identity", help=IDENTITY)
    merge = what.add_parser("merge", help="say that two are one; prints the number that undoes it")
    merge.add_argument("kept", help=f"who stays: {WHO}")
    merge.add_argument("merged", help="who is the same")
    unmerge = what.add_parser("unmerge", help="undo a merge")
    unmerge.add_argument("merge", type=int, help="its number")
    erase = what.add_parser("erase", help="leave nothing of somebody: messages, identities, attachments")
    erase.add_argument("who", nargs="+", help=WHO)
    erase.add_argument("--yes", action="store_true", help="do not ask")
    what.add_parser("forget", help="go on with an erasure that could not be finished on the disk")
    for branch in what.choices.values():
        branch.add_argument("--domain", default="", help="whose customers (default: the site's own)")
        add_site_options(branch, port=False)


def run(options: argparse.Namespace) -> int:
    """Do it, and say what was done."""
    print(trio.run(partial(_with_store, ACTS[options.what], chosen_site(options), options)))
    return 0


async def _with_store(act: Act, site: SiteConfig, options: argparse.Namespace) -> str:
    if options.domain and options.domain not in site.domains:
        raise ConfigError([f"--domain: no domain {options.domain!r} is configured"])
    async with Store.of(site) as store:
        return await act(store, site, options)


async def _show(store: Store, site: SiteConfig, options: argparse.Namespace) -> str:
    found = await _customer(store, site, options.who, options.domain)
    return "\n".join(_lines(await store.history(found.id)))


async def _describe(store: Store, site: SiteConfig, options: argparse.Namespace) -> str:
    found = await _customer(store, site, options.who, options.domain)
    await store.describe(found.id, actor(), name=options.name, notes=options.notes)
    return "\n".join(_lines(await store.history(found.id)))


async def _link(store: Store, site: SiteConfig, options: argparse.Namespace) -> str:
    found = await _customer(store, site, options.who, options.domain)
    identity = _identity(site, options.identity)
    await store.link(found.id, identity, actor())
    return f"{identity} is customer {found.id}'s"


async def _unlink(store: Store, site: SiteConfig, options: argparse.Namespace) -> str:
    identity = _identity(site, options.identity)
    was = await store.unlink(identity, actor(), options.domain)
    return f"{identity} is nobody's; it was customer {was}'s"


async def _merge(store: Store, site: SiteConfig, options: argparse.Namespace) -> str:
    kept = await _customer(store, site, options.kept, options.domain)
    merged = await _customer(store, site, options.merged, options.domain)
    number = await store.merge(kept.id, merged.id, actor())
    return f"customer {merged.id} is customer {kept.id} now; to undo it: paidui customer unmerge {number}"


async def _unmerge(store: Store, site: SiteConfig, options: argparse.Namespace) -> str:
    await store.unmerge(options.merge, actor())
    return f"merge {options.merge} is undone"


async def _erase(store: Store, site: SiteConfig, options: argparse.Namespace) -> str:
    found = [await _customer(store, site, who, options.domain) for who in options.who]
    ids = sorted({one.id for one in found})
    named = ", ".join(map(str, ids))
    if not options.yes and not await trio.to_thread.run_sync(_agreed, f"erase customer {named} for good?"):
        return "nothing was erased"
    done = await erase_customers(store, _attachments(store, site), ids, actor())
    return (
        f"erased customer {', '.join(map(str, done.customers))}: {done.conversations} conversations, "
        f"{done.messages} messages, {done.attachments} attachments, {done.identities} identities; "
        "backups keep them until they expire"
    )


async def _forget(store: Store, site: SiteConfig, options: argparse.Namespace) -> str:
    await _attachments(store, site).sweep()
    await forget_erased(store)
    return "nothing of what was erased is left"


def _attachments(store: Store, site: SiteConfig) -> Attachments:
    return Attachments(site.data / "attachments", store)


def _agreed(question: str) -> bool:
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


ACTS: dict[str, Act] = {
    "show": _show,
    "describe": _describe,
    "link": _link,
    "unlink": _unlink,
    "merge": _merge,
    "unmerge": _unmerge,
    "erase": _erase,
    "forget": _forget,
}


async def _customer(store: Store, site: SiteConfig, who: str, domain: str) -> Customer:
    """Whom the operator means."""
    if who.isascii() and who.isdigit():
        found = await store.customer(int(who))
    elif ":" in who:
        found = await store.customer_of(_identity(site, who), domain)
    else:
        found = await store.customer_by_public_id(who)
    if found is None or found.domain != domain:
        raise ConfigError([f"who: there is no customer {who!r} in {_domain(domain)}; give {WHO}"])
    return found


def _identity(site: SiteConfig, text: str) -> IdentityKey:
    return identity_of(text, site.store.phone_region)


def _domain(domain: str) -> str:
    return f"the domain {domain!r}" if domain else "the site's own domain"


def _lines(history: History) -> list[str]:
    one = history.customer
    lines = [f"customer {one.id}   {one.name or '(no name)'}   public id {one.public_id}"]
    if one.domain:
        lines.append(f"domain {one.domain}")
    if one.merged_into is not None:
        lines.append(f"is customer {one.merged_into} now")
    lines += [f"also called {name}" for name in history.also]
    if one.notes:
        lines.append(f"notes: {one.notes}")
    lines += [f"identity {identity}" for identity in history.identities]
    lines += [f"merge {merge.id}: customer {merge.merged} on {_day(merge.at_ms)}" for merge in history.merges]
    lines += [_contact_line(talk) for talk in history.contacted]
    return lines


def _contact_line(talk: Contacted) -> str:
    end = "open" if talk.closed_at_ms is None else f"closed {_day(talk.closed_at_ms)}"
    served = f" by {talk.agent}" if talk.agent else ""
    where = f"{talk.channel}, {talk.queue}"
    return f"contact {talk.contact or '-'}: {where}, {_day(talk.opened_at_ms)}, {end}{served}"


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%MZ")
