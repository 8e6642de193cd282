"""Figures of the market, doubts about it, sentiment and the work on its data, as they are kept."""

from datetime import datetime

from sqlalchemy import text

from api.messages.market_data import (
    MarketCandleView,
    MarketDataWorkView,
    MarketDoubtView,
    MarketFiguresView,
    SentimentView,
)
from infra.runtime.database.connections import Database

_CANDLES = text(
    """SELECT symbol, interval_minutes, start, open, high, low, close, volume, trades FROM candles
       WHERE symbol = :symbol AND interval_minutes = :minutes
         AND (CAST(:begin AS timestamptz) IS NULL OR start >= :begin)
         AND (CAST(:end AS timestamptz) IS NULL OR start < :end)
       ORDER BY start DESC LIMIT :limit"""
)
_FIGURES = text("SELECT * FROM market_figures WHERE symbol = :symbol ORDER BY at DESC LIMIT :limit")
_DOUBTS = text(
    """SELECT symbol, kind, detail, began_at, ended_at FROM market_quality_events
       ORDER BY ended_at IS NOT NULL, began_at DESC LIMIT :limit"""
)

_SENTIMENT = text("SELECT * FROM sentiment_values ORDER BY at DESC, available_at DESC LIMIT :limit")
_WORK = text("SELECT * FROM market_data_work ORDER BY work")


async def candles(
    database: Database,
    symbol: str,
    minutes: int,
    begin: datetime | None,
    end: datetime | None,
    limit: int,
) -> list[MarketCandleView]:
    """Return the newest bars of a pair that start in a span of time; ``end`` is not included."""
    asked = {"symbol": symbol, "minutes": minutes, "begin": begin, "end": end, "limit": limit}
    rows = await database.call(_CANDLES, asked)
    return [MarketCandleView.model_validate(row) for row in rows]


async def figures(database: Database, symbol: str, limit: int) -> list[MarketFiguresView]:
    """Return the newest minutes of a pair."""
    rows = await database.call(_FIGURES, {"symbol": symbol, "limit": limit})
    return [MarketFiguresView.model_validate(row) for row in rows]


async def doubts(database: Database, limit: int) -> list[MarketDoubtView]:
    """Return what a second source found."""
    rows = await database.call(_DOUBTS, {"limit": limit})
    return [MarketDoubtView.model_validate(row) for row in rows]


async def sentiment(database: Database, limit: int) -> list[SentimentView]:
    """Return the newest values of every source."""
    rows = await database.call(_SENTIMENT, {"limit": limit})
    return [SentimentView.model_validate(row) for row in rows]


async def data_work(database: Database) -> list[MarketDataWorkView]:
    """Return what is scheduled, and how it goes."""
    return [MarketDataWorkView.model_validate(row) for row in await database.call(_WORK)]
