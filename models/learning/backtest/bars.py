"""Bars of one pair as arrays, in whole ticks, the form that both engines read.

A bar without trades is absent. Nothing is ever filled in: an engine sees a gap by the start times.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.trading.instruments import Instrument
from models.trading.market import Candle

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PRICE_PRECISION_MAXIMUM = 10

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.int64]

HINDSIGHT_VENUES = frozenset({"coingecko", "panel"})
"""Venues whose coins are those that are listed today: who died before is not among them."""
SURVIVORSHIP = (
    "its coins were chosen with hindsight (survivorship): whoever had to choose then did worse, "
    "and every figure is too good"
)


class BarsError(ValueError):
    """Bars that no backtest may run on; the message names pair, row and fault."""


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Bars of one pair and interval, oldest first.

    Attributes:
        instrument: precision and minimums that prices and quantities obey.
        interval_minutes: length of a bar.
        minutes: start of each bar, in minutes since 1970 (UTC).
        open: prices in whole ticks; so are ``high``, ``low`` and ``close``.
        volume: base units traded in each bar.
        source: where the bars came from, for reports.
        assumed: whether the instrument's figures are assumed and not the exchange's.
        remarks: what else must be known of the recording by whoever reads a result.
    """

    instrument: Instrument
    interval_minutes: int
    minutes: Integers
    open: Integers
    high: Integers
    low: Integers
    close: Integers
    volume: Floats
    source: str = ""
    assumed: bool = False
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.minutes)

    @property
    def symbol(self) -> str:
        """Return the pair in v2 names."""
        return self.instrument.symbol

    @property
    def tick(self) -> float:
        """Return the price of one tick in quote units."""
        return float(self.instrument.price_increment)

    @property
    def name(self) -> str:
        """Return pair and interval, as people say it."""
        return f"{self.symbol} {interval_name(self.interval_minutes)}"

    @property
    def closes(self) -> Floats:
        """Return closing prices in quote units."""
        return self.close * self.tick

    @property
    def contiguous(self) -> NDArray[np.bool_]:
        """Return for each bar whether the one before it is there; the first has none."""
        joined = np.zeros(len(self), dtype=np.bool_)
        joined[1:] = np.diff(self.minutes) == self.interval_minutes
        return joined

    @property
    def gaps(self) -> int:
        """Return how many bars are absent between the first and the last."""
        if not len(self):
            return 0
        span = int(self.minutes[-1] - self.minutes[0]) // self.interval_minutes + 1
        return span - len(self)

    @property
    def longest_gap(self) -> tuple[int, datetime] | None:
        """Return the absent bars of the longest gap and where it begins, None without any."""
        steps = np.diff(self.minutes) // self.interval_minutes - 1
        if not len(steps) or not steps.max():
            return None
        place = int(np.argmax(steps))
        return int(steps[place]), self.end(place)

    def start(self, index: int) -> datetime:
        """Return the start of a bar."""
        return EPOCH + timedelta(minutes=int(self.minutes[index]))

    def end(self, index: int) -> datetime:
        """Return the moment at which a bar closes."""
        return self.start(index) + timedelta(minutes=self.interval_minutes)

    def slice(self, first: int, last: int) -> "Bars":
        """Return the bars from ``first`` up to and without ``last``."""
        return replace(
            self,
            minutes=self.minutes[first:last],
            open=self.open[first:last],
            high=self.high[first:last],
            low=self.low[first:last],
            close=self.close[first:last],
            volume=self.volume[first:last],
        )

    def between(self, start: datetime | None, end: datetime | None) -> "Bars":
        """Return the bars that start in a span of time; ``end`` is not included."""
        first = 0 if start is None else int(np.searchsorted(self.minutes, minute_of(start)))
        last = len(self) if end is None else int(np.searchsorted(self.minutes, minute_of(end)))
        return self.slice(first, last)

    def candles(self) -> Iterator[Candle]:
        """Yield the bars as the trading domain takes them."""
        symbol, interval = self.symbol, self.interval_minutes
        tick = self.instrument.price_increment
        quantity = Decimal(1).scaleb(-self.instrument.quantity_precision)
        columns = (self.minutes, self.open, self.high, self.low, self.close, self.volume)
        for minute, first, high, low, last, volume in zip(
            *(column.tolist() for column in columns), strict=True
        ):
            yield Candle(
                symbol,
                interval,
                EPOCH + timedelta(minutes=minute),
                first * tick,
                high * tick,
                low * tick,
                last * tick,
                Decimal(repr(volume)).quantize(quantity),
            )


def minute_of(moment: datetime) -> int:
    """Return the minutes since 1970 of a moment."""
    return (moment - EPOCH) // timedelta(minutes=1)


def interval_name(minutes: int) -> str:
    """Return an interval as file names have it: ``15m``, ``4h``, ``1d``."""
    if minutes % 1440 == 0:
        return f"{minutes // 1440}d"
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


