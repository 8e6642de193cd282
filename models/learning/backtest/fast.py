"""The fast engine: decisions as columns, a compiled loop, the same trades as the reference."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.learning.backtest import fast_layout as layout
from models.learning.backtest.bars import Bars, Integers
from models.learning.backtest.decisions import Decisions
from models.learning.backtest.results import (
    BacktestFill,
    BacktestResult,
    Counts,
    FillKind,
    held_quantity,
    lot_of,
)
from models.learning.backtest.rules import FillRules, Portfolio, fee_tiers

FIRST_ROOM = 4096
NO_FINE = np.zeros((0, 4), dtype=np.int64)
NOTHING = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class FinerBars:
    """Finer bars of the same pair: rows open, high, low, close, and where each bar's begin."""

    rows: Integers
    first: Integers


def align(bars: Bars, finer: Bars | None) -> FinerBars:
    """Return the finer bars that lie within each bar; a bar may have none."""
    if finer is None or not len(finer):
        return FinerBars(NO_FINE, NOTHING)
    rows = np.column_stack([finer.open, finer.high, finer.low, finer.close])
    edges = np.concatenate([bars.minutes, [bars.minutes[-1] + bars.interval_minutes]])
    first = np.searchsorted(finer.minutes, edges)
    ends = np.searchsorted(finer.minutes, bars.minutes + bars.interval_minutes)
    if (ends > first[1:]).any():
        raise ValueError("the bars overlap")
    # A bar whose finer bars do not begin with it is judged as a whole.
    whole = np.append(finer.minutes, -1)[first[:-1]] == bars.minutes
    used = np.concatenate([np.arange(a, b) for a, b, ok in zip(first, ends, whole, strict=False)
                           if ok]) if whole.any() else NOTHING  # fmt: skip
    counts = np.where(whole, ends - first[:-1], 0)
    return FinerBars(np.ascontiguousarray(rows[used]), np.concatenate([[0], np.cumsum(counts)]))


def run_fast(
    bars: Bars,
    decisions: Decisions,
    rules: FillRules | None = None,
    portfolio: Portfolio | None = None,
    finer: Bars | None = None,
) -> BacktestResult:
    """Play decisions over bars. The first call of a process loads or compiles the loop."""
    rules, portfolio = rules or FillRules(), portfolio or Portfolio()
    if len(decisions.target) != len(bars):
        raise ValueError(f"{len(decisions.target)} decisions for {len(bars)} bars")
    outcome = play(bars, decisions, rules, portfolio, align(bars, finer))
    return result_of(bars, outcome, portfolio)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What the loop has written."""

    whole: Integers
    money: Any
    fills: Integers
    fees: Any
    equity: Any
    lots: Integers


def play(
    bars: Bars, decisions: Decisions, rules: FillRules, portfolio: Portfolio, finer: FinerBars
) -> Outcome:
    """Run the compiled loop, again with more room where the fills did not fit."""
    from models.learning.backtest import fast_kernel as kernel

    settings, tiers = _settings(bars, decisions, rules, portfolio), fee_tiers(rules.fees)
    count, room = len(bars), FIRST_ROOM
    equity, lots = np.empty(count), np.empty(count, dtype=np.int64)
    while True:
        whole = np.zeros(layout.INTEGERS, dtype=np.int64)
        money = np.zeros(layout.FLOATS)
        money[layout.CASH] = portfolio.capital
        fills = np.empty((room, layout.COLUMNS), dtype=np.int64)
        fees = np.empty(room)
        kernel.simulate(
            bars.minutes, bars.open, bars.high, bars.low, bars.close, bars.volume,
            finer.rows, finer.first,
            decisions.target, decisions.stop, decisions.take, decisions.trail, decisions.limit,
            settings, tiers.volume, tiers.maker, tiers.taker,
            whole, money, fills, fees, equity, lots,
        )  # fmt: skip
        used = int(whole[layout.COUNT])
        if used <= room:
            return Outcome(whole, money, fills[:used], fees[:used], equity, lots)
        room = used


def both_bounds(
    bars: Bars,
    decisions: Decisions,
    rules: FillRules,
    portfolio: Portfolio,
    finer: Bars | None = None,
) -> tuple[BacktestResult, BacktestResult]:
    """Return the outcome with every ambiguous bar against us, and with every one for us."""
    low = run_fast(bars, decisions, replace(rules, target_first=False), portfolio, finer)
    if not low.counts.ambiguous:
        return low, low
    return low, run_fast(bars, decisions, replace(rules, target_first=True), portfolio, finer)


def result_of(bars: Bars, outcome: Outcome, portfolio: Portfolio) -> BacktestResult:
    """Put what the loop has written into the form that both engines share."""
    kinds: Mapping[int, FillKind] = {
        layout.ENTRY: FillKind.ENTRY,
        layout.EXIT: FillKind.EXIT,
        layout.PART: FillKind.PART,
        layout.STOPPED: FillKind.STOP,
        layout.TRAILED_OUT: FillKind.TRAILING_STOP,
        layout.TAKEN: FillKind.TAKE_PROFIT,
    }
    fills = tuple(
        BacktestFill(bar, kinds[kind], ticks, lots, fee, maker == 1)
        for (bar, kind, ticks, lots, maker), fee in zip(
            outcome.fills.tolist(), outcome.fees.tolist(), strict=True
        )
    )
    whole = outcome.whole
    counts = Counts(
        bars_held=int(whole[layout.PROTECTED_BARS]),
        ambiguous=int(whole[layout.AMBIGUOUS]),
        proposed=int(whole[layout.PROPOSED]),
        lapsed=int(whole[layout.LAPSED]),
        large_exits=int(whole[layout.LARGE_EXITS]),
        regret=float(outcome.money[layout.REGRET]),
    )
    held = held_quantity(outcome.lots, bars)
    return BacktestResult(bars, "fast", portfolio.capital, fills, outcome.equity, held, counts)


def _settings(bars: Bars, decisions: Decisions, rules: FillRules, portfolio: Portfolio) -> Any:
    instrument = bars.instrument
    settings = np.zeros(layout.SETTINGS)
    settings[layout.TICK] = bars.tick
    settings[layout.LOT] = lot_of(bars)
    settings[layout.SLIPPAGE] = rules.slippage_share
    settings[layout.LATENCY] = rules.latency_share(bars.interval_minutes)
    settings[layout.VOLUME_SHARE] = rules.volume_share
    settings[layout.BAND] = portfolio.band
    settings[layout.RESERVE] = portfolio.reserve_share
    settings[layout.MARGIN] = portfolio.price_margin
    settings[layout.MINIMUM_LOTS] = float(instrument.quantity_minimum) / lot_of(bars)
    settings[layout.MINIMUM_COST] = float(instrument.cost_minimum)
    settings[layout.COST_UNITS] = 10.0**instrument.cost_precision
    settings[layout.TARGET_FIRST] = float(rules.target_first)
    settings[layout.REBALANCES] = float(decisions.rebalances)
    settings[layout.INTERVAL] = float(bars.interval_minutes)
    return settings
