"""Figures of book and trade flow, kept once a market minute by the market worker."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from activities.market.engine import MarketEngine
from models.trading.market_figures import MarketFigures, TradeFlow, book_figures

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
KEPT = timedelta(days=30)
WAITING_MOST = 10_000
"""Rows that wait for a record that is away; older ones are given up."""


class FiguresRecord(Protocol):
    """Where figures are kept."""

    async def save(self, figures: Sequence[MarketFigures], drop_before: datetime) -> None:
        """Write figures, each minute once, and drop those before a market time."""
        ...


class MarketFiguresKeeper:
    """Looks at the engine; nothing here is in the way of its events."""

    def __init__(self, engine: Callable[[], MarketEngine | None], record: FiguresRecord) -> None:
        self._engine = engine
        self._record = record
        self._minute: datetime | None = None
        self._waiting: list[MarketFigures] = []

    async def run(self) -> None:
        """Look again and again."""
        while True:
            try:
                await self.look()
            except OSError:
                log.warning("figures of the market wait for the record", rows=len(self._waiting))
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Close the minute that has ended, if one has; OSError when the record is away."""
        engine = self._engine()
        now = engine.market_time if engine is not None else None
        if engine is None or now is None:
            return
        minute = now.replace(second=0, microsecond=0)
        if self._minute is None or minute < self._minute:
            self._minute = minute
            for state in engine.symbols.values():
                state.flow = TradeFlow()
            return
        if minute > self._minute:
            self._waiting += _figures(engine, self._minute)
            self._waiting = self._waiting[-WAITING_MOST:]
            self._minute = minute
        if self._waiting:
            await self._record.save(self._waiting, now - KEPT)
            self._waiting = []


def _figures(engine: MarketEngine, minute: datetime) -> list[MarketFigures]:
    found = []
    for symbol, state in sorted(engine.symbols.items()):
        book = state.book() if state.healthy and state.has_book and state.book else None
        bought, sold, share = state.flow.close_minute()
        shown = None if book is None else book_figures(book)
        found.append(MarketFigures(symbol, minute, shown, bought, sold, share))
    return found
