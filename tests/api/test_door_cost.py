"""What a body costs before anybody has asked who sends it: no more than its length."""

import json
import time

import pytest

from api.door import BODY_LIMIT, CODEC_LIMIT, CODEC_PATH, Door


async def answer_to(body, path="/api/v1/accounts/a/halt"):
    """Return the answer's status; 200 when the door let the request pass."""
    sent = []

    async def application(scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
    }
    await Door(application)(scope, receive, send)
    return sent[0]["status"]


@pytest.mark.parametrize("unit", [b'\\"', b'"\\', b'"', b"\\", b'a"\\"'])
async def test_quotes_without_end_cost_no_more_than_their_length(unit):
    # 24 KB took seconds, the whole of what is allowed minutes, in which the API answered nobody.
    began = time.process_time()
    await answer_to(b'"' + unit * (24 * 1024 // len(unit)))
    assert time.process_time() - began < 0.5
    for path, limit in (("/api/v1/trades", BODY_LIMIT), (f"{CODEC_PATH}/decode", CODEC_LIMIT)):
        began = time.process_time()
        await answer_to(b'"' + unit * ((limit - 1) // len(unit)), path)
        assert time.process_time() - began < 3


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
async def test_body_of_another_encoding_is_refused(encoding):
    # U+2200 has a quote's byte in UTF-16: what follows would be taken for a text, and not counted.
    text = "\u00e9" if encoding == "latin-1" else "\u2200"
    body = json.dumps({"reason": text, "deep": "x"}, ensure_ascii=False)
    assert await answer_to(body.encode()) == 200
    assert await answer_to(body.encode(encoding)) == 400


async def test_surrogate_written_as_bytes_is_refused():
    assert await answer_to(b'{"reason": "\xed\xa0\x80"}') == 400
