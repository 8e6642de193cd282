"""Finding out everything about some orders, as facts for their trade; the record is asked first."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal

from activities.execution.order_facts import ended_fact
from activities.ports.exchange import Exchange
from activities.ports.exchange_errors import OrderGoneError
from activities.ports.journal import Journal, RecordedOrder, StoredOrder
from models.contracts.orders import OrdersAnswered, OrderStatusRequest
from models.trading.orders import Fill, OrderReport
from models.trading.trade.facts import ChildAppeared, FillReported

MARGIN = timedelta(minutes=1)
"""Market time by which questions reach back further than the oldest order asked for."""

ASKED_BY_ID = 20
"""Executions that one request can name; more are not cheaper than a page of the history."""

ASKED_BY_NAME = 5
"""Orders looked for by their own ids in one catching up; the newest are on pages read once."""

Recorded = Mapping[str, RecordedOrder]


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


async def resolve_order_status(
    exchange: Exchange, journal: Journal, request: OrderStatusRequest, now: datetime
) -> OrdersAnswered:
    """Return children, executions and ends of the orders, complete as of the question.

    Reads are scarce, so the exchange is asked only for what the record cannot complete.
    """
    recorded = await _recorded(journal, request)
    if _needs_exchange(request, recorded):
        await _bring_up_to_date(exchange, journal, request, recorded)
        recorded = await _recorded(journal, request)
    return OrdersAnswered(
        children=tuple(
            fact for one in recorded.values() if (fact := child_fact(one.report, now)) is not None
        ),
        fills=tuple(
            FillReported(fill, one.report.client_order_id, one.report.parent_order_id)
            for one in recorded.values()
            for fill in one.fills
        ),
        ended=tuple(
            ended_fact(one.report, now, one.report.client_order_id)
            for one in recorded.values()
            if one.report.status.is_final
        ),
    )


async def _recorded(journal: Journal, request: OrderStatusRequest) -> Recorded:
    rows = await journal.recorded_orders(request.account, request.order_ids)
    return {row.report.order_id: row for row in rows}


def _needs_exchange(request: OrderStatusRequest, recorded: Recorded) -> bool:
    return bool(_incomplete(request, recorded)) or (
        request.children and bool(_parents_with_missing_children(request, recorded))
    )


def _incomplete(request: OrderStatusRequest, recorded: Recorded) -> list[str]:
    ids = dict.fromkeys([*request.order_ids, *recorded])
    return [one for one in ids if one not in recorded or not recorded[one].is_complete]


def _parents_with_missing_children(request: OrderStatusRequest, recorded: Recorded) -> list[str]:
    """Return asked entries whose executions the known children do not protect in full."""
    children: dict[str, Decimal] = dict.fromkeys(request.order_ids, Decimal(0))
    for one in recorded.values():
        if one.report.parent_order_id in children:
            children[one.report.parent_order_id] += one.report.quantity
    return [
        order_id
        for order_id, covered in children.items()
        if order_id in recorded
        and recorded[order_id].report.parent_order_id is None
        and recorded[order_id].report.filled_quantity > covered
    ]


async def _bring_up_to_date(
    exchange: Exchange, journal: Journal, request: OrderStatusRequest, recorded: Recorded
) -> None:
    incomplete = _incomplete(request, recorded)
    reports = dict(await exchange.query(incomplete)) if incomplete else {}
    opened = [one.report.opened_at for one in recorded.values()]
    opened += [report.opened_at for report in reports.values()]
    since = min((at for at in opened if at is not None), default=None)
    if since is not None:
        since -= MARGIN
    if request.children and since is not None:
        candidates = [*await exchange.open_orders(), *await exchange.closed_orders(since)]
        reports |= {r.order_id: r for r in candidates if r.parent_order_id in request.order_ids}
    if not reports:
        return
    await journal.record_reports(request.account, list(reports.values()))
    lacking = [one for one in reports.values() if has_unrecorded_fills(one, recorded)]
    if lacking:
        fills = await unrecorded_fills(exchange, lacking, recorded, since)
        known = reports.keys() | recorded.keys()
        await journal.record_fills(request.account, [one for one in fills if one.order_id in known])


async def record_missed(
    exchange: Exchange, journal: Journal, account: str, report: OrderReport
) -> bool:
    """Record the executions of an order found by asking; tell whether there were any unrecorded.

    Who was not told of an order may not be told of what it bought either, and that has no stop.
    """
    rows = await journal.recorded_orders(account, [report.order_id])
    recorded = {row.report.order_id: row for row in rows}
    if not has_unrecorded_fills(report, recorded):
        return False
    since = None if report.opened_at is None else report.opened_at - MARGIN
    fills = await unrecorded_fills(exchange.protecting(), [report], recorded, since)
    await journal.record_fills(account, [one for one in fills if one.order_id == report.order_id])
    return True


async def closed_children(
    exchange: Exchange, parents: Sequence[OrderReport]
) -> dict[str, OrderReport]:
    """Return the attached stops of entries that have ended, by their ids: one page, or few."""
    opened = [one.opened_at for one in parents if one.opened_at is not None]
    if not opened:
        return {}
    ids = {one.order_id for one in parents}
    closed = await exchange.closed_orders(min(opened) - MARGIN)
    return {one.order_id: one for one in closed if one.parent_order_id in ids}


async def found_by_name(
    exchange: Exchange, absent: Sequence[StoredOrder]
) -> dict[str, OrderReport]:
    """Return those of some orders without an exchange id that exist after all, by that id."""
    found: dict[str, OrderReport] = {}
    for one in absent[:ASKED_BY_NAME]:
        reports = await exchange.find(one.spec, one.intended_at)
        found |= {report.order_id: report for report in reports}
    return found


async def unrecorded_fills(
    exchange: Exchange,
    lacking: Sequence[OrderReport],
    recorded: Recorded,
    since: datetime | None,
) -> list[Fill]:
    """Return at least the executions that the record lacks of these orders.

    By their ids where the orders name them: one request, however long the history since ``since``
    is, which may be weeks for an order that rests. Otherwise all executions since then.
    """
    known = {fill.execution_id for row in recorded.values() for fill in row.fills}
    wanted = dict.fromkeys(name for one in lacking for name in one.execution_ids)
    unknown = [name for name in wanted if name not in known]
    if 0 < len(unknown) <= ASKED_BY_ID:
        # What the read side does not know yet may be in the history; it lags by a moment.
        with suppress(OrderGoneError):
            fills = await exchange.fills_by_id(unknown)
            if not any(has_unrecorded_fills(one, recorded, fills) for one in lacking):
                return fills
    return await exchange.fills(since)


def has_unrecorded_fills(
    report: OrderReport, recorded: Recorded, found: Sequence[Fill] = ()
) -> bool:
    """Tell whether more of an order was executed than its executions add up to.

    Those are the recorded ones and, of those just found, the order's own.
    """
    row = recorded.get(report.order_id)
    fills = {fill.execution_id: fill.quantity for fill in (row.fills if row else ())}
    fills |= {one.execution_id: one.quantity for one in found if one.order_id == report.order_id}
    return report.filled_quantity > sum(fills.values(), Decimal(0))
