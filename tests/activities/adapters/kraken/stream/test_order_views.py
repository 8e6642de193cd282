"""Orders as the private stream tells of them: what trades of a snapshot do not know."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from activities.adapters.kraken.stream.order_views import OrderViews
from activities.adapters.kraken.stream.pending_expectations import PendingExpectations, expect_end
from models.trading.orders import OrderStatus

NOW = datetime(2026, 9, 1, tzinfo=UTC)
RESTING = {
    "order_id": "O1",
    "symbol": "BTC/USD",
    "side": "buy",
    "order_type": "limit",
    "order_qty": 20.0,
    "limit_price": 100.0,
    "exec_type": "new",
    "order_status": "new",
    "timestamp": "2026-09-01T00:00:00.000000Z",
}


def trade(number, quantity, order="O1", status="filled"):
    """Return a trade as snapshots tell of it: always ``filled``, without its order's quantity."""
    return {
        "order_id": order,
        "exec_id": f"T{number}",
        "exec_type": "trade",
        "symbol": "BTC/USD",
        "side": "buy",
        "order_type": "limit",
        "last_qty": quantity,
        "last_price": 100.0,
        "cost": quantity * 100,
        "liquidity_ind": "m",
        "order_status": status,
        "timestamp": "2026-09-01T00:00:01.000000Z",
    }


def reports(views, *entries):
    found = views.news_of(entries)
    return [views.take(e, snapshot=True, sequence=1, received_at=NOW) for e in found]


def statuses(reported):
    return [report.order.status for report in reported]


def test_order_that_rests_partly_filled_stays_open_after_a_restart():
    resting = {**RESTING, "cum_qty": 8.0, "order_status": "partially_filled"}
    told = reports(OrderViews(), resting, trade(2, 5.0), trade(1, 3.0))
    assert statuses(told) == [OrderStatus.OPEN] * 3
    assert [report.fill.quantity for report in told[1:]] == [Decimal("5.0"), Decimal("3.0")]
    assert told[-1].order.filled_quantity == 8


def test_fill_missed_by_a_cut_connection_ends_no_order_that_rests():
    views = OrderViews()
    views.take(RESTING, snapshot=False, sequence=1, received_at=NOW)
    views.take(
        trade(1, 3.0, status="partially_filled"), snapshot=False, sequence=2, received_at=NOW
    )
    resting = {**RESTING, "cum_qty": 8.0, "order_status": "partially_filled"}
    told = reports(views, resting, trade(2, 5.0), trade(1, 3.0))
    assert statuses(told) == [OrderStatus.OPEN] * 2
    assert not views.knows_end("O1")


@pytest.mark.parametrize("known", [False, True])
def test_order_that_no_snapshot_names_as_open_ends_with_the_last_of_its_trades(known):
    views = OrderViews()
    if known:
        views.take(RESTING, snapshot=False, sequence=1, received_at=NOW)
        views.take(
            trade(1, 3.0, status="partially_filled"), snapshot=False, sequence=2, received_at=NOW
        )
    told = reports(views, trade(3, 9.0), trade(2, 8.0), trade(1, 3.0))
    final = [status.is_final for status in statuses(told)]
    assert final == [False] * (len(told) - 1) + [True]
    assert told[-1].order.filled_quantity == 20
    assert views.knows_end("O1")


def test_trade_of_another_order_says_nothing_of_this_one():
    told = reports(OrderViews(), RESTING, trade(1, 1.0, order="O2"))
    assert statuses(told) == [OrderStatus.OPEN, OrderStatus.CLOSED]


def test_trade_that_stands_before_its_open_order_is_no_missing_end():
    views, expected = OrderViews(), PendingExpectations()
    resting = {**RESTING, "cum_qty": 1.0, "order_status": "partially_filled"}
    for report in reports(views, trade(1, 1.0), resting):
        expect_end(expected, views, report.order)
    assert expected.wait_seconds() is None
