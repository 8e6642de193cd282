"""What a backtest proves of the strategies it tried: their trades out of sample, at full cost."""

from collections.abc import Sequence
from decimal import Decimal

from models.contracts.backtests import HISTORY_PREFIX, BacktestRequest
from models.learning.backtest.bars import remarks_on
from models.learning.backtest.results import BacktestResult
from models.learning.backtest.study import Trial
from models.learning.backtest.variants import base_name
from models.trading.strategies import Strategy
from models.trading.strategies.evidence import STEP
from models.trading.strategies.out_of_sample import OutOfSampleTrade, out_of_sample_from

_USUAL = BacktestRequest("", "", (), "")


def why_no_evidence(request: BacktestRequest, strategy: Strategy) -> str | None:
    """Return why a backtest proves nothing of a strategy, None where it may.

    It has to be judged at costs no lower than usual, on the bars that the strategy decides on, and
    from before the version was fixed: whoever chooses a later begin may choose a lucky one.
    """
    start = out_of_sample_from(strategy.name, strategy.version)
    if start is None:
        return f"when {strategy.name} {strategy.version} was fixed is not known"
    if request.sweep:
        return f"its parameters are not those of {strategy.name} {strategy.version}"
    if request.venue.startswith(f"{HISTORY_PREFIX}simulator"):
        return "its prices are generated"
    if remarks_on(request.venue.removeprefix(HISTORY_PREFIX)):
        return "its coins were chosen with hindsight"
    if request.fees:
        return "its fees are not those of today's schedule"
    if request.slippage < _USUAL.slippage or request.latency < _USUAL.latency:
        return "its slippage or latency is below the usual"
    if request.interval_minutes not in (None, strategy.interval_minutes):
        return f"{strategy.name} decides on other bars"
    if request.begin is not None and request.begin > start:
        return f"it begins after {start:%Y-%m-%d}, from when on {strategy.name} is out of sample"
    return None


def evidence_of(
    request: BacktestRequest, trial: Trial, strategies: Sequence[Strategy]
) -> tuple[list[OutOfSampleTrade], str]:
    """Return the trades of a trial that are evidence, and a note that says what they prove."""
    strategy = next(one for one in strategies if one.name == base_name(trial.strategy))
    reason = why_no_evidence(request, strategy)
    if reason is not None:
        return [], f"No evidence: {reason}."
    trades, start = (
        out_of_sample(trial, strategy),
        out_of_sample_from(strategy.name, strategy.version),
    )
    name = f"{strategy.name} {strategy.version}"
    return trades, (
        f"Evidence: {len(trades)} closed trades opened from {start:%Y-%m-%d} on, "
        f"which is out of sample for {name}."
    )


def out_of_sample(trial: Trial, strategy: Strategy) -> list[OutOfSampleTrade]:
    """Return the closed trades that were opened after the strategy's version was fixed.

    The move is from the average price paid: the slippage of the entry stays inside, which errs on
    less. What is still held where the bars end has not come to anything yet.
    """
    start = out_of_sample_from(strategy.name, strategy.version)
    if start is None:
        return []
    return [
        trade
        for number, result in enumerate(trial.results)
        for trade in _trades(f"{trial.label}/{number}", result, strategy)
        if trade.opened_at >= start
    ]


def _trades(series: str, result: BacktestResult, strategy: Strategy) -> Sequence[OutOfSampleTrade]:
    bars = result.bars
    return [
        OutOfSampleTrade(
            strategy.name,
            strategy.version,
            series,
            bars.symbol,
            bars.start(trip.first_bar),
            bars.end(trip.last_bar),
            Decimal(str(trip.exit_price / trip.entry_price - 1)).quantize(STEP),
            Decimal(str(trip.gain)).quantize(STEP),
        )
        for trip in result.round_trips()
        if trip.left != "open"
    ]
