"""The kill switch: one action stops every account, or those named."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import select
from temporalio.service import RPCError

from activities.adapters.postgres.governance.kill_switch_journal import NotComparedError
from activities.adapters.postgres.market.rules_record import newest_version
from activities.adapters.temporal.engagements import EngineUnavailableError, start_engagements
from activities.adapters.temporal.liveness import Expected, silent_workflows
from api.access.admission import allowed, require_all
from api.approvals.asking import ask_person
from api.http.authentication import Caller, authenticate
from api.http.commands import (
    Command,
    IdempotencyKey,
    Response,
    answered,
    command_of,
    connected,
    run_once,
)
from api.http.problems import ProblemError
from api.messages.bodies import Engage, Lift, Number
from api.messages.schemas import Answered, KillSwitch
from api.services import Principal, Services, services_of
from infra.runtime.database.connections import PLATFORM_SCOPE, DatabaseUnavailableError
from infra.runtime.emergency import NotStoppedError, call_stop, stop_now
from infra.runtime.state_directory import StateDirectory
from models.contracts.names import account_workflow_id, kill_switch_workflow_id
from models.tables import MarketSnapshotRow
from models.tables.governance.governance import KillSwitchRow
from models.trading.answers import WAITING, Answer
from models.trading.governance.approval import ApprovalRequest
from models.trading.governance.rights import ALL_ACCOUNTS, RIGHTS, Action, judge
from models.trading.governance.subject_contents import LiftContent, write_content
from models.trading.governance.subjects import SUBJECTS, Subject
from models.trading.identities import platform_approval_id

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
        await _check_symbols(services, body)
        number = await _number(services, command)
        await services.journal.engage_kill_switch(
            number,
            accounts,
            flatten=body.flatten,
            reason=body.reason,
            by=caller.name,
            at=datetime.now(UTC),
            symbols=body.symbols,
        )
        row = await _engagement(services, number)
        if not row.symbols:
            # The direct way knows accounts only; of single pairs the accounts withdraw themselves.
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


@router.post("/{number}/lift", status_code=HTTPStatus.ACCEPTED, response_model=Answered)
async def lift_kill_switch(
    request: Request, number: Number, body: Lift, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Ask for a kill switch to be lifted; another person approves it, who has not engaged it.

    While a request waits, asking again names that one.
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
        asked = await _ask_lift(services, row, command, body.reason)
        await ask_person(services, PLATFORM_SCOPE, asked)
        detail = f"another person decides whether kill switch {number} is lifted"
        answer = Answer(command.request_id, WAITING, detail, approval=asked.request_id)
        return await answered(services, answer, PLATFORM_SCOPE, HTTPStatus.ACCEPTED)

    return await run_once(services, command, act)


async def _ask_lift(
    services: Services, row: KillSwitchRow, command: Command, reason: str
) -> ApprovalRequest:
    """Return the request to lift that stands, which may be somebody's from before."""
    name = platform_approval_id(Subject.LIFT_KILL_SWITCH, f"{row.number}/{command.request_id}")
    try:
        wanted = await services.journal.request_kill_switch_lift(
            row.number, command.caller.name, datetime.now(UTC), name, reason
        )
    except NotComparedError as error:
        raise ProblemError(HTTPStatus.CONFLICT, "not-compared", f"{error}.") from None
    life = SUBJECTS[Subject.LIFT_KILL_SWITCH].life
    assert life is not None
    content = LiftContent(row.number, row.engaged_by, tuple(row.accounts), tuple(row.symbols))
    return ApprovalRequest(
        request_id=wanted.approval,
        subject=Subject.LIFT_KILL_SWITCH,
        requested_by=wanted.by,
        detail=f"lift kill switch {row.number} of {', '.join(row.accounts)}: {wanted.reason}",
        requested_at=wanted.at,
        expires_at=wanted.at + life,
        content=write_content(content),
    )


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
    """Have the trading process stop without writing anything first; say what it answered.

    It knows no pairs: where some were named, all of the accounts' pairs are stopped.
    """
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


async def _check_symbols(services: Services, body: Engage) -> None:
    """Refuse a pair that nobody knows: stopping it would stop nothing, and look as if it did."""
    if not body.symbols:
        return
    async with services.database.no_scope() as session:
        known = set((await session.exec(select(MarketSnapshotRow.symbol))).all())
        universe = await newest_version(session)
    known |= set() if universe is None else set(universe.pairs)
    unknown = sorted(set(body.symbols) - known)
    if unknown:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "unknown-pair",
            f"No pair {', '.join(unknown)} is known. Without a pair, everything is stopped.",
        )


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
