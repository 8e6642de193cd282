"""The FastAPI application: routes, problems, CORS for Temporal's UI, connections."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
from fastapi import APIRouter, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from temporalio.client import Client

from api import problems
from api.routes import accounts, audit, codec, health, kill_switch, status, trades
from api.services import Services

log = structlog.get_logger(__name__)

RECONNECT_SECONDS = 0.5

Connect = Callable[[], Awaitable[Client]]


def create_app(services: Services, connect: Connect | None = None) -> FastAPI:
    """Return the application over composed services.

    Args:
        services: connections and stores; ``services.client`` may be set by the caller.
        connect: coroutine function that returns a Temporal client; tried until it succeeds.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        connecting = asyncio.create_task(_connect(services, connect)) if connect else None
        yield
        if connecting is not None:
            connecting.cancel()
        await services.database.close()

    app = FastAPI(
        title="Aether",
        version="1",
        summary="Autonomous, durable trading on Kraken spot.",
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url="/docs",
        redoc_url=None,
    )
    app.state.services = services
    problems.install(app)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=[f"http://127.0.0.1:{services.settings.temporal_ui_port}"],
        allow_credentials=True,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "X-Namespace"],
    )
    versioned = APIRouter(prefix="/api/v1")
    for module in (accounts, trades, kill_switch, audit, status, codec):
        versioned.include_router(module.router)
    app.include_router(versioned)
    app.include_router(health.router)
    return app


async def _connect(services: Services, connect: Connect) -> None:
    while services.client is None:
        try:
            services.client = await connect()
        except (RuntimeError, OSError):
            log.info("waiting for the workflow engine")
            await asyncio.sleep(RECONNECT_SECONDS)
