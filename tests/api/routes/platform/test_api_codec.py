"""The codec opens payloads for those who hold a token, in Temporal's web UI too."""

from base64 import b64decode, b64encode
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.converter import WorkflowSerializationContext

from activities.adapters.postgres.installation import create_token, revoke_token, token_hash
from tests.support.platform import PORT_BASE, loopback

PATH = "/api/v1/codec"
UI = f"http://127.0.0.1:{PORT_BASE + 2}"


def encoded(text):
    return b64encode(text.encode()).decode()


PLAIN = {
    "payloads": [{"metadata": {"encoding": encoded("json/plain")}, "data": encoded('{"a": 1}')}]
}


async def sealed(platform):
    plain = Payload(metadata={"encoding": b"json/plain"}, data=b'{"a": 1}')
    context = WorkflowSerializationContext("aether", "account/somebody")
    (payload,) = await platform.services.codec.with_context(context).encode([plain])
    metadata = {name: b64encode(value).decode() for name, value in payload.metadata.items()}
    return {"payloads": [{"metadata": metadata, "data": b64encode(payload.data).decode()}]}


async def test_payloads_are_opened_with_a_token(platform):
    closed = await sealed(platform)
    assert PLAIN["payloads"][0]["data"] not in closed["payloads"][0]["data"]
    assert (await platform.caller.post(f"{PATH}/decode", json=closed)).json() == PLAIN


async def test_payload_that_nobody_vouches_for_is_shown_as_refused(platform):
    (shown,) = (await platform.caller.post(f"{PATH}/decode", json=PLAIN)).json()["payloads"]
    assert b64decode(shown["data"]).startswith(b'"refused')


async def test_nobody_can_have_payloads_encrypted(platform):
    assert (await platform.caller.post(f"{PATH}/encode", json=PLAIN)).status_code == 404


async def test_browser_gets_a_session_for_the_token_as_password(platform):
    closed = await sealed(platform)
    async with loopback(platform.app) as browser:
        assert (await browser.post(f"{PATH}/decode", json=closed)).status_code == 401
        asked = await browser.get(f"{PATH}/session")
        assert asked.headers["www-authenticate"].startswith("Basic ")
        assert (await browser.get(f"{PATH}/session", auth=("a", "wrong"))).status_code == 401
        opened = await browser.get(f"{PATH}/session", auth=("a", platform.token))
        assert "HttpOnly" in opened.headers["set-cookie"]
        assert (await browser.post(f"{PATH}/decode", json=closed)).json() == PLAIN
        assert (await browser.get("/api/v1/accounts")).status_code == 401


async def test_session_ends_with_its_token(platform):
    name, now = uuid4().hex, datetime.now(UTC)
    token = await create_token(platform.admin, name, "auditor", now)
    async with loopback(platform.app) as browser:
        await browser.get(f"{PATH}/session", auth=("a", token))
        assert (await browser.post(f"{PATH}/decode", json=PLAIN)).status_code == 200
        await revoke_token(platform.admin, name, now)
        platform.services.tokens.remember(token_hash(token), None)
        assert (await browser.post(f"{PATH}/decode", json=PLAIN)).status_code == 401


@pytest.mark.parametrize(
    "payload",
    [
        {"metadata": {"encoding": encoded("binary/encrypted")}, "data": encoded("short")},
        {"metadata": {"encoding": "not base64!"}, "data": ""},
        {
            "metadata": {
                "encoding": encoded("binary/encrypted"),
                "encryption-key-id": encoded("k"),
            },
            "data": encoded("x"),
        },
        {
            "metadata": {
                "encoding": encoded("binary/encrypted"),
                "encryption-key-id": encoded("k"),
            },
            "data": encoded("x" * 100),
        },
        {
            "metadata": {"encoding": encoded("binary/encrypted"), "encryption-key-id": "//79"},
            "data": "",
        },
        {"metadata": {}, "data": "\u00e9"},
    ],
)
async def test_payload_that_cannot_be_opened_is_a_problem(platform, payload):
    answer = await platform.caller.post(f"{PATH}/decode", json={"payloads": [payload]})
    assert answer.status_code == 422
    kind = answer.json()["type"].removeprefix("urn:aether:problem:")
    assert kind in ("invalid-payloads", "invalid-request")


@pytest.mark.parametrize(
    ("origin", "allowed"), [(UI, UI), ("http://evil.example", None)], ids=["its own", "another"]
)
async def test_only_the_web_ui_may_call_from_another_origin(platform, origin, allowed):
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-namespace",
    }
    asked = await platform.stranger.options(f"{PATH}/decode", headers=headers)
    assert asked.headers.get("access-control-allow-origin") == allowed
    sent = await platform.caller.post(f"{PATH}/decode", json=PLAIN, headers={"Origin": origin})
    assert sent.headers.get("access-control-allow-origin") == allowed
