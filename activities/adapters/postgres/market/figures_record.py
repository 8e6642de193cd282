"""Figures of book and trade flow in the record."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import text

from infra.runtime.database.connections import Database
from models.trading.market_figures import MarketFigures

_SAVE = text(
    """INSERT INTO market_figures (symbol, at, spread_share, imbalance, microprice, bid_depth,
           ask_depth, bought, sold, toxicity)
       VALUES (:symbol, :at, :spread_share, :imbalance, :microprice, :bid_depth, :ask_depth,
           :bought, :sold, :toxicity) ON CONFLICT DO NOTHING"""
)
_DROP = text("DELETE FROM market_figures WHERE at < :before")
_BOOK = ("spread_share", "imbalance", "microprice", "bid_depth", "ask_depth")


class PostgresMarketFigures:
    """Needs a Database of the role ``aether_market``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, figures: Sequence[MarketFigures], drop_before: datetime) -> None:
        """Write figures, each minute once, and drop those before a market time."""
        async with self._database.no_scope() as session:
            for one in figures:
                book = dict.fromkeys(_BOOK) if one.book is None else asdict(one.book)
                values = {
                    "symbol": one.symbol,
                    "at": one.at,
                    "bought": one.bought,
                    "sold": one.sold,
                    "toxicity": one.toxicity,
                }
                await session.sql(_SAVE, book | values)
            await session.sql(_DROP, {"before": drop_before})
