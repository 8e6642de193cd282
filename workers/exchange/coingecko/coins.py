"""The coins CoinGecko knows of the simulated universe, and their present figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from models.simulation.public.candles import Row, start_of
from models.simulation.public.market import PairRecord, PublicMarket

HOURS_IN: Final = {"1h": 1, "24h": 24, "7d": 168, "14d": 336, "30d": 720, "200d": 4800, "1y": 8760}
Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Coin:
    """One coin: CoinGecko's id, ticker and name; supplies in coins, ``maximum`` None: unlimited."""

    id: str
    ticker: str
    name: str
    symbol_pair: str
    circulating: float
    maximum: float | None

    @property
    def listed(self) -> dict[str, str]:
        """Return the row of ``/coins/list``."""
        return {"id": self.id, "symbol": self.ticker, "name": self.name}


COINS: Final = (
    Coin("bitcoin", "btc", "Bitcoin", "BTC/USD", 19.9e6, 21e6),
    Coin("ethereum", "eth", "Ethereum", "ETH/USD", 120.7e6, None),
    Coin("ripple", "xrp", "XRP", "XRP/USD", 59.5e9, 100e9),
    Coin("tether", "usdt", "Tether", "USDT/USD", 160e9, None),
    Coin("solana", "sol", "Solana", "SOL/USD", 540e6, None),
    Coin("usd-coin", "usdc", "USDC", "USDC/USD", 65e9, None),
    Coin("dogecoin", "doge", "Dogecoin", "DOGE/USD", 150e9, None),
    Coin("cardano", "ada", "Cardano", "ADA/USD", 35.5e9, 45e9),
    Coin("litecoin", "ltc", "Litecoin", "LTC/USD", 76e6, 84e6),
)


def rounded(value: float, query: Query) -> float:
    """Return a figure with the request's ``precision``."""
    precision = query.get("precision", "")
    return round(value, int(precision)) if precision.isdecimal() else value


class CoinFigures:
    """Prices, volumes and capitalisations at the present market time."""

    def __init__(self, market: PublicMarket) -> None:
        self._market = market

    def simple(self, coin: Coin, query: Query) -> dict[str, Any] | None:
        """Return the row of ``/simple/price``, None before the first trade."""
        record = self._market.pairs[coin.symbol_pair]
        if record.ticker.last is None:
            return None
        second = self._market.second
        price = float(record.ticker.last)
        day = record.ticker.day(second)
        row: dict[str, Any] = {"usd": rounded(price, query)}
        if _yes(query, "include_market_cap"):
            row["usd_market_cap"] = price * coin.circulating
        if _yes(query, "include_24hr_vol"):
            row["usd_24h_vol"] = float(day.volume * day.vwap)
        if _yes(query, "include_24hr_change"):
            opening = float(day.open)
            row["usd_24h_change"] = (price / opening - 1) * 100 if opening else 0.0
        if _yes(query, "include_last_updated_at"):
            row["last_updated_at"] = second
        return row

    def markets(self, coins: Sequence[Coin], query: Query) -> list[dict[str, Any]]:
        """Return the ordered rows of ``/coins/markets`` for coins that have traded."""
        rows = [
            self._market_row(coin, self._market.pairs[coin.symbol_pair], query)
            for coin in coins
            if self._market.pairs[coin.symbol_pair].ticker.last is not None
        ]
        rows.sort(key=lambda row: -row["market_cap"])
        for rank, row in enumerate(rows, start=1):
            row["market_cap_rank"] = rank
        order = query.get("order") or "market_cap_desc"
        field, _, direction = order.rpartition("_")
        keys = {"market_cap": "market_cap", "volume": "total_volume", "id": "id"}
        if field in keys:
            rows.sort(key=lambda row: row[keys[field]], reverse=direction == "desc")
        return rows

    def _market_row(self, coin: Coin, record: PairRecord, query: Query) -> dict[str, Any]:
        second = self._market.second
        day = record.ticker.day(second)
        price = float(record.ticker.last or 0)
        change = price - float(day.open)
        percent = change / float(day.open) * 100 if day.open else 0.0
        capitalisation = price * coin.circulating
        total = coin.maximum or coin.circulating
        row: dict[str, Any] = {
            "id": coin.id,
            "symbol": coin.ticker,
            "name": coin.name,
            "image": f"https://coin-images.coingecko.com/coins/images/{coin.id}.png",
            "current_price": rounded(price, query),
            "market_cap": capitalisation,
            "market_cap_rank": None,
            "fully_diluted_valuation": price * total,
            "total_volume": float(day.volume * day.vwap),
            "high_24h": float(day.high),
            "low_24h": float(day.low),
            "price_change_24h": change,
            "price_change_percentage_24h": percent,
            "market_cap_change_24h": change * coin.circulating,
            "market_cap_change_percentage_24h": percent,
            "circulating_supply": coin.circulating,
            "total_supply": total,
            "max_supply": coin.maximum,
            **_extremes(record, price, second),
            "roi": None,
            "last_updated": _stamp(second),
        }
        if _yes(query, "sparkline"):
            row["sparkline_in_7d"] = {"price": _closes(record, second, 168)}
        for period in query.get("price_change_percentage", "").split(","):
            if period in HOURS_IN:
                name = f"price_change_percentage_{period}_in_currency"
                row[name] = _change_over(record, price, second, HOURS_IN[period])
        return row


def _extremes(record: PairRecord, price: float, second: int) -> dict[str, Any]:
    rows = record.candles[1440].rows(second)
    highest = max(rows, key=lambda row: float(row[2]))
    lowest = min(rows, key=lambda row: float(row[3]))
    high, low = float(highest[2]), float(lowest[3])
    return {
        "ath": high,
        "ath_change_percentage": (price / high - 1) * 100,
        "ath_date": _date(highest),
        "atl": low,
        "atl_change_percentage": (price / low - 1) * 100,
        "atl_date": _date(lowest),
    }


def _closes(record: PairRecord, second: int, hours: int) -> list[float]:
    return [float(row[4]) for row in record.candles[60].rows(second)[-hours:]]


def _change_over(record: PairRecord, price: float, second: int, hours: int) -> float | None:
    interval = 60 if hours <= 2400 else 1440
    steps = hours * 60 // interval
    rows = record.candles[interval].rows(second)
    if len(rows) <= steps:
        return None
    before = float(rows[-steps - 1][4])
    return (price / before - 1) * 100


def _yes(query: Query, field: str) -> bool:
    return query.get(field, "").lower() == "true"


def _date(row: Row) -> str:
    return start_of(row).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _stamp(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
