"""Signing in: a password, then a second factor, without telling which of the two was wrong.

The first step answers the same for a right password, a wrong one and a name that nobody has: with a
reference to a session that waits for its second factor, or to none.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from fastapi import Request
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from activities.adapters.people.passkeys import authentication_options
from activities.adapters.postgres import audit
from activities.adapters.postgres.governance.people import SigningIn
from activities.adapters.postgres.governance.sessions import (
    PersonSession,
    new_reference,
    reference_hash,
)
from api.access.callers import session_of
from api.access.cookies import COOKIE
from api.access.factors import code_hash, new_challenge, party_of, passkey_right, totp_right
from api.access.figures import SECOND_FACTOR_DENIED, SIGN_IN_FAILURES, SIGN_INS
from api.http.problems import ProblemError
from api.messages.people import NextStep, SecondFactor
from api.services import Services, services_of
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.trading.governance.throttling import (
    FACTOR_LIMITS,
    PASSWORD_LIMITS,
    UNKNOWN_NAMES,
    Limit,
)

AGENT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Attempt:
    """Where an attempt to sign in comes from."""

    address: str
    agent: str


def attempt_of(request: Request) -> Attempt:
    """Return where a request comes from."""
    address = request.client.host if request.client else ""
    agent = request.headers.get("user-agent", "")
    return Attempt(address, "".join(c for c in agent if c.isprintable())[:AGENT_LENGTH])


async def check_password(request: Request, name: str, password: str) -> tuple[NextStep, str]:
    """Take the first step; return what follows, and the reference that the browser keeps.

    Raises:
        ProblemError: 429, the same for every name, with the time to wait.
    """
    services, attempt, now = services_of(request), attempt_of(request), datetime.now(UTC)
    identity = services.identity
    person = await identity.people.named(name)
    await slow_down(services, password_buckets(name, person, attempt), PASSWORD_LIMITS, now)
    stored = None if person is None else person.password_hash
    verified = await identity.passwords.verify(stored, password)
    party, challenge = party_of(request), new_challenge()
    options = None if party is None else authentication_options(party, challenge, [])
    step = NextStep(step="second-factor", passkey=options)
    if person is None or not verified.right:
        await _note_failure(services, person, attempt, "password")
        return step, new_reference()
    if verified.upgraded is not None and stored is not None:
        await identity.people.upgrade_password(person.user_id, stored, verified.upgraded)
    reference = await identity.sessions.open_pending(
        person.user_id, now, attempt.address, attempt.agent
    )
    hashed = reference_hash(reference)
    await identity.sessions.set_challenge(hashed, bytes_to_base64url(challenge))
    session = await session_of(services, hashed)
    if session is not None and session.may_enrol:
        step = NextStep(step="enrolment")
    return step, reference


async def check_second_factor(request: Request, shown: SecondFactor) -> str:
    """Take the second step; return the reference of the session that is open now.

    Raises:
        ProblemError: 401, whatever was wrong; 429 with the time to wait.
    """
    services, attempt, now = services_of(request), attempt_of(request), datetime.now(UTC)
    hashed = reference_hash(request.cookies.get(COOKIE, ""))
    session = await session_of(services, hashed)
    buckets = [f"factor/address/{attempt.address}"]
    if session is not None:
        buckets.append(f"factor/user/{session.user_id}")
    await slow_down(services, buckets, FACTOR_LIMITS, now)
    method = None if session is None else await shown_factor(request, session, hashed, shown)
    if session is None or method is None:
        person = None if session is None else SigningIn(session.user_id, session.display_name, None)
        await _note_failure(services, person, attempt, "second_factor")
        SECOND_FACTOR_DENIED.labels(_kind(shown)).inc()
        raise sign_in_failed()
    reference = await services.identity.sessions.replace(hashed, now, method)
    if reference is None:
        raise sign_in_failed()
    await forgive(services, session, attempt)
    SIGN_INS.labels(method).inc()
    return reference


async def shown_factor(
    request: Request, session: PersonSession, hashed: str, shown: SecondFactor
) -> str | None:
    """Return the kind of the second factor that was right, None when none was."""
    identity = services_of(request).identity
    factors = await identity.factors.factors(session.user_id)
    if shown.credential is not None:
        challenge = await identity.sessions.take_challenge(hashed)
        if challenge is None:
            return None
        right = await passkey_right(
            services_of(request),
            factors,
            party_of(request),
            shown.credential,
            base64url_to_bytes(challenge),
        )
        return "passkey" if right else None
    if shown.code is not None:
        right = await totp_right(services_of(request), factors, shown.code)
        return "totp" if right else None
    if shown.recovery_code is not None:
        code = code_hash(shown.recovery_code)
        right = await identity.factors.use_code(session.user_id, code, datetime.now(UTC))
        return "recovery_code" if right else None
    return None


async def forgive(services: Services, session: PersonSession, attempt: Attempt) -> None:
    """Take back what was counted of a person who has signed in by now."""
    user = session.user_id
    failures = services.identity.failures
    await failures.clear([f"factor/user/{user}", f"password/user/{user}"])
    await failures.forgive(
        [f"factor/address/{attempt.address}", f"password/address/{attempt.address}"]
    )


async def slow_down(
    services: Services, buckets: Sequence[str], limits: Sequence[Limit], now: datetime
) -> None:
    """Count an attempt as failed until it is known to be good.

    Raises:
        ProblemError: 429, with the time to wait.
    """
    wait = await services.identity.failures.begin(buckets, limits, now)
    if wait is not None:
        SIGN_IN_FAILURES.labels("throttled").inc()
        seconds = max(1, round(wait.total_seconds() + 0.5))
        raise ProblemError(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too-many-attempts",
            f"Too many attempts have failed. Try again in {seconds} seconds.",
            lasting=False,
            headers={"Retry-After": str(seconds)},
        )


def password_buckets(name: str, person: SigningIn | None, attempt: Attempt) -> list[str]:
    """Return the counters of an attempt; names that nobody has share a fixed number of them."""
    if person is not None:
        who = f"password/user/{person.user_id}"
    else:
        digest = hashlib.sha256(name.encode()).digest()
        who = f"password/unknown/{int.from_bytes(digest[:4], 'big') % UNKNOWN_NAMES}"
    return [who, f"password/address/{attempt.address}"]


def sign_in_failed() -> ProblemError:
    """Return the refusal that does not tell what was wrong."""
    return ProblemError(
        HTTPStatus.UNAUTHORIZED,
        "sign-in-failed",
        "Name, password or second factor are not right. Begin with the password again.",
        lasting=False,
        headers={"WWW-Authenticate": 'Session realm="Aether"'},
    )


async def _note_failure(
    services: Services, person: SigningIn | None, attempt: Attempt, step: str
) -> None:
    # Names that nobody has are counted: a row each would let a stranger fill the record.
    if person is None:
        SIGN_IN_FAILURES.labels("unknown").inc()
        return
    SIGN_IN_FAILURES.labels(step).inc()
    details: dict[str, Any] = {
        "user": f"user/{person.user_id}",
        "step": step,
        "address": attempt.address,
    }
    async with services.database.account_scope(PLATFORM_SCOPE) as session:
        await audit.append(session, PLATFORM_SCOPE, "aether", "sign_in_failed", details)


def _kind(shown: SecondFactor) -> str:
    if shown.credential is not None:
        return "passkey"
    return "totp" if shown.code is not None else "recovery_code"
