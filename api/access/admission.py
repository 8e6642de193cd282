"""What every request passes before its route: who calls, and whether they may.

It stands before the whole application, so that a route cannot be reached by forgetting it; one that
has no rule is refused.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

from fastapi import Request
from sqlalchemy import text

from activities.adapters.postgres import audit
from api.access.callers import CALLER, caller_of, count_known, count_stranger, pending_session
from api.access.confirmed import content_of
from api.access.figures import DENIED
from api.access.rules import BROWSER, ROUTES, UPDATES, Way
from api.http.problems import ProblemError
from api.services import Principal, Services, services_of
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.trading.governance.rights import RIGHTS, Action, CallerKind, Refused, Scope, judge
from models.trading.governance.sessions import Standing
from models.trading.risk.limits import Mode

STEP_UP_HEADER: Final = "Aether-Step-Up"
_MODE = text("SELECT mode FROM accounts WHERE account_id = :account")


async def admit(request: Request) -> None:
    """Let a request pass to its route, or refuse it.

    Raises:
        ProblemError: nobody is known to call, or who does has no right to.
    """
    operation = request.scope["route"].name
    rule = ROUTES.get(operation)
    if rule is Way.OPEN:
        count_stranger(request)
        return
    if operation in BROWSER:
        return
    if rule in (Way.ENROL, Way.ENROLLING):
        session, _ = await pending_session(request)
        if session.times.standing is Standing.PENDING:
            count_known(request, "person", f"user/{session.user_id}")
            if not session.may_enrol:
                raise _denied("no-right", "This session may not add a factor.")
            return
        await caller_of(request)
        if rule is Way.ENROL:
            await check_step_up(request, operation)
        return
    caller = await caller_of(request)
    if not isinstance(rule, Action):
        raise await refuse(request, caller, Refused("no-right", f"{operation} has no right."), "")
    await require(request, rule, account_in(request))
    if RIGHTS[rule].step_up:
        await check_step_up(request, operation)


def account_in(request: Request) -> str | None:
    """Return the account that a request's path names, None when it names none."""
    named = request.path_params.get("account") or request.path_params.get("scope")
    return None if named is None else str(named)


async def require(request: Request, action: Action, account: str | None) -> None:
    """Refuse the caller who may not do something.

    Raises:
        ProblemError: 403, audited.
    """
    caller = await caller_of(request)
    live = await _is_live(services_of(request), caller, action, account)
    refused = judge(caller.rights, action, account, live=live)
    if refused is not None:
        raise await refuse(request, caller, refused, action)


async def require_all(request: Request, action: Action, accounts: Iterable[str]) -> None:
    """Refuse the caller who may not do something to each of the accounts."""
    for account in accounts:
        await require(request, action, account)


async def allowed(request: Request, action: Action, accounts: Iterable[str]) -> list[str]:
    """Return those of the accounts for which the caller may do something."""
    caller = await caller_of(request)
    services, found = services_of(request), []
    for account in accounts:
        live = await _is_live(services, caller, action, account)
        if judge(caller.rights, action, account, live=live) is None:
            found.append(account)
    return found


async def _is_live(
    services: Services, caller: Principal, action: Action, account: str | None
) -> bool:
    """Tell whether an account trades live, where the answer matters.

    For what is about the platform, whether any does. Where accounts are concerned that the path
    does not name, the route asks for each of them.
    """
    right = RIGHTS.get(action)
    if right is None or right.live or caller.rights.kind is not CallerKind.MACHINE:
        return False
    if account is None and right.scope is Scope.ACCOUNT:
        return False
    names = [account] if account else await services.database.accounts()
    for name in names:
        async with services.database.light_scope(name) as session:
            rows = await session.sql(_MODE, {"account": name})
        if any(row.mode == Mode.LIVE.value for row in rows):
            return True
    return False


async def check_step_up(request: Request, operation: str) -> None:
    """Take the confirmation that a request shows for exactly what it asks.

    Raises:
        ProblemError: 403 ``step-up-required``.
    """
    caller = await caller_of(request)
    reference = request.headers.get(STEP_UP_HEADER, "")
    services, taken = services_of(request), None
    if reference:
        body = await _body(request)
        content = await content_of(services, operation, request.url.path, body)
        used_for = request.headers.get("Idempotency-Key") or uuid4().hex
        taken = await services.identity.factors.take_step_up(
            caller.credential, reference, operation, request.url.path, used_for, datetime.now(UTC)
        )
        if taken is not None and taken["content"] != content:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                "changed-since",
                "What was confirmed is not what is asked for now. Confirm it anew.",
                lasting=False,
            )
    if taken is None:
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "step-up-required",
            "Confirm this action with your second factor first (POST /api/v1/me/step-ups), and "
            f"send the reference as {STEP_UP_HEADER}.",
            lasting=False,
            operation=operation,
        )
    request.state.step_up = taken


async def _body(request: Request) -> Any:
    return await request.json() if await request.body() else None


def check_update(update: str) -> None:
    """Refuse an update of a workflow that the caller of the present request may not have sent.

    Raises:
        ProblemError: 403.
    """
    action, caller = UPDATES.get(update), CALLER.get()
    if action is None or caller is None:
        raise _denied("no-right", f"Nobody may send {update}.")
    refused = judge(caller.rights, action)
    if refused is not None:
        raise _denied(refused.code, refused.reason)


async def refuse(
    request: Request, caller: Principal, refused: Refused, action: str
) -> ProblemError:
    """Record that somebody was refused, and return the problem."""
    DENIED.labels(refused.code).inc()
    services = services_of(request)
    if services.denials.is_new((caller.name, action, str(account_in(request)))):
        details = {"code": refused.code, "right": action, "path": request.url.path[:200]}
        async with services.database.account_scope(PLATFORM_SCOPE) as session:
            await audit.append(session, PLATFORM_SCOPE, caller.name, "access_denied", details)
    return _denied(refused.code, refused.reason)


def _denied(code: str, reason: str) -> ProblemError:
    return ProblemError(HTTPStatus.FORBIDDEN, code, reason, lasting=False)
