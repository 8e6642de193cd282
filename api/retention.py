"""Forgets answered requests and ended sessions when they are old: at start, then every hour."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from activities.adapters.postgres.retention import prune_requests
from api.services import Services
from infra.runtime.database.connections import DatabaseUnavailableError

log = structlog.get_logger(__name__)

EVERY_SECONDS = 3600.0
FAILURES_KEPT = timedelta(hours=1)
"""Failed attempts older than this count for nothing."""


async def keep_requests_bounded(services: Services) -> None:
    """Forget what is older than ``AETHER_REQUEST_DAYS``, as long as the API runs."""
    age = timedelta(days=services.settings.request_days)
    while True:
        try:
            now = datetime.now(UTC)
            gone = await prune_requests(services.database, now - age)
            await services.identity.sessions.prune(now - age)
            await services.identity.failures.prune(now - FAILURES_KEPT)
        except DatabaseUnavailableError as error:
            log.warning("old requests cannot be forgotten yet", error=str(error))
        else:
            if gone:
                log.info("old requests forgotten", count=gone)
        await asyncio.sleep(EVERY_SECONDS)
