"""Sessions of browsers: who shows a token once gets a cookie that no script can read.

The session is known by a random id in this process alone; what it may do is what the token may,
looked up with each request, so that a revoked token ends every session of it.
"""

import secrets
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from activities.adapters.postgres.installation import find_token, token_hash
from api.http.authentication import SESSION_COOKIE, Caller, authenticate, principal_of
from api.http.problems import unauthorized
from api.messages.bodies import RequestBody
from api.services import services_of

router = APIRouter(prefix="/browser-session", tags=["session"])

Token = Annotated[str, Field(min_length=20, max_length=200, pattern=r"^[!-~]+$")]


class SignIn(RequestBody):
    """The token that ``aether admin token`` prints."""

    token: Token


class Person(BaseModel):
    """Who is signed in, with what they may do; ``expires_at`` is when the session ends."""

    name: str
    role: str
    expires_at: datetime | None


@router.post("", response_model=Person)
async def begin_browser_session(request: Request, body: SignIn) -> JSONResponse:
    """Begin a session in this browser."""
    services = services_of(request)
    hashed = token_hash(body.token)
    principal = await principal_of(services, hashed)
    holder = await find_token(services.database, hashed)
    if principal is None or holder is None:
        raise unauthorized()
    session = secrets.token_urlsafe(32)
    ends_at = services.browser_sessions.open(session, hashed, holder.expires_at)
    person = Person(name=principal.name, role=principal.role, expires_at=ends_at)
    response = JSONResponse(person.model_dump(mode="json"))
    age = int((ends_at - datetime.now(UTC)).total_seconds())
    response.set_cookie(
        SESSION_COOKIE, session, max_age=age, httponly=True, samesite="strict", path="/"
    )
    return response


@router.get("")
async def get_browser_session(request: Request, caller: Caller) -> Person:
    """Return who is signed in."""
    cookie = request.cookies.get(SESSION_COOKIE, "")
    ends_at = services_of(request).browser_sessions.ends_at(cookie)
    return Person(name=caller.name, role=caller.role, expires_at=ends_at)


@router.delete("", status_code=HTTPStatus.NO_CONTENT, dependencies=[Depends(authenticate)])
async def end_browser_session(request: Request) -> JSONResponse:
    """End this browser's session; its streams close."""
    services = services_of(request)
    services.browser_sessions.close(request.cookies.get(SESSION_COOKIE, ""))
    services.live().check_sessions()
    response = JSONResponse(None, HTTPStatus.NO_CONTENT)
    response.body = b""
    response.init_headers()
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="strict")
    return response
