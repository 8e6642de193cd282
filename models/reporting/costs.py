"""What trades have cost and brought: the one calculation behind every report of costs (RP-2).

Costs follow Perold (1988, "The implementation shortfall"): what was paid beyond the price at the
decision (arrival), in USD and as a share of what was traded. The spread paid is a part of that
slippage, not a cost beside it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

ZERO: Final = Decimal(0)
TEN_THOUSAND: Final = Decimal(10_000)
ALL: Final = "all"


@dataclass(frozen=True, slots=True)
class SettledTrade:
    """A settled trade; USD, market times. ``strategy`` is empty for one by hand.

    ``slippage`` is what executions cost against their decision prices, positive is worse;
    ``unmeasured`` of the ``executions`` have no decision price. ``entry_result`` names how the
    entry was filled, ``order_type`` how its first order was sent, empty where none was recorded.
    ``spread`` is the half of the quoted spread that what the entry took has paid, None where the
    book at the decision was not recorded.
    """

    symbol: str
    profit: Decimal
    fees: Decimal
    slippage: Decimal
    turnover: Decimal
    number: int = 0
    strategy: str = ""
    entry_result: str = ""
    order_type: str = ""
    decided_at: datetime | None = None
    closed_at: datetime | None = None
    bought: Decimal = ZERO
    entry_price: Decimal | None = None
    exit_price: Decimal | None = None
    exit_reason: str = ""
    spread: Decimal | None = None
    maker_share: Decimal | None = None
    fees_saved: Decimal = ZERO
    executions: int = 0
    unmeasured: int = 0
    unprotected_seconds: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class TradeCosts:
    """Trades of one group, or of all together; USD.

    Attributes:
        symbol: the pair, or whatever else the group is made by.
        slippage_points: slippage in basis points of the turnover; None without turnover.
        spread: half-spreads that entries paid; None where that of any trade is not known.
        spread_unknown: trades whose spread is not known.
        maker_share: share of the turnover that rested; None without any.
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
    slippage_points: Decimal | None
    turnover: Decimal
    spread: Decimal | None
    spread_unknown: int
    maker_share: Decimal | None
    fees_saved: Decimal
    won_share: Decimal | None
    profit_factor: Decimal | None
    mean: Decimal | None
    cost_share: Decimal | None


def turnover_of(
    bought: Decimal, entry_price: Decimal | None, sold: Decimal, exit_price: Decimal | None
) -> Decimal:
    """Return what was bought and sold, in USD; a side that was not executed adds nothing."""
    return bought * (entry_price or ZERO) + sold * (exit_price or ZERO)


def spread_paid(
    spread_share: Decimal | None, middle: Decimal, taken: Decimal | None
) -> Decimal | None:
    """Return the half of the quoted spread that what an entry took has paid, in USD.

    Args:
        spread_share: the spread quoted at the decision as a share of ``middle``, None: no book was
            recorded.
        middle: the middle of the market at the decision.
        taken: base units that were bought as a taker, None where that is not known.
    """
    if taken is None:
        return None
    if taken == ZERO:
        return ZERO
    return None if spread_share is None else spread_share / 2 * middle * taken


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    """Return part over whole rounded to ten digits, None where there is no whole."""
    return None if whole == ZERO else round(part / whole, 10)


def costs_of(name: str, trades: Sequence[SettledTrade]) -> TradeCosts:
    """Return what some trades came to together."""
    count = len(trades)
    profit = _sum(trade.profit for trade in trades)
    fees = _sum(trade.fees for trade in trades)
    slippage = _sum(trade.slippage for trade in trades)
    turnover = _sum(trade.turnover for trade in trades)
    spreads = [trade.spread for trade in trades if trade.spread is not None]
    made = [(t.turnover, t.maker_share) for t in trades if t.maker_share is not None]
    gains = _sum(trade.profit for trade in trades if trade.profit > ZERO)
    losses = -_sum(trade.profit for trade in trades if trade.profit < ZERO)
    points = share(slippage * TEN_THOUSAND, turnover)
    return TradeCosts(
        symbol=name,
        trades=count,
        profit=profit,
        fees=fees,
        slippage=slippage,
        slippage_points=None if points is None else round(points, 2),
        turnover=turnover,
        spread=_sum(spreads) if len(spreads) == count else None,
        spread_unknown=count - len(spreads),
        maker_share=share(
            _sum(moved * maker for moved, maker in made), _sum(moved for moved, _ in made)
        ),
        fees_saved=_sum(trade.fees_saved for trade in trades),
        won_share=share(Decimal(sum(t.profit > ZERO for t in trades)), Decimal(count)),
        profit_factor=share(gains, losses),
        mean=profit / count if count else None,
        cost_share=share(fees + slippage, turnover),
    )


def costs_by(
    trades: Iterable[SettledTrade], key: Callable[[SettledTrade], str]
) -> list[TradeCosts]:
    """Return what trades of each group came to, in order of the groups."""
    grouped: dict[str, list[SettledTrade]] = defaultdict(list)
    for trade in trades:
        grouped[key(trade)].append(trade)
    return [costs_of(name, grouped[name]) for name in sorted(grouped)]


def costs_by_pair(trades: Sequence[SettledTrade]) -> list[TradeCosts]:
    """Return what trades of each pair came to, in order of pairs; all together come first."""
    return [costs_of(ALL, trades), *costs_by(trades, lambda trade: trade.symbol)]


def _sum(values: Iterable[Decimal]) -> Decimal:
    return sum(values, ZERO)
