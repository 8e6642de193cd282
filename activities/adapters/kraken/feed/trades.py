"""Trades and bars of the public feed: each told once, and what was skipped."""

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from activities import metrics
from activities.adapters.kraken.exchange_clock import now
from activities.adapters.kraken.feed.rows import TradeGap, candle, tick
from activities.ports.market import BarClosed, Tick
from models.trading.market import Candle


class FeedTrades:
    """What is known of trades and bars by symbol; survives reconnections."""

    def __init__(self, interval_minutes: int, heard_at: dict[str, float]) -> None:
        """``heard_at`` is brought up to date with every trade (``time.monotonic``)."""
        self.heard_at = heard_at
        self._interval = interval_minutes
        self._forming: dict[str, Candle] = {}
        self._last_trades: dict[str, tuple[int, datetime]] = {}
        self._gaps: list[TradeGap] = []

    def take_gaps(self) -> list[TradeGap]:
        """Return the holes in the sequence of trades found since the last call."""
        taken, self._gaps = self._gaps, []
        return taken

    def trades(self, message: Mapping[str, Any]) -> Iterator[Tick]:
        """Return the trades of a frame that are news; what they skip is a gap."""
        received = now()
        rows = sorted(message["data"], key=lambda row: int(row["trade_id"]))
        # A snapshot at our first connection is history, not news.
        snapshot = message["type"] == "snapshot"
        history = {row["symbol"] for row in rows if snapshot} - self._last_trades.keys()
        for row in rows:
            symbol, trade_id = row["symbol"], int(row["trade_id"])
            last = self._last_trades.get(symbol)
            if last is not None and trade_id <= last[0]:
                continue
            # A row that cannot be read is not counted as seen: it shows as a gap at the next one.
            seen = tick(row, trade_id, received)
            self._last_trades[symbol] = (trade_id, seen.exchange_time)
            self.heard_at[symbol] = time.monotonic()
            if last is not None and trade_id > last[0] + 1 and symbol not in history:
                self._gaps.append(TradeGap(symbol, last[0], last[1], trade_id))
                metrics.FEED_TRADE_GAPS.inc()
            if symbol not in history:
                yield seen

    def bars(self, message: Mapping[str, Any]) -> Iterator[BarClosed]:
        """Return the bars that a frame closes."""
        rows = [row for row in message["data"] if int(row["interval"]) == self._interval]
        bars = sorted((candle(row) for row in rows), key=lambda bar: (bar.symbol, bar.start))
        if message["type"] == "snapshot":
            bars = list(self._news(bars))
        for bar in bars:
            forming = self._forming.get(bar.symbol)
            if forming is not None and bar.start < forming.start:
                continue
            if forming is not None and bar.start > forming.start:
                yield BarClosed(forming)
            self._forming[bar.symbol] = bar

    def _news(self, bars: list[Candle]) -> Iterator[Candle]:
        # Of a first snapshot only the last two bars count: the newest closed and the forming one.
        # A consumer that read the history just before may see the closed one twice, never miss it.
        for symbol in {bar.symbol: None for bar in bars}:
            own = [bar for bar in bars if bar.symbol == symbol]
            yield from own if symbol in self._forming else own[-2:]
