"""What trading has cost and brought, by pair: fees, slippage, and how trades have ended (RP-2)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class EndedTrade:
    """A settled trade; USD. ``slippage`` above zero is worse than the price decided at."""

    symbol: str
    profit: Decimal
    fees: Decimal
    slippage: Decimal
    turnover: Decimal


@dataclass(frozen=True, slots=True)
class TradeCosts:
    """Trades of one pair, or of all together.

    Attributes:
        won_share: share of trades with a profit above zero; None of no trade.
        profit_factor: gains over losses; None without a loss.
        mean: mean profit of a trade, net of fees; None of no trade.
        cost_share: fees and slippage over turnover; None without turnover.
    """

    symbol: str
    trades: int
    profit: Decimal
    fees: Decimal
    slippage: Decimal
    turnover: Decimal
    won_share: Decimal | None
    profit_factor: Decimal | None
    mean: Decimal | None
    cost_share: Decimal | None


ALL: Final = "all"


def costs_by_pair(trades: Iterable[EndedTrade]) -> list[TradeCosts]:
    """Return what trades of each pair came to, in order of pairs; all together come first."""
    grouped: dict[str, list[EndedTrade]] = defaultdict(list)
    for trade in trades:
        grouped[trade.symbol].append(trade)
    everything = [trade for symbol in sorted(grouped) for trade in grouped[symbol]]
    return [
        _costs(ALL, everything),
        *(_costs(symbol, grouped[symbol]) for symbol in sorted(grouped)),
    ]


def _costs(symbol: str, trades: list[EndedTrade]) -> TradeCosts:
    count = len(trades)
    profit = sum((trade.profit for trade in trades), ZERO)
    gains = sum((trade.profit for trade in trades if trade.profit > ZERO), ZERO)
    losses = -sum((trade.profit for trade in trades if trade.profit < ZERO), ZERO)
    fees = sum((trade.fees for trade in trades), ZERO)
    slippage = sum((trade.slippage for trade in trades), ZERO)
    turnover = sum((trade.turnover for trade in trades), ZERO)
    won = sum(1 for trade in trades if trade.profit > ZERO)
    return TradeCosts(
        symbol=symbol,
        trades=count,
        profit=profit,
        fees=fees,
        slippage=slippage,
        turnover=turnover,
        won_share=Decimal(won) / count if count else None,
        profit_factor=gains / losses if losses else None,
        mean=profit / count if count else None,
        cost_share=(fees + slippage) / turnover if turnover else None,
    )
