"""Health without a token: alive, ready and in which degraded modes, metrics."""

import asyncio
from collections.abc import Awaitable
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from api.degraded import all_degraded_modes, written_places
from api.messages.schemas import Alive, Readiness
from api.queries.record_metrics import record_metrics
from api.queries.watched import silent_workflows
from api.services import Services, services_of
from infra.runtime.disk_space import short_of_room

router = APIRouter(tags=["health"])

CHECK_SECONDS = 2.0


@router.get("/healthz")
async def get_health() -> Alive:
    """Tell that the process answers."""
    return Alive()


@router.get("/readyz", responses={503: {"model": Readiness, "description": "Not ready"}})
async def get_readiness(request: Request, response: Response) -> Readiness:
    """Tell whether requests can be served, and every degraded mode in use.

    Status 503 while the database or the workflow engine cannot be reached, or an account or a trade
    does not run, or while the database cannot write, a disk is nearly full, or the store of secrets
    is sealed, unreachable, or refuses this process.
    """
    services = services_of(request)
    database, engine, silent = await asyncio.gather(
        _check(_database(services)),
        _check(_workflow_engine(services)),
        silent_workflows(services),
    )
    disk = _disk(services)
    secrets = await _check(_secrets(services))
    workflows = "; ".join(f"{name} {why}" for name, why in sorted(silent.items())) or "ok"
    ready = database == engine == workflows == disk == secrets == "ok"
    response.status_code = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return Readiness(
        status="ready" if ready else "not ready",
        checks={
            "database": database,
            "workflow_engine": engine,
            "workflows": workflows,
            "disk": disk,
            "secrets": secrets,
        },
        degraded_modes=await all_degraded_modes(services),
    )


@router.get("/metrics", response_class=PlainTextResponse)
async def get_metrics(request: Request) -> Response:
    """Return the metrics of the process and of the record for Prometheus."""
    figures = generate_latest() + await record_metrics(services_of(request))
    return Response(figures, media_type=CONTENT_TYPE_LATEST)


async def _database(services: Services) -> None:
    # Written and flushed, but to the log alone: a database that can only be read records nothing.
    await services.database.call(text("SELECT pg_logical_emit_message(true, 'aether', '')"))


def _disk(services: Services) -> str:
    minimum = services.settings.disk_free_minimum_mb
    short = short_of_room(written_places(services.settings), minimum)
    return "; ".join(f"{name}: {room}" for name, room in short.items()) or "ok"


async def _secrets(services: Services) -> None:
    if services.secrets is not None:
        await asyncio.to_thread(services.secrets.store.check)


async def _workflow_engine(services: Services) -> None:
    if services.client is None:
        raise ConnectionError("not connected yet")
    await services.client.service_client.check_health()


async def _check(probe: Awaitable[None]) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await probe
    except TimeoutError:
        return "no answer"
    except Exception as error:  # noqa: BLE001 whatever is wrong is the answer
        return f"{type(error).__name__}: {error}"
    return "ok"
