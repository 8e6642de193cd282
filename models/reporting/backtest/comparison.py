"""Two results of backtests beside each other, and what stands in the way of comparing them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

FIGURES: Final = (
    "total",
    "yearly",
    "volatility",
    "sharpe",
    "drawdown",
    "exposure",
    "turnover",
    "fees",
    "yearly_cost",
    "trades",
    "won",
)
SAME: Final = {
    "venue": "venue",
    "begin": "begin of the period",
    "end": "end of the period",
    "interval_minutes": "length of a bar",
    "capital": "capital",
    "fees": "fees",
    "slippage": "slippage",
    "latency": "latency",
    "together": "pairs as one portfolio",
    "engine": "engine",
}


@dataclass(frozen=True, slots=True)
class ComparedFigure:
    """One figure of both results; None: not known. ``difference`` is second minus first."""

    name: str
    first: Decimal | None
    second: Decimal | None
    difference: Decimal | None


def compare_figures(
    first: Mapping[str, str | None], second: Mapping[str, str | None]
) -> list[ComparedFigure]:
    """Return the figures of two results by name."""
    rows = []
    for name in FIGURES:
        one, other = _number(first.get(name)), _number(second.get(name))
        both = one is not None and other is not None
        difference = other - one if both and one is not None and other is not None else None
        rows.append(ComparedFigure(name, one, other, difference))
    return rows


def obstacles(
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    bars: tuple[Mapping[str, Any], Mapping[str, Any]],
) -> list[str]:
    """Return in words what besides the strategy differs, so that figures do not compare.

    Args:
        first: what was asked of the one backtest, by its request's names.
        second: the same of the other.
        bars: the documents of the two results.
    """
    found = [
        f"{words}: {first.get(name) or 'as usual'} and {second.get(name) or 'as usual'}"
        for name, words in SAME.items()
        if first.get(name) != second.get(name)
    ]
    one, other = (sorted(document["pairs"]) for document in bars)
    if one != other:
        found.append(f"pairs: {', '.join(one)} and {', '.join(other)}")
    years = [document["figures"].get("years") for document in bars]
    if years[0] != years[1]:
        found.append(f"span of the bars: {years[0]} and {years[1]} years")
    return found


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
