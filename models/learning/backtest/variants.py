"""Sweeps and walk-forward: what other parameters come to, and what choosing them would have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from itertools import product
from typing import Any

import numpy as np

from models.learning.backtest.bars import Floats, Integers
from models.learning.backtest.figures import drawdown_of, sharpe_of
from models.learning.backtest.study import Trial, changes, day_ends
from models.trading.strategies import Strategy

TRAINING_DAYS = 365
FOLD_DAYS = 90


class VariantError(ValueError):
    """A parameter that the strategy does not have, or a value that is none of its kind."""


def variants(strategy: Strategy, sweep: Mapping[str, Sequence[str]]) -> list[Strategy]:
    """Return the strategy with every combination of some parameters' values.

    Each is named after its values. Raises VariantError.
    """
    known = {field.name for field in fields(strategy)}  # type: ignore[arg-type]
    unknown = [name for name in sweep if name not in known or name in ("name", "version")]
    if unknown:
        names = ", ".join(sorted(known - {"name", "version", "standing"}))
        raise VariantError(f"{strategy.name} has no parameter {unknown[0]}; it has {names}")
    made: list[Strategy] = []
    for values in product(*sweep.values()):
        chosen = dict(zip(sweep, values, strict=True))
        typed = {name: _typed(getattr(strategy, name), text) for name, text in chosen.items()}
        shown = ",".join(f"{name}={text}" for name, text in chosen.items())
        name = f"{strategy.name}[{shown}]" if shown else strategy.name
        made.append(replace(strategy, name=name, **typed))  # type: ignore[type-var]
    return made


def _typed(present: Any, text: str) -> Any:
    """Return a value of the kind that the parameter has now; ``20/60/90`` is a tuple of numbers."""
    try:
        match present:
            case bool():
                return text.lower() in ("true", "yes", "1")
            case int():
                return int(text)
            case float():
                return float(text)
            case Decimal():
                return Decimal(text)
            case tuple():
                return tuple(int(part) for part in text.split("/"))
    except (ArithmeticError, ValueError):
        pass
    raise VariantError(f"{text!r} cannot stand for {present!r}")


@dataclass(frozen=True, slots=True, eq=False)
class WalkForward:
    """What choosing the best of the past and holding to it for a fold would have come to.

    Attributes:
        chosen: name of the variant in each fold, oldest first.
        equity: growth of one USD over the days that were chosen for.
        sharpe: its yearly Sharpe ratio.
        drawdown: its deepest fall.
        best_afterwards: the Sharpe ratio of the best variant over the same days: what a sweep alone
            would have shown, and nobody could have had.
    """

    chosen: tuple[str, ...]
    equity: Floats
    sharpe: float
    drawdown: float
    best_afterwards: float


def walk_forward(
    trials: Sequence[Trial],
    capital: float,
    taker: float,
    *,
    training_days: int = TRAINING_DAYS,
    fold_days: int = FOLD_DAYS,
) -> WalkForward | None:
    """Choose among trials of the same series by their Sharpe ratio so far, fold after fold.

    Where the choice changes, what is held is taken to be exchanged in full, at the taker's fee on
    both sides. None when there are too few days for one fold.
    """
    days: Integers = day_ends(trials[0].minutes)
    returns = np.array([changes(trial.equity[days], capital) for trial in trials])
    count = returns.shape[1]
    if count < training_days + fold_days:
        return None
    chosen: list[int] = []
    parts: list[Floats] = []
    for start in range(training_days, count - fold_days + 1, fold_days):
        scores = [_score(row[:start]) for row in returns]
        best = int(np.argmax(scores))
        fold = returns[best, start : start + fold_days].copy()
        if chosen and chosen[-1] != best:
            fold[0] -= 2 * taker
        chosen.append(best)
        parts.append(fold)
    whole = np.concatenate(parts)
    span = slice(training_days, training_days + len(whole))
    equity = np.cumprod(1 + whole)
    return WalkForward(
        tuple(trials[best].strategy for best in chosen),
        equity,
        sharpe_of(whole, 365),
        drawdown_of(equity),
        max(_score(row[span]) for row in returns),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """A walk-forward of one strategy on the same series; ``found`` None: too few days for it."""

    strategy: str
    label: str
    found: WalkForward | None


def walks(trials: Sequence[Trial], capital: float, taker: float) -> list[Walk]:
    """Return one walk-forward per strategy and series of some trials, in their order."""
    groups: dict[tuple[str, str], list[Trial]] = {}
    for trial in trials:
        groups.setdefault((base_name(trial.strategy), trial.label), []).append(trial)
    return [
        Walk(name, label, walk_forward(group, capital, taker))
        for (name, label), group in groups.items()
    ]


def base_name(variant: str) -> str:
    """Return the name of the strategy that a variant is of."""
    return variant.partition("[")[0]


def _score(returns: Floats) -> float:
    sharpe = sharpe_of(returns, 365)
    return sharpe if np.isfinite(sharpe) else 0.0
