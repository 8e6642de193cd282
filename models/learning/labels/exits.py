"""Labels by the platform's own exits: what an entry at this bar would have earned, net.

The exits are those that the trade would have: a stop at or below the entry, a target above it, and
the bar at which its time is up. Inside a bar the stop comes first (the worst), as in the backtest.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

STOPPED, TARGET, TIMED_OUT, UNRESOLVED = -1, 1, 0, 2


class LabelError(ValueError):
    """Labels cannot be made of these bars or exits."""


@dataclass(frozen=True, slots=True)
class Exits:
    """How an entry ends, in shares of its price: `stop` 0.08 sells at 8 % below, `target` above."""

    stop: float
    target: float
    longest_bars: int
    entry_cost: float
    exit_cost: float
    stop_slippage: float = 0.0

    def __post_init__(self) -> None:
        figures = (self.stop, self.target, self.entry_cost, self.exit_cost, self.stop_slippage)
        if not all(np.isfinite(figure) and figure >= 0 for figure in figures):
            raise LabelError("an exit's figure is missing or negative")
        if not 0 < self.stop < 1 or self.target <= 0 or self.longest_bars < 1:
            raise LabelError("needs a stop between 0 and 1, a target above 0 and at least one bar")


@dataclass(frozen=True, slots=True)
class Labels:
    """Net results with the bars that they rest on, each of shape (bars,).

    `entry` and `end` are bar numbers: the position is opened at the open of `entry` (the bar after
    the decision) and its answer is known at the close of bar `end` - 1. `outcome` is one of
    STOPPED, TARGET, TIMED_OUT, UNRESOLVED; an unresolved label's `net` is NaN and must not be
    trained on.
    """

    entry: Indices
    end: Indices
    net: Floats
    outcome: Indices


def label_entries(
    opens: Floats, highs: Floats, lows: Floats, closes: Floats, exits: Exits
) -> Labels:
    """Label a decision at the close of every bar, entered at the next bar's open.

    Prices have shape (bars,), one row per expected bar; a missing bar is NaN in all four and is
    passed over, as the market was not there to fill. Raise `LabelError` for shapes that differ.
    """
    if not opens.shape == highs.shape == lows.shape == closes.shape or opens.ndim != 1:
        raise LabelError("the four prices differ in shape")
    size = opens.size
    entry = np.arange(1, size + 1, dtype=np.int64)
    end = np.full(size, size + 1, dtype=np.int64)
    net = np.full(size, np.nan)
    outcome = np.full(size, UNRESOLVED, dtype=np.int64)
    bought = np.full(size, np.nan)
    bought[:-1] = opens[1:]
    open_still = np.isfinite(bought) & np.isfinite(closes)
    for ahead in range(1, exits.longest_bars + 1):
        rows = np.flatnonzero(open_still[: max(size - ahead, 0)])
        if not rows.size:
            break
        _resolve(rows, ahead, (opens, highs, lows, closes), bought, exits, (end, net, outcome))
        open_still[rows] &= outcome[rows] == UNRESOLVED
    return Labels(entry, end, net, outcome)


def _resolve(
    rows: Indices,
    ahead: int,
    prices: tuple[Floats, Floats, Floats, Floats],
    bought: Floats,
    exits: Exits,
    into: tuple[Indices, Floats, Indices],
) -> None:
    opens, highs, lows, closes = (price[rows + ahead] for price in prices)
    end, net, outcome = into
    entered = bought[rows]
    stop, target = entered * (1 - exits.stop), entered * (1 + exits.target)
    stopped = lows <= stop
    # A limit at the target fills only when the price trades through it.
    reached = ~stopped & (highs > target)
    last = (ahead == exits.longest_bars) & np.isfinite(closes) & ~stopped & ~reached
    sold = np.where(
        stopped,
        np.minimum(opens, stop) * (1 - exits.stop_slippage),
        np.where(reached, target, closes),
    )
    done = stopped | reached | last
    ended = rows[done]
    gain = sold[done] * (1 - exits.exit_cost) / (entered[done] * (1 + exits.entry_cost)) - 1
    net[ended] = gain
    end[ended] = ended + ahead + 1
    kinds = np.where(stopped, STOPPED, np.where(reached, TARGET, TIMED_OUT))
    outcome[ended] = kinds[done]
