"""The market as the hedge of one account sees it, from the record."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import text
from sqlmodel import col, select

from activities.ports.market import HedgeMarketSeen
from infra.runtime.database.connections import Database
from models.tables import MarketSnapshotRow
from models.trading.account.figures import FigureLimits, volatility_age_maximum
from models.trading.market import MarketSnapshot

VOLATILITY_AGE_MAXIMUM = FigureLimits().volatility
"""Market time: the same as an entry's by default. What is older may only raise the target."""

_CONCERNED = text(
    """SELECT DISTINCT symbol FROM trades WHERE account_id = :account AND phase <> 'settled'
       UNION SELECT asset || '/USD' FROM balances
             WHERE account_id = :account AND total <> 0 AND asset <> 'USD'
       UNION SELECT asset || '/USD' FROM jsonb_object_keys(COALESCE(
             (SELECT lacking FROM hedge_reviews WHERE account_id = :account
              ORDER BY number DESC LIMIT 1), '{}'::jsonb)) AS known (asset)"""
)


class PostgresHedgeMarket:
    """Read snapshots with the smoothed volatility of a day; one that is too old is not known."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hedge_market(self, account: str) -> HedgeMarketSeen:
        """Return the pairs that an account holds or has sold for its hedge, and the whole mean."""
        async with self._database.account_scope(account) as session:
            rows = (await session.sql(_CONCERNED, {"account": account})).all()
            concerned = {row.symbol for row in rows}
            query = select(MarketSnapshotRow).order_by(col(MarketSnapshotRow.symbol))
            seen = [row.snapshot() for row in await session.exec(query)]
        newest = max((s.observed_at for s in seen), default=None)
        daily = {s.symbol: v for s in seen if newest and (v := _daily(s, newest)) is not None}
        mean = sum(daily.values(), Decimal(0)) / len(daily) if daily else None
        return HedgeMarketSeen(
            held=tuple(s for s in seen if s.symbol in concerned),
            volatilities={symbol: v for symbol, v in daily.items() if symbol in concerned},
            market_volatility=mean,
            market_at=newest,
        )


def _daily(snapshot: MarketSnapshot, newest: datetime) -> Decimal | None:
    measured = snapshot.measured_at
    most = volatility_age_maximum(VOLATILITY_AGE_MAXIMUM, snapshot.bar_minutes)
    if measured is None or newest - measured > most:
        return None
    return snapshot.daily_volatility
