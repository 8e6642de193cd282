"""Who calls: bearer tokens, known by their hash only. No endpoint but health is open."""

import hashlib
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import select

from api.problems import ProblemError
from api.services import Services, services_of
from models.tables.access import ApiTokenRow

ADMINISTRATOR = "administrator"

_bearer = HTTPBearer(auto_error=False, description="The administrator token printed at first start")


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: the token's name and role."""

    name: str
    role: str


def token_hash(token: str) -> str:
    """Return the SHA-256 under which a token is stored: its 256 random bits need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


async def authenticate(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Principal:
    """Return the caller, or refuse with 401 without saying what was wrong."""
    if credentials is not None:
        principal = await principal_of(services_of(request), credentials.credentials)
        if principal is not None:
            return principal
    raise ProblemError(HTTPStatus.UNAUTHORIZED, "unauthorized", "A valid bearer token is required.")


async def principal_of(services: Services, token: str) -> Principal | None:
    """Return whom a token belongs to, None when it is unknown or revoked."""
    presented = token_hash(token)
    if presented not in services.principals or services.principals_are_old():
        query = select(ApiTokenRow).where(ApiTokenRow.revoked_at.is_(None))  # type: ignore[union-attr]
        async with services.database.no_scope() as session:
            found = (await session.execute(query)).scalars().all()
        services.remember_principals({row.token_hash: (row.name, row.role) for row in found})
    known = services.principals.get(presented)
    return None if known is None else Principal(*known)


Caller = Annotated[Principal, Depends(authenticate)]
