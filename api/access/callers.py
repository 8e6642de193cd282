"""Who calls: a person in a session, a person's API token, or a token made on the machine."""

from contextvars import ContextVar
from datetime import UTC, datetime

from fastapi import Request
from fastapi.security import HTTPBearer

from activities.adapters.postgres.acting import TOKEN_HASH
from activities.adapters.postgres.governance.sessions import PersonSession, reference_hash
from activities.adapters.postgres.installation import find_token, token_hash
from api.access.cookies import COOKIE, check_same_origin
from api.http.problems import CHALLENGE, ProblemError, token_expired, unauthorized
from api.services import Principal, Services, services_of
from models.trading.governance.rights import MACHINE_GRANTS, CallerKind, Rights
from models.trading.governance.sessions import Standing, ended
from models.trading.governance.tokens import is_token

CALLER: ContextVar[Principal | None] = ContextVar("caller", default=None)
"""Who the request that is being dealt with comes from; updates of workflows are judged by it."""

bearer = HTTPBearer(
    auto_error=False,
    description="A person's API token (aether_pat_…), or the token of the machine",
)


async def caller_of(request: Request) -> Principal:
    """Return who a request comes from, asked once for each request.

    Raises:
        ProblemError: 401 without saying what was wrong; 403 where another page has sent it.
    """
    known: Principal | None = getattr(request.state, "caller", None)
    if known is not None:
        return known
    services = services_of(request)
    shown = await bearer(request)
    if shown is not None:
        found = await holder_of(services, shown.credentials)
    elif COOKIE in request.cookies:
        check_same_origin(request)
        found = await person_of(services, reference_hash(request.cookies[COOKIE]))
    else:
        found = None
    if found is None:
        raise stranger_refused(request)
    become(request, found)
    return found


def become(request: Request, caller: Principal) -> None:
    """Let everything that this request does be done as the caller, and count it as theirs.

    Raises:
        ProblemError: 429, the caller has sent too many.
    """
    kind, key = ("person", caller.name) if caller.is_person else ("token", caller.credential)
    count_known(request, kind, key)
    request.state.caller = caller
    TOKEN_HASH.set(caller.credential)
    CALLER.set(caller)


def count_known(request: Request, kind: str, key: str) -> None:
    """Count a request of somebody who is known.

    Raises:
        ProblemError: 429, they have sent too many.
    """
    services_of(request).limits.count_known(request.scope["route"].name, kind, key)


def count_stranger(request: Request) -> None:
    """Count a request of somebody who is not known, by the address that it comes from.

    Raises:
        ProblemError: 429, too many came from there.
    """
    address = request.client.host if request.client else ""
    services_of(request).limits.count_stranger(request.scope["route"].name, address)


def stranger_refused(request: Request, challenge: str = CHALLENGE) -> ProblemError:
    """Return the refusal of a caller who is not known, counted by the address.

    Raises:
        ProblemError: 429, too many came from there.
    """
    count_stranger(request)
    return unauthorized(challenge)


async def holder_of(services: Services, token: str) -> Principal | None:
    """Return whom a token belongs to, None when it is worth nothing.

    Raises:
        ProblemError: it has expired.
    """
    if not is_token(token):
        return await principal_of(services, token_hash(token))
    hashed, now = reference_hash(token), datetime.now(UTC)
    found = await services.identity.sessions.token(hashed, now)
    if found is None:
        return None
    if found.expires_at <= now:
        raise token_expired(found.name, found.expires_at)
    return Principal(f"user/{found.user_id}", "token", found.rights, hashed)


async def principal_of(services: Services, hashed: str) -> Principal | None:
    """Return whom the machine's token with this hash belongs to, None when it is unknown.

    Raises:
        ProblemError: it has expired.
    """
    known = services.tokens.get(hashed)
    if known is None:
        holder = await find_token(services.database, hashed)
        if holder is not None and holder.expires_at <= datetime.now(UTC):
            raise token_expired(holder.name, holder.expires_at)
        if holder is not None:
            rights = Rights(CallerKind.MACHINE, MACHINE_GRANTS.get(holder.role, ()))
            known = Principal(holder.name, holder.role, rights, hashed)
        services.tokens.remember(hashed, known)
    return known


async def person_of(services: Services, hashed: str) -> Principal | None:
    """Return whose full session has this hash, None when there is none that counts."""
    session = await session_of(services, hashed)
    if session is None or session.times.standing is not Standing.FULL:
        return None
    return Principal(f"user/{session.user_id}", "person", session.rights, hashed, session)


async def session_of(services: Services, hashed: str) -> PersonSession | None:
    """Return the session with this hash while it counts, also one that is not full yet."""
    now = datetime.now(UTC)
    session = await services.identity.sessions.session(hashed, now)
    return None if session is None or ended(session.times, now) is not None else session


async def still_counts(services: Services, caller: Principal) -> bool:
    """Tell whether a caller would still be let in, with the same rights.

    A stream asks with each heartbeat and whenever a session changes: what it may tell was settled
    when it began. Asking is no use of a session: one that only a stream is open in becomes idle.
    """
    if caller.is_person:
        held = await services.identity.sessions.look(caller.credential)
        return (
            held is not None
            and held.times.standing is Standing.FULL
            and ended(held.times, datetime.now(UTC)) is None
            and held.rights == caller.rights
        )
    if caller.rights.kind is CallerKind.TOKEN:
        now = datetime.now(UTC)
        token = await services.identity.sessions.token(caller.credential, now)
        return token is not None and token.expires_at > now and token.rights == caller.rights
    return await principal_of(services, caller.credential) is not None


async def pending_session(request: Request) -> tuple[PersonSession, str]:
    """Return the session that a request shows, full or not, and its hash.

    Raises:
        ProblemError: 401 there is none; 403 another page has sent the request.
    """
    if COOKIE not in request.cookies:
        raise stranger_refused(request)
    check_same_origin(request)
    hashed = reference_hash(request.cookies[COOKIE])
    session = await session_of(services_of(request), hashed)
    if session is None:
        raise stranger_refused(request)
    return session, hashed
