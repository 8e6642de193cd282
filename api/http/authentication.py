"""Who calls: tokens, known by their hash only. No endpoint but health is open."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import (
    HTTPAuthorizationCredentials,
    HTTPBasic,
    HTTPBasicCredentials,
    HTTPBearer,
)

from activities.adapters.postgres.acting import TOKEN_HASH
from activities.adapters.postgres.installation import find_token, token_hash
from api.http.problems import token_expired, unauthorized
from api.services import Principal, Services, services_of

ADMINISTRATOR = "administrator"
SESSION_COOKIE = "aether_session"
BASIC_CHALLENGE = 'Basic realm="Aether (the token is the password)", charset="UTF-8"'

_bearer = HTTPBearer(auto_error=False, description="The administrator token printed at first start")
_basic = HTTPBasic(auto_error=False, description="For browsers: the token is the password")

Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
Basic = Annotated[HTTPBasicCredentials | None, Depends(_basic)]


async def authenticate(request: Request, credentials: Bearer) -> Principal:
    """Return the caller, or refuse with 401 without saying what was wrong.

    Either a bearer token is shown, or the cookie of a browser's session.
    """
    services = services_of(request)
    if credentials is not None:
        hashed: str | None = token_hash(credentials.credentials)
    else:
        hashed = services.browser_sessions.token_of(request.cookies.get(SESSION_COOKIE, ""))
    if hashed is not None:
        principal = await principal_of(services, hashed)
        if principal is not None:
            TOKEN_HASH.set(hashed)
            return principal
    raise unauthorized()


async def authenticate_browser(request: Request, credentials: Basic) -> str:
    """Return the hash of the token that a browser shows as a password, or let it ask for one."""
    if credentials is not None:
        hashed = token_hash(credentials.password)
        if await principal_of(services_of(request), hashed) is not None:
            return hashed
    raise unauthorized(BASIC_CHALLENGE)


async def authenticate_reader(request: Request, bearer: Bearer) -> None:
    """Let pass who may read the documentation: with a bearer token, or as a browser."""
    if bearer is not None:
        await authenticate(request, bearer)
    else:
        await authenticate_browser(request, await _basic(request))


async def principal_of(services: Services, hashed: str) -> Principal | None:
    """Return whom the token with this hash belongs to, None when it is unknown or revoked.

    Raises:
        ProblemError: it has expired.
    """
    known = services.tokens.get(hashed)
    if known is None:
        holder = await find_token(services.database, hashed)
        if holder is not None and holder.expires_at <= datetime.now(UTC):
            raise token_expired(holder.name, holder.expires_at)
        known = None if holder is None else Principal(holder.name, holder.role)
        services.tokens.remember(hashed, known)
    return known


Caller = Annotated[Principal, Depends(authenticate)]
