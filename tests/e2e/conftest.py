"""A running site with logins, and Chromium, for the tests that look at it as people do."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from engine.auth import Tokens
from engine.config import load_site
from engine.keys import site_key, token_key
from engine.logins import Logins
from engine.store import Store
from loadtest.ports import free_ports
from tools.bench.processes import child_of

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a password for tests"
PATIENCE_MS = 20_000
STOP_S = 20.0
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# One queue, skill and agent per test, so that no test can take another's contact.
SITE = """
[site]
name = "browser-bank"
title = {{ en = "Harbour Bank", zh = "港湾银行" }}
data = "data"
drain_s = 1

[routing]
miss_limit = 2
retry_after_ms = 500
agent_lease_s = {agent_lease_s}

[web]
bind = "127.0.0.1:{web}"

[gateway]
bind = "127.0.0.1:{gateway}"

[stats]
bind = "127.0.0.1:{stats}"

[reasons.lunch]
title = {{ en = "Lunch", zh = "用餐" }}

[targets.police]
title = {{ en = "Police hotline", zh = "报警电话" }}

[targets.voicemail]

[channels.line]
title = {{ en = "Phone", zh = "电话" }}
plugin = "socket"

[channels.webchat]
plugin = "webchat"

[channels.webchat.options]
abandon_after_s = 2

[channels.webchat.options.targets]
voicemail = {{ en = "Please leave a message.", zh = "请留言。" }}
"""
OVERFLOW = """
[[queues.lost.overflow]]
when = "closed"
to = "target:voicemail"
"""
QUEUES = {
    "cards": ("Cards", "信用卡", "ann", "Ann 安"),
    "loans": ("Loans", "贷款", "bob", "Bob 博"),
    "wealth": ("Wealth", "理财", "eva", "Eva 伊"),
    "accounts": ("Accounts", "账户", "tom", "Tom 汤"),
    "vip": ("Private banking", "私人银行", "zoe", "Zoe 佐"),
    "night": ("Night desk", "夜间服务", "ida", "Ida 艾"),
    "fraud": ("Fraud", "盗刷", "kai", "Kai 凯"),
    "lost": ("Lost cards", "挂失", "mia", "Mia 米"),
}
# Who can be asked into a contact; the supervisor has a seat.
COLLEAGUES = {
    "lin": ("Lin 林", "agent", ""),
    "max": ("Max 马", "agent", "loans = 30"),
    "sam": ("Sam 桑", "supervisor", ""),
}
COLLEAGUE = """
[agents.{agent}]
title = "{person}"
skills = {{ {skills} }}
capacity = {{ webchat = 3 }}
"""
QUEUE = """
[skills.{name}]

[queues.{name}]
title = {{ en = "{en}", zh = "{zh}" }}
skills = {{ {name} = 1 }}
offer_timeout_ms = {offer_timeout_ms}
wrap_up_ms = 30000
announce_s = {announce_s}

