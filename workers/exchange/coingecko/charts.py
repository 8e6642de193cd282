"""CoinGecko's charts from the exchange's candles, with its granularities and lateness."""

from collections.abc import Sequence
from typing import Any, Final

from models.simulation.markets.liquidity import mix
from models.simulation.public.candles import Row
from models.simulation.public.market import PairRecord, PublicMarket
from workers.exchange.coingecko.coins import Coin, Query, rounded

DAY: Final = 86_400
DAY_APPEARS_AFTER: Final = 35 * 60
"""The last completed UTC day appears about 35 minutes late."""
JITTER_SECONDS: Final = 8


class Charts:
    """Build the series of ``market_chart``, ``market_chart/range`` and ``ohlc``."""

    def __init__(self, market: PublicMarket) -> None:
        self._market = market

    def last_days(
        self, coin: Coin, days: float, interval: str | None, query: Query, now: int
    ) -> dict[str, Any]:
        """Return the chart of the last days: 5 minutes, hourly or daily points, then one at now."""
        minutes = 5 if days <= 1 else 60 if days <= 90 else 1440
        if interval == "daily":
            minutes = 1440
        elif interval == "hourly":
            minutes = 60
        points = self._points(coin, minutes, now - int(days * DAY), now, now)
        return _series(coin, [*points, self._present(coin, now)], query)

    def between(self, coin: Coin, first: int, last: int, query: Query, now: int) -> dict[str, Any]:
        """Return the chart between two unix seconds."""
        length = last - first
        recent = last >= now - 300
        minutes = 5 if length <= DAY and recent else 60 if length <= 90 * DAY else 1440
        return _series(coin, self._points(coin, minutes, first, last, now), query)

    def candles(self, coin: Coin, days: int, query: Query, now: int) -> list[list[float]]:
        """Return candles of 30 minutes, 4 hours or 4 days, stamped with their close (ms)."""
        record = self._market.pairs[coin.symbol_pair]
        minutes, group = (30, 1) if days <= 2 else (240, 1) if days <= 30 else (1440, 4)
        rows = [row for row in record.candles[minutes].rows(now) if row[0] >= now - days * DAY]
        answer = []
        for group_rows in _grouped(rows, group * minutes * 60):
            end = min(now, (group_rows[0][0] // (group * minutes * 60) + 1) * group * minutes * 60)
            figures = (
                float(group_rows[0][1]),
                max(float(row[2]) for row in group_rows),
                min(float(row[3]) for row in group_rows),
                float(group_rows[-1][4]),
            )
            answer.append([end * 1000, *(rounded(figure, query) for figure in figures)])
        return answer

    def _points(
        self, coin: Coin, minutes: int, first: int, last: int, now: int
    ) -> list[tuple[int, float, float]]:
        """Return (millisecond, price, trailing 24 h volume in USD) at the closes of candles."""
        record = self._market.pairs[coin.symbol_pair]
        seconds = minutes * 60
        rows = record.candles[minutes].rows(now)
        lateness = DAY_APPEARS_AFTER if minutes == 1440 else 0
        window = max(1, DAY // seconds)
        costs = [float(row[5]) * float(row[6]) for row in rows]
        trailing, points = 0.0, []
        for index, row in enumerate(rows):
            trailing += costs[index] - (costs[index - window] if index >= window else 0.0)
            end = row[0] + seconds
            if first <= end <= last and end + lateness <= now:
                points.append((_stamp(coin, end, minutes, now), float(row[4]), trailing))
        return points

    def _present(self, coin: Coin, now: int) -> tuple[int, float, float]:
        record: PairRecord = self._market.pairs[coin.symbol_pair]
        day = record.ticker.day(now)
        return now * 1000, float(record.ticker.last or 0), float(day.volume * day.vwap)


def _stamp(coin: Coin, end: int, minutes: int, now: int) -> int:
    """Return a point's millisecond: daily ones exactly, others some seconds off the grid."""
    if minutes == 1440:
        return end * 1000
    off = mix(end ^ mix(len(coin.id))) % (JITTER_SECONDS * 1000)
    return min(end * 1000 + off, now * 1000)


def _series(coin: Coin, points: Sequence[tuple[int, float, float]], query: Query) -> dict[str, Any]:
    known = [point for point in points if point[1] > 0]
    return {
        "prices": [[at, rounded(price, query)] for at, price, _ in known],
        "market_caps": [[at, price * coin.circulating] for at, price, _ in known],
        "total_volumes": [[at, volume] for at, _, volume in known],
    }


def _grouped(rows: Sequence[Row], seconds: int) -> list[list[Row]]:
    groups: dict[int, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[0] // seconds, []).append(row)
    return list(groups.values())
