"""Going live: every condition shown, a request by one person, the approval by another."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from activities.adapters.postgres.accounts.mode_record import PostgresModes
from activities.adapters.postgres.accounts.settings_journal import SettingsJournal
from api.approvals.asking import ask_person
from api.approvals.deciding import decide
from api.approvals.exchange_keys import terms_of_record
from api.approvals.freezing import may_break_glass
from api.approvals.requests import find_approval
from api.http import reading
from api.http.authentication import Caller, authenticate
from api.http.commands import IdempotencyKey, Response, command_of, run_once
from api.http.problems import ProblemError, refusal
from api.http.running import run_workflow
from api.messages.bodies import AccountName, Number, PageSize
from api.messages.going_live import (
    AskToGoLive,
    Checked,
    GoingLive,
    LiveRequestView,
    ModeChangeView,
    conditions_view,
    unchecked_view,
)
from api.services import Services, services_of
from models.contracts.modes import LiveFactsWanted
from models.contracts.names import LIVE_CONDITIONS_WORKFLOW, live_conditions_workflow_id
from models.tables import GoingLiveRow
from models.tables.documents import live_facts
from models.trading.account.settings.in_force import rules_of_account
from models.trading.governance.approval import ApprovalRequest
from models.trading.governance.going_live import LiveFacts, LiveTerms
from models.trading.governance.subject_contents import LiveContent, write_content
from models.trading.governance.subjects import SUBJECTS, Subject
from models.trading.identities import platform_approval_id

router = APIRouter(
    prefix="/accounts/{account}", tags=["going live"], dependencies=[Depends(authenticate)]
)


@router.get("/going-live")
async def get_going_live(request: Request, account: AccountName) -> GoingLive:
    """Return every condition of going live as it was last checked.

    The request that counts is as it is now: it is in the record.
    """
    services = services_of(request)
    await reading.require_account(services.database, account)
    return await _conditions(services, account)


@router.post("/going-live/check", response_model=GoingLive)
async def check_going_live(
    request: Request, account: AccountName, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Check every condition of going live now; what cannot be found out does not hold."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    command = command_of(request, account, key, caller)

    async def act() -> Response:
        name = hashlib.sha256(command.request_id.encode()).hexdigest()[:20]
        begun = datetime.now(UTC)
        facts = await run_workflow(
            services,
            LIVE_CONDITIONS_WORKFLOW,
            LiveFactsWanted(account),
            live_conditions_workflow_id(account, name),
            LiveFacts,
        )
        await PostgresModes(services.database).keep_check(account, caller.name, facts, begun)
        return int(HTTPStatus.OK), (await _conditions(services, account)).model_dump(mode="json")

    return await run_once(services, command, act)


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
        terms = await terms_of_record(services, account)
        row = await modes.ask_to_go_live(
            account,
            caller.name,
            body.reason,
            datetime.now(UTC),
            platform_approval_id(Subject.GO_LIVE, f"{account}/{command.request_id}"),
            overrides_evidence=body.override_evidence,
            terms=terms,
        )
        await ask_person(services, account, _request_of(row, terms))
        shown = LiveRequestView.model_validate(row).model_dump(mode="json")
        return int(HTTPStatus.ACCEPTED), shown

    return await run_once(services, command, act)


@router.post(
    "/going-live/requests/{number}/approve",
    response_model=LiveRequestView,
    dependencies=[Depends(may_break_glass)],
)
async def approve_going_live(
    request: Request, account: AccountName, number: Number, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Approve somebody else's request; the mode is changed by a further request of either."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    command = command_of(request, account, key, caller)

    async def act() -> Response:
        modes = PostgresModes(services.database)
        known = await modes.numbered(account, number)
        if known is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-request", f"No request {number}.")
        row = await find_approval(services, known.approval_id or "")
        answer = await decide(request, command, row, "", approved=True)
        if not answer.accepted:
            raise refusal(answer)
        shown = LiveRequestView.model_validate(await modes.numbered(account, number))
        return int(HTTPStatus.OK), shown.model_dump(mode="json")

    return await run_once(services, command, act)


async def _conditions(services: Services, account: str) -> GoingLive:
    modes, now = PostgresModes(services.database), datetime.now(UTC)
    mode, found = await modes.mode_of(account), await modes.last_check(account)
    if found is None:
        return unchecked_view(account, mode)
    wanted = await modes.live_request(account, now)
    facts = replace(
        live_facts(found.facts),
        request=None if wanted is None else wanted.number,
        requested_by="" if wanted is None else wanted.requested_by,
        approved_by=None if wanted is None else wanted.approved_by,
        overrides_evidence=wanted is not None and wanted.overrides_evidence,
    )
    rules = rules_of_account(await SettingsJournal(services.database).settings_in_force(account))
    checked = Checked(facts, found.checked_at, found.checked_by)
    return conditions_view(account, mode, checked, rules, now)


def _request_of(row: GoingLiveRow, terms: LiveTerms) -> ApprovalRequest:
    life = SUBJECTS[Subject.GO_LIVE].life
    assert life is not None
    assert row.approval_id is not None
    without = ", without proof of a profit" if row.overrides_evidence else ""
    return ApprovalRequest(
        request_id=row.approval_id,
        subject=Subject.GO_LIVE,
        requested_by=row.requested_by,
        detail=f"{row.account_id} goes live{without}: {row.reason}",
        requested_at=row.requested_at,
        expires_at=row.requested_at + life,
        content=write_content(
            LiveContent(
                row.number, row.overrides_evidence, terms.key or "", terms.limits_version or 0
            )
        ),
    )


@router.get("/mode-changes")
async def list_mode_changes(
    request: Request, account: AccountName, *, limit: PageSize = 100
) -> list[ModeChangeView]:
    """List the account's changes of mode, newest first."""
    database = services_of(request).database
    await reading.require_account(database, account)
    found = await PostgresModes(database).mode_changes(account, limit)
    return [ModeChangeView.model_validate(row) for row in found]
