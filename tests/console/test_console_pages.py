"""The built page and its files, and what stands in for them when there is no build."""

from __future__ import annotations

from pathlib import Path

from tests.console.conftest import Site


async def test_missing_build_says_what_to_do(site: Site) -> None:
    for path in ("/", "/queues/cards"):
        response = await site.page().http.get(path)
        assert response.status_code == 503
        assert "make build" in response.text
        assert response.headers["content-type"] == "text/html; charset=utf-8"


async def test_page_its_files_and_its_inner_addresses(site: Site, tmp_path: Path) -> None:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<!doctype html>the page")
    (static / "assets" / "main-abc.js").write_text("1")
    http = site.page().http
    for path in ("/", "/index.html", "/queues/cards"):
        response = await http.get(path)
        assert (response.status_code, response.text) == (200, "<!doctype html>the page")
        assert response.headers["cache-control"] == "no-cache"
    script = await http.get("/assets/main-abc.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "immutable" in script.headers["cache-control"]
    assert (await http.get("/assets/old.js")).status_code == 404


async def test_nothing_outside_the_folder_is_served_nor_told_apart(site: Site, tmp_path: Path) -> None:
    static = tmp_path / "static"
    static.mkdir()
    (static / "index.html").write_text("the page")
    (tmp_path / "secret").write_text("secret")
    http = site.page().http
    for there, not_there in (
        ("/..%2fsecret", "/..%2fnothing"),
        ("//etc/passwd", "//etc/nothing"),
        ("/%2e%2e/secret", "/%2e%2e/nothing"),
    ):
        found, missing = await http.get(there), await http.get(not_there)
        assert "secret" not in found.text
        assert "root:" not in found.text
        assert (found.status_code, found.content) == (missing.status_code, missing.content)


async def test_every_answer_carries_the_security_headers(site: Site) -> None:
    http = site.page().http
    for path in ("/", "/api/site", "/api/nothing", "/api/config-view"):
        headers = (await http.get(path)).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe-inline" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers
