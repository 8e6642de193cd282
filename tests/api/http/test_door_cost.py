"""What a body costs before anybody has asked who sends it: no more than its length."""

import asyncio
import json
import time

import pytest

from api.http.door import BODY_LIMIT, CODEC_LIMIT, CODEC_PATH, HELD_LIMIT, Door


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


async def test_bodies_that_nobody_answers_for_are_held_within_bounds():
    # 200 connections may wait for a body's end: 8 MB of each were 1.6 GB, for any user's asking.
    door = Door(lambda *_: None)
    refused = []
    part = b" " * (CODEC_LIMIT - 1)

    def sender(content):
        parts = [{"type": "http.request", "body": content, "more_body": True}]

        async def receive():
            return parts.pop() if parts else await asyncio.Event().wait()

        return receive

    async def send(message):
        if message["type"] == "http.response.start":
            refused.append(message["status"])

    def arrive(path, content):
        scope = {"type": "http", "path": path, "query_string": b"", "headers": []}
        return asyncio.create_task(door(scope, sender(content), send))

    waiting = [arrive(f"{CODEC_PATH}/decode", part) for _ in range(20)]
    waiting += [arrive("/api/v1/kill-switch", b"{")]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert refused == [503] * (20 - HELD_LIMIT // CODEC_LIMIT)
    assert not waiting[-1].done()  # what is small is waited for all the same
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await answer_to(b"{}") == 200
