"""The market as the hedge of one account sees it, from the record."""

from decimal import Decimal
from math import sqrt

from sqlalchemy import text
from sqlmodel import col, select

from activities.ports.market import HedgeMarketSeen
from infra.runtime.database.connections import Database
from models.tables import MarketSnapshotRow
from models.trading.market import MarketSnapshot

MINUTES_PER_DAY = 1440

_CONCERNED = text(
    """SELECT DISTINCT symbol FROM trades WHERE account_id = :account AND phase <> 'settled'
       UNION SELECT asset || '/USD' FROM balances
             WHERE account_id = :account AND total <> 0 AND asset <> 'USD'
       UNION SELECT asset || '/USD' FROM jsonb_object_keys(COALESCE(
             (SELECT lacking FROM hedge_reviews WHERE account_id = :account
              ORDER BY number DESC LIMIT 1), '{}'::jsonb)) AS known (asset)"""
)


class PostgresHedgeMarket:
    """Read snapshots; volatility per bar becomes volatility per day by the square root of time."""

    def __init__(self, database: Database, bar_minutes: int) -> None:
        self._database = database
        self._bars_per_day = Decimal(repr(sqrt(MINUTES_PER_DAY / bar_minutes)))

    async def hedge_market(self, account: str) -> HedgeMarketSeen:
        """Return the pairs that an account holds or has sold for its hedge, and the whole mean."""
        async with self._database.account_scope(account) as session:
            rows = (await session.sql(_CONCERNED, {"account": account})).all()
            concerned = {row.symbol for row in rows}
            query = select(MarketSnapshotRow).order_by(col(MarketSnapshotRow.symbol))
            seen = [row.snapshot() for row in await session.exec(query)]
        daily = {s.symbol: v for s in seen if (v := self._daily(s)) is not None}
        mean = sum(daily.values(), Decimal(0)) / len(daily) if daily else None
        return HedgeMarketSeen(
            held=tuple(s for s in seen if s.symbol in concerned),
            volatilities={symbol: v for symbol, v in daily.items() if symbol in concerned},
            market_volatility=mean,
            market_at=max((s.observed_at for s in seen), default=None),
        )

    def _daily(self, snapshot: MarketSnapshot) -> Decimal | None:
        return None if snapshot.volatility is None else snapshot.volatility * self._bars_per_day
