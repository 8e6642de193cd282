"""Scheduled reports of costs, lots and how the platform worked, from plain facts of the record.

Percentiles are nearest-rank.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from models.reporting.costs import ALL, SettledTrade, TradeCosts, costs_by, costs_of
from models.reporting.documents import Cell, Section, Table
from models.reporting.lots import Gain, Lot

ZERO: Final = Decimal(0)
REASONS_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class JudgedIdea:
    """An idea as the account judged it; ``refused_by`` names the first rule that refused it."""

    strategy: str
    symbol: str
    allowed: bool
    refused_by: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison with the exchange: what differed, what was repaired, orders not ours."""

    at: datetime
    complete: bool
    clean: bool
    differences: tuple[str, ...]
    repaired: tuple[str, ...]
    unknown_orders: int


def percentile(values: Sequence[Decimal], rank: int) -> Decimal | None:
    """Return the nearest-rank percentile (1 to 100), None of no value."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(rank / 100 * len(values)) - 1)]


def cost_sections(trades: Sequence[SettledTrade]) -> tuple[Section, ...]:
    """Return what executing cost, by pair, kind of entry, order type and hour (UTC)."""
    unmeasured = sum(trade.unmeasured for trade in trades)
    executions = sum(trade.executions for trade in trades)
    everything = costs_of(ALL, trades)
    note = (
        f"Against the price at each decision (arrival). {unmeasured} of {executions} executions "
        "have no decision price and count as nothing lost. Spread is half of what was quoted at "
        "the decision on what entries took; it is part of the slippage, and not known of "
        f"{everything.spread_unknown} of {len(trades)} trades."
    )
    groups: tuple[tuple[str, Callable[[SettledTrade], str]], ...] = (
        ("Pair", lambda trade: trade.symbol),
        ("Entry", lambda trade: trade.entry_result or "not known"),
        ("Order type", lambda trade: trade.order_type or "not known"),
        ("Hour", lambda trade: f"{trade.decided_at:%H}:00" if trade.decided_at else "not known"),
    )
    facts = tuple(zip(_COSTS[1:], _cells(everything)[1:], strict=True))
    return (
        Section("All trades that ended", note, facts),
        *(
            Section(
                f"By {name.lower()}",
                "That of the order that the entry began with." if name == "Order type" else "",
                table=Table((name, *_COSTS[1:]), tuple(map(_cells, costs_by(trades, key)))),
            )
            for name, key in groups
        ),
    )


_COSTS: Final = (
    "Group", "Trades", "Traded USD", "Fees USD", "Slippage USD", "Slippage bp", "Spread USD",
    "Cost of turnover", "Maker share", "Fees saved USD",
)  # fmt: skip


def _cells(costs: TradeCosts) -> tuple[Cell, ...]:
    return (
        costs.symbol, costs.trades, costs.turnover, costs.fees, costs.slippage,
        costs.slippage_points, costs.spread, costs.cost_share, costs.maker_share, costs.fees_saved,
    )  # fmt: skip


def lot_sections(lots: Sequence[Lot], gains: Sequence[Gain]) -> tuple[Section, ...]:
    """Return lots held, and what was realised in the span; an unknown basis makes no sum."""
    known = [one.gain for one in gains if one.gain is not None]
    total = sum(known, ZERO) if len(known) == len(gains) else None
    held = tuple((lot.asset, lot.quantity, lot.cost, lot.acquired_at) for lot in lots)
    sold = tuple(
        (one.asset, one.quantity, one.acquired_at, one.disposed_at, one.proceeds, one.basis,
         one.gain)
        for one in gains
    )  # fmt: skip
    missing = len(gains) - len(known)
    note = f"{missing} of {len(gains)} have no known basis." if missing else "First in, first out."
    return (
        Section("Realised", note, (("Gain USD", total), ("Disposals", len(gains)))),
        Section(
            "Disposals",
            table=Table(
                ("Asset", "Quantity", "Acquired", "Disposed", "Proceeds USD", "Basis USD",
                 "Gain USD"), sold,
            ),
        ),
        Section("Held", table=Table(("Asset", "Quantity", "Cost USD", "Acquired"), held)),
    )  # fmt: skip


def reconciliation_sections(found: Sequence[Comparison]) -> tuple[Section, ...]:
    """Return how the account's books compared with the exchange's; none is said to be so."""
    whole = [one for one in found if one.complete]
    note = "" if whole else "No whole comparison was made: that the books agree is not known."
    facts: tuple[tuple[str, Cell], ...] = (
        ("Whole comparisons", len(whole)),
        ("Clean", sum(one.clean for one in whole)),
        ("With differences", sum(bool(one.differences) for one in whole)),
        ("With repairs", sum(bool(one.repaired) for one in found)),
        ("Newest", whole[-1].at if whole else None),
    )
    rows = tuple(
        (one.at, ", ".join(one.differences) or "none", ", ".join(one.repaired) or "none",
         one.unknown_orders)
        for one in found
        if one.differences or one.repaired or one.unknown_orders
    )  # fmt: skip
    columns = ("At", "Differences", "Repaired", "Orders not ours")
    return (
        Section("Comparisons with the exchange", note, facts),
        Section("What was found", table=Table(columns, rows)),
    )


def health_sections(
    latencies: Sequence[Decimal],
    refused: Sequence[str],
    trades: Sequence[SettledTrade],
    halts: Sequence[str],
) -> tuple[Section, ...]:
    """Return how orders travelled, what the exchange refused, gaps of protection, and halts.

    Args:
        latencies: seconds from sending to the acknowledgement of each order.
        refused: reason of each order that the exchange refused.
        trades: those that ended.
        halts: what stops entries now.
    """
    note = "" if latencies else "No order was acknowledged in this time."
    bare = [trade.unprotected_seconds for trade in trades]
    facts: tuple[tuple[str, Cell], ...] = (
        ("Orders acknowledged", len(latencies)),
        ("Latency s, median", percentile(latencies, 50)),
        ("Latency s, p95", percentile(latencies, 95)),
        ("Latency s, longest", max(latencies, default=None)),
        ("Orders refused", len(refused)),
        ("Seconds unprotected, longest trade", max(bare, default=None)),
        ("Halted now", ", ".join(halts) or "no"),
    )
    counts = Counter(refused).most_common()
    return (
        Section("Orders", note, facts),
        Section("Refused by the exchange", table=Table(("Reason", "Orders"), tuple(counts))),
    )


def explanation_sections(
    ideas: Sequence[JudgedIdea], trades: Sequence[SettledTrade]
) -> tuple[Section, ...]:
    """Return in words and figures what the strategies wanted, what was refused, what came of it."""
    names = sorted({one.strategy for one in ideas} | {one.strategy for one in trades})
    rows = tuple(_explained(name, ideas, trades) for name in names)
    columns = ("Strategy", "Ideas", "Taken", "Refused", "Trades ended", "Profit USD")
    reasons = Counter(one.refused_by for one in ideas if not one.allowed)
    return (
        Section("What the strategies did", _sentence(ideas, trades), table=Table(columns, rows)),
        Section(
            "Why ideas were refused",
            "The first rule that refused each.",
            table=Table(("Rule", "Ideas"), tuple(reasons.most_common(REASONS_SHOWN))),
        ),
    )


def _explained(
    name: str, ideas: Iterable[JudgedIdea], trades: Iterable[SettledTrade]
) -> tuple[Cell, ...]:
    own = [one for one in ideas if one.strategy == name]
    ended = [one for one in trades if one.strategy == name]
    taken = sum(one.allowed for one in own)
    profit = sum((one.profit for one in ended), ZERO)
    return (name or "by hand", len(own), taken, len(own) - taken, len(ended), profit)


def _sentence(ideas: Sequence[JudgedIdea], trades: Sequence[SettledTrade]) -> str:
    if not ideas and not trades:
        return "No strategy had an idea, and no trade ended."
    taken = sum(one.allowed for one in ideas)
    profit = sum((one.profit for one in trades), ZERO)
    won = sum(one.profit > ZERO for one in trades)
    words = f"Of {len(ideas)} ideas {taken} were taken."
    if not trades:
        return f"{words} No trade ended."
    outcome = "earned" if profit > ZERO else "lost" if profit < ZERO else "came out even with"
    return (
        f"{words} {len(trades)} trades ended, {won} of them with a profit; together they {outcome} "
        f"{abs(profit):.2f} USD after fees."
    )
