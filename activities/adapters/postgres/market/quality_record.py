"""Faults of the market's data in the record (``ports.QualityRecord``)."""

from datetime import datetime

from sqlalchemy import text

from infra.runtime.database.connections import Database

_BEGIN = text(
    """INSERT INTO market_quality_events (symbol, kind, detail, began_at)
       VALUES (:symbol, :kind, :detail, :at) ON CONFLICT DO NOTHING RETURNING number"""
)
_END = text(
    """UPDATE market_quality_events SET ended_at = :at
       WHERE symbol = :symbol AND kind = :kind AND ended_at IS NULL RETURNING number"""
)
_STANDING = text("SELECT symbol, kind FROM market_quality_events WHERE ended_at IS NULL")


class PostgresQuality:
    """Needs a Database of the role ``aether_market``; every method may be repeated."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, symbol: str, kind: str, detail: str, at: datetime) -> None:
        """Write that a fault stands; one that stands already stays as it began."""
        values = {"symbol": symbol, "kind": kind, "detail": detail, "at": at}
        await self._database.call(_BEGIN, values)

    async def end(self, symbol: str, kind: str, at: datetime) -> None:
        """Write that a fault is over."""
        await self._database.call(_END, {"symbol": symbol, "kind": kind, "at": at})

    async def standing(self) -> list[tuple[str, str]]:
        """Return symbol and kind of every fault that stands."""
        return [(row[0], row[1]) for row in await self._database.call(_STANDING)]
