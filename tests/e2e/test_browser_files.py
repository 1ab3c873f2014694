"""Files at both pages, in a real browser: sent, shown, saved, refused, and there after a kill."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import PATIENCE_MS, People
from tests.e2e.test_browser import accept, customer_says, say, texts

# Real time and a browser; real sockets that the browser closes when it likes.
pytestmark = [pytest.mark.browser, pytest.mark.slow]
expect.set_options(timeout=PATIENCE_MS)

EVIL = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script></svg>"
PDF = b"%PDF-1.7 the offer"


def picture(width: int, height: int, red: int, green: int, blue: int) -> bytes:
    """A PNG with a gradient from a colour to white."""
    rows = b"".join(
        b"\0"
        + bytes(
            part for x in range(width) for part in (c + (255 - c) * x // width for c in (red, green, blue))
        )
        for _ in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


PASSPORT = picture(640, 400, 30, 90, 160)
MAP = picture(500, 300, 20, 130, 80)


def choose(page: Page, button: str, *files: tuple[str, str, bytes]) -> None:
    """Send files with the button."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=button).click()
    payloads = [{"name": name, "mimeType": kind, "buffer": content} for name, kind, content in files]
    chooser.value.set_files(payloads)  # type: ignore[arg-type]  # its TypedDict is not exported


def drop(page: Page, where: str, name: str, kind: str, content: bytes) -> None:
    """Drop a file from outside the browser."""
    transfer = page.evaluate_handle(
        """([name, type, bytes]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
            return transfer;
        }""",
        [name, kind, list(content)],
    )
    for event in ("dragover", "drop"):
        page.dispatch_event(where, event, {"dataTransfer": transfer})


def pictures(page: Page) -> Locator:
    return page.locator(".message .file img")


def is_drawn(image: Locator, width: int) -> None:
    expect(image).to_be_visible()
    expect(image).to_have_js_property("naturalWidth", width)


def saved(page: Page, name: str) -> bytes:
    """Save a file of the conversation and return what came."""
    with page.expect_download() as download:
        page.locator(".message .file", has_text=name).click()
    assert download.value.suggested_filename == name
    return Path(download.value.path()).read_bytes()


def test_files_both_ways(people: People) -> None:
    desk = people.agent("ann")
    customer = people.customer("cards", "王芳", locale="zh-CN")
    choose(customer, "发送文件", ("护照 1.png", "image/png", PASSPORT))
    is_drawn(pictures(customer), 640)
    expect(desk.locator(".offer")).to_contain_text("护照 1.png")
    accept(desk)
    is_drawn(pictures(desk), 640)
    customer_says(customer, "这是我的护照")
    expect(texts(desk)).to_have_text(["这是我的护照"])

    # What only says that it is a picture is a file to save; nobody's browser runs it.
    choose(customer, "发送文件", ("photo.png", "image/png", EVIL))
    expect(desk.locator(".message .file", has_text="photo.png")).to_be_visible()
    assert saved(desk, "photo.png") == EVIL

    choose(desk, "Send a file", ("map.png", "image/png", MAP))
    is_drawn(pictures(customer).last, 500)
    drop(desk, ".composer", "offer.pdf", "application/pdf", PDF)
    expect(customer.locator(".message .file", has_text="offer.pdf")).to_be_visible()
    assert saved(customer, "offer.pdf") == PDF
    say(desk, "Here is the way, and our offer.")
    expect(texts(customer).last).to_have_text("Here is the way, and our offer.")
    drop(customer, "#chat", "signed.pdf", "application/pdf", PDF + b" signed")
    expect(desk.locator(".message .file", has_text="signed.pdf")).to_be_visible()
    people.shot(desk, "files-desk")
    people.shot(customer, "files-customer")

    choose(customer, "发送文件", ("huge.bin", "", b"x" * ((10 << 20) + 1)))
    expect(customer.locator("#banner")).to_have_text("文件“huge.bin”超过 10 MB，未发送。")
    choose(desk, "Send a file", ("nothing.txt", "text/plain", b""))
    expect(desk.get_by_text("Not sent: the file is empty.")).to_be_visible()

    for page in (desk, customer):
        page.reload()
        is_drawn(pictures(page).first, 640)
        is_drawn(pictures(page).last, 500)
        expect(page.locator(".message .file")).to_have_count(5)
    assert saved(customer, "signed.pdf") == PDF + b" signed"


def test_files_survive_a_kill_and_are_not_sent_twice(people: People) -> None:
    desk = people.agent("bob", dark=True)
    customer = people.customer("loans", "James", dark=True)
    customer_says(customer, "Hello")
    accept(desk)
    choose(customer, "Send a file", ("id.png", "image/png", PASSPORT))
    is_drawn(pictures(desk), 640)
    people.site.kill()
    try:
        # On their way while nobody is there to take them; sent until they are taken, once.
        choose(customer, "Send a file", ("later.pdf", "application/pdf", PDF))
        choose(desk, "Send a file", ("map.png", "image/png", MAP))
        expect(customer.locator(".message.sending")).to_contain_text("later.pdf")
    finally:
        people.site.start()
    for page in (customer, desk):
        is_drawn(pictures(page).last, 500)
        expect(page.locator(".message .file", has_text="later.pdf")).to_have_count(1)
        expect(page.locator(".message .file")).to_have_count(3)
    assert saved(desk, "later.pdf") == PDF
    people.shot(desk, "files-dark")
    files = sorted(path.name for path in (people.site.folder / "data" / "attachments").iterdir())
    assert not [name for name in files if name.startswith("incoming")]
    people.complaints[:] = [line for line in people.complaints if "ERR_CONNECTION" not in line]
