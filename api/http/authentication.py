"""Who calls, as the routes see it. No endpoint but health and signing in is open."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBasic, HTTPBasicCredentials

from api.access.admission import require
from api.access.callers import (
    bearer,
    become,
    caller_of,
    holder_of,
    principal_of,
    stranger_refused,
)
from api.access.cookies import COOKIE
from api.services import Principal, services_of
from models.trading.governance.rights import Action

__all__ = [
    "Basic",
    "Bearer",
    "Caller",
    "authenticate",
    "authenticate_browser",
    "authenticate_reader",
    "principal_of",
]

ADMINISTRATOR = "administrator"
BASIC_CHALLENGE = 'Basic realm="Aether (the token is the password)", charset="UTF-8"'

_basic = HTTPBasic(auto_error=False, description="For browsers: the token is the password")

Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
Basic = Annotated[HTTPBasicCredentials | None, Depends(_basic)]


async def authenticate(request: Request, _: Bearer) -> Principal:
    """Return the caller, or refuse with 401 without saying what was wrong."""
    return await caller_of(request)


async def authenticate_browser(request: Request, credentials: Basic) -> str:
    """Return the hash of the token that a browser shows as a password, or let it ask for one.

    A session does as well: its reference is in the cookie that the browser sends anyway.
    """
    if credentials is not None:
        found = await holder_of(services_of(request), credentials.password)
        if found is None:
            raise stranger_refused(request, BASIC_CHALLENGE)
        become(request, found)
        await require(request, Action.PAYLOAD_READ, None)
        return found.credential
    if COOKIE in request.cookies:
        caller = await caller_of(request)
        await require(request, Action.PAYLOAD_READ, None)
        return caller.credential
    raise stranger_refused(request, BASIC_CHALLENGE)


async def authenticate_reader(request: Request, shown: Bearer) -> None:
    """Let pass who may read the documentation: with a bearer token, or as a browser."""
    if shown is None and COOKIE not in request.cookies:
        credentials = await _basic(request)
        found = (
            None
            if credentials is None
            else await holder_of(services_of(request), credentials.password)
        )
        if found is None:
            raise stranger_refused(request, BASIC_CHALLENGE)
        become(request, found)
    await require(request, Action.PLATFORM_READ, None)


Caller = Annotated[Principal, Depends(authenticate)]
