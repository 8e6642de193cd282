"""The first look at a request: how much it may be, how deep, and of which characters.

Nothing is parsed before it has passed here, so that no body costs more than its length.
"""

import re
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import ProblemError, respond
from models.trading.bounds import DEPTH, text_problem

BODY_LIMIT: Final = 256 * 1024
"""Bytes of a request's body: the largest that anybody means, a whole import of settings, is a
tenth of it."""
CODEC_LIMIT: Final = 8 * 1024 * 1024
"""The same for Temporal's UI, which has histories decoded page by page."""
CODEC_PATH: Final = "/api/v1/codec"
HELD_LIMIT: Final = 32 * 1024 * 1024
"""Bytes of all bodies that are held while nobody has asked yet who sends them."""
PATH_LIMIT: Final = 2_000
QUERY_LIMIT: Final = 4_000

# Nothing is given back, and a string without its end reaches to the body's: else every quote of it
# would be tried as a beginning, and the time would grow with the square of the length.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")
_OPENING = frozenset((b"[", b"{"))


class Door:
    """ASGI middleware that refuses what is too large, too deep, or no text."""

    def __init__(self, app: ASGIApp, limit: int = BODY_LIMIT) -> None:
        self._app = app
        self._limit = limit
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its whole body read, or answer it with its problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            _check_address(scope)
            messages = await self._whole_body(scope, receive)
        except ProblemError as problem:
            await respond(problem)(scope, receive, send)
            return

        async def replay() -> Message:
            return messages.pop(0) if messages else await receive()

        await self._app(scope, replay, send)

    async def _whole_body(self, scope: Scope, receive: Receive) -> list[Message]:
        limit = self._limit_of(scope)
        for name, value in scope["headers"]:
            if name == b"content-length" and (not value.isdigit() or int(value[:20]) > limit):
                raise _too_large(limit)
        body = bytearray()
        try:
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return [message]
                part = message.get("body", b"")
                body += part
                self._held += len(part)
                if len(body) > limit:
                    raise _too_large(limit)
                # A small body finds room always: many large ones keep out large ones only.
                if self._held > HELD_LIMIT and len(body) > self._limit:
                    raise _too_much_held()
                if not message.get("more_body", False):
                    break
        finally:
            self._held -= len(body)
        _check_encoding(bytes(body))
        _check_depth(bytes(body))
        return [{"type": "http.request", "body": bytes(body), "more_body": False}]

    def _limit_of(self, scope: Scope) -> int:
        return CODEC_LIMIT if str(scope["path"]).startswith(CODEC_PATH) else self._limit


def _check_address(scope: Scope) -> None:
    query: bytes = scope.get("query_string", b"")
    for what, raw, longest in (
        ("path", unquote_to_bytes(scope.get("raw_path") or scope["path"]), PATH_LIMIT),
        ("query", unquote_to_bytes(query.replace(b"+", b" ")), QUERY_LIMIT),
    ):
        try:
            problem = text_problem(raw.decode(), longest)
        except UnicodeDecodeError:
            problem = "is no UTF-8"
        if problem is not None:
            detail = f"The {what} {problem}."
            raise ProblemError(HTTPStatus.BAD_REQUEST, "malformed-address", detail)


def _check_encoding(body: bytes) -> None:
    """Let pass UTF-8 only (RFC 8259, 8.1).

    The parser guesses UTF-16 and UTF-32 by their zero bytes, and would then read other brackets and
    quotes than are counted here.
    """
    try:
        body.decode()
    except UnicodeDecodeError:
        problem = True
    else:
        problem = b"\0" in body
    if problem:
        detail = "The body is no UTF-8."
        raise ProblemError(HTTPStatus.BAD_REQUEST, "malformed-json", detail)


def _check_depth(body: bytes) -> None:
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub(b"", body)):
        depth += 1 if bracket[0] in _OPENING else -1
        if depth > DEPTH:
            detail = f"The body is nested deeper than {DEPTH} levels."
            raise ProblemError(HTTPStatus.BAD_REQUEST, "malformed-json", detail)


def _too_much_held() -> ProblemError:
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "too-many-large-bodies",
        "Too many large bodies are on their way at once. Send it again a little later.",
        headers={"Connection": "close", "Retry-After": "5"},
    )


def _too_large(limit: int) -> ProblemError:
    return ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "body-too-large",
        f"The body is larger than {limit} bytes.",
        headers={"Connection": "close"},
    )
