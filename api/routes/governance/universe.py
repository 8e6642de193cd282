"""The universe: what may be traded, what the rules propose, and changes by two people."""

from collections import defaultdict
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from sqlmodel import col, select
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.adapters.postgres.governance.universe_changes import (
    ChangeOutcome,
    ChangeWanted,
    PostgresUniverseChanges,
)
from activities.adapters.postgres.market.rules_record import (
    PostgresMarketRules,
    newest_version,
    proposal_of,
    universe_of,
)
from activities.policies import DECIDING_TASK_TIMEOUT
from api.http.authentication import Caller, authenticate
from api.http.commands import IdempotencyKey, Response, command_of, connected, run_once
from api.http.problems import ProblemError, refusal
from api.lapsing import refuse_revoked
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
from api.services import Services, services_of
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.contracts.market_rules import MarketRulesRun
from models.contracts.names import MARKET_RULES_ID, TELL_MARKET_RULES_WORKFLOW, TRADING_QUEUE
from models.tables import (
    CorrelationRow,
    UniverseChangeRow,
    UniverseProposalRow,
    UniverseVersionRow,
)
from models.trading.answers import Answer
from models.trading.governance.four_eyes import UNIVERSE

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
        wanted = ChangeWanted(
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
        outcome = await PostgresUniverseChanges(services.database).ask(wanted)
        return int(HTTPStatus.ACCEPTED), _shown(outcome, None)

    return await run_once(services, command, act)


@router.post("/universe/changes/{number}/approve", response_model=UniverseChangeView)
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
        if approve:
            await _refuse_lapsed(services, number)
        held = await PostgresMarketRules(services.database).held_symbols()
        outcome = await PostgresUniverseChanges(services.database).decide(
            number, caller.name, approve=approve, at=datetime.now(UTC), held=held
        )
        shown = _shown(outcome, number)
        if approve:
            await _tell_accounts(services, shown["version"])
        return int(HTTPStatus.OK), shown

    return await run_once(services, command, act)


async def _refuse_lapsed(services: Services, number: int) -> None:
    async with services.database.no_scope() as session:
        row = await session.get(UniverseChangeRow, number)
    if row is not None:
        await refuse_revoked(services.database, row.author, UNIVERSE)


async def _tell_accounts(services: Services, version: int) -> None:
    try:
        await connected(services).start_workflow(
            TELL_MARKET_RULES_WORKFLOW,
            MarketRulesRun(f"version {version}"),
            id=f"{MARKET_RULES_ID}/version-{version}",
            task_queue=TRADING_QUEUE,
            task_timeout=DECIDING_TASK_TIMEOUT,
        )
    except WorkflowAlreadyStartedError:
        return


def _shown(outcome: ChangeOutcome, number: int | None) -> dict[str, Any]:
    if not outcome.verdict.allowed:
        failure = outcome.verdict.failures[0]
        raise refusal(Answer("", failure.code, outcome.verdict.reason, verdict=outcome.verdict))
    if outcome.row is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-change", f"No change {number}.")
    return UniverseChangeView.model_validate(outcome.row).model_dump(mode="json")


def _none_yet(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, "not-found", detail)
