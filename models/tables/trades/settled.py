"""Settled trades as every report of costs reads them: one query, one reading of its rows."""

from decimal import Decimal
from typing import Any

from sqlalchemy import text

from models.reporting.costs import SettledTrade, spread_paid, turnover_of

SETTLED_TRADES = text(
    """WITH ended AS (
           SELECT * FROM trades
           WHERE phase = 'settled' AND pnl IS NOT NULL AND closed_at > :since
             AND closed_at <= :until
           ORDER BY number DESC LIMIT :most),
       entered AS (
           SELECT trade, sum(quantity) AS bought, sum(quantity) FILTER (WHERE NOT maker) AS taken
           FROM fills WHERE side = 'buy' AND trade IN (SELECT number FROM ended) GROUP BY trade)
       SELECT t.*, coalesce(i.strategy, '') AS strategy, o.order_type,
              o.spec->>'post_only' AS post_only, o.spec->>'time_in_force' AS time_in_force,
              a.assessment->'costs'->>'spread' AS spread_share,
              coalesce(e.bought, 0) AS entered, coalesce(e.taken, 0) AS taken
       FROM ended t
       LEFT JOIN ideas i ON i.account_id = t.account_id AND i.trade = t.number
       LEFT JOIN orders o ON o.account_id = t.account_id
         AND o.client_order_id = t.entry_client_order_id
       LEFT JOIN entry_assessments a ON a.account_id = t.account_id AND a.trade = t.number
       LEFT JOIN entered e ON e.trade = t.number
       ORDER BY t.number"""
)
"""The newest ``most`` trades that closed in a span of market time, in order of their numbers."""


def settled_trade(row: Any) -> SettledTrade:
    """Return a row of ``SETTLED_TRADES`` in the words of reports.

    What was taken is known only where every execution of the entry is recorded with its trade.
    """
    spread = None if row.spread_share is None else Decimal(row.spread_share)
    return SettledTrade(
        symbol=row.symbol,
        profit=row.pnl,
        fees=row.fees,
        slippage=row.slippage,
        turnover=turnover_of(row.bought, row.average_entry_price, row.sold, row.average_exit_price),
        number=row.number,
        strategy=row.strategy,
        entry_result=row.entry_result,
        order_type=_order_type(row),
        decided_at=row.decided_at,
        closed_at=row.closed_at,
        bought=row.bought,
        entry_price=row.average_entry_price,
        exit_price=row.average_exit_price,
        exit_reason=row.exit_reason or "",
        spread=spread_paid(
            spread, row.reference_price, row.taken if row.entered == row.bought else None
        ),
        maker_share=row.maker_share,
        fees_saved=row.fees_saved,
        executions=row.executions,
        unmeasured=row.slippage_unmeasured,
        unprotected_seconds=row.unprotected_seconds,
    )


def _order_type(row: Any) -> str:
    if row.order_type is None:
        return ""
    if row.post_only == "true":
        return f"{row.order_type}, post-only"
    at_once = str(row.time_in_force or "").upper() == "IOC"
    return f"{row.order_type}, takes at once" if at_once else str(row.order_type)
