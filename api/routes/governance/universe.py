"""The universe: what may be traded, what the rules propose, and changes by two people."""

from collections import defaultdict
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from sqlmodel import col, select

from activities.adapters.postgres.governance.universe_changes import PostgresUniverseChanges
from activities.adapters.postgres.market.rules_record import (
    newest_version,
    proposal_of,
    universe_of,
)
from api.approvals.deciding import decide
from api.approvals.freezing import may_break_glass
from api.approvals.recorded import until_recorded
from api.approvals.requests import find_approval
from api.http.authentication import Caller, authenticate
from api.http.commands import (
    IdempotencyKey,
    Response,
    command_of,
    run_once,
    update_workflow,
)
from api.http.problems import ProblemError, refusal
from api.messages.bodies import Number, PageSize
from api.messages.market_rules import (
    ChangeUniverse,
    Correlation,
    CorrelationsView,
    Group,
    Proposal,
    UniverseChangeView,
    UniverseInForce,
    UniverseVersion,
    pair_view,
    proposal_view,
)
from api.services import services_of
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.contracts import platform as messages
from models.contracts.names import CHANGE_UNIVERSE_UPDATE, PLATFORM_WORKFLOW_ID
from models.tables import (
    CorrelationRow,
    UniverseChangeRow,
    UniverseProposalRow,
    UniverseVersionRow,
)
from models.trading.answers import Answer

router = APIRouter(tags=["universe"], dependencies=[Depends(authenticate)])


@router.get("/universe")
async def get_universe(request: Request) -> UniverseInForce:
    """Return the universe in force with bucket, minimums and status of every pair."""
    async with services_of(request).database.no_scope() as session:
        row = await newest_version(session)
    if row is None:
        raise _none_yet("No universe has been set up yet: the first review does that.")
    pairs = universe_of(row).pairs
    return UniverseInForce(
        version=row.version,
        author=row.author,
        approved_by=row.approved_by,
        reason=row.reason,
        at=row.at,
        refreshed_at=row.refreshed_at,
        pairs=[pair_view(pairs[symbol]) for symbol in sorted(pairs)],
    )


@router.get("/universe/versions")
async def list_universe_versions(
    request: Request, *, limit: PageSize = 100
) -> list[UniverseVersion]:
    """List the versions of the universe, newest first."""
    query = select(UniverseVersionRow).order_by(col(UniverseVersionRow.version).desc()).limit(limit)
    async with services_of(request).database.no_scope() as session:
        return [UniverseVersion.model_validate(row) for row in await session.exec(query)]


@router.get("/universe/proposal")
async def get_universe_proposal(request: Request) -> Proposal:
    """Return what the rules would change, with their verdict on every pair that is listed."""
    query = select(UniverseProposalRow).order_by(col(UniverseProposalRow.number).desc()).limit(1)
    async with services_of(request).database.no_scope() as session:
        row = (await session.exec(query)).first()
    if row is None or row.number is None:
        raise _none_yet("Nothing has been proposed.")
    return proposal_view(row.number, row.at, proposal_of(row))


@router.get("/universe/changes")
async def list_universe_changes(
    request: Request, *, limit: PageSize = 100
) -> list[UniverseChangeView]:
    """List the changes that people asked for, newest first."""
    found = await PostgresUniverseChanges(services_of(request).database).changes(limit)
    return [UniverseChangeView.model_validate(row) for row in found]


@router.post(
    "/universe/changes", status_code=HTTPStatus.ACCEPTED, response_model=UniverseChangeView
)
async def request_universe_change(
    request: Request, body: ChangeUniverse, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Ask for pairs to join or leave; it counts when another person has approved it."""
    services = services_of(request)
    command = command_of(request, PLATFORM_SCOPE, key, caller, body)

    async def act() -> Response:
        wanted = messages.ChangeUniverse(
            command.request_id,
            caller.name,
            body.reason,
            tuple(sorted(set(body.joins))),
            tuple(sorted(set(body.leaves))),
            datetime.now(UTC),
        )
        if not wanted.joins and not wanted.leaves:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-change", "Nothing joins and none leaves."
            )
        answer = await update_workflow(
            services,
            PLATFORM_WORKFLOW_ID,
            CHANGE_UNIVERSE_UPDATE,
            wanted,
            command.request_id,
            Answer,
        )
        if answer.approval is None:
            raise refusal(answer)
        await until_recorded(services, PLATFORM_SCOPE, answer.approval)
        row = await PostgresUniverseChanges(services.database).by_approval(answer.approval)
        return int(HTTPStatus.ACCEPTED), _shown(row)

    return await run_once(services, command, act)


@router.post(
    "/universe/changes/{number}/approve",
    response_model=UniverseChangeView,
    dependencies=[Depends(may_break_glass)],
)
async def approve_universe_change(
    request: Request, number: Number, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Approve a change that somebody else asked for; from then on it is in force."""
    return await _decide(request, number, caller, key, approve=True)


@router.post("/universe/changes/{number}/refuse", response_model=UniverseChangeView)
async def refuse_universe_change(
    request: Request, number: Number, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Refuse a change; who asked for it may do so too."""
    return await _decide(request, number, caller, key, approve=False)


@router.get("/correlations")
async def get_correlations(request: Request) -> CorrelationsView:
    """Return the newest correlations and the groups that limits on exposure go by."""
    query = select(CorrelationRow).order_by(col(CorrelationRow.number).desc()).limit(1)
    async with services_of(request).database.no_scope() as session:
        row = (await session.exec(query)).first()
    if row is None or row.number is None:
        raise _none_yet("No correlations have been computed yet.")
    groups: dict[str, list[str]] = defaultdict(list)
    for symbol in sorted(row.groups):
        groups[row.groups[symbol]].append(symbol)
    return CorrelationsView(
        number=row.number,
        at=row.at,
        market_time=row.market_time,
        target=float(row.target),
        groups=[Group(name=name, symbols=groups[name]) for name in sorted(groups)],
        estimates=[Correlation.model_validate(estimate) for estimate in row.estimates],
    )


async def _decide(
    request: Request, number: int, caller: Caller, key: str, *, approve: bool
) -> JSONResponse:
    services = services_of(request)
    command = command_of(request, PLATFORM_SCOPE, key, caller)

    async def act() -> Response:
        changes = PostgresUniverseChanges(services.database)
        change = await changes.numbered(number)
        if change is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-change", f"No change {number}.")
        row = await find_approval(services, change.approval_id or "")
        answer = await decide(request, command, row, "", approved=approve)
        if not answer.accepted:
            raise refusal(answer)
        return int(HTTPStatus.OK), _shown(await changes.numbered(number))

    return await run_once(services, command, act)


def _shown(row: UniverseChangeRow | None) -> dict[str, Any]:
    return UniverseChangeView.model_validate(row).model_dump(mode="json")


def _none_yet(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, "not-found", detail)
