"""Files at the desk: sent by who serves, fetched by who may read, and never run by a browser."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from engine.channel_attachments import NewAttachment
from tests.console.conftest import Page, Site, Socket

PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)
LIMIT = 100_000


async def engaged(site: Site, socket: Socket, name: str = "Wang") -> int:
    """A customer who talks to the socket's agent."""
    await socket.do("sign_in")
    contact = await site.arrive(name)
    desk = await socket.desk(lambda d: bool(d["offers"]))
    await socket.do("accept", offer=desk["offers"][0]["offer"])
    return contact


async def customer_sends(site: Site, contact: int, name: str, content: bytes) -> None:
    conversations = site.edge.conversations
    assert conversations is not None
    async with conversations.attachments.drafted([NewAttachment(name, content)]) as files:
        await conversations.customer_says("chat", contact, "", f"x-{name}", files)


async def send(page: Page, contact: int, content: bytes, **query: str) -> httpx.Response:
    asked = {"external_id": "file-1", "name": "offer.pdf", **query}
    path = f"/api/contacts/{contact}/files"
    return await page.http.post(path, params=asked, content=content, headers=page.bearer)


def takes(site: Site, size: int = LIMIT) -> None:
    """The customer's channel takes files."""
    assert site.edge.conversations is not None
    site.edge.conversations.takes["chat"] = size


async def messages_of(page: Page, contact: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await page.get(f"/api/contacts/{contact}/messages")).json()["messages"]
    return found


async def test_a_customers_file_is_shown_and_given_to_who_may_read(site: Site) -> None:
    ann, bob, eve = [await site.logged_in(login) for login in ("ann", "bob", "eve")]
    async with ann.socket() as socket:
        contact = await engaged(site, socket)
        await customer_sends(site, contact, "护照 1.png", PNG)
        told = await socket.next("messages", lambda m: bool(m["messages"][0]["files"]))
        (file,) = told["messages"][0]["files"]
        assert (file["name"], file["size"], file["image"]) == ("护照 1.png", len(PNG), True)
        assert told["messages"][0]["text"] == ""
        got = await ann.get(f"/api/contacts/{contact}/files/{file['id']}")
        assert (got.status_code, got.content) == (200, PNG)
        assert got.headers["content-type"] == "image/png"
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["cache-control"] == "no-store"
        assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert got.headers["content-disposition"].startswith("inline; filename*=UTF-8''%E6%8A%A4")
        # Who does not have the contact gets nothing, a supervisor neither; nor does another contact's agent.
        for page in (bob, eve):
            refused = await page.get(f"/api/contacts/{contact}/files/{file['id']}")
            assert (refused.status_code, refused.json()["error"]["code"]) == (404, "unknown_contact")
        nobody = await site.page().http.get(f"/api/contacts/{contact}/files/{file['id']}")
        assert nobody.status_code == 401
        other = await engaged(site, socket, "Li")
        wrong = await ann.get(f"/api/contacts/{other}/files/{file['id']}")
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (404, "unknown_attachment")
        # This queue has no wrap-up: when it is over, it is not hers any more.
        await socket.do("end", contact=contact)
        assert (await ann.get(f"/api/contacts/{contact}/files/{file['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.html", b"<script>alert(1)</script>"),
        ("picture.png", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        ('a".svg', b"<svg/>"),
    ],
)
async def test_whatever_is_no_picture_is_a_download(site: Site, name: str, content: bytes) -> None:
    ann = await site.logged_in("ann")
    async with ann.socket() as socket:
        contact = await engaged(site, socket)
        await customer_sends(site, contact, name, content)
        told = await socket.next("messages", lambda m: bool(m["messages"][0]["files"]))
        (file,) = told["messages"][0]["files"]
        assert file["image"] is False
        got = await ann.get(f"/api/contacts/{contact}/files/{file['id']}")
        assert got.content == content
        assert got.headers["content-type"] == "application/octet-stream"
        assert got.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
        assert '"' not in got.headers["content-disposition"]


async def test_an_agent_sends_a_file_once(site: Site) -> None:
    ann = await site.logged_in("ann")
    takes(site)
    assert (await ann.get("/api/config-view")).json()["channels"][0]["file_bytes"] == LIMIT
    async with ann.socket() as socket:
        contact = await engaged(site, socket)
        for _ in range(3):
            assert (await send(ann, contact, b"%PDF-1.7 the offer")).status_code == 204
        told = await socket.next("messages", lambda m: m["messages"][0]["sender"] == "agent")
        assert told["messages"][0]["external_id"] == "file-1"
        (message,) = await messages_of(ann, contact)
        (file,) = message["files"]
        assert (file["name"], file["image"], message["agent"]) == ("offer.pdf", False, "ann")
        folder = site.edge.site.data / "attachments"
        assert [path.name for path in folder.iterdir()] == [
            (await site.store.attachments(1))[0].sha256,
        ], "no draft stays behind"


async def test_what_cannot_be_sent_is_refused_by_its_field(site: Site) -> None:
    ann, bob = await site.logged_in("ann"), await site.logged_in("bob")
    async with ann.socket() as socket:
        contact = await engaged(site, socket)

        async def refused(page: Page, content: bytes, **query: str) -> tuple[int, str, str | None]:
            response = await send(page, contact, content, **query)
            error = response.json()["error"]
            return response.status_code, error["code"], error.get("field")

        assert await refused(ann, b"x") == (400, "malformed", "attachments")
        takes(site)
        assert await refused(ann, b"x" * (LIMIT + 1)) == (400, "malformed", "attachment")
        assert await refused(ann, b"") == (400, "malformed", "attachment")
        assert await refused(ann, b"x", name="../../etc/passwd") == (400, "malformed", "file_name")
        assert await refused(ann, b"x", external_id="") == (400, "malformed", "external_id")
        assert await refused(bob, b"x") == (404, "unknown_contact", "contact")
        path = f"/api/contacts/{contact}/files"
        foreign = {**ann.bearer, "Origin": "http://evil.example"}
        assert (await ann.http.post(path, content=b"x", headers=foreign)).status_code == 403
        assert (await site.page().http.post(path, content=b"x")).status_code == 401
        assert await messages_of(ann, contact) == []
        await socket.do("end", contact=contact)
        assert await refused(ann, b"x") == (404, "unknown_contact", "contact")
        folder = site.edge.site.data / "attachments"
        assert not folder.exists() or list(folder.iterdir()) == []


async def test_other_bodies_stay_small(site: Site) -> None:
    ann = await site.logged_in("ann")
    large = await ann.http.post(
        "/api/auth/login", content=b"x" * 70_000, headers={"Content-Type": "application/json"}
    )
    assert large.status_code == 413


async def test_a_damaged_file_is_said_to_be_so(site: Site) -> None:
    ann = await site.logged_in("ann")
    async with ann.socket() as socket:
        contact = await engaged(site, socket)
        await customer_sends(site, contact, "a.png", PNG)
        (attachment,) = await site.store.attachments(1)
        (site.edge.site.data / "attachments" / attachment.sha256).unlink()
        got = await ann.get(f"/api/contacts/{contact}/files/{attachment.public_id}")
        assert (got.status_code, got.json()["error"]["code"]) == (500, "attachment_damaged")
