"""Health without a token: alive, ready and in which lesser forms, metrics."""

import asyncio
from collections.abc import Awaitable
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from api.services import Services, services_of

router = APIRouter(tags=["health"])

CHECK_SECONDS = 2.0


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """Tell that the process answers."""
    return {"status": "alive"}


@router.get("/readyz")
async def ready(request: Request) -> JSONResponse:
    """Tell whether requests can be served, and every lesser form in use.

    Status 503 while the database or the workflow engine cannot be reached.
    """
    services = services_of(request)
    checks = {
        "database": await _check(_database(services)),
        "workflow_engine": await _check(_workflow_engine(services)),
    }
    ok = all(result == "ok" for result in checks.values())
    body: dict[str, Any] = {
        "status": "ready" if ok else "not ready",
        "checks": checks,
        "lesser_forms": services.lesser_forms,
    }
    return JSONResponse(body, HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE)


@router.get("/metrics")
async def metrics() -> Response:
    """Return the process's metrics for Prometheus."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _database(services: Services) -> None:
    await services.database.call(text("SELECT 1"))


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
