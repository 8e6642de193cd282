"""Confirming one action: asked for, shown, signed, and used once within five minutes."""

import json
import secrets
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from fastapi import Request

from activities.adapters.people.passkeys import authentication_options, evidence
from activities.adapters.postgres.governance.factors import PASSKEY, AskedStepUp
from activities.adapters.postgres.governance.sessions import new_id
from api.access.confirmed import content_of
from api.access.factors import confirmed, party_of, passkey_right, totp_right
from api.access.figures import SECOND_FACTOR_DENIED
from api.access.rules import ROUTES, Way
from api.access.sign_in import sign_in_failed, slow_down
from api.http.problems import ProblemError
from api.messages.people import AskStepUp, Confirmed, ConfirmStepUp, StepUp
from api.services import Principal, services_of
from models.trading.governance.rights import RIGHTS, Action, judge
from models.trading.governance.sessions import STEP_UP
from models.trading.governance.step_up import LACKS_CONTENT, SHOWS_CONTENT, challenge
from models.trading.governance.throttling import FACTOR_LIMITS


async def ask(request: Request, caller: Principal, body: AskStepUp) -> StepUp:
    """Note what is to be confirmed, and return what a passkey would sign.

    Raises:
        ProblemError: the operation takes no confirmation, or the caller has no right to it.
    """
    services, now = services_of(request), datetime.now(UTC)
    _check_operation(caller, body.operation)
    content = await content_of(services, body.operation, body.path, body.body)
    nonce, step_up = secrets.token_urlsafe(32), new_id()
    digest = challenge(body.operation, body.path, json.loads(content), nonce)
    asked = AskedStepUp(step_up, body.operation, body.path, content, nonce, digest.hex())
    await services.identity.factors.ask_step_up(caller.credential, asked, now)
    assert caller.session is not None
    factors = await services.identity.factors.factors(caller.session.user_id)
    keys = [one.credential_id or "" for one in confirmed(factors, PASSKEY)]
    party = party_of(request)
    return StepUp(
        step_up=step_up,
        operation=body.operation,
        path=body.path,
        content=json.loads(content),
        nonce=nonce,
        challenge=digest.hex(),
        passkey=authentication_options(party, digest, keys) if keys and party else None,
    )


async def confirm(
    request: Request, caller: Principal, step_up: str, body: ConfirmStepUp
) -> tuple[Confirmed, str]:
    """Take a second factor for what was asked; return the reference, and the session's new one.

    Raises:
        ProblemError: the factor is not right, or what was asked for is too old.
    """
    services, now = services_of(request), datetime.now(UTC)
    identity, session = services.identity, caller.session
    assert session is not None
    asked = await identity.factors.asked_step_up(caller.credential, step_up, now)
    if asked is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, "unknown-step-up", "Nothing waits to be confirmed.", lasting=False
        )
    bucket = [f"factor/user/{session.user_id}"]
    await slow_down(services, bucket, FACTOR_LIMITS, now)
    factors = await identity.factors.factors(session.user_id)
    kept: dict[str, Any] = {"shows": LACKS_CONTENT}
    if body.credential is not None:
        method = "passkey"
        digest = bytes.fromhex(asked.challenge)
        party = party_of(request)
        right = await passkey_right(services, factors, party, body.credential, digest)
        if right:
            kept = {"shows": SHOWS_CONTENT, **evidence(body.credential)}
    else:
        method = "totp"
        right = body.code is not None and await totp_right(services, factors, body.code)
    if not right:
        SECOND_FACTOR_DENIED.labels(method).inc()
        raise sign_in_failed()
    await identity.failures.forgive(bucket)
    reference = await identity.factors.confirm_step_up(
        caller.credential, step_up, method, kept, now
    )
    renewed = await identity.sessions.replace(caller.credential, now, method)
    if reference is None or renewed is None:
        raise sign_in_failed()
    told = Confirmed(
        reference=reference, expires_at=now + STEP_UP, method=method, evidence=str(kept["shows"])
    )
    return told, renewed


def _check_operation(caller: Principal, operation: str) -> None:
    rule = ROUTES.get(operation)
    takes = rule is Way.ENROL or (isinstance(rule, Action) and RIGHTS[rule].step_up)
    if not takes:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "no-step-up",
            f"{operation} is not confirmed by a second factor.",
            lasting=False,
        )
    if isinstance(rule, Action):
        refused = judge(caller.rights, rule)
        if refused is not None:
            raise ProblemError(HTTPStatus.FORBIDDEN, refused.code, refused.reason, lasting=False)
