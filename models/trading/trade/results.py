"""What a settled trade says of the strategy version that wanted it."""

from models.trading.strategies.evidence import STEP, StrategyResult
from models.trading.trade.figures import figures
from models.trading.trade.state import ZERO, TradePhase, TradeState


def result_of(state: TradeState) -> StrategyResult | None:
    """Return a trade's result, None where it is none of a strategy's.

    The move is measured from the middle price at the decision to the average price received, so
    that spread and slippage of the entry are costs and not part of it; half the spread and the
    slippage of the exit stay inside, which errs on less. Whatever ended the trade counts: leaving
    out what people or the hedge closed would choose among the results. A trade of which nothing was
    sold says nothing of the market.
    """
    plan = state.plan
    if state.phase is not TradePhase.SETTLED or not plan.strategy_version or state.sold <= ZERO:
        return None
    found, closed_at = figures(state), state.closed_at
    if found.average_exit is None or plan.reference_price <= ZERO or closed_at is None:
        return None
    return StrategyResult(
        source=plan.evidence_source,
        reference=f"{plan.account}/{plan.number}",
        symbol=plan.instrument.symbol,
        closed_at=closed_at,
        move=(found.average_exit / plan.reference_price - 1).quantize(STEP),
        net=found.net_share.quantize(STEP),
    )
