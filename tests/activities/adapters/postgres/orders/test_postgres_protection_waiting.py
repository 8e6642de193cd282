"""Which positions wait for protection, by the record of all accounts together."""

from datetime import UTC, datetime

from activities.adapters.postgres.orders.protection_waiting import read_waiting
from models.trading.orders import Leg, OrderStatus, OrderType, Side
from models.trading.trade.state import TradePhase
from tests.activities.adapters.postgres.orders.test_postgres_trades import a_state
from tests.support.record_builders import a_fill, an_exchange_id, an_order


async def placed(journal, order):
    at = datetime.now(UTC)
    await journal.store_intent(order, at, at)
    order_id = an_exchange_id()
    await journal.mark_order(order.account, order.client_order_id, OrderStatus.OPEN, order_id, at)
    return order_id


async def bought(journal, **changes):
    """Record an entry that was just filled; return its order and its exchange id."""
    order = an_order(**changes)
    order_id = await placed(journal, order)
    await journal.record_fills(order.account, [a_fill(order_id)])
    return order


async def waiting(database):
    return {(p.account, p.trade): p.seconds for p in await read_waiting(database)}


async def test_bought_position_waits_until_a_stop_is_acknowledged(journal, database):
    order = await bought(journal)
    other = await bought(journal, account="director-1")
    found = await waiting(database)
    assert {("company", order.trade), ("director-1", other.trade)} <= found.keys()
    assert all(0 <= seconds < 60 for seconds in found.values())
    stop = an_order(
        trade=order.trade,
        leg=Leg.STOP,
        side=Side.SELL,
        order_type=OrderType.STOP_LOSS,
        limit_price=None,
        trigger_price=order.limit_price,
    )
    at = datetime.now(UTC)
    await journal.store_intent(stop, at, at)
    assert ("company", order.trade) in await waiting(database)
    await journal.mark_order(
        "company", stop.client_order_id, OrderStatus.OPEN, an_exchange_id(), at
    )
    found = await waiting(database)
    assert ("company", order.trade) not in found
    assert ("director-1", other.trade) in found


async def test_trade_that_says_it_is_uncovered_waits_until_it_is_settled(journal, database):
    state = a_state(700_001)
    await journal.save_trade(state, "trade_opened", datetime.now(UTC), None)
    assert ("company", 700_001) in await waiting(database)
    covered = a_state(700_001, stop=True)
    await journal.save_trade(covered, "trade_protected", datetime.now(UTC), None)
    assert ("company", 700_001) not in await waiting(database)
    again = a_state(700_002)
    await journal.save_trade(again, "trade_opened", datetime.now(UTC), None)
    settled = a_state(700_002, sold=True, phase=TradePhase.SETTLED, closed_at=datetime.now(UTC))
    await journal.save_trade(settled, "trade_settled", datetime.now(UTC), None)
    assert ("company", 700_002) not in await waiting(database)
