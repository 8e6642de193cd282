"""A pair's recent public trades and spreads, in the order in which REST pages through them."""

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from models.simulation.events import PublicTrade

KEPT_TRADES: Final = 5000
KEPT_SPREADS: Final = 200
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TapeEntry:
    """One public trade; ``nanoseconds`` is unique and increasing, the cursor of REST's pages."""

    nanoseconds: int
    trade_id: int
    side: str
    order_type: str
    price_text: str
    quantity_text: str

    @property
    def at(self) -> datetime:
        """Return the market time, to the microsecond."""
        return _EPOCH + timedelta(microseconds=self.nanoseconds // 1000)


class TradeTape:
    """The newest trades of one pair; older ones than the last 5,000 are forgotten."""

    def __init__(self, price_precision: int, quantity_precision: int) -> None:
        self._price_precision = price_precision
        self._quantity_precision = quantity_precision
        self._entries: list[TapeEntry] = []

    def alter(self, price_precision: int) -> None:
        """Write the prices of new trades with another precision."""
        self._price_precision = price_precision

    def add(self, trade: PublicTrade) -> TapeEntry:
        """Record a trade; trades of one moment get cursors one nanosecond apart."""
        nanoseconds = (trade.at - _EPOCH) // timedelta(microseconds=1) * 1000
        if self._entries:
            nanoseconds = max(nanoseconds, self._entries[-1].nanoseconds + 1)
        entry = TapeEntry(
            nanoseconds=nanoseconds,
            trade_id=trade.trade_id,
            side=str(trade.side),
            order_type=trade.order_type,
            price_text=f"{trade.price:.{self._price_precision}f}",
            quantity_text=f"{trade.quantity:.{self._quantity_precision}f}",
        )
        self._entries.append(entry)
        if len(self._entries) >= 2 * KEPT_TRADES:
            del self._entries[:-KEPT_TRADES]
        return entry

    def newest(self, count: int) -> list[TapeEntry]:
        """Return the newest trades, oldest first."""
        return self._entries[-count:]

    def after(self, nanoseconds: int, count: int) -> list[TapeEntry]:
        """Return trades after a cursor, oldest first."""
        first = bisect_right(self._entries, nanoseconds, key=lambda entry: entry.nanoseconds)
        return self._entries[first : first + count]

    def state(self) -> list[Any]:
        """Return the newest trades as JSON-ready values."""
        return [
            [e.nanoseconds, e.trade_id, e.side, e.order_type, e.price_text, e.quantity_text]
            for e in self._entries[-KEPT_TRADES:]
        ]

    def restore(self, state: list[Any]) -> None:
        """Take over a state."""
        self._entries = [TapeEntry(*fields) for fields in state]


class SpreadTape:
    """The newest changes of best bid and ask: (second, bid, ask)."""

    def __init__(self) -> None:
        self._entries: deque[tuple[int, str, str]] = deque(maxlen=KEPT_SPREADS)

    def add(self, second: int, bid: Decimal, ask: Decimal, price_precision: int) -> None:
        """Record best prices when they differ from the last."""
        texts = (f"{bid:.{price_precision}f}", f"{ask:.{price_precision}f}")
        if not self._entries or self._entries[-1][1:] != texts:
            self._entries.append((second, *texts))

    def since(self, second: int) -> list[tuple[int, str, str]]:
        """Return entries at or after a market second."""
        return [entry for entry in self._entries if entry[0] >= second]

    def state(self) -> list[Any]:
        """Return the entries as JSON-ready values."""
        return [list(entry) for entry in self._entries]

    def restore(self, state: list[Any]) -> None:
        """Take over a state."""
        self._entries.clear()
        self._entries.extend((int(second), bid, ask) for second, bid, ask in state)
