"""What trades that ended tell about their execution, as metrics."""

from activities.metrics import ENTRY_RESULTS, FEES_SAVED, TRADED
from models.trading.trade.execution_figures import execution_figures
from models.trading.trade.state import TradeState


def report_execution(state: TradeState) -> None:
    """Count how a trade that has ended was executed: maker share, cost saved, entries missed."""
    figures = execution_figures(state)
    ENTRY_RESULTS.labels(state.plan.entry_style.value, figures.entry.value).inc()
    TRADED.labels("maker").inc(float(figures.maker_turnover))
    TRADED.labels("taker").inc(float(figures.turnover - figures.maker_turnover))
    FEES_SAVED.inc(max(0.0, float(figures.fees_saved)))
