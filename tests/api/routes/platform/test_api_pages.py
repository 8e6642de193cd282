"""The control room's pages, and who may follow the record."""

import json

import httpx
import pytest
from fastapi import FastAPI

from api.http.description import as_snapshot, description
from api.routes.platform import pages
from infra.pages import checks

HTML = {"Accept": "text/html"}


def test_committed_description_is_that_of_this_release():
    fresh = as_snapshot(description())
    assert checks.SNAPSHOT.read_text() == fresh, "stale: run `aether pages api`"


def test_description_names_no_machine():
    assert not json.loads(checks.SNAPSHOT.read_text()).get("servers")


@pytest.fixture
def built(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Aether</title>")
    (tmp_path / "assets" / "index-abc.js").write_text("plain")
    (tmp_path / "assets" / "index-abc.js.gz").write_bytes(b"\x1f\x8bcompressed")
    return tmp_path


@pytest.fixture
async def browser(built):
    app = FastAPI()
    pages.install(app, built)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def test_every_address_that_a_browser_opens_gets_the_page(browser):
    for path in ("/", "/accounts/company/trades/3", "/index.html"):
        answer = await browser.get(path, headers=HTML)
        assert answer.status_code == 200
        assert "Aether" in answer.text
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy


async def test_programs_are_told_that_nothing_is_there(browser):
    assert (await browser.get("/nothing")).status_code == 404
    assert (await browser.get("/api/v1/nothing", headers=HTML)).status_code == 404
    assert (await browser.post("/nothing", headers=HTML)).status_code == 404


async def test_files_are_served_compressed_and_for_ever(browser):
    plain = await browser.get("/assets/index-abc.js", headers={"Accept-Encoding": "identity"})
    assert plain.text == "plain"
    assert "immutable" in plain.headers["cache-control"]
    assert plain.headers["content-type"].startswith("text/javascript")
    raw = browser.build_request("GET", "/assets/index-abc.js", headers={"Accept-Encoding": "gzip"})
    answer = await browser.send(raw, stream=True)
    assert answer.headers["content-encoding"] == "gzip"
    await answer.aclose()


@pytest.mark.parametrize("path", ["/../secret", "/assets/../../secret", "/.hidden", "/assets//x"])
async def test_nothing_outside_is_served(browser, built, path):
    (built.parent / "secret").write_text("secret")
    answer = await browser.get(path)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("noted", "said"),
    [
        ({}, "make ui"),
        ({"step": "building"}, "being built: building"),
        ({"step": "failed", "detail": "npm <says> no"}, "npm &lt;says&gt; no"),
    ],
)
async def test_missing_pages_say_so(browser, built, monkeypatch, noted, said):
    (built / "index.html").unlink()
    monkeypatch.setattr(pages, "progress", lambda: noted)
    answer = await browser.get("/", headers=HTML)
    assert answer.status_code == 503
    assert said in answer.text


async def test_events_need_a_session(without_engine):
    assert (await without_engine.stranger.get("/api/v1/events")).status_code == 401