def make_bars(
    instrument: Instrument,
    interval_minutes: int,
    minutes: Integers,
    prices: tuple[Floats, Floats, Floats, Floats],
    volume: Floats,
    *,
    source: str = "",
    assumed: bool = False,
    remarks: tuple[str, ...] = (),
) -> Bars:
    """Check prices in quote units (open, high, low, close) and bring them onto the pair's tick.

    Raises:
        BarsError: not a number, not positive, out of order, twice, off the interval, or high
            below low.
    """
    tick = float(instrument.price_increment)
    stacked = np.vstack([*prices, volume])
    if not np.isfinite(stacked).all():
        raise _fault(
            instrument, np.asarray(~np.isfinite(stacked).all(axis=0)), "a figure is missing"
        )
    _refuse(instrument, np.asarray((np.vstack(prices) <= 0).any(axis=0)), "a price is not positive")
    _refuse(instrument, volume < 0, "the volume is negative")
    _refuse(instrument, minutes % interval_minutes != 0, "the start is not that of a bar")
    if len(minutes) > 1:
        steps = np.concatenate([[interval_minutes], np.diff(minutes)])
        _refuse(instrument, steps < interval_minutes, "the bar is out of order or there twice")
    first, high, low, last = prices
    inside = (low <= np.minimum(first, last)) & (high >= np.maximum(first, last))
    _refuse(instrument, ~inside, "high or low lies inside the bar")
    ticks = [np.maximum(1, np.rint(price / tick)).astype(np.int64) for price in prices]
    return Bars(
        instrument,
        interval_minutes,
        minutes.astype(np.int64),
        ticks[0],
        ticks[1],
        ticks[2],
        ticks[3],
        volume.astype(np.float64),
        source,
        assumed,
        remarks,
    )


def remarks_on(venue: str) -> tuple[str, ...]:
    """Return what must be known of whatever was recorded of a venue."""
    return (SURVIVORSHIP,) if venue in HINDSIGHT_VENUES else ()


def assumed_instrument(symbol: str, prices: Floats) -> Instrument:
    """Return an instrument for a pair whose figures are not known here.

    The tick is the finest that the recorded prices use; the smallest order is worth about 5 USD at
    the median price, as Kraken's are.
    """
    precision = PRICE_PRECISION_MAXIMUM
    sample = prices[:: max(1, len(prices) // 2000)]
    for places in range(PRICE_PRECISION_MAXIMUM):
        if np.allclose(np.round(sample, places), sample, rtol=0, atol=10.0**-12):
            precision = places
            break
    base, _, quote = symbol.partition("/")
    least = Decimal(5) / Decimal(repr(float(np.median(prices))))
    step = Decimal(1).scaleb(least.adjusted())
    return Instrument(
        symbol=symbol,
        base=base,
        quote=quote,
        rest_id=f"{base}{quote}",
        price_precision=precision,
        price_increment=Decimal(1).scaleb(-precision),
        quantity_precision=8 if float(np.median(prices)) > 0.01 else 2,
        quantity_minimum=step,
        cost_precision=5,
        cost_minimum=Decimal("0.5"),
    )


def _refuse(instrument: Instrument, faulty: NDArray[np.bool_], reason: str) -> None:
    if faulty.any():
        raise _fault(instrument, faulty, reason)


def _fault(instrument: Instrument, faulty: NDArray[np.bool_], reason: str) -> BarsError:
    row = int(np.flatnonzero(faulty)[0])
    return BarsError(f"{instrument.symbol}, row {row}: {reason}")


def join(first: Bars, second: Bars) -> Bars:
    """Return the bars of one recording that was cut in two."""
    return replace(
        second,
        minutes=np.concatenate([first.minutes, second.minutes]),
        open=np.concatenate([first.open, second.open]),
        high=np.concatenate([first.high, second.high]),
        low=np.concatenate([first.low, second.low]),
        close=np.concatenate([first.close, second.close]),
        volume=np.concatenate([first.volume, second.volume]),
    )


def resample(bars: Bars, interval_minutes: int) -> Bars:
    """Return longer bars made of these; the first and the last are left out where they are cut.

    A longer bar whose shorter ones are partly absent is what the exchange itself would show: nobody
    traded in the rest. One of which nothing is there stays absent.
    """
    if interval_minutes == bars.interval_minutes or not len(bars):
        return bars
    if interval_minutes % bars.interval_minutes:
        raise BarsError(f"{bars.name}: bars of {interval_minutes} minutes cannot be made of these")
    group = bars.minutes // interval_minutes
    first = np.concatenate([[0], np.flatnonzero(np.diff(group)) + 1])
    last = np.concatenate([first[1:] - 1, [len(bars) - 1]])
    made = replace(
        bars,
        interval_minutes=interval_minutes,
        minutes=group[first] * interval_minutes,
        open=bars.open[first],
        high=np.maximum.reduceat(bars.high, first),
        low=np.minimum.reduceat(bars.low, first),
        close=bars.close[last],
        volume=np.add.reduceat(bars.volume, first),
        source=f"{bars.source} as {interval_name(interval_minutes)}",
    )
    whole_first = bars.minutes[0] % interval_minutes == 0
    ends = bars.minutes[-1] + bars.interval_minutes
    whole_last = ends % interval_minutes == 0
    return made.slice(0 if whole_first else 1, len(made) if whole_last else len(made) - 1)
