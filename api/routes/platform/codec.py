"""The codec endpoint: lets Temporal's web UI show payloads to those who hold a token.

The UI runs in the browser and cannot send our bearer token. Whoever opens ``/api/v1/codec/session``
once, with the token as password, gets a cookie that the UI sends along ("include cross-origin
credentials" in its codec settings).
"""

import binascii
import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse
from temporalio.api.common.v1 import Payload

from api.access.admission import require
from api.access.callers import become, person_of
from api.access.disclosures import record_decoding
from api.http.authentication import Bearer, authenticate, authenticate_browser, principal_of
from api.http.problems import ProblemError
from api.messages.bodies import EncodedPayload, EncodedPayloads
from api.services import Services, services_of
from infra.runtime.temporal.codec import ENCODING, KIND, EncryptionCodec, PayloadKeyError
from models.trading.governance.rights import Action

COOKIE = "aether_codec_session"
SESSION_SECONDS = 8 * 3600

router = APIRouter(prefix="/codec", tags=["codec"])


async def allow_codec(request: Request, credentials: Bearer) -> None:
    """Let pass who has a bearer token, or a session's cookie while its token is worth something."""
    services = services_of(request)
    hashed = services.codec_sessions.token_of(request.cookies.get(COOKIE, ""))
    if hashed is not None:
        known = await principal_of(services, hashed) or await person_of(services, hashed)
        if known is not None:
            become(request, known)
    await authenticate(request, credentials)
    await require(request, Action.PAYLOAD_READ, None)


@router.get("/session", response_class=PlainTextResponse)
async def open_codec_session(
    request: Request, hashed: Annotated[str, Depends(authenticate_browser)]
) -> PlainTextResponse:
    """Give the browser a cookie for the codec; the token is the password, the name is free."""
    session = secrets.token_urlsafe(32)
    services_of(request).codec_sessions.open(session, hashed)
    response = PlainTextResponse("Temporal's web UI can show payloads in this browser now.")
    response.set_cookie(COOKIE, session, max_age=SESSION_SECONDS, httponly=True, samesite="lax")
    return response


@router.post("/decode", dependencies=[Depends(allow_codec)])
async def decode_payloads(request: Request, body: EncodedPayloads) -> EncodedPayloads:
    """Decrypt the payloads that the UI sends; one that is not encrypted is shown as refused.

    There is no way to encrypt here: whoever could would be believed by every workflow.
    """
    services: Services = services_of(request)
    try:
        shown = [_shown(services.codec, payload) for payload in _payloads(body)]
    except (PayloadKeyError, ValueError) as error:
        raise _unreadable(str(error)) from None
    await record_decoding(request, len(shown))
    return _encoded(shown)


def _shown(codec: EncryptionCodec, payload: Payload) -> Payload:
    if payload.metadata.get("encoding", b"") != ENCODING:
        words = json.dumps("refused: not encrypted, so nobody vouches for it")
        return Payload(metadata={"encoding": b"json/plain"}, data=words.encode())
    opened = codec.open(payload)
    del opened.metadata[KIND]
    return opened


def _payloads(body: EncodedPayloads) -> list[Payload]:
    try:
        return [
            Payload(
                metadata={name: _bytes(value) for name, value in payload.metadata.items()},
                data=_bytes(payload.data),
            )
            for payload in body.payloads
        ]
    except binascii.Error as error:
        raise _unreadable(f"not base64: {error}") from None


def _bytes(text: str) -> bytes:
    return b64decode(text.encode(), validate=True)


def _encoded(payloads: Sequence[Payload]) -> EncodedPayloads:
    return EncodedPayloads(
        payloads=[
            EncodedPayload(
                metadata={name: _text(value) for name, value in payload.metadata.items()},
                data=_text(payload.data),
            )
            for payload in payloads
        ]
    )


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _unreadable(why: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-payloads", why)
