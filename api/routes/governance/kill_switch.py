"""The kill switch: one action stops every account, or those named."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from temporalio.service import RPCError

from activities.adapters.postgres.governance.kill_switch_journal import NotComparedError
from activities.adapters.temporal.engagements import EngineUnavailableError, start_engagements
from activities.adapters.temporal.liveness import Expected, silent_workflows
from api.access.admission import allowed, require_all
from api.http.authentication import Caller, authenticate
from api.http.commands import (
    Command,
    IdempotencyKey,
    Response,
    command_of,
    connected,
    run_once,
    update_workflow,
)
from api.http.problems import ProblemError
from api.messages.bodies import Engage, Lift, Number
from api.messages.schemas import Answered, KillSwitch
from api.services import Principal, Services, services_of
from infra.runtime.database.connections import PLATFORM_SCOPE, DatabaseUnavailableError
from infra.runtime.emergency import NotStoppedError, call_stop, stop_now
from infra.runtime.state_directory import StateDirectory
from models.contracts.names import (
    APPROVE_LIFT_UPDATE,
    account_workflow_id,
    kill_switch_workflow_id,
)
from models.contracts.workflows import KillSwitchProgress, LiftApproved
from models.tables.governance.governance import KillSwitchRow
from models.trading.governance.rights import ALL_ACCOUNTS, RIGHTS, Action, judge

router = APIRouter(
    prefix="/kill-switch", tags=["kill switch"], dependencies=[Depends(authenticate)]
)

log = structlog.get_logger(__name__)

RECORD_SECONDS = 4.0
"""How long the record may take to hold the flag before the trading process is told directly."""

ASK_SECONDS = 1.0
"""How long an engagement waits to learn which accounts do not answer."""


_telling: set[asyncio.Task[None]] = set()
"""Keeps a reference to what nobody waits for: the event loop itself holds none."""


@router.get("")
async def list_kill_switches(request: Request) -> list[KillSwitch]:
    """List every engagement, newest first; one that stands has no ``lifted_at``."""
    found = await services_of(request).journal.kill_switches(only_engaged=False)
    return [KillSwitch.model_validate(row) for row in found]


@router.post("", status_code=HTTPStatus.ACCEPTED, response_model=KillSwitch)
async def engage_kill_switch(
    request: Request, body: Engage, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Stop entries, withdraw open ones, keep positions protected or flatten them.

    The flag stands in the database before this answers, so no entry leaves any more even while the
    workflow engine is down; the workflow then tells the accounts.

    Where the record cannot be written (a full disk, a database that is down) the process that sends
    orders is told directly: it stops at once and records the engagement when that is possible. The
    answer then says ``recorded: false`` and has the number 0.
    """
    services = services_of(request)
    command = command_of(request, PLATFORM_SCOPE, key, caller, body)

    async def act() -> Response:
        accounts = await _accounts(request, body)
        number = await _number(services, command)
        await services.journal.engage_kill_switch(
            number,
            accounts,
            flatten=body.flatten,
            reason=body.reason,
            by=caller.name,
            at=datetime.now(UTC),
        )
        row = await _engagement(services, number)
        withdraw_at_once(services, row)
        _, silent = await asyncio.gather(start_soon(services, row), _silent(services, accounts))
        told = KillSwitch.model_validate(row).model_copy(update={"silent": silent})
        return int(HTTPStatus.ACCEPTED), told.model_dump(mode="json")

    try:
        async with asyncio.timeout(RECORD_SECONDS):
            return await run_once(services, command, act)
    except (TimeoutError, DatabaseUnavailableError, SQLAlchemyError, ProblemError) as error:
        if isinstance(error, ProblemError) and error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        return await stop_unrecorded(services, within_rights(caller, body), caller.name, error)


