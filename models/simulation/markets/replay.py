"""A recorded market: each candle becomes steps that walk through its open, low, high, close.

Which of its extremes a bar touched first is not recorded. It is assumed (``PathAssumption``): the
worse one first, unless something else is chosen, so that a stop and a target within one bar count
as the stop. A missing bar is missing time: nothing happens. No print is ever outside its bar, and
the prints of a bar give the bar back: same open, high, low, close and volume (on the pair's tick
and lot).
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

from models.simulation.markets.instruments import Listing, Universe
from models.simulation.markets.liquidity import Ladder
from models.simulation.markets.scale import Scale
from models.simulation.steps import MarketStep, Print, SymbolStep
from models.trading.instruments import Instrument
from models.trading.market import Candle
from models.trading.orders import Side

STEPS_PER_BAR: Final = 8
PRINTS_PER_STEP: Final = 4
MINIMUM_STEPS: Final = 4


class PathAssumption(StrEnum):
    """Which extreme of a bar comes first, for whoever holds: ``worst_first`` is the low.

    ``by_direction``: the low in an up bar, the high in a down bar, as if no way was doubled.
    """

    WORST_FIRST = "worst_first"
    BEST_FIRST = "best_first"
    BY_DIRECTION = "by_direction"


class CandleDataError(ValueError):
    """Candles that cannot be replayed; the message names symbol, position and reason."""


class SourceStateError(ValueError):
    """A saved position that belongs to a market source with another configuration."""


@dataclass(frozen=True, slots=True)
class _Bar:
    """One bar in whole microseconds, ticks and lots."""

    start: int
    open: int
    high: int
    low: int
    close: int
    lots: int


class _Track:
    """The bars of one symbol and where the replay is in them."""

    def __init__(
        self,
        listing: Listing,
        candles: Sequence[Candle],
        seed: int,
        steps: int,
        path: PathAssumption,
    ) -> None:
        self.symbol = listing.symbol
        self.scale = Scale(listing.instrument)
        self.ladder = Ladder(listing, self.scale, seed)
        self.interval_minutes = candles[0].interval_minutes
        self.steps = steps
        self.assumption = path
        self.bars = _bars(candles, self.scale)
        self.bar = 0
        self.step = 0
        self._path: tuple[int, ...] = ()
        self._path_bar = -1

    @property
    def interval(self) -> int:
        """Return the length of a bar in microseconds."""
        return self.interval_minutes * 60_000_000

    def next_at(self) -> int | None:
        """Return the time of the next step in microseconds, None at the end."""
        if self.bar >= len(self.bars):
            return None
        return self.bars[self.bar].start + self.interval * self.step // self.steps

    def advance(self, number: int) -> SymbolStep:
        """Return the next step and move on."""
        bar = self.bars[self.bar]
        if self._path_bar != self.bar:
            self._path, self._path_bar = (
                walk(bar.open, bar.high, bar.low, bar.close, self.steps, self.assumption),
                (self.bar),
            )
        ticks, rising = self._prints_at(bar)
        prints = self._prints(bar, ticks, rising)
        last = ticks[-1]
        spread = self.ladder.spread(last)
        bid, ask = (last - spread, last) if rising else (last, last + spread)
        bids, asks = self.ladder.around(max(1, bid), ask, number)
        self.step += 1
        if self.step == self.steps:
            self.bar, self.step = self.bar + 1, 0
        return SymbolStep(self.symbol, prints, bids, asks)

    def _prints_at(self, bar: _Bar) -> tuple[list[int], bool]:
        if self.step == 0:
            return [bar.open], bar.close >= bar.open
        before, after = self._path[self.step - 1], self._path[self.step]
        ticks = [
            before + (after - before) * part // PRINTS_PER_STEP
            for part in range(1, PRINTS_PER_STEP + 1)
        ]
        return ticks, after >= before

    def _prints(self, bar: _Bar, ticks: Sequence[int], rising: bool) -> tuple[Print, ...]:
        if bar.lots == 0:
            return ()
        total = 1 + (self.steps - 1) * PRINTS_PER_STEP
        share = max(1, bar.lots // total)
        side = Side.BUY if rising else Side.SELL
        price, quantity = self.scale.price, self.scale.quantity(share)
        prints = [Print(side, price(tick), quantity) for tick in ticks]
        if self.step == self.steps - 1:
            rest = max(1, bar.lots - share * (total - 1))
            prints[-1] = Print(side, price(ticks[-1]), self.scale.quantity(rest))
        return tuple(prints)


class ReplayMarket:
    """Replay candles, several symbols merged by time; implements ``MarketSource``.

    Args:
        universe: listings of the symbols.
        candles: candles by symbol, oldest first; one interval per symbol.
        seed: seed of the synthetic liquidity.
        steps_per_bar: steps that a bar becomes, at least 4.
        path: which extreme of a bar comes first.
    """

    def __init__(
        self,
        universe: Universe,
        candles: Mapping[str, Sequence[Candle]],
        *,
        seed: int,
        steps_per_bar: int = STEPS_PER_BAR,
        path: PathAssumption = PathAssumption.WORST_FIRST,
    ) -> None:
        if steps_per_bar < MINIMUM_STEPS:
            raise ValueError(f"steps_per_bar was {steps_per_bar}, at least {MINIMUM_STEPS}")
        if not candles:
            raise CandleDataError("no candles to replay")
        self._tracks: list[_Track] = []
        for symbol in sorted(candles):
            check_candles(symbol, candles[symbol])
            listing = universe.by_symbol(symbol)
            self._tracks.append(_Track(listing, candles[symbol], seed, steps_per_bar, path))
        self._number = 0
        self._fingerprint = self._describe(seed, steps_per_bar, path)
        self.instruments: dict[str, Instrument] = {
            track.symbol: universe.by_symbol(track.symbol).instrument for track in self._tracks
        }
        self.bar_minutes = min(track.interval_minutes for track in self._tracks)

    def start_time(self) -> datetime:
        """Return the start of the first bar."""
        return _moment(min(track.bars[0].start for track in self._tracks))

    def next_step(self) -> MarketStep | None:
        """Return the next step, None when every recording has ended."""
        times = [(track, track.next_at()) for track in self._tracks]
        due = min((at for _, at in times if at is not None), default=None)
        if due is None:
            return None
        self._number += 1
        symbols = tuple(track.advance(self._number) for track, at in times if at == due)
        return MarketStep(self._number, _moment(due), symbols)

    def state(self) -> dict[str, Any]:
        """Return the position in every recording."""
        cursors = {track.symbol: [track.bar, track.step] for track in self._tracks}
        return {"kind": "replay", "of": self._fingerprint, "number": self._number, "at": cursors}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a position; SourceStateError when it belongs to other recordings."""
        if state.get("kind") != "replay" or state.get("of") != self._fingerprint:
            raise SourceStateError("the saved position belongs to other recordings or settings")
        self._number = int(state["number"])
        for track in self._tracks:
            track.bar, track.step = (int(value) for value in state["at"][track.symbol])

    def _describe(self, seed: int, steps: int, path: PathAssumption) -> str:
        digest = 0
        for track in self._tracks:
            for bar in track.bars:
                figures = (bar.start, bar.open, bar.high, bar.low, bar.close, bar.lots)
                digest = zlib.crc32(repr(figures).encode(), digest)
        names = ",".join(f"{t.symbol}@{t.interval_minutes}x{len(t.bars)}" for t in self._tracks)
        return f"{names}/{steps}/{path}/{seed}/{digest:08x}"


