"""The figures of trials as rows of text: the same for the terminal, a page and the docs."""

from collections.abc import Sequence
from math import isfinite

from models.learning.backtest.bars import Bars
from models.learning.backtest.study import Trial

COLUMNS = (
    "strategy",
    "bars",
    "gain/year",
    "90 % interval",
    "Sharpe",
    "90 % interval",
    "deepest fall",
    "held",
    "turnover/year",
    "fees/year",
    "fees of gross",
    "trades",
    "holding/year",
    "its Sharpe",
    "its fall",
    "P(not better)",
)


def rows(trials: Sequence[Trial]) -> list[tuple[str, ...]]:
    """Return one row per trial, in the order of ``COLUMNS``. Doing nothing gains 0 at no risk."""
    return [_row(trial) for trial in trials]


def _row(trial: Trial) -> tuple[str, ...]:
    figures, edge, held = trial.figures, trial.edge, trial.holding
    return (
        trial.strategy,
        trial.label,
        percent(figures.yearly),
        f"{percent(edge.mean.low)} … {percent(edge.mean.high)}",
        ratio(figures.sharpe),
        f"{ratio(edge.sharpe.low)} … {ratio(edge.sharpe.high)}",
        percent(figures.drawdown),
        percent(figures.exposure),
        ratio(figures.turnover),
        percent(figures.yearly_cost, 2),
        percent(figures.cost_share),
        str(figures.trades),
        percent(held.yearly),
        ratio(held.sharpe),
        percent(held.drawdown),
        ratio(edge.behind),
    )


def notes(trials: Sequence[Trial]) -> list[str]:
    """Return what belongs beside the table: fills that are not certain, assumptions, other fees."""
    lines = []
    for trial in trials:
        counts = trial.counts
        parts = [
            (
                f"{counts.ambiguous} of {counts.bars_held} held bars ambiguous "
                f"({percent(counts.ambiguous_share, 2)}): total {percent(trial.figures.total)} "
                f"against us, {percent(trial.optimistic)} for us"
            ),
            (
                f"{counts.lapsed} of {counts.proposed} entries not filled whole, regret "
                f"{counts.regret:,.0f} USD"
            ),
            f"{counts.large_exits} sales beyond 1 % of a bar's volume",
            (
                f"deepest fall in other orders {percent(trial.drawdowns[0])}, worst twentieth "
                f"{percent(trial.drawdowns[1])}"
            ),
        ]
        parts += [
            f"total under the schedule of {day} {percent(gain)}"
            for day, gain in trial.other_fees.items()
        ]
        for found in trial.parity:
            named = [f"bar {d.bar} {d.side}: {d.reason}" for d in found.differences[:3]]
            parts.append(
                f"the fast engine differs on {len(found.differences)} of {found.moments} bars "
                f"traded, equity {percent(found.gap, 4)}" + "".join(f" ({n})" for n in named)
            )
        if any(result.bars.assumed for result in trial.results):
            parts.append("tick and minimums are assumed")
        if not trial.counts.proposed:
            parts.append("nothing was bought: too few bars to know anything, or no reason to")
        parts += [line for result in trial.results for line in _of_bars(result.bars)]
        lines.append(f"{trial.strategy}, {trial.label}: " + "; ".join(parts) + ".")
    return lines


def _of_bars(bars: Bars) -> list[str]:
    """Return what is absent from a recording, and what else must be known of it."""
    lines = [f"{bars.symbol}: {remark}" for remark in bars.remarks]
    if (gap := bars.longest_gap) is not None:
        count, begin = gap
        lines.append(
            f"{bars.gaps} bars of {bars.symbol} absent, at most {count} together, "
            f"from {begin:%Y-%m-%d %H:%M} on"
        )
    return lines


def percent(value: float, places: int = 1) -> str:
    """Return a share in percent; a dash where it is not known."""
    return f"{value:.{places}%}" if isfinite(value) else "-"


def ratio(value: float) -> str:
    """Return a figure with two places; a dash where it is not known."""
    return f"{value:.2f}" if isfinite(value) else "-"
