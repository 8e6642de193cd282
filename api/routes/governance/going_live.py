"""Going live: every condition shown, a request by one person, the approval by another."""

from datetime import UTC, datetime
from http import HTTPStatus
from uuid import uuid4

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from activities.adapters.postgres.accounts.mode_record import PostgresModes
from activities.adapters.postgres.accounts.settings_journal import SettingsJournal
from api.http import reading
from api.http.authentication import Caller, authenticate
from api.http.commands import IdempotencyKey, Response, command_of, run_once
from api.http.problems import ProblemError
from api.http.running import run_workflow
from api.lapsing import refuse_revoked
from api.messages.bodies import AccountName, Number, PageSize
from api.messages.going_live import (
    AskToGoLive,
    GoingLive,
    LiveRequestView,
    ModeChangeView,
    conditions_view,
)
from api.services import services_of
from models.contracts.modes import LiveFactsWanted
from models.contracts.names import LIVE_CONDITIONS_WORKFLOW, live_conditions_workflow_id
from models.trading.account.settings.in_force import rules_of_account
from models.trading.governance.approval import GO_LIVE, check_other_person
from models.trading.governance.going_live import LiveFacts

router = APIRouter(
    prefix="/accounts/{account}", tags=["going live"], dependencies=[Depends(authenticate)]
)


@router.get("/going-live")
async def get_going_live(request: Request, account: AccountName) -> GoingLive:
    """Check every condition of going live now; what cannot be found out does not hold."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    name = live_conditions_workflow_id(account, uuid4().hex)
    facts = await run_workflow(
        services, LIVE_CONDITIONS_WORKFLOW, LiveFactsWanted(account), name, LiveFacts
    )
    mode = await PostgresModes(services.database).mode_of(account)
    rules = rules_of_account(await SettingsJournal(services.database).settings_in_force(account))
    return conditions_view(account, mode, facts, rules, datetime.now(UTC))


@router.get("/going-live/requests")
async def list_live_requests(
    request: Request, account: AccountName, *, limit: PageSize = 100
) -> list[LiveRequestView]:
    """List the account's requests to go live, newest first."""
    database = services_of(request).database
    await reading.require_account(database, account)
    found = await PostgresModes(database).live_requests(account, limit)
    return [LiveRequestView.model_validate(row) for row in found]


@router.post(
    "/going-live/requests", status_code=HTTPStatus.ACCEPTED, response_model=LiveRequestView
)
async def request_going_live(
    request: Request, account: AccountName, body: AskToGoLive, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Ask for the account to go live; it counts for a day, once another person has approved it."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    command = command_of(request, account, key, caller, body)

    async def act() -> Response:
        modes = PostgresModes(services.database)
        row = await modes.ask_to_go_live(
            account,
            caller.name,
            body.reason,
            datetime.now(UTC),
            overrides_evidence=body.override_evidence,
        )
        shown = LiveRequestView.model_validate(row).model_dump(mode="json")
        return int(HTTPStatus.ACCEPTED), shown

    return await run_once(services, command, act)


@router.post("/going-live/requests/{number}/approve", response_model=LiveRequestView)
async def approve_going_live(
    request: Request, account: AccountName, number: Number, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Approve somebody else's request; the mode is changed by a further request of either."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    command = command_of(request, account, key, caller)

    async def act() -> Response:
        modes, now = PostgresModes(services.database), datetime.now(UTC)
        known = {row.number: row for row in await modes.live_requests(account, 500)}
        if number not in known:
            raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-request", f"No request {number}.")
        await refuse_revoked(services.database, known[number].requested_by, GO_LIVE)
        other = check_other_person(known[number].requested_by, caller.name)
        if not other.passed:
            raise ProblemError(HTTPStatus.FORBIDDEN, other.code, other.reason)
        row = await modes.approve_going_live(account, number, caller.name, now)
        if row is None:
            raise ProblemError(
                HTTPStatus.CONFLICT, "approval-decided", f"Request {number} counts no more."
            )
        return int(HTTPStatus.OK), LiveRequestView.model_validate(row).model_dump(mode="json")

    return await run_once(services, command, act)


@router.get("/mode-changes")
async def list_mode_changes(
    request: Request, account: AccountName, *, limit: PageSize = 100
) -> list[ModeChangeView]:
    """List the account's changes of mode, newest first."""
    database = services_of(request).database
    await reading.require_account(database, account)
    found = await PostgresModes(database).mode_changes(account, limit)
    return [ModeChangeView.model_validate(row) for row in found]
