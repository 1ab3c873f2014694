"""Logging in, staying in, being thrown out; guessing is slow and says nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from engine.auth import BadToken, Tokens
from engine.logins import REFRESH_GRACE_MS, REFRESH_TTL_S, SIGN_IN_TTL_S, Logins, WrongPassword
from engine.passwords import AttemptLimits, Passwords, TooManyAttempts
from engine.store import Store

PASSWORD = "correct horse"


class Time:
    """A clock for store and logins, started at the real time because tokens are checked against that."""

    def __init__(self) -> None:
        import time

        self.ms = int(time.time() * 1_000)

    def now_ms(self) -> int:
        return self.ms

    def pass_s(self, seconds: float) -> None:
        self.ms += int(seconds * 1_000)


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
async def store(tmp_path: Path, clock: Time) -> AsyncIterator[Store]:
    async with Store(tmp_path / "store.sqlite", now_ms=clock.now_ms) as store:
        yield store


class Counting(Passwords):
    """Counts the hashes that were checked."""

    checked = 0

    def _verify(self, password_hash: str, password: str) -> bool:
        self.checked += 1
        return super()._verify(password_hash, password)


def make(store: Store, clock: Time, passwords: Passwords | None = None) -> Logins:
    limits = AttemptLimits(per_account=3, per_address=6, window_s=60, monotonic_s=lambda: clock.ms / 1_000)
    tokens = Tokens(b"k" * 32, "bank")
    return Logins(store, tokens, b"r" * 32, passwords=passwords, limits=limits, now_ms=clock.now_ms)


@pytest.fixture
async def logins(store: Store, clock: Time) -> Logins:
    logins = make(store, clock)
    await logins.add_user("chen", name="陈伟", password=PASSWORD, agent="chen_wei")
    return logins


async def test_login_says_who_it_is(logins: Logins) -> None:
    grant = await logins.login(" Chen ", PASSWORD, "10.0.0.1")
    identity = await logins.identify(grant.access)
    assert identity == grant.identity
    assert (identity.login, identity.name, identity.role, identity.agent) == (
        "chen",
        "陈伟",
        "agent",
        "chen_wei",
    )
    assert not identity.oversees


async def test_password_is_kept_as_argon2id_only(logins: Logins, store: Store, tmp_path: Path) -> None:
    found = await store.credentials("chen")
    assert found is not None
    assert found[1].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert all(PASSWORD.encode() not in file.read_bytes() for file in tmp_path.iterdir())


async def test_weak_hash_is_renewed_at_login(logins: Logins, store: Store) -> None:
    from argon2 import PasswordHasher

    await store.set_password_hash(1, PasswordHasher(1, 8, 1).hash(PASSWORD))
    await logins.login("chen", PASSWORD, "10.0.0.1")
    found = await store.credentials("chen")
    assert found is not None
    assert "m=19456" in found[1]


async def test_unknown_account_and_wrong_password_answer_alike_after_the_same_work(
    store: Store, clock: Time
) -> None:
    passwords = Counting()
    logins = make(store, clock, passwords)
    user = await logins.add_user("chen", name="c", password=PASSWORD)
    for login in ("chen", "nobody"):
        with pytest.raises(WrongPassword):
            await logins.login(login, "wrong password", "10.0.0.1")
    assert passwords.checked == 2
    await logins.disable(user.id)
    with pytest.raises(WrongPassword):
        await logins.login("chen", PASSWORD, "10.0.0.1")
    assert passwords.checked == 3


@pytest.mark.parametrize("login", ["chen", "nobody"])
async def test_guessing_at_one_account_is_slowed_down(logins: Logins, clock: Time, login: str) -> None:
    for number in range(3):
        with pytest.raises(WrongPassword):
            await logins.login(login, "wrong password", f"10.0.0.{number}")
        clock.pass_s(1)
    with pytest.raises(TooManyAttempts) as caught:
        await logins.login(login, PASSWORD, "10.0.0.9")
    assert caught.value.retry_after_s == 58
    clock.pass_s(58)
    with pytest.raises(WrongPassword):
        await logins.login(login, "wrong password", "10.0.0.9")


async def test_guessing_from_one_address_is_slowed_down(logins: Logins) -> None:
    for number in range(6):
        with pytest.raises(WrongPassword):
            await logins.login(f"name{number}", "wrong password", "10.0.0.1")
    with pytest.raises(TooManyAttempts):
        await logins.login("chen", PASSWORD, "10.0.0.1")
    await logins.login("chen", PASSWORD, "10.0.0.2")


async def test_attempts_at_the_same_moment_all_count(logins: Logins) -> None:
    outcomes = []

    async def guess() -> None:
        try:
            await logins.login("chen", "wrong password", "10.0.0.1")
        except (WrongPassword, TooManyAttempts) as error:
            outcomes.append(type(error))

    async with trio.open_nursery() as nursery:
        for _ in range(6):
            nursery.start_soon(guess)
    assert sorted(map(str, outcomes)) == sorted(map(str, [WrongPassword] * 3 + [TooManyAttempts] * 3))


async def test_success_forgets_the_failures(logins: Logins) -> None:
    for _ in range(2):
        for _ in range(2):
            with pytest.raises(WrongPassword):
                await logins.login("chen", "wrong password", "10.0.0.1")
        await logins.login("chen", PASSWORD, "10.0.0.1")


async def test_refresh_goes_on_and_the_old_token_ends_everything(logins: Logins, clock: Time) -> None:
    first = await logins.login("chen", PASSWORD, "10.0.0.1")
    second = await logins.refresh(first.refresh)
    assert second.refresh != first.refresh
    third = await logins.refresh(second.refresh)
    await logins.identify(third.access)
    clock.pass_s(REFRESH_GRACE_MS / 1_000 + 1)
    with pytest.raises(BadToken, match="reused"):
        await logins.refresh(first.refresh)
    for action in (logins.refresh(third.refresh), logins.identify(third.access)):
        with pytest.raises(BadToken, match="revoked"):
            await action


async def test_used_token_whose_successor_is_used_is_reuse_even_at_once(logins: Logins) -> None:
    first = await logins.login("chen", PASSWORD, "10.0.0.1")
    second = await logins.refresh(first.refresh)
    await logins.refresh(second.refresh)
    with pytest.raises(BadToken, match="reused"):
        await logins.refresh(first.refresh)


async def test_two_tabs_that_refresh_at_once_get_the_same_successor(logins: Logins) -> None:
    first = await logins.login("chen", PASSWORD, "10.0.0.1")
    grants = []

    async def refresh() -> None:
        grants.append(await logins.refresh(first.refresh))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(refresh)
        nursery.start_soon(refresh)
    assert grants[0].refresh == grants[1].refresh
    assert grants[0].access != grants[1].access
    await logins.refresh(grants[0].refresh)


async def test_refresh_expires_when_idle_and_at_the_latest_after_a_day(logins: Logins, clock: Time) -> None:
    idle = await logins.login("chen", PASSWORD, "10.0.0.1")
    busy = await logins.login("chen", PASSWORD, "10.0.0.1")
    clock.pass_s(REFRESH_TTL_S - 1)
    busy = await logins.refresh(busy.refresh)
    clock.pass_s(1)
    with pytest.raises(BadToken, match="expired"):
        await logins.refresh(idle.refresh)
    clock.pass_s(SIGN_IN_TTL_S - REFRESH_TTL_S)
    with pytest.raises(BadToken, match="expired"):
        await logins.refresh(busy.refresh)


async def test_refresh_token_is_opaque_and_nowhere_in_the_store(logins: Logins, tmp_path: Path) -> None:
    first = await logins.login("chen", PASSWORD, "10.0.0.1")
    second = await logins.refresh(first.refresh)
    files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for token in (first.refresh, second.refresh):
        assert token.encode() not in files
    for junk in ("", "guess", second.access):
        with pytest.raises(BadToken, match="unknown"):
            await logins.refresh(junk)


async def test_logout_revokes_and_wakes_the_sockets(logins: Logins) -> None:
    grant = await logins.login("chen", PASSWORD, "10.0.0.1")
    other = await logins.login("chen", PASSWORD, "10.0.0.1")
    ticket = logins.ticket(grant.identity)
    ended = []

    async def socket() -> None:
        ended.append(await logins.wait_until_over(grant.identity))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(socket)
        await trio.testing.wait_all_tasks_blocked()
        logins.check(grant.identity)
        await logins.logout(grant.refresh)
    assert ended == ["signed_out"]
    for action in (lambda: logins.check(grant.identity), lambda: logins.redeem(ticket)):
        with pytest.raises(BadToken, match="revoked"):
            action()
    logins.check(other.identity)
    await logins.logout("guess")


async def test_disabled_person_is_out_at_once(logins: Logins) -> None:
    grant = await logins.login("chen", PASSWORD, "10.0.0.1")
    await logins.disable(grant.identity.user_id)
    with pytest.raises(BadToken, match="revoked"):
        logins.check(grant.identity)
    with pytest.raises(BadToken, match="revoked"):
        await logins.refresh(grant.refresh)


async def test_open_socket_needs_a_fresh_access_token_for_what_matters(logins: Logins, clock: Time) -> None:
    grant = await logins.login("chen", PASSWORD, "10.0.0.1")
    clock.pass_s(599)
    logins.check(grant.identity)
    clock.pass_s(1)
    with pytest.raises(BadToken, match="expired"):
        logins.check(grant.identity)
    await logins.refresh(grant.refresh)
    logins.check(grant.identity)


async def test_sign_in_survives_a_restart_of_the_process(logins: Logins, store: Store, clock: Time) -> None:
    grant = await logins.login("chen", PASSWORD, "10.0.0.1")
    restarted = make(store, clock)
    assert await restarted.identify(grant.access) == grant.identity
    assert (await restarted.refresh(grant.refresh)).identity == grant.identity
    await logins.logout(grant.refresh)
    with pytest.raises(BadToken, match="revoked"):
        await make(store, clock).identify(grant.access)


async def test_first_start_makes_one_administrator(store: Store, clock: Time) -> None:
    logins = make(store, clock)
    password = await logins.first_user()
    assert password is not None
    assert len(password) >= 20
    assert (await logins.login("admin", password, "10.0.0.1")).identity.oversees
    assert await logins.first_user() is None


async def test_short_password_is_refused_by_field(logins: Logins) -> None:
    with pytest.raises(ValueError, match=r"^password: expected 10\.\.200"):
        await logins.add_user("new", name="n", password="short")
