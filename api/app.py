"""The FastAPI application: routes, problems, CORS for Temporal's UI, and what runs beside them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import httpx
import structlog
from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from temporalio.client import Client
from temporalio.service import RPCError

from activities.adapters.postgres.record_events import PostgresRecordEvents
from activities.adapters.temporal.engagements import start_engagements
from api.access.admission import admit
from api.approvals.lapsing import keep_lapsing
from api.http import problems
from api.http.door import Door
from api.http.guard import Guard, guard_of
from api.http.reference import with_problems
from api.http.tracing import TracedRequests
from api.live.health import LiveSources
from api.live.hub import Hub, Sources
from api.messages.schemas import Problem
from api.retention import keep_requests_bounded
from api.routes.account import (
    accounts,
    advisor,
    capital,
    exchange_keys,
    hedge,
    limits,
    lots,
    orders,
    reconciliations,
    reports,
    shadow,
    stress,
    trades,
    written_reports,
)
from api.routes.governance import (
    approvals,
    freeze,
    going_live,
    kill_switch,
    learning,
    notifications,
    settings,
    universe,
)
from api.routes.people import channels, me, people, set_up, sign_in
from api.routes.platform import (
    audit,
    codec,
    control_room,
    documentation,
    events,
    evidence,
    health,
    market_data,
    pages,
    record,
    status,
    system,
)
from api.routes.research import backtests, strategies
from api.services import Services
from infra.runtime.event_loop import beside
from infra.runtime.traces.sending import Traces

log = structlog.get_logger(__name__)

RECONNECT_SECONDS = 0.5
LOOK_SECONDS = 1.0

PROBLEMS: dict[int | str, dict[str, Any]] = {"default": {"model": Problem}}

Connect = Callable[[], Awaitable[Client]]


def create_app(
    services: Services, connect: Connect | None = None, traces: Traces | None = None
) -> FastAPI:
    """Return the application over composed services.

    Args:
        services: connections and stores; ``services.client`` may be set by the caller.
        connect: coroutine function that returns a Temporal client; tried until it succeeds.
        traces: where spans of requests go; without, nobody is told.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sources = LiveSources(services)
        services.hub = Hub(
            PostgresRecordEvents(services.database), Sources(sources.heartbeat, sources.overview)
        )
        tasks = [
            beside("engagements", partial(keep_engagements_started, services)),
            beside("live data", services.hub.run),
            beside("requests", partial(keep_requests_bounded, services)),
        ]
        if connect is not None:
            tasks.append(beside("temporal", partial(reach_temporal, services, connect)))
            tasks.append(beside("market worker", partial(watch_market_worker, services)))
            if services.admission.load is not None:
                tasks.append(beside("load", services.admission.load.watch))
            tasks.append(beside("lapsing", partial(keep_lapsing, services)))
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await services.close()

    app = FastAPI(
        title="Aether",
        version="1",
        summary="Autonomous, durable trading on Kraken spot.",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        dependencies=[Depends(admit)],
    )
    app.state.services = services
    problems.install(app)
    app.add_middleware(Door)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=[services.settings.temporal_ui_url],
        allow_credentials=True,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "X-Namespace"],
    )
    app.add_middleware(Guard, guard=guard_of(services.settings))
    if traces is not None:
        app.add_middleware(TracedRequests, traces=traces)
    for module in (
        accounts,
        capital,
        exchange_keys,
        limits,
        lots,
        trades,
        orders,
        reconciliations,
        kill_switch,
        audit,
        evidence,
        record,
        status,
        system,
        universe,
        freeze,
        stress,
        settings,
        going_live,
        approvals,
        hedge,
        shadow,
        advisor,
        sign_in,
        me,
        people,
        learning,
        notifications,
        channels,
        backtests,
        strategies,
        codec,
        control_room,
        events,
        reports,
        market_data,
        written_reports,
    ):
        # Not by a router between them: each level builds every route anew, at every start.
        app.include_router(module.router, prefix="/api/v1", responses=PROBLEMS)
    app.include_router(health.router)
    app.include_router(documentation.router)
    app.include_router(set_up.router)
    pages.install(app)
    with_problems(app)
    return app


async def reach_temporal(services: Services, connect: Connect) -> None:
    """Connect to Temporal as soon as it answers; from then on the client reconnects by itself."""
    while services.client is None:
        try:
            services.client = await connect()
        except (RuntimeError, OSError, RPCError) as error:
            log.info("waiting for the workflow engine", error=str(error))
            await asyncio.sleep(RECONNECT_SECONDS)
    services.engagements_due.set()


async def keep_engagements_started(services: Services) -> None:
    """Start the workflow of every kill switch that stands, whenever one may be missing."""
    while True:
        await services.engagements_due.wait()
        try:
            standing = await services.journal.kill_switches(only_engaged=True)
            if services.client is None:
                raise ConnectionError("the workflow engine has not been reached yet")
            await start_engagements(services.client, [row.engagement() for row in standing])
        except (ConnectionError, RPCError) as error:
            log.warning("kill switch workflows cannot be started yet", error=str(error))
            await asyncio.sleep(RECONNECT_SECONDS)
        else:
            services.engagements_due.clear()


async def watch_market_worker(services: Services) -> None:
    """Notice when nobody follows the market: prices in the record stand still then."""
    url = f"http://127.0.0.1:{services.settings.market_metrics_port}/healthz"
    while True:
        try:
            await services.http.get(url)
        except httpx.HTTPError:
            followed = False
        else:
            followed = True
        if followed != services.market_followed:
            log.warning("market worker", answers=followed)
        services.market_followed = followed
        await asyncio.sleep(LOOK_SECONDS)
