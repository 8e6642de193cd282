"""Backtests as the record has them, and what can be tried."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlmodel import col, select

from api.messages.backtests import (
    BacktestChoices,
    BacktestDetail,
    BacktestResult,
    BacktestStrategy,
    BacktestView,
    Recording,
)
from infra.runtime.database.connections import Database
from models.contracts.backtests import HISTORY_PREFIX, RECORD_VENUE
from models.tables import BacktestPageRow, BacktestResultRow, BacktestRow
from models.trading.strategies import known
from models.trading.universe.fees import SCHEDULES

_DAYS = re.compile(r"_(\d{8})-(\d{8})\.parquet$")
# Kinds are found by steps over the primary key: counting every candle would read all of them.
_RECORDED = text(
    """WITH RECURSIVE kinds AS (
         (SELECT symbol, interval_minutes FROM candles ORDER BY 1, 2 LIMIT 1)
         UNION ALL
         SELECT n.symbol, n.interval_minutes FROM kinds k CROSS JOIN LATERAL (
           SELECT c.symbol, c.interval_minutes FROM candles c
           WHERE (c.symbol, c.interval_minutes) > (k.symbol, k.interval_minutes)
           ORDER BY 1, 2 LIMIT 1) n)
       SELECT symbol, interval_minutes,
         (SELECT min(start) FROM candles c WHERE c.symbol = k.symbol
            AND c.interval_minutes = k.interval_minutes) AS first,
         (SELECT max(start) FROM candles c WHERE c.symbol = k.symbol
            AND c.interval_minutes = k.interval_minutes) AS last
       FROM kinds k"""
)

_KEPT = text(
    """SELECT venue, symbol, interval_minutes,
         (SELECT min(start) FROM history_candles c WHERE c.series_id = s.series_id) AS first,
         (SELECT max(start) FROM history_candles c WHERE c.series_id = s.series_id) AS last
       FROM history_series s ORDER BY venue, symbol, interval_minutes"""
)


async def backtests(database: Database, limit: int) -> list[BacktestView]:
    """Return backtests, newest first."""
    asked = select(BacktestRow).order_by(col(BacktestRow.requested_at).desc()).limit(limit)
    async with database.no_scope() as session:
        return [BacktestView.model_validate(row) for row in await session.exec(asked)]


async def backtest(database: Database, run_id: str) -> BacktestDetail | None:
    """Return one backtest with its results, None when there is none of this id."""
    wanted = select(BacktestResultRow).where(col(BacktestResultRow.run_id) == run_id)
    async with database.no_scope() as session:
        row = await session.get(BacktestRow, run_id)
        if row is None:
            return None
        found = await session.exec(wanted.order_by(col(BacktestResultRow.number)))
        results = [
            BacktestResult.model_validate({"number": one.number, **one.document}) for one in found
        ]
    view = BacktestView.model_validate(row)
    return BacktestDetail(**view.model_dump(), results=results)


async def page(database: Database, run_id: str) -> str | None:
    """Return the HTML page of a backtest, None while there is none."""
    async with database.no_scope() as session:
        row = await session.get(BacktestPageRow, run_id)
        return None if row is None else row.html


async def result(database: Database, run_id: str, number: int) -> dict[str, Any] | None:
    """Return the document of one result, None when there is none."""
    async with database.no_scope() as session:
        row = await session.get(BacktestResultRow, (run_id, number))
        return None if row is None else row.document


async def choices(database: Database, directory: Path) -> BacktestChoices:
    """Return strategies, recordings and fee schedules."""
    files, missing = await asyncio.to_thread(_files, directory)
    async with database.no_scope() as session:
        rows = (await session.sql(_RECORDED)).mappings().all()
        kept = (await session.sql(_KEPT)).mappings().all()
    recorded = [Recording(venue=RECORD_VENUE, **dict(row)) for row in rows]
    recorded += [
        Recording(**{**row, "venue": HISTORY_PREFIX + row["venue"]})
        for row in kept
        if row["first"] is not None
    ]
    return BacktestChoices(
        strategies=[
            BacktestStrategy(
                name=one.name,
                standing=one.standing.value,
                interval_minutes=one.interval_minutes,
                sees_universe=one.sees_universe,
            )
            for one in known()
        ],
        recordings=[*files, *recorded],
        fee_schedules=[str(one.effective_from) for one in reversed(SCHEDULES)],
        missing=missing,
    )


def _files(directory: Path) -> tuple[list[Recording], str | None]:
    # The reader of candle files loads numpy: no part of the API's start.
    from activities.adapters.candle_files.reading import find_files
    from infra.runtime.errors import PlatformError

    try:
        found = find_files(directory)
    except PlatformError as error:
        return [], f"{error} (AETHER_LEARNING_DATA)"
    rows = []
    for one in found:
        days = _DAYS.search(one.path.name)
        rows.append(
            Recording(
                venue=one.venue,
                symbol=one.symbol,
                interval_minutes=one.interval_minutes,
                first=_day(days[1]) if days else None,
                last=_day(days[2]) + timedelta(days=1) if days else None,
            )
        )
    return rows, None if rows else f"{directory} holds no files of candles (AETHER_LEARNING_DATA)"


def _day(text_: str) -> datetime:
    return datetime.strptime(text_, "%Y%m%d").replace(tzinfo=UTC)