def walk(
    first: int,
    high: int,
    low: int,
    last: int,
    steps: int,
    path: PathAssumption = PathAssumption.WORST_FIRST,
) -> tuple[int, ...]:
    """Return ``steps`` prices from open to close that touch low and high.

    Steps beyond these four are spread over the three legs by their length.
    """
    low_first = {
        PathAssumption.WORST_FIRST: True,
        PathAssumption.BEST_FIRST: False,
        PathAssumption.BY_DIRECTION: last >= first,
    }[path]
    corners = (first, low, high, last) if low_first else (first, high, low, last)
    lengths = [abs(after - before) for before, after in pairwise(corners)]
    extra = steps - MINIMUM_STEPS
    total = sum(lengths)
    shares = [extra * length // total if total else 0 for length in lengths]
    shares[lengths.index(max(lengths))] += extra - sum(shares)
    prices = [first]
    for (before, after), share in zip(pairwise(corners), shares, strict=True):
        parts = share + 1
        prices += [before + (after - before) * part // parts for part in range(1, parts + 1)]
    return tuple(prices)


def check_candles(symbol: str, candles: Sequence[Candle]) -> None:
    """Refuse candles that are not a clean series; CandleDataError names what is wrong where."""
    if not candles:
        raise CandleDataError(f"{symbol}: no candles")
    interval = candles[0].interval_minutes
    previous: Candle | None = None
    for position, candle in enumerate(candles):
        reason = candle_fault(candle, previous, interval)
        if reason is not None:
            raise CandleDataError(f"{symbol}: candle {position}: {reason}")
        previous = candle


def candle_fault(candle: Candle, previous: Candle | None, interval: int) -> str | None:
    """Return what is wrong with a candle after the previous one, None when nothing is."""
    figures = (candle.open, candle.high, candle.low, candle.close, candle.volume)
    if not all(figure.is_finite() for figure in figures):
        return "a figure is not a number"
    if candle.low <= 0:
        return f"low was {candle.low}, must be positive"
    if not candle.low <= min(candle.open, candle.close):
        return f"low {candle.low} is above open {candle.open} or close {candle.close}"
    if not candle.high >= max(candle.open, candle.close):
        return f"high {candle.high} is below open {candle.open} or close {candle.close}"
    if candle.volume < 0:
        return f"volume was {candle.volume}, must not be negative"
    if candle.interval_minutes != interval:
        return f"interval was {candle.interval_minutes} minutes, the first had {interval}"
    if previous is not None and candle.start < previous.start + timedelta(minutes=interval):
        return f"start {candle.start} is inside or before the bar of {previous.start}"
    return None


def _bars(candles: Sequence[Candle], scale: Scale) -> tuple[_Bar, ...]:
    return tuple(
        _Bar(
            start=_microseconds(candle.start),
            open=max(1, scale.ticks(candle.open)),
            high=max(1, scale.ticks(candle.high)),
            low=max(1, scale.ticks(candle.low)),
            close=max(1, scale.ticks(candle.close)),
            lots=max(1, scale.lots(candle.volume)) if candle.volume > Decimal(0) else 0,
        )
        for candle in candles
    )


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
