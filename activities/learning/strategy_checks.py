"""Bias checks of strategies by name, on the longest series of their bars that there is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from activities.learning.strategy_trials import Source, Tell, series_in
from models.learning.backtest.bars import Bars
from models.learning.backtest.bias_checks import Verdict, judge
from models.learning.backtest.decisions import Decisions, decide_universe
from models.learning.backtest.series import Series
from models.trading.strategies import Strategy

BARS_MAXIMUM = 3000
"""Newest bars of a series that are checked: each check runs the strategy over them many times."""
CUTS = 4


@dataclass(frozen=True, slots=True)
class CheckedStrategy:
    """The verdicts on one strategy, and on which bars."""

    strategy: str
    version: str
    label: str
    bars: int
    verdicts: tuple[Verdict, ...]

    @property
    def passed(self) -> bool:
        """Tell whether every check passed; one that cannot tell has not."""
        return all(one.passed is True for one in self.verdicts)


def check_strategies(
    strategies: Sequence[Strategy],
    source: Source,
    *,
    interval: int | None,
    begin: datetime | None,
    tell: Tell,
    place: str,
) -> list[CheckedStrategy]:
    """Return the verdicts on each strategy; BacktestError when there are no candles for one."""
    checked = []
    for done, strategy in enumerate(strategies):
        minutes = interval or strategy.interval_minutes
        series = series_in(source, minutes, begin, place)
        longest = max(series, key=lambda one: len(one.bars))
        tell(f"checking {strategy.name} on {longest.label}", done, len(strategies))
        count = len(longest.bars)
        bars = longest.bars.slice(max(0, count - BARS_MAXIMUM), count)
        decides = Deciding(strategy, [one.bars for one in series if one is not longest])
        verdicts = tuple(judge(decides, bars, strategy.warm_up_bars, CUTS))
        checked.append(
            CheckedStrategy(
                strategy.name, strategy.version, Series(longest.venue, bars).label, len(bars),
                verdicts,
            )
        )  # fmt: skip
    return checked


class Deciding:
    """Decides over the bars of one pair; what sees all pairs gets the others of the same time."""

    def __init__(self, strategy: Strategy, others: Sequence[Bars]) -> None:
        """``others`` are series beside the one that is decided on."""
        self._strategy = strategy
        self._others = others if strategy.sees_universe else ()

    def __call__(self, bars: Bars) -> Decisions:
        """Return the decisions."""
        span = bars.start(0), bars.end(len(bars) - 1)
        beside: dict[str, Bars] = {}
        for other in self._others:
            part = other.between(*span)
            if len(part) > len(beside.get(other.symbol, ())) and other.symbol != bars.symbol:
                beside[other.symbol] = part
        return decide_universe(self._strategy, [bars, *beside.values()])[0]
