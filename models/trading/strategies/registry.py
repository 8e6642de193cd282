"""Which strategies there are. A process is given its registry; nothing looks one up by itself."""

from collections.abc import Iterator
from dataclasses import dataclass

from models.trading.strategies.strategy import Strategy, StrategyStanding


class UnknownStrategyError(LookupError):
    """No strategy goes by this name."""


@dataclass(frozen=True, slots=True)
class StrategyRegistry:
    """Strategies by name, in the order in which they were given."""

    strategies: tuple[Strategy, ...]

    def __post_init__(self) -> None:
        names = self.names
        if len(set(names)) != len(names):
            raise ValueError(f"a name stands for two strategies: {', '.join(names)}")

    def __iter__(self) -> Iterator[Strategy]:
        return iter(self.strategies)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all strategies."""
        return tuple(strategy.name for strategy in self.strategies)

    def by_name(self, name: str) -> Strategy:
        """Return a strategy; raises UnknownStrategyError."""
        for strategy in self.strategies:
            if strategy.name == name:
                return strategy
        known = ", ".join(self.names)
        raise UnknownStrategyError(f"no strategy is named {name!r}; known: {known}")

    def of(self, standing: StrategyStanding) -> tuple[Strategy, ...]:
        """Return the strategies of one standing."""
        return tuple(one for one in self.strategies if one.standing is standing)
