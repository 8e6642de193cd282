"""The recorded 15-minute candles of four pairs, and the moments that each bar is walked through."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import pyarrow.parquet as pq

from models.trading.instruments import Instrument
from models.trading.market import Candle
from tests.support.recordings import RECORDINGS

FOLDER = RECORDINGS.parent / "data" / "coinbase"
NAME = "{}-USD_15m_20240418-20250630.parquet"
BAR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair as it is traded: decimals, least quantity, and half of the quoted spread."""

    base: str
    decimals: int
    least: str
    half_spread: Decimal

    @property
    def symbol(self) -> str:
        """Return the pair's name."""
        return f"{self.base}/USD"

    @property
    def instrument(self) -> Instrument:
        """Return the pair's steps and minimums."""
        return Instrument(
            symbol=self.symbol,
            base=self.base,
            quote="USD",
            rest_id=f"X{self.base}ZUSD",
            price_precision=self.decimals,
            price_increment=Decimal(1).scaleb(-self.decimals),
            quantity_precision=8,
            quantity_minimum=Decimal(self.least),
            cost_precision=5,
            cost_minimum=Decimal("0.5"),
        )


PAIRS = (
    Pair("BTC", 1, "0.00005", Decimal("0.0001")),
    Pair("ETH", 2, "0.001", Decimal("0.0001")),
    Pair("SOL", 2, "0.02", Decimal("0.0002")),
    Pair("ADA", 6, "4.4", Decimal("0.0003")),
)


def bars(days: int | None) -> Iterator[tuple[datetime, dict[str, Candle]]]:
    """Give the bars of every moment, oldest first; a pair without trades then has none."""
    moments: dict[datetime, dict[str, Candle]] = {}
    for pair in PAIRS:
        for row in pq.read_table(FOLDER / NAME.format(pair.base)).to_pylist():
            moments.setdefault(row["ts"], {})[pair.symbol] = _candle(pair, row)
    first = min(moments)
    for at in sorted(moments):
        if days is not None and at >= first + timedelta(days=days):
            return
        yield at, moments[at]


def _candle(pair: Pair, row: dict[str, object]) -> Candle:
    step = pair.instrument.price_increment
    prices = {
        name: Decimal(repr(row[name])).quantize(step) for name in ("open", "high", "low", "close")
    }
    volume = Decimal(repr(row["volume"])).quantize(Decimal("1e-8"))
    start = row["ts"]
    assert isinstance(start, datetime)
    return Candle(pair.symbol, 15, start, **prices, volume=volume)
