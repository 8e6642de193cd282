"""Figures of a pair's last 24 hours and of its present UTC day, in market time."""

from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from models.simulation.public.candles import TradeBatch

DAY_SECONDS: Final = 86_400
_BUCKET_SECONDS: Final = 60
ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class WindowFigures:
    """What traded in a window; prices are those of its trades, the last price if it had none."""

    open: Decimal
    high: Decimal
    low: Decimal
    volume: Decimal
    vwap: Decimal
    count: int


class RollingWindow:
    """A sliding window over trades, to the minute; sums and extremes in constant time."""

    def __init__(self, seconds: int = DAY_SECONDS) -> None:
        self._seconds = seconds
        self._buckets: deque[tuple[int, TradeBatch]] = deque()
        self._highs: deque[tuple[int, Decimal]] = deque()
        self._lows: deque[tuple[int, Decimal]] = deque()
        self._volume = ZERO
        self._cost = ZERO
        self._count = 0

    def add(self, batch: TradeBatch, second: int) -> None:
        """Count trades of a market second."""
        bucket = second - second % _BUCKET_SECONDS
        self.trim(second)
        if self._buckets and self._buckets[-1][0] == bucket:
            self._buckets[-1][1].merge(batch)
        else:
            self._buckets.append((bucket, batch.copy()))
        self._volume += batch.volume
        self._cost += batch.cost
        self._count += batch.count
        while self._highs and self._highs[-1][1] <= batch.high:
            self._highs.pop()
        self._highs.append((bucket, batch.high))
        while self._lows and self._lows[-1][1] >= batch.low:
            self._lows.pop()
        self._lows.append((bucket, batch.low))

    def trim(self, second: int) -> None:
        """Drop what has left the window by a market second."""
        # A minute leaves as a whole, once its last second is outside.
        oldest = second - self._seconds - _BUCKET_SECONDS
        while self._buckets and self._buckets[0][0] <= oldest:
            _, batch = self._buckets.popleft()
            self._volume -= batch.volume
            self._cost -= batch.cost
            self._count -= batch.count
        for extremes in (self._highs, self._lows):
            while extremes and extremes[0][0] <= oldest:
                extremes.popleft()

    def figures(self, last: Decimal) -> WindowFigures:
        """Return the window's figures; ``last`` stands in for prices of an empty window."""
        if not self._buckets:
            return WindowFigures(last, last, last, ZERO, last, 0)
        return WindowFigures(
            open=self._buckets[0][1].open,
            high=self._highs[0][1],
            low=self._lows[0][1],
            volume=self._volume,
            vwap=self._cost / self._volume if self._volume else last,
            count=self._count,
        )

    def state(self) -> list[Any]:
        """Return the window as JSON-ready values."""
        return [[bucket, batch.state()] for bucket, batch in self._buckets]

    def restore(self, state: list[Any]) -> None:
        """Take over a state."""
        for kept in (self._buckets, self._highs, self._lows):
            kept.clear()
        self._volume = self._cost = ZERO
        self._count = 0
        for bucket, batch in state:
            self.add(TradeBatch.from_state(batch), int(bucket))


class Ticker:
    """Last price, rolling day and present UTC day of one pair."""

    def __init__(self) -> None:
        self.last: Decimal | None = None
        self.last_quantity = ZERO
        self._window = RollingWindow()
        self._day = 0
        self._today: TradeBatch | None = None

    def add(self, batch: TradeBatch, last_quantity: Decimal, second: int) -> None:
        """Count trades of a market second; ``last_quantity`` is that of the last trade."""
        self.last, self.last_quantity = batch.close, last_quantity
        self._window.add(batch, second)
        day = second // DAY_SECONDS
        if self._today is None or day > self._day:
            self._day, self._today = day, batch.copy()
        else:
            self._today.merge(batch)

    def day(self, second: int) -> WindowFigures:
        """Return the figures of the last 24 hours."""
        self._window.trim(second)
        return self._window.figures(self.last or ZERO)

    def today(self, second: int) -> WindowFigures:
        """Return the figures since 00:00 UTC; before the day's first trade, the last price."""
        last = self.last or ZERO
        batch = self._today
        if batch is None or second // DAY_SECONDS > self._day:
            return WindowFigures(last, last, last, ZERO, last, 0)
        vwap = batch.cost / batch.volume if batch.volume else last
        return WindowFigures(batch.open, batch.high, batch.low, batch.volume, vwap, batch.count)

    def state(self) -> dict[str, Any]:
        """Return the ticker as JSON-ready values."""
        return {
            "last": None if self.last is None else str(self.last),
            "last_quantity": str(self.last_quantity),
            "window": self._window.state(),
            "day": self._day,
            "today": None if self._today is None else self._today.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over a state."""
        self.last = None if state["last"] is None else Decimal(state["last"])
        self.last_quantity = Decimal(state["last_quantity"])
        self._window.restore(state["window"])
        self._day = int(state["day"])
        today = state["today"]
        self._today = None if today is None else TradeBatch.from_state(today)
