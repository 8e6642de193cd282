"""Asking the exchange for everything about some orders, as facts for their trade."""

from datetime import datetime, timedelta

from activities.placement import ended_fact
from activities.ports import Exchange, Journal
from models.contracts.orders import OrdersAnswered, OrdersToAsk
from models.trading.orders import Fill, OrderReport
from models.trading.trade_facts import ChildAppeared, FillReported

MARGIN = timedelta(minutes=1)
"""Market time by which questions reach back further than the oldest order asked for."""


def child_fact(report: OrderReport, at: datetime) -> ChildAppeared | None:
    """Return the fact that an attached stop appeared, None when the order is no such child."""
    if report.parent_order_id is None or report.trigger_price is None:
        return None
    return ChildAppeared(
        order_id=report.order_id,
        parent_order_id=report.parent_order_id,
        quantity=report.quantity,
        trigger_price=report.trigger_price,
        at=report.opened_at or at,
    )


def _fill_fact(fill: Fill, report: OrderReport) -> FillReported:
    return FillReported(fill, report.client_order_id, report.parent_order_id)


async def ask_orders(
    exchange: Exchange, journal: Journal, request: OrdersToAsk, now: datetime
) -> OrdersAnswered:
    """Return children, executions and ends of the orders, complete as of the question."""
    reports = dict(await exchange.query(request.order_ids))
    since = min((r.opened_at for r in reports.values() if r.opened_at), default=None)
    if since is not None:
        since -= MARGIN
    if request.children and since is not None:
        candidates = [*await exchange.open_orders(), *await exchange.closed_orders(since)]
        reports |= {r.order_id: r for r in candidates if r.parent_order_id in request.order_ids}
    if not reports:
        return OrdersAnswered()
    fills = [f for f in await exchange.fills(since) if f.order_id in reports]
    await journal.record_reports(request.account, list(reports.values()))
    await journal.record_fills(request.account, fills)
    return OrdersAnswered(
        children=tuple(fact for r in reports.values() if (fact := child_fact(r, now)) is not None),
        fills=tuple(_fill_fact(f, reports[f.order_id]) for f in fills),
        ended=tuple(
            ended_fact(r, now, r.client_order_id) for r in reports.values() if r.status.is_final
        ),
    )
