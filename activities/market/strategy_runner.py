"""Every strategy's state, brought up to date with each closed bar; no window is kept or reread."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import structlog

from models.trading.ideas import Idea
from models.trading.instruments import Instrument
from models.trading.market import Candle, MarketSnapshot
from models.trading.strategies import Strategy, StrategyStanding
from models.trading.strategies.longer_bars import LongerBar, add_bar

log = structlog.get_logger(__name__)


class StrategyRunner:
    """Feed bars to strategies, and ask those whose bar has closed for ideas.

    Strategies that decide on longer bars than the market's get them made of its bars.
    """

    def __init__(
        self,
        strategies: Iterable[Strategy],
        installation: str,
        listener: Callable[[Candle], None] | None = None,
    ) -> None:
        """Prepare the strategies; ``listener`` gets every bar of the lengths they ask for."""
        self._strategies = tuple(strategies)
        self._listener = listener
        self._installation = installation
        self._states: dict[tuple[str, str], Any] = {}
        self._longer: dict[tuple[str, int], LongerBar] = {}
        self._newest: dict[tuple[str, int], Candle] = {}
        self._due: dict[str, set[str]] = {}

    @property
    def intervals(self) -> tuple[int, ...]:
        """Return the lengths of bars, in minutes, that strategies ask for by themselves."""
        return tuple(sorted({s.interval_minutes for s in self._strategies if s.interval_minutes}))

    @property
    def loaded_intervals(self) -> tuple[int, ...]:
        """Return those of them of which the past is asked for at a start: of what is shipped.

        The others come to know the market as it goes on; each pair would be one more request.
        """
        shipped = (s for s in self._strategies if s.standing is StrategyStanding.SHIPPED)
        return tuple(sorted({s.interval_minutes for s in shipped if s.interval_minutes}))

    def load(self, history: Sequence[Candle]) -> None:
        """Take bars of the past, oldest first, of which no ideas are asked."""
        for candle in history:
            self.take(candle)
            self._due.pop(candle.symbol, None)

    def load_longer(self, history: Sequence[Candle]) -> None:
        """Take longer bars of the past; shorter ones that come later continue them."""
        for candle in history:
            self._tell(candle)
            for strategy in self._strategies:
                if strategy.interval_minutes == candle.interval_minutes:
                    self._update(strategy, candle)
            self._newest[candle.symbol, candle.interval_minutes] = candle
        self._due.clear()

    def take(self, candle: Candle) -> None:
        """Take a closed bar of the market."""
        closed: dict[int, tuple[Candle, ...]] = {candle.interval_minutes: (candle,)}
        for interval in self.intervals:
            if interval > candle.interval_minutes and interval % candle.interval_minutes == 0:
                closed[interval] = self._lengthen(candle, interval)
        for interval in self.intervals:
            for bar in closed.get(interval, ()):
                self._tell(bar)
        for strategy in self._strategies:
            interval = strategy.interval_minutes or candle.interval_minutes
            for bar in closed.get(interval, ()):
                self._update(strategy, bar)
                self._due.setdefault(candle.symbol, set()).add(strategy.name)

    def _tell(self, bar: Candle) -> None:
        if self._listener is not None:
            self._listener(bar)

    def propose(self, market: MarketSnapshot, instrument: Instrument) -> list[Idea]:
        """Return the ideas on the bars of a pair that have closed since the last time."""
        due = self._due.pop(instrument.symbol, set())
        ideas = []
        for strategy in self._strategies:
            if strategy.name not in due:
                continue
            state = self._states[self._key(strategy, instrument.symbol)]
            idea = strategy.propose(state, market, instrument, self._installation)
            if idea is not None:
                ideas.append(idea)
        return ideas

    def _update(self, strategy: Strategy, bar: Candle) -> None:
        key = self._key(strategy, bar.symbol)
        state = self._states[key] if key in self._states else strategy.start()
        self._states[key] = strategy.update(state, bar)

    def _lengthen(self, candle: Candle, interval: int) -> tuple[Candle, ...]:
        key = (candle.symbol, interval)
        known = self._longer.get(key, LongerBar(interval))
        self._longer[key], done = add_bar(known, candle)
        newest = self._newest.get(key)
        fresh = tuple(bar for bar in done if newest is None or bar.start > newest.start)
        if fresh:
            self._newest[key] = fresh[-1]
        return fresh

    @staticmethod
    def _key(strategy: Strategy, symbol: str) -> tuple[str, str]:
        return strategy.name, "" if strategy.sees_universe else symbol
