"""Heartbeats of what stands behind the stream: record, exchange and feed apart."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import text

from api.messages.control_room import ControlRoom
from api.queries import accounts
from api.queries.control_room import Health, control_room, read_health
from api.services import Services
from infra.runtime.database.connections import DatabaseUnavailableError

RECORD_SECONDS: Final = 2.0
HEALTH_SECONDS: Final = 4.0
"""How long what was asked of other processes counts: figures are renewed more often."""


class LiveSources:
    """What the hub tells of the platform."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._health: Health | None = None
        self._asked_at = 0.0

    async def overview(self) -> dict[str, Any]:
        """Return the overview; other processes are asked every few seconds only."""
        shown: ControlRoom = await control_room(self._services, await self._known_health())
        return shown.model_dump(mode="json")

    async def heartbeat(self, hears: bool) -> dict[str, Any]:
        """Return whether record, exchange and feed answer, each ``ok`` or what is wrong."""
        record = await self._record(hears)
        health = await self._known_health()
        exchange = next((p for p in health.processes if p.name == "exchange"), None)
        return {
            "at": datetime.now(UTC).isoformat(),
            "record": record,
            "exchange": "ok" if exchange and exchange.ready else "does not answer",
            "feed": await self._feed() if record == "ok" else "not known",
        }

    async def _record(self, hears: bool) -> str:
        try:
            async with asyncio.timeout(RECORD_SECONDS):
                await self._services.database.call(text("SELECT 1"))
        except (TimeoutError, DatabaseUnavailableError):
            return "does not answer"
        return "ok" if hears else "changes are not heard of"

    async def _feed(self) -> str:
        if not self._services.market_followed:
            return "nobody follows the market"
        try:
            market = await accounts.snapshots(self._services.database)
        except DatabaseUnavailableError:
            return "not known"
        return "stale prices" if any(row.stale for row in market.values()) else "ok"

    async def _known_health(self) -> Health:
        if self._health is None or time.monotonic() - self._asked_at > HEALTH_SECONDS:
            self._health = await read_health(self._services)
            self._asked_at = time.monotonic()
        return self._health
