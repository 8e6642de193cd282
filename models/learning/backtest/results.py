"""What a backtest came to: fills, the trades they make up, and equity bar by bar."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from models.learning.backtest.bars import Bars, Floats, Integers


class FillKind(StrEnum):
    """What a fill was for."""

    ENTRY = "entry"
    EXIT = "exit"
    PART = "part"
    STOP = "stop"
    TRAILING_STOP = "trailing_stop"
    TAKE_PROFIT = "take_profit"


@dataclass(frozen=True, slots=True)
class BacktestFill:
    """One execution. ``bar`` is its place in the bars; price in ticks, quantity in lots, USD."""

    bar: int
    kind: FillKind
    ticks: int
    lots: int
    fee: float
    maker: bool = False


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """From flat to flat in one pair. Prices are averages in quote units, amounts USD.

    ``profit`` is net of all fees; ``left`` names how the last of it was sold, ``open`` where the
    bars ended first (it is valued at the last close then).
    """

    first_bar: int
    last_bar: int
    entry_price: float
    exit_price: float
    cost: float
    fees: float
    profit: float
    left: str

    @property
    def gain(self) -> float:
        """Return the profit as a share of what was paid."""
        return self.profit / self.cost if self.cost else 0.0


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened besides fills.

    Attributes:
        bars_held: bars in which something was held.
        ambiguous: bars of them in which it is not known whether stop or target came first.
        proposed: entries that were sent.
        lapsed: entries of them that did not fill, or not whole.
        large_exits: sales beyond the part of a bar's volume that entries keep to.
        regret: USD that the unfilled entries would have been worth at the close of their bar.
    """

    bars_held: int = 0
    ambiguous: int = 0
    proposed: int = 0
    lapsed: int = 0
    large_exits: int = 0
    regret: float = 0.0

    @property
    def ambiguous_share(self) -> float:
        """Return the share of held bars that are ambiguous."""
        return self.ambiguous / self.bars_held if self.bars_held else 0.0


@dataclass(frozen=True, eq=False)
class BacktestResult:
    """The outcome of one strategy on one pair.

    ``equity`` is USD at each close and ``held`` base units; ``engine`` names who made it.
    """

    bars: Bars
    engine: str
    capital: float
    fills: tuple[BacktestFill, ...]
    equity: Floats
    held: Floats
    counts: Counts = field(default_factory=Counts)

    @property
    def fees(self) -> float:
        """Return all fees in USD."""
        return sum(fill.fee for fill in self.fills)

    @property
    def exposure(self) -> Floats:
        """Return the share of equity that is held at each close."""
        return self.held * self.bars.closes / self.equity

    @property
    def traded(self) -> float:
        """Return USD moved by all fills."""
        scale = self.bars.tick * lot_of(self.bars)
        return sum(fill.ticks * fill.lots for fill in self.fills) * scale

    def returns(self) -> Floats:
        """Return the change of equity of each bar against the one before; the first has none."""
        whole: Floats = np.diff(self.equity) / self.equity[:-1]
        return whole

    def round_trips(self) -> tuple[RoundTrip, ...]:
        """Return the trades, each from flat to flat."""
        return tuple(round_trips(self.bars, self.fills))


def lot_of(bars: Bars) -> float:
    """Return the base quantity of one lot."""
    return float(10.0**-bars.instrument.quantity_precision)


def round_trips(bars: Bars, fills: Sequence[BacktestFill]) -> list[RoundTrip]:
    """Put fills together to trades from flat to flat, oldest first."""
    trips: list[RoundTrip] = []
    held: int = 0
    group: list[BacktestFill] = []
    for fill in fills:
        held += fill.lots if fill.kind is FillKind.ENTRY else -fill.lots
        group.append(fill)
        if held == 0:
            trips.append(_trip(bars, group, held))
            group = []
    if group:
        trips.append(_trip(bars, group, held))
    return trips


def _trip(bars: Bars, fills: Sequence[BacktestFill], held: int) -> RoundTrip:
    scale = bars.tick * lot_of(bars)
    entries = [fill for fill in fills if fill.kind is FillKind.ENTRY]
    sales = [fill for fill in fills if fill.kind is not FillKind.ENTRY]
    bought = sum(fill.lots for fill in entries)
    paid = sum(fill.ticks * fill.lots for fill in entries) * scale
    received = sum(fill.ticks * fill.lots for fill in sales) * scale
    rest = held * int(bars.close[-1]) * scale
    fees = sum(fill.fee for fill in fills)
    return RoundTrip(
        first_bar=fills[0].bar,
        last_bar=fills[-1].bar if held == 0 else len(bars) - 1,
        entry_price=paid / (bought * lot_of(bars)),
        exit_price=(received + rest) / (bought * lot_of(bars)),
        cost=paid,
        fees=fees,
        profit=received + rest - paid - fees,
        left=fills[-1].kind.value if held == 0 else "open",
    )


def held_quantity(lots: Integers, bars: Bars) -> Floats:
    """Return base units of a column of lots."""
    quantities: Floats = lots * lot_of(bars)
    return quantities
