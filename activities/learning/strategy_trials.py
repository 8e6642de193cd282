"""Strategies tried on recorded candles: for the command line and for backtests of the API."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from infra.runtime.errors import PlatformError
from models.learning.backtest.bars import Bars
from models.learning.backtest.rules import FillRules, Portfolio, flat_fees
from models.learning.backtest.series import Series, judged_from, series_of, windows
from models.learning.backtest.study import Trial, try_strategy
from models.learning.backtest.variants import VariantError, variants
from models.trading.strategies import Strategy, StrategyStanding, UnknownStrategyError, known
from models.trading.universe.fees import SCHEDULES, FeeSchedule

USUAL_MINUTES = (15, 60, 240, 1440)
"""Minutes of a bar that are tried, shortest first, for a strategy that takes any."""

Source = Callable[[int], Sequence[tuple[str, Bars]]]
"""Recorded bars, with their venues, that give bars of so many minutes."""
Tell = Callable[[str, int, int], None]
"""Is told what is under way, trials done, and trials planned."""


class BacktestError(PlatformError):
    """A backtest that cannot be run as it was asked for."""


def chosen_strategies(names: Sequence[str]) -> list[Strategy]:
    """Return strategies by name, the shipped ones without any; BacktestError for unknown ones."""
    registry = known()
    try:
        named = [registry.by_name(name) for name in names]
    except UnknownStrategyError as error:
        raise BacktestError(str(error)) from None
    return named or list(registry.of(StrategyStanding.SHIPPED))


def run_trials(
    strategies: Sequence[Strategy],
    source: Source,
    rules: FillRules,
    portfolio: Portfolio,
    *,
    interval: int | None,
    begin: datetime | None,
    together: bool,
    tell: Tell,
    sweep: dict[str, list[str]] | None = None,
    by_reference: bool = False,
    place: str = "this",
    unused: Callable[[], Sequence[str]] = tuple,
) -> list[Trial]:
    """Return one trial per strategy and series, or per strategy and window of a venue.

    ``unused`` says what the source held and could not give, for whoever finds nothing.

    Raises:
        BacktestError: there are no candles for it, or a parameter is none of the strategy's.
    """
    planned: list[tuple[Strategy, list[Series]]] = []
    for strategy in strategies:
        if by_reference and strategy.sees_universe:
            raise BacktestError(f"{strategy.name} sees all pairs at once: the fast engine runs it")
        tell(f"reading candles for {strategy.name}", 0, 0)
        minutes = interval or strategy.interval_minutes
        series = series_in(source, minutes, begin, place, unused)
        groups = [[one] for one in series]
        if together or strategy.sees_universe:
            groups = windows(series)
        try:
            every = variants(strategy, sweep or {})
        except VariantError as error:
            raise BacktestError(str(error)) from None
        planned += [(variant, group) for group in groups for variant in every]
    trials: list[Trial] = []
    for done, (variant, group) in enumerate(planned):
        where = group[0].label if len(group) == 1 else f"{len(group)} series, {group[0].label}"
        tell(f"{variant.name} on {where}", done, len(planned))
        trials.append(try_strategy(variant, group, rules, portfolio, by_reference=by_reference))
    return trials


def series_in(
    source: Source,
    minutes: int | None,
    begin: datetime | None,
    place: str,
    unused: Callable[[], Sequence[str]] = tuple,
) -> list[Series]:
    """Return the series that a source holds; BacktestError when there are none.

    Without an interval they are of the shortest usual one that there is.
    """
    for tried in USUAL_MINUTES if minutes is None else (minutes,):
        found = judged_from(series_of(source(tried), tried), begin)
        if found:
            return found
    of = "" if minutes is None else f" of {minutes} minutes"
    why = "".join(f"; {line}" for line in unused())
    raise BacktestError(f"{place} holds no candles{of} for this{why}")


def parse_sweep(texts: Sequence[str]) -> dict[str, list[str]]:
    """Return the values by parameter of ``PARAMETER=VALUE,VALUE…``; BacktestError for others."""
    found: dict[str, list[str]] = {}
    for text in texts:
        name, sign, values = text.partition("=")
        if not sign or not values:
            raise BacktestError(f"a sweep is PARAMETER=VALUE,VALUE…, not {text!r}")
        if name in found:
            raise BacktestError(f"a sweep names {name} twice")
        found[name] = values.split(",")
    return found


def fee_schedule(text: str) -> FeeSchedule:
    """Return the schedule of a day, flat ``MAKER/TAKER`` in percent, or today's for no text."""
    if not text:
        return SCHEDULES[-1]
    if "/" in text:
        try:
            maker, taker = (Decimal(part) for part in text.split("/"))
        except (ArithmeticError, ValueError):
            maker = taker = Decimal("NaN")
        if not all(rate.is_finite() and 0 <= rate < 100 for rate in (maker, taker)):
            raise BacktestError(f"fees are two numbers in percent, like 0.25/0.40: {text}")
        return flat_fees(str(maker / 100), str(taker / 100))
    for schedule in SCHEDULES:
        if str(schedule.effective_from) == text:
            return schedule
    days = ", ".join(str(schedule.effective_from) for schedule in SCHEDULES)
    raise BacktestError(f"no schedule took effect on {text}; known: {days}")
