"""The codec endpoint: lets Temporal's web UI show payloads to those who hold a token.

The UI runs in the browser and cannot send our bearer token. Whoever opens ``/api/v1/codec/session``
once, with the token as password, gets a cookie that the UI sends along ("include cross-origin
credentials" in its codec settings).
"""

import secrets
import time
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse, Response
from fastapi.security import (
    HTTPAuthorizationCredentials,
    HTTPBasic,
    HTTPBasicCredentials,
    HTTPBearer,
)
from google.protobuf import json_format
from temporalio.api.common.v1 import Payload, Payloads

from api.authentication import authenticate, principal_of
from api.problems import ProblemError
from api.services import services_of

COOKIE = "aether_codec_session"
SESSION_SECONDS = 8 * 3600.0

_basic = HTTPBasic(auto_error=False, realm="Aether payload codec")
_bearer = HTTPBearer(auto_error=False)


async def allowed(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> None:
    """Let pass who has a bearer token or the cookie of a session that has not expired."""
    expires = services_of(request).codec_sessions.get(request.cookies.get(COOKIE, ""), 0.0)
    if expires < time.monotonic():
        await authenticate(request, credentials)


router = APIRouter(prefix="/codec", tags=["codec"])


@router.get("/session")
async def open_session(
    request: Request, credentials: Annotated[HTTPBasicCredentials | None, Depends(_basic)]
) -> Response:
    """Give the browser a cookie for the codec; the token is the password, the name is free."""
    services = services_of(request)
    known = credentials and await principal_of(services, credentials.password)
    if not known:
        return PlainTextResponse(
            "The administrator token is the password.",
            HTTPStatus.UNAUTHORIZED,
            {"WWW-Authenticate": 'Basic realm="Aether payload codec"'},
        )
    now = time.monotonic()
    for old in [s for s, expires in services.codec_sessions.items() if expires < now]:
        del services.codec_sessions[old]
    session = secrets.token_urlsafe(32)
    services.codec_sessions[session] = now + SESSION_SECONDS
    response = PlainTextResponse("Temporal's web UI can show payloads in this browser now.")
    response.set_cookie(
        COOKIE, session, httponly=True, samesite="lax", max_age=int(SESSION_SECONDS)
    )
    return response


@router.post("/decode", dependencies=[Depends(allowed)])
async def decode(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    """Decrypt the payloads that the UI sends; payloads that are not encrypted pass unchanged."""
    return _json(await services_of(request).codec.decode(_payloads(body)))


@router.post("/encode", dependencies=[Depends(allowed)])
async def encode(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    """Encrypt payloads that the UI is to send."""
    return _json(await services_of(request).codec.encode(_payloads(body)))


def _payloads(body: dict[str, Any]) -> list[Payload]:
    try:
        return list(json_format.ParseDict(body, Payloads()).payloads)
    except json_format.ParseError as error:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-payloads", str(error)
        ) from None


def _json(payloads: list[Payload]) -> dict[str, Any]:
    return json_format.MessageToDict(Payloads(payloads=payloads))
