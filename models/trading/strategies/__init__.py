"""Strategies: pure functions from bars to ideas. Learned models come in behind the same seam."""

from models.trading.strategies.strategy import Strategy
from models.trading.strategies.trend import TrendStrategy

__all__ = ["Strategy", "UnknownStrategyError", "by_name", "names"]

_REGISTRY: dict[str, Strategy] = {strategy.name: strategy for strategy in (TrendStrategy(),)}


class UnknownStrategyError(LookupError):
    """No strategy goes by this name."""


def names() -> tuple[str, ...]:
    """Return the names of all strategies."""
    return tuple(_REGISTRY)


def by_name(name: str) -> Strategy:
    """Return a strategy; raises UnknownStrategyError."""
    try:
        return _REGISTRY[name]
    except KeyError as error:
        known = ", ".join(_REGISTRY)
        raise UnknownStrategyError(f"no strategy is named {name!r}; known: {known}") from error