[agents.{agent}]
title = "{person}"
skills = {{ {name} = 50 }}
capacity = {{ webchat = 3 }}
"""


class RunningSite:
    """`paidui serve` in a process of its own, with a login for every agent.

    Args:
        folder: where its configuration, data and log stand.
        announce_s: how often those who wait are told where they stand; 0 = never.
        agent_lease_s: how long nobody may be at a desk before its contacts go back.
    """

    def __init__(self, folder: Path, announce_s: int = 0, agent_lease_s: int = 60) -> None:
        self.folder = folder
        self.config = folder / "bank.toml"
        web, gateway, stats = free_ports(3)
        self.url = f"http://127.0.0.1:{web}"
        text = SITE.format(web=web, gateway=gateway, stats=stats, agent_lease_s=agent_lease_s)
        for name, (en, zh, agent, person) in QUEUES.items():
            # Nobody answers at night.
            patience = 700 if name == "night" else 60_000
            text += QUEUE.format(
                name=name,
                en=en,
                zh=zh,
                agent=agent,
                person=person,
                offer_timeout_ms=patience,
                announce_s=announce_s,
            )
        for agent, (person, _, skills) in COLLEAGUES.items():
            text += COLLEAGUE.format(agent=agent, person=person, skills=skills)
        self.config.write_text(text + OVERFLOW, "utf-8")
        trio.run(self._add_logins)
        self.process: subprocess.Popen[str] | None = None

    async def _add_logins(self) -> None:
        site = load_site(self.config)
        site.data.mkdir(parents=True, exist_ok=True)
        async with Store.of(site) as store:
            logins = Logins(store, Tokens(token_key(site.data), site.name), site_key(site.data))
            for _, _, agent, person in QUEUES.values():
                await logins.add_user(agent, name=person, password=PASSWORD, role="agent", agent=agent)
            for agent, (person, role, _) in COLLEAGUES.items():
                await logins.add_user(agent, name=person, password=PASSWORD, role=role, agent=agent)
            await logins.add_user("sue", name="Sue 苏", password=PASSWORD, role="supervisor")

    def start(self) -> None:
        """Start it and wait until it says that it is open."""
        log = (self.folder / "serve.log").open("a")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "engine", "serve", "--config", str(self.config)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        log.close()
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if re.search(r"is open", line):
                return
        self.kill()
        raise AssertionError(f"the site did not open:\n{self.log()}")

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def kill_edge(self) -> None:
        """End the process of its pages and hosted channels; the core goes on."""
        assert self.process is not None
        os.kill(child_of(self.process.pid, "edge"), signal.SIGKILL)

    def stop(self) -> None:
        """End it as an operator would."""
        self._end(signal.SIGTERM)

    def log(self) -> str:
        """What it complained about."""
        return (self.folder / "serve.log").read_text("utf-8")

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        with self.process as process:
            process.send_signal(how)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            finally:
                self.process = None


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A site that runs for all tests of a module."""
    running = RunningSite(tmp_path_factory.mktemp("site"))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def chromium() -> str:
    """Where Chromium is; without it the tests are skipped, or fail when STRICT=1."""
    path = shutil.which("chromium")
    if path is not None:
        return path
    reason = "Chromium is missing: apt-get install chromium, or PAIDUI_INSTALL=1 make test"
    if os.environ.get("STRICT") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium without a window."""
    if not (ROOT / "console" / "static" / "index.html").exists():
        pytest.fail("the console is not built: make build")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


class People:
    """Opens pages as different people, each with cookies and storage of their own."""

    def __init__(self, browser: Browser, site: RunningSite, shots: Path) -> None:
        self._browser = browser
        self._shots = shots
        self.site = site
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        self.dialogs: list[str] = []

    def page(
        self, *, locale: str = "en-US", dark: bool = False, width: int = 1360, height: int = 820
    ) -> Page:
        """A page of somebody new."""
        context = self._browser.new_context(
            locale=locale,
            color_scheme="dark" if dark else "light",
            viewport={"width": width, "height": height},
            service_workers="block",
        )
        context.set_default_timeout(PATIENCE_MS)
        self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._note)
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        return page

    def _note(self, line: ConsoleMessage) -> None:
        if line.type == "error":
            self.complaints.append(f"{line.text} ({line.location.get('url', '')})")

    def agent(self, login: str, *, ready: bool = True, **how: object) -> Page:
        """An agent's desk, signed in and ready; English."""
        page = self.page(**how)  # type: ignore[arg-type]  # locale, dark, width, height
        page.goto(self.site.url)
        page.locator("[name=username]").fill(login)
        page.locator("[name=password]").fill(PASSWORD)
        page.keyboard.press("Enter")
        if ready:
            page.get_by_role("button", name="Sign in and be ready").click()
            page.locator(".me .state").get_by_text("Ready", exact=True).wait_for()
        return page

    def customer(self, queue: str, name: str, **how: object) -> Page:
        """A customer's page with a chat begun; English."""
        page = self.page(**{"width": 480, "height": 760, **how})  # type: ignore[arg-type]
        page.goto(f"{self.site.url}/chat/")
        page.locator(f".topic input[value={queue}]").check()
        page.locator("#name").fill(name)
        page.locator("#start").click()
        page.locator("#composer").wait_for()
        return page

    def shot(self, page: Page, name: str) -> None:
        """Keep a picture; PAIDUI_SHOTS says where."""
        page.screenshot(path=self._shots / f"{name}.png")

    def close(self) -> None:
        """Close all pages."""
        for context in self.contexts:
            context.close()


@pytest.fixture
def people(browser: Browser, site: RunningSite, tmp_path: Path) -> Iterator[People]:
    """Pages for a test. At its end no page may have complained, or have run what a customer wrote."""
    shots = Path(os.environ.get("PAIDUI_SHOTS", tmp_path))
    shots.mkdir(parents=True, exist_ok=True)
    people = People(browser, site, shots)
    yield people
    people.close()
    assert people.dialogs == []
    unexpected = [line for line in people.complaints if "ERR_INTERNET_DISCONNECTED" not in line]
    assert unexpected == []
