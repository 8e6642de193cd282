"""What choosing among a sweep's variants by the past would have come to, in words and figures."""

from collections.abc import Sequence
from typing import Any

from models.learning.backtest.study import Trial
from models.learning.backtest.variants import Walk, WalkForward, base_name
from models.reporting.backtest.document import backtest_document, figure_text
from models.reporting.backtest.tables import percent, ratio

TOO_FEW = "too few days"
COLUMNS = (
    "strategy",
    "bars",
    "gain",
    "days",
    "Sharpe",
    "best afterwards",
    "deepest fall",
    "chosen, fold by fold",
)


def walk_line(walk: Walk) -> str:
    """Return a walk-forward as one line for a terminal."""
    begin = f"walk-forward, {walk.strategy}, {walk.label}: "
    if walk.found is None:
        return begin + TOO_FEW
    _, _, gain, days, sharpe, best, fall, chosen = walk_row(walk)
    return (
        f"{begin}{gain} in {days} days, Sharpe {sharpe} (best afterwards {best}), "
        f"deepest fall {fall}; chosen: {chosen}"
    )


def walk_row(walk: Walk) -> tuple[str, ...]:
    """Return a walk-forward in the order of ``COLUMNS``; where there is none it says why."""
    found = walk.found
    if found is None:
        return (walk.strategy, walk.label, *("-" for _ in COLUMNS[2:-1]), TOO_FEW)
    return (
        walk.strategy,
        walk.label,
        percent(float(found.equity[-1]) - 1),
        str(len(found.equity)),
        ratio(found.sharpe),
        ratio(found.best_afterwards),
        percent(found.drawdown),
        ", ".join(found.chosen),
    )


def walk_figures(found: WalkForward) -> dict[str, float]:
    """Return the figures of a walk-forward by name; the Sharpe ratio may be no number."""
    return {
        "total": float(found.equity[-1]) - 1,
        "sharpe": found.sharpe,
        "best_afterwards": found.best_afterwards,
        "drawdown": found.drawdown,
    }


def walk_document(walk: Walk) -> dict[str, Any]:
    """Return a walk-forward as JSON-ready values: decimal text, null with a reason where unknown.

    It is of all variants of a strategy on the same series, and stands with each of them.
    """
    found = walk.found
    if found is None:
        figures = dict.fromkeys(("total", "sharpe", "best_afterwards", "drawdown", "days"))
        return {**figures, "chosen": [], "reason": TOO_FEW}
    texts = {name: figure_text(value) for name, value in walk_figures(found).items()}
    chosen = list(found.chosen)
    return {**texts, "days": len(found.equity), "chosen": chosen, "reason": ""}


def document_of(trial: Trial, walks: Sequence[Walk]) -> dict[str, Any]:
    """Return a trial's document, with the walk-forward that it is part of (null: none)."""
    walk = walk_of(trial, walks)
    found = None if walk is None else walk_document(walk)
    return {**backtest_document(trial), "walk_forward": found}


def walk_of(trial: Trial, walks: Sequence[Walk]) -> Walk | None:
    """Return the walk-forward that a trial is part of, None where none was asked for."""
    name = base_name(trial.strategy)
    every = (one for one in walks if one.strategy == name and one.label == trial.label)
    return next(every, None)
