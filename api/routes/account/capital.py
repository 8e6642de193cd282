"""Capital, days, drawdown and portfolios of accounts, and of all together."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse

from api.access.admission import allowed
from api.http import reading
from api.http.authentication import Caller, authenticate
from api.http.commands import (
    Command,
    IdempotencyKey,
    Response,
    answered,
    command_of,
    run_once,
    update_workflow,
)
from api.http.problems import ProblemError
from api.messages.bodies import AccountName, LiftDrawdown, Moment, MoveCapital, PageSize
from api.messages.schemas import Answered
from api.queries import accounts
from api.queries import capital as views
from api.queries.capital import Capital, Day, Drawdown, Portfolio, Portfolios
from api.services import Services, services_of
from models.contracts.names import (
    LIFT_DRAWDOWN_UPDATE,
    MOVE_CAPITAL_UPDATE,
    account_workflow_id,
)
from models.trading.account.capital.facts import CapitalRequested, DrawdownLiftRequested
from models.trading.answers import Answer
from models.trading.governance.rights import Action

router = APIRouter(tags=["capital"], dependencies=[Depends(authenticate)])

SHOWN = timedelta(days=30)

Since = Annotated[
    Moment | None, Query(description="Begin of the time shown (market time); 30 days back.")
]
Before = Annotated[Moment | None, Query(description="Only days closed before this moment.")]


@router.get("/accounts/{account}/days")
async def list_days(
    request: Request, account: AccountName, *, before: Before = None, limit: PageSize = 100
) -> list[Day]:
    """List the account's closed days with their profit, newest first."""
    database = services_of(request).database
    await reading.require_account(database, account)
    return await views.days(database, account, _aware(before), limit)


@router.get("/accounts/{account}/drawdown")
async def get_drawdown(request: Request, account: AccountName) -> Drawdown:
    """Return how far the account is down today and from its best, at the last prices."""
    database = services_of(request).database
    await reading.require_account(database, account)
    market = await accounts.snapshots(database)
    found = await views.drawdown(database, account, market)
    if found is None:
        detail = "Nothing was measured yet: the account or the market has just begun."
        raise ProblemError(HTTPStatus.NOT_FOUND, "not-measured", detail, lasting=False)
    return found


@router.post(
    "/accounts/{account}/drawdown/lift",
    status_code=HTTPStatus.ACCEPTED,
    response_model=Answered,
)
async def lift_drawdown(
    request: Request, account: AccountName, body: LiftDrawdown, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Ask for the halt of the total drawdown to be lifted; another person decides."""
    command = command_of(request, account, key, caller, body)
    fact = DrawdownLiftRequested(command.request_id, caller.name, body.reason, datetime.now(UTC))
    return await _ask(
        services_of(request), command, LIFT_DRAWDOWN_UPDATE, fact, HTTPStatus.ACCEPTED
    )


@router.get("/accounts/{account}/capital")
async def get_capital(request: Request, account: AccountName, *, limit: PageSize = 100) -> Capital:
    """Return what was brought in, and what trading made of it since each baseline."""
    database = services_of(request).database
    await reading.require_account(database, account)
    return await views.capital(database, account, await accounts.snapshots(database), limit)


@router.post(
    "/accounts/{account}/capital", status_code=HTTPStatus.ACCEPTED, response_model=Answered
)
async def move_capital(
    request: Request, account: AccountName, body: MoveCapital, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Bring simulated capital in or take it out; the exchange books it, then the account."""
    command = command_of(request, account, key, caller, body)
    amount = body.amount if body.kind == "deposit" else -body.amount
    fact = CapitalRequested(
        command.request_id, caller.name, body.asset, amount, body.note, datetime.now(UTC)
    )
    services = services_of(request)
    return await _ask(services, command, MOVE_CAPITAL_UPDATE, fact, HTTPStatus.ACCEPTED)


@router.get("/accounts/{account}/portfolio")
async def get_portfolio(
    request: Request, account: AccountName, *, since: Since = None
) -> Portfolio:
    """Return holdings, exposure and value of an account, now and over time."""
    database = services_of(request).database
    await reading.require_account(database, account)
    market = await accounts.snapshots(database)
    begin = _begin(since, views.market_time(market))
    return (await views.portfolio(database, account, market, begin))[0]


@router.get("/portfolio")
async def get_portfolios(request: Request, *, since: Since = None) -> Portfolios:
    """Return the portfolios of all accounts, and of all together."""
    database = services_of(request).database
    market = await accounts.snapshots(database)
    begin = _begin(since, views.market_time(market))
    names = await allowed(request, Action.ACCOUNT_READ, await database.accounts())
    return await views.portfolios(database, names, market, begin)


def _begin(since: datetime | None, now: datetime | None) -> datetime:
    given = _aware(since)
    return given if given is not None else (now or datetime.now(UTC)) - SHOWN


def _aware(moment: datetime | None) -> datetime | None:
    """Take a time without a zone as UTC."""
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=UTC)


async def _ask(
    services: Services, command: Command, update: str, fact: object, status: HTTPStatus
) -> JSONResponse:
    account = command.scope
    await reading.require_account(services.database, account)

    async def act() -> Response:
        answer = await update_workflow(
            services, account_workflow_id(account), update, fact, command.request_id, Answer
        )
        return await answered(services, answer, account, status)

    return await run_once(services, command, act)
