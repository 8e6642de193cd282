"""A trial of a backtest as one JSON document: figures are decimal text, null where unknown."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from models.learning.backtest.bars import EPOCH
from models.learning.backtest.bootstrap import Interval
from models.learning.backtest.results import BacktestResult
from models.learning.backtest.study import Trial
from models.reporting.backtest.tables import notes

POINTS_MAXIMUM, TRADES_MAXIMUM = 600, 500
DIGITS = 12


def backtest_document(trial: Trial) -> dict[str, Any]:
    """Return strategy, figures, the same of holding, intervals, curve and newest trades."""
    trades = [row for result in trial.results for row in _trades(result)]
    trades.sort(key=lambda row: row["bought_at"])
    return {
        "strategy": trial.strategy,
        "label": trial.label,
        "pairs": [result.bars.symbol for result in trial.results],
        "sources": [result.bars.source for result in trial.results],
        "figures": _figures(asdict(trial.figures)) | _beside(trial),
        "holding": _figures(asdict(trial.holding)),
        "intervals": {
            name: [figure_text(value.low), figure_text(value.high)]
            for name in ("mean", "sharpe", "lead", "sharpe_lead")
            if isinstance(value := getattr(trial.edge, name), Interval)
        },
        "other_fees": _figures(trial.other_fees),
        "curve": _curve(trial),
        "trades": trades[-TRADES_MAXIMUM:],
        "trades_total": len(trades),
        "notes": notes([trial]),
    }


def figure_text(value: float) -> str | None:
    """Return a figure as plain decimal text of twelve digits, None where it is not a number."""
    if not math.isfinite(value):
        return None
    return f"{Decimal(f'{value:.{DIGITS}g}'):f}"


def _figures(values: Mapping[str, float]) -> dict[str, str | None]:
    return {name: figure_text(float(value)) for name, value in values.items()}


def _beside(trial: Trial) -> dict[str, str | None]:
    median, worst = trial.drawdowns
    return _figures(
        {
            "ambiguous_share": trial.counts.ambiguous_share,
            "total_if_ambiguous_for_us": trial.optimistic,
            "drawdown_reordered": median,
            "drawdown_reordered_worst": worst,
            "entries": trial.counts.proposed,
            "entries_unfilled": trial.counts.lapsed,
            "regret": trial.counts.regret,
            "losing": trial.edge.losing,
            "behind_holding": trial.edge.behind,
        }
    )


def _curve(trial: Trial) -> list[dict[str, str | None]]:
    """Return equity and that of holding at evenly spread moments, the last one included."""
    count = len(trial.minutes)
    places = np.unique(np.linspace(0, count - 1, min(count, POINTS_MAXIMUM)).astype(np.int64))
    return [
        {
            "at": (EPOCH + timedelta(minutes=float(trial.minutes[place]))).isoformat(),
            "equity": figure_text(float(trial.equity[place])),
            "holding": figure_text(float(trial.held[place])),
        }
        for place in places
    ]


def _trades(result: BacktestResult) -> Sequence[dict[str, Any]]:
    bars = result.bars
    return [
        {
            "symbol": bars.symbol,
            "bought_at": bars.start(trip.first_bar).isoformat(),
            "sold_at": bars.start(trip.last_bar).isoformat(),
            "entry_price": figure_text(trip.entry_price),
            "exit_price": figure_text(trip.exit_price),
            "cost": figure_text(trip.cost),
            "fees": figure_text(trip.fees),
            "profit": figure_text(trip.profit),
            "gain": figure_text(trip.gain),
            "left": trip.left,
        }
        for trip in result.round_trips()
    ]