@router.post("/{number}/lift", response_model=Answered)
async def lift_kill_switch(
    request: Request, number: Number, body: Lift, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Approve the lift of a kill switch.

    One administrator suffices until people with roles exist; ``/readyz`` names that lesser form.
    """
    services = services_of(request)
    command = command_of(request, PLATFORM_SCOPE, key, caller, body)

    async def act() -> Response:
        row = await _engagement(services, number)
        await require_all(request, Action.KILL_SWITCH_LIFT, row.accounts)
        if row.lifted_at is not None:
            raise ProblemError(
                HTTPStatus.CONFLICT, "already-lifted", f"Kill switch {number} was lifted before."
            )
        await start_engagements(connected(services), [row.engagement()])
        workflow_id = kill_switch_workflow_id(number)
        details = {"number": str(number), "reason": body.reason}
        await services.journal.audit(
            PLATFORM_SCOPE, caller.name, "kill_switch_lift_requested", details, workflow_id
        )
        at = datetime.now(UTC)
        try:
            asked = await services.journal.request_kill_switch_lift(number, caller.name, at)
        except NotComparedError as error:
            raise ProblemError(HTTPStatus.CONFLICT, "not-compared", f"{error}.") from None
        message = LiftApproved(command.request_id, asked, at)
        await update_workflow(
            services,
            workflow_id,
            APPROVE_LIFT_UPDATE,
            message,
            command.request_id,
            KillSwitchProgress,
        )
        answer = Answered(code="accepted", detail=f"Kill switch {number} is being lifted.")
        return int(HTTPStatus.OK), answer.model_dump(mode="json")

    return await run_once(services, command, act)


def withdraw_at_once(services: Services, row: KillSwitchRow) -> None:
    """Have the trading process withdraw entries now, beside what the workflow engine does.

    Nobody waits for it and nothing depends on it: the flag stands, and the accounts withdraw what
    rests by their own decision.
    """
    order = replace(
        stop_now(row.reason, row.engaged_by, tuple(row.accounts), flatten=row.flatten),
        at=row.engaged_at.isoformat(),
        recorded=True,
    )
    directory = StateDirectory(services.settings.home).sockets

    async def tell() -> None:
        try:
            told = await asyncio.to_thread(call_stop, directory, order)
        except NotStoppedError as error:
            log.warning("the trading process was not told directly", error=str(error))
        else:
            log.info("entries were withdrawn directly", told=told["accounts"])

    telling = asyncio.create_task(tell())
    _telling.add(telling)
    telling.add_done_callback(_telling.discard)


async def start_soon(services: Services, row: KillSwitchRow) -> None:
    """Start the workflow of an engagement, now or as soon as the workflow engine answers.

    An engine that does not answer is no failure of the kill switch: the flag stands. This process
    goes on trying, and so does the trading worker whenever it comes up.
    """
    try:
        await start_engagements(connected(services), [row.engagement()])
    except (EngineUnavailableError, RPCError, ProblemError):
        services.engagements_due.set()
        await services.journal.audit(
            PLATFORM_SCOPE,
            "aether",
            "kill_switch_workflow_delayed",
            {"number": str(row.number)},
            kill_switch_workflow_id(row.number),
        )


async def _accounts(request: Request, body: Engage) -> list[str]:
    """Return the accounts named, or all for which the caller may engage."""
    known = await services_of(request).database.accounts()
    unknown = sorted(set(body.accounts) - set(known))
    if unknown:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, "unknown-account", f"No account {', '.join(unknown)}."
        )
    if not body.accounts:
        return await allowed(request, Action.KILL_SWITCH_ENGAGE, known)
    await require_all(request, Action.KILL_SWITCH_ENGAGE, body.accounts)
    return sorted(set(body.accounts))


def within_rights(caller: Principal, body: Engage) -> Engage:
    """Return what a caller may stop, judged without the record, which may be what has failed."""
    wanted = body.accounts or [
        grant.account
        for grant in caller.rights.grants
        if grant.role in RIGHTS[Action.KILL_SWITCH_ENGAGE].roles
    ]
    for account in wanted:
        refused = judge(caller.rights, Action.KILL_SWITCH_ENGAGE, account)
        if refused is not None:
            raise ProblemError(HTTPStatus.FORBIDDEN, refused.code, refused.reason, lasting=False)
    named = [] if ALL_ACCOUNTS in wanted else wanted
    return body.model_copy(update={"accounts": tuple(named)})


async def stop_unrecorded(
    services: Services, body: Engage, by: str, error: Exception
) -> JSONResponse:
    """Have the trading process stop without writing anything first; say what it answered."""
    order = stop_now(body.reason, by, tuple(sorted(set(body.accounts))), flatten=body.flatten)
    directory = StateDirectory(services.settings.home).sockets
    try:
        told = await asyncio.to_thread(call_stop, directory, order)
    except NotStoppedError:
        raise error from None
    log.error("emergency stop without the record", error=str(error), told=told)
    names = order.accounts or tuple(told["accounts"])
    answer = KillSwitch(
        number=0,
        accounts=list(names),
        flatten=order.flatten,
        reason=order.reason,
        engaged_by=by,
        engaged_at=datetime.fromisoformat(order.at),
        acknowledged=dict.fromkeys(told["accounts"], datetime.now(UTC)),
        lifted_by=None,
        lifted_at=None,
        silent=[name for name in names if name not in told["accounts"]],
        recorded=False,
        withdrawn=told["accounts"],
    )
    return JSONResponse(answer.model_dump(mode="json"), HTTPStatus.ACCEPTED)


async def _silent(services: Services, accounts: list[str]) -> list[str]:
    """Return the accounts that will not act on the engagement now; all while nobody can tell."""
    expected = [Expected(account_workflow_id(account), account) for account in accounts]
    try:
        async with asyncio.timeout(ASK_SECONDS):
            found = await silent_workflows(connected(services), expected)
    except (TimeoutError, RPCError, ProblemError):
        return accounts
    return [one.account for one in found]


async def _number(services: Services, command: Command) -> int:
    # Fixed with the request: repeated after a crash, it must not engage a second time.
    candidate = {"number": await services.journal.next_kill_switch_number()}
    kept = await services.requests.settle(command.scope, command.request_id, candidate)
    return int(kept["number"])


async def _engagement(services: Services, number: int) -> KillSwitchRow:
    async with services.database.no_scope() as session:
        row = await session.get(KillSwitchRow, number)
    if row is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-kill-switch", f"No kill switch {number}.")
    return row
