"""What the API's port refuses whoever holds which token, and what every answer carries."""

import httpx
import pytest

from tests.support.platform import PORT_BASE, loopback

UI = f"http://127.0.0.1:{PORT_BASE + 2}"


def problem(answer):
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/api/v1/accounts", "/docs"])
async def test_a_page_whose_name_points_here_is_answered_nothing(without_engine, path):
    answer = await without_engine.caller.get(path, headers={"Host": "evil.example"})
    assert problem(answer) == (421, "foreign-host")


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_pages_of_other_origins_are_refused_with_a_token_too(without_engine, headers):
    caller = without_engine.caller
    assert problem(await caller.get("/api/v1/accounts", headers=headers))[0] == 403
    refused = await caller.post("/api/v1/kill-switch", json={}, headers=headers)
    assert problem(refused) == (403, "foreign-origin")
    decode = await caller.post("/api/v1/codec/decode", json={"payloads": []}, headers=headers)
    assert problem(decode) == (403, "foreign-origin")


async def test_temporals_web_page_still_reaches_the_codec(without_engine):
    headers = {"Origin": UI, "Sec-Fetch-Site": "same-site"}
    answer = await without_engine.caller.post(
        "/api/v1/codec/decode", json={"payloads": []}, headers=headers
    )
    assert answer.status_code == 200
    asked = headers | {"Access-Control-Request-Method": "POST"}
    preflight = await without_engine.stranger.options("/api/v1/codec/decode", headers=asked)
    assert preflight.headers["Access-Control-Allow-Origin"] == UI


async def test_a_body_that_no_preflight_announces_is_refused(without_engine):
    answer = await without_engine.caller.post(
        "/api/v1/kill-switch", content=b"{}", headers={"Content-Type": "text/plain"}
    )
    assert problem(answer) == (415, "not-json")


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/api/v1/accounts", "/nowhere", "/docs"])
async def test_every_answer_carries_the_security_headers(without_engine, path):
    for answer in (
        await without_engine.caller.get(path),
        await without_engine.stranger.get(path),
        await without_engine.stranger.get(path, headers={"Host": "evil.example"}),
    ):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


async def test_a_configured_name_is_answered(without_engine):
    services = without_engine.services
    services.settings.host_names = "desk.example"
    from api.app import create_app

    async with loopback(create_app(services)) as caller:
        caller.base_url = httpx.URL("http://desk.example")
        assert (await caller.get("/healthz")).status_code == 200
