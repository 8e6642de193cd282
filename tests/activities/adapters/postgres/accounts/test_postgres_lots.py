"""Movements of assets: written in the transaction of the execution or flow, in one's own scope."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from api.queries.lots import lots_and_gains
from models.trading.account.capital.facts import FlowNoted
from models.trading.capital.flows import CapitalFlow, FlowSource
from models.trading.orders import OrderStatus, Side
from tests.support.record_builders import a_fill, an_exchange_id, an_order

ACCOUNT = "company"
START = datetime(2026, 3, 2, tzinfo=UTC)


async def traded(journal, side: Side, quantity: str, price: str, hour: int, account=ACCOUNT):
    order, order_id = an_order(account=account, side=side, trade=1), an_exchange_id()
    at = START + timedelta(hours=hour)
    await journal.store_intent(order, at)
    await journal.mark_order(account, order.client_order_id, OrderStatus.OPEN, order_id, at)
    cost = Decimal(quantity) * Decimal(price)
    fill = a_fill(
        order_id,
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        cost=cost,
        fee=cost / 100,
        exchange_time=at,
    )
    await journal.record_fills(account, [fill])
    await journal.record_fills(account, [fill])


def a_flow(name: str, amount: str, value: str, hour: int) -> FlowNoted:
    at = START + timedelta(hours=hour)
    flow = CapitalFlow(
        name, "BTC", Decimal(amount), Decimal(value), at, FlowSource.LEDGER, "exchange"
    )
    return FlowNoted(flow)


async def test_lots_follow_executions_and_what_was_brought_in(journal, api_database):
    await journal.save_flows(ACCOUNT, [a_flow("income", "1", "0", 0), a_flow("in", "1", "90", 1)])
    await traded(journal, Side.BUY, "2", "100", 2)
    await traded(journal, Side.SELL, "3", "120", 3)
    await journal.save_balances(ACCOUNT, {"USD": Decimal(5), "BTC": Decimal("1.5")}, START)
    lots, gains = await lots_and_gains(api_database, ACCOUNT)
    # Sold for 360 less 3.6: a third each of income of unknown basis, of 90, and of 202 / 2.
    assert [(g.proceeds, g.basis, g.gain) for g in gains] == [
        (Decimal("118.8"), None, None),
        (Decimal("118.8"), Decimal(90), Decimal("28.8")),
        (Decimal("118.8"), Decimal(101), Decimal("17.8")),
    ]
    # One bought is left, and half a coin is held that nobody knows the origin of.
    assert [(lot.quantity, lot.cost) for lot in lots] == [
        (Decimal(1), Decimal(101)),
        (Decimal("0.5"), None),
    ]


async def test_movements_are_seen_in_their_own_account_only(journal, api_database):
    await traded(journal, Side.BUY, "1", "100", 1, account="director-1")
    lots, _ = await lots_and_gains(api_database, "director-1")
    assert [(lot.asset, lot.quantity) for lot in lots] == [("BTC", Decimal(1))]
