"""The whole platform at a glance."""

import asyncio

import httpx
from fastapi import APIRouter, Depends, Request

from api.access.admission import allowed
from api.degraded import all_degraded_modes
from api.http.authentication import authenticate
from api.messages.overview import AccountLine, MarketFigures, MarketLine, Process, Status
from api.messages.schemas import Account
from api.queries import accounts
from api.queries.accounts import Snapshots
from api.queries.limits import account_limits_now, nearest
from api.queries.watched import silent_workflows
from api.services import Services, services_of
from infra.runtime.control_token import control_headers
from models.contracts.names import account_workflow_id
from models.trading.governance.rights import Action

router = APIRouter(prefix="/status", tags=["status"], dependencies=[Depends(authenticate)])


@router.get("")
async def get_status(request: Request) -> Status:
    """Return accounts, market, processes and every degraded mode in use."""
    services = services_of(request)
    market = await accounts.snapshots(services.database)
    names = await allowed(request, Action.ACCOUNT_READ, await services.database.accounts())
    views = [await accounts.account_view(services.database, name, market) for name in names]
    processes = await asyncio.gather(*(probe(services, *t) for t in targets(services)))
    silent = await silent_workflows(services)
    limits = [await account_limits_now(services.database, name, market) for name in names]
    return Status(
        accounts=[
            _account_line(view, silent).model_copy(update=nearest(found))
            for view, found in zip(views, limits, strict=True)
        ],
        market=_market_line(services, market),
        degraded_modes=await all_degraded_modes(services),
        processes=[Process(name="api", ready=True, detail="ok"), *processes],
    )


def _account_line(view: Account, silent: dict[str, str]) -> AccountLine:
    return AccountLine(
        account=view.account,
        mode=view.mode,
        state=silent.get(account_workflow_id(view.account), view.state),
        equity=view.equity,
        valued_at=view.valued_at,
        cash=view.cash,
        day_pnl_share=view.day_pnl_share,
        open_trades=view.open_trades,
        closed_trades=view.closed_trades,
        halts=[halt.kind for halt in view.halts],
    )


def _market_line(services: Services, market: Snapshots) -> MarketLine:
    figures = [MarketFigures.model_validate(market[symbol]) for symbol in sorted(market)]
    if not services.market_followed:
        figures = [line.model_copy(update={"stale": True}) for line in figures]
    return MarketLine(
        source=services.settings.market,
        speed=services.settings.market_speed,
        market_time=max((line.observed_at for line in figures), default=None),
        symbols=figures,
    )


def targets(services: Services) -> list[tuple[str, str, dict[str, str]]]:
    """Return name, address and headers of every process that is asked whether it is ready."""
    settings = services.settings
    return [
        ("exchange", f"{settings.exchange_url}/control/state", control_headers(settings)),
        ("trading worker", f"http://127.0.0.1:{settings.trading_metrics_port}/readyz", {}),
        ("market worker", f"http://127.0.0.1:{settings.market_metrics_port}/readyz", {}),
    ]


async def probe(services: Services, name: str, url: str, headers: dict[str, str]) -> Process:
    """Ask one process whether it is ready."""
    try:
        answer = await services.http.get(url, headers=headers)
    except httpx.HTTPError as error:
        return Process(name=name, ready=False, detail=type(error).__name__)
    return Process(name=name, ready=answer.is_success, detail=f"HTTP {answer.status_code}")
