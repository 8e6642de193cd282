"""Candles of one pair and interval, kept as the rows that Kraken's OHLC endpoint answers with."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

INTERVALS: Final = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
ROWS: Final = 720
"""Most rows that OHLC answers with, the forming one included."""
_KEPT: Final = {60: 2400}
"""Hourly rows reach back 100 days, for CoinGecko's hourly charts."""

Row = list[Any]
"""``[start second, open, high, low, close, vwap, volume, count]``; figures are strings."""


@dataclass(slots=True)
class TradeBatch:
    """Trades of one moment, summed up; ``cost`` is the sum of price times quantity."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    cost: Decimal
    count: int

    def add(self, price: Decimal, quantity: Decimal) -> None:
        """Take a further trade into the batch."""
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.close = price
        self.volume += quantity
        self.cost += price * quantity
        self.count += 1

    def merge(self, later: "TradeBatch") -> None:
        """Take a later batch into this one."""
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume
        self.cost += later.cost
        self.count += later.count

    def copy(self) -> "TradeBatch":
        """Return an independent copy."""
        return TradeBatch(
            self.open, self.high, self.low, self.close, self.volume, self.cost, self.count
        )

    def state(self) -> list[Any]:
        """Return the figures as JSON-ready values."""
        figures = (self.open, self.high, self.low, self.close, self.volume, self.cost)
        return [*(str(figure) for figure in figures), self.count]

    @staticmethod
    def from_state(state: Sequence[Any]) -> "TradeBatch":
        """Return the batch of a state."""
        first, high, low, last, volume, cost = (Decimal(text) for text in state[:6])
        return TradeBatch(first, high, low, last, volume, cost, int(state[6]))


def batch_of(trades: Sequence[tuple[Decimal, Decimal]]) -> TradeBatch:
    """Return the batch of at least one (price, quantity)."""
    price, quantity = trades[0]
    batch = TradeBatch(price, price, price, price, quantity, price * quantity, 1)
    for later_price, later_quantity in trades[1:]:
        batch.add(later_price, later_quantity)
    return batch


class CandleSeries:
    """Candles of one interval: closed rows and the forming one.

    Starts are multiples of the interval since 1970, as Kraken's are. An interval without trades
    becomes a flat row without volume once it lies between others (kraken-protocol §5).
    """

    def __init__(self, interval: int, price_precision: int, quantity_precision: int) -> None:
        self.interval = interval
        self.seconds = interval * 60
        self._price_precision = price_precision
        self._quantity_precision = quantity_precision
        self._closed: deque[Row] = deque(maxlen=_KEPT.get(interval, ROWS))
        self._forming: TradeBatch | None = None
        self._start = 0

    def alter(self, price_precision: int) -> None:
        """Write the prices of new rows with another precision."""
        self._price_precision = price_precision

    def add(self, batch: TradeBatch, second: int) -> None:
        """Count trades of one moment, given as unix second of market time."""
        start = second - second % self.seconds
        if self._forming is None or start > self._start:
            self._close_until(start)
            self._forming, self._start = batch.copy(), start
        else:
            self._forming.merge(batch)

    def rows(self, second: int) -> list[Row]:
        """Return all kept rows as of a market second, oldest first, the forming one last."""
        if self._forming is None:
            return []
        rows = [*self._closed, self._row(self._start, self._forming)]
        return rows + self._flat_rows(second - second % self.seconds + self.seconds)

    def forming(self) -> Row | None:
        """Return the row of the newest interval that had trades, None before the first trade."""
        return None if self._forming is None else self._row(self._start, self._forming)

    def traded_rows(self, limit: int) -> list[Row]:
        """Return the newest rows that had trades, oldest first, the forming one last."""
        if self._forming is None:
            return []
        traded = [row for row in self._closed if row[7]]
        return [*traded, self._row(self._start, self._forming)][-limit:]

    def state(self) -> dict[str, Any]:
        """Return the series as JSON-ready values."""
        forming = None if self._forming is None else self._forming.state()
        return {"rows": list(self._closed), "start": self._start, "forming": forming}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over a state."""
        self._closed.clear()
        self._closed.extend(state["rows"])
        self._start = int(state["start"])
        forming = state["forming"]
        self._forming = None if forming is None else TradeBatch.from_state(forming)

    def _close_until(self, start: int) -> None:
        if self._forming is None:
            return
        flat = self._flat_rows(start)
        self._closed.append(self._row(self._start, self._forming))
        self._closed.extend(flat)

    def _flat_rows(self, until: int) -> list[Row]:
        """Return empty rows after the forming interval, for starts before ``until``."""
        assert self._forming is not None
        close = self._price(self._forming.close)
        zero_price, zero_volume = self._price(Decimal(0)), self._volume(Decimal(0))
        first = self._start + self.seconds
        kept = self._closed.maxlen or ROWS
        first = max(first, until - kept * self.seconds)
        return [
            [start, close, close, close, close, zero_price, zero_volume, 0]
            for start in range(first, until, self.seconds)
        ]

    def _row(self, start: int, batch: TradeBatch) -> Row:
        vwap = batch.cost / batch.volume if batch.volume else Decimal(0)
        prices = (batch.open, batch.high, batch.low, batch.close, vwap)
        texts = [self._price(price) for price in prices]
        return [start, *texts, self._volume(batch.volume), batch.count]

    def _price(self, price: Decimal) -> str:
        return f"{price:.{self._price_precision}f}"

    def _volume(self, volume: Decimal) -> str:
        return f"{volume:.{self._quantity_precision}f}"


def start_of(row: Row) -> datetime:
    """Return the start of a row's interval."""
    return datetime.fromtimestamp(row[0], UTC)
