"""The whole platform at a glance."""

import asyncio
from datetime import datetime

import httpx
from fastapi import APIRouter, Depends, Request

from api import reading
from api.authentication import authenticate
from api.schemas import AccountLine, MarketFigures, MarketLine, Process, Status
from api.services import Services, services_of

router = APIRouter(prefix="/status", tags=["status"], dependencies=[Depends(authenticate)])

PROBE_SECONDS = 1.0


@router.get("")
async def status(request: Request) -> Status:
    """Return accounts, market, processes and every lesser form in use."""
    services = services_of(request)
    market = await reading.snapshots(services.database)
    names = await services.database.accounts()
    views = [await reading.account_view(services.database, name, market) for name in names]
    processes = await asyncio.gather(*(_probe(*target) for target in _targets(services)))
    return Status(
        accounts=[
            AccountLine(
                account=view.account,
                mode=view.mode,
                state=view.state,
                equity=view.equity,
                cash=view.cash,
                day_pnl_share=view.day_pnl_share,
                open_trades=view.open_trades,
                closed_trades=view.closed_trades,
                halts=[halt["kind"] for halt in view.halts],
            )
            for view in views
        ],
        market=MarketLine(
            source=services.settings.market,
            speed=services.settings.speed,
            market_time=_newest([row.observed_at for row in market.values()]),
            symbols=[MarketFigures.model_validate(market[symbol]) for symbol in sorted(market)],
        ),
        lesser_forms=services.lesser_forms,
        processes=[Process(name="api", ready=True, detail="ok"), *processes],
    )


def _newest(times: list[datetime]) -> datetime | None:
    return max(times, default=None)


def _targets(services: Services) -> list[tuple[str, str]]:
    settings = services.settings
    return [
        ("exchange", f"{settings.exchange_url}/control/state"),
        ("trading worker", f"http://127.0.0.1:{settings.trading_metrics_port}/readyz"),
        ("market worker", f"http://127.0.0.1:{settings.market_metrics_port}/readyz"),
    ]


async def _probe(name: str, url: str) -> Process:
    try:
        async with httpx.AsyncClient(timeout=PROBE_SECONDS) as client:
            answer = await client.get(url)
    except httpx.HTTPError as error:
        return Process(name=name, ready=False, detail=type(error).__name__)
    return Process(name=name, ready=answer.is_success, detail=f"HTTP {answer.status_code}")
