"""How a trade was executed: how much as a maker, what that saved, and what became of its entry."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from models.trading.execution import EntryStyle
from models.trading.orders import Side
from models.trading.trade.state import ZERO, TradeState


class EntryResult(StrEnum):
    """What became of an entry.

    It took at once; it rested until it was filled; it crossed for some or all of it after it had
    rested; or it bought nothing: an opportunity missed.
    """

    PENDING = "pending"
    TOOK = "took"
    RESTED = "rested"
    CROSSED = "crossed"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class ExecutionFigures:
    """Execution of a trade so far; money in USD.

    Attributes:
        entry: what became of the entry.
        turnover: cost of everything bought and sold.
        maker_turnover: the part of it that rested.
        fees_saved: what that part would have cost more as a taker, at the rates of the decision.
    """

    entry: EntryResult
    turnover: Decimal
    maker_turnover: Decimal
    fees_saved: Decimal

    @property
    def maker_share(self) -> Decimal | None:
        """Return the share of the turnover that rested, None without any."""
        return self.maker_turnover / self.turnover if self.turnover else None


def execution_figures(state: TradeState) -> ExecutionFigures:
    """Compute the figures from the fills of a trade."""
    turnover = sum((fill.cost for fill in state.fills), ZERO)
    made = sum((fill.cost for fill in state.fills if fill.maker), ZERO)
    fees = state.plan.fees
    return ExecutionFigures(_entry_result(state), turnover, made, made * (fees.taker - fees.maker))


def _entry_result(state: TradeState) -> EntryResult:
    bought = [fill for fill in state.fills if fill.side is Side.BUY]
    if not bought:
        return EntryResult.MISSED if state.entry_is_done else EntryResult.PENDING
    if state.plan.entry_style is EntryStyle.TAKE:
        return EntryResult.TOOK
    return EntryResult.RESTED if all(fill.maker for fill in bought) else EntryResult.CROSSED
