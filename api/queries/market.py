"""The market as requests are judged by it."""

from dataclasses import replace
from decimal import Decimal

from api.services import Services
from models.tables import MarketSnapshotRow
from models.trading.market import MarketSnapshot


async def last_price_of(services: Services, symbol: str) -> Decimal | None:
    """Return the last price of a pair, None where it is not known or stale."""
    market = await market_of(services, symbol)
    return None if market is None or market.stale else market.last


async def market_of(services: Services, symbol: str | None) -> MarketSnapshot | None:
    """Return the market of a pair as it is seen now, None where there is none."""
    if symbol is None:
        return None
    async with services.database.no_scope() as session:
        row = await session.get(MarketSnapshotRow, symbol)
    if row is None:
        return None
    return replace(row.snapshot(), stale=row.stale or not services.market_followed)
