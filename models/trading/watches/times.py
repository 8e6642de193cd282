"""Moments in memory: which watches wait for a market time that has come."""

from bisect import insort
from datetime import datetime

from models.trading.trade.facts import PriceWatch


class TimerIndex:
    """Hold the watches that wait for a market time, the earliest first; each is returned once."""

    def __init__(self) -> None:
        self._due: list[tuple[datetime, str, PriceWatch]] = []

    def __len__(self) -> int:
        return len(self._due)

    def replace(self, account: str, trade: int, watches: tuple[PriceWatch, ...]) -> None:
        """Set the moments of one trade to exactly these; watches of prices are passed over."""
        self._due = [
            entry for entry in self._due if (entry[2].account, entry[2].trade) != (account, trade)
        ]
        for watch in watches:
            if watch.due_at is not None:
                insort(self._due, (watch.due_at, watch.watch_id, watch))

    def reached(self, now: datetime) -> list[PriceWatch]:
        """Take out and return every watch whose moment has come, the earliest first."""
        count = 0
        while count < len(self._due) and self._due[count][0] <= now:
            count += 1
        found, self._due = self._due[:count], self._due[count:]
        return [watch for _, _, watch in found]
