"""What a trade tells of the hedge's part in it, and of what that part would have brought."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from models.trading.orders import Leg, OrderStatus, Side
from models.trading.trade.facts import ExitReason
from models.trading.trade.figures import summarise
from models.trading.trade.state import TradeOrder, TradePhase, TradeState, TradeSummary
from tests.models.trading.trading_builders import a_fill, a_plan

FEE = Decimal("0.004")


def told(
    *fills: tuple[Leg, int, int], source: str = "request/r-1", reason: ExitReason | None = None
) -> TradeSummary:
    """Return the summary of a trade with these executions: leg, quantity, price, in this order."""
    plan = replace(a_plan(), source=source)
    orders, executed = [], []
    for number, (leg, quantity, price) in enumerate(fills):
        side = Side.BUY if leg is Leg.ENTRY else Side.SELL
        spec = replace(plan.entry, leg=leg, side=side, client_order_id=f"c{number}")
        orders.append(
            TradeOrder(spec, OrderStatus.CLOSED, Decimal(quantity), order_id=f"O{number}")
        )
        executed.append(a_fill(f"E{number}", f"O{number}", side, str(quantity), str(price), number))
    return summarise(
        TradeState(
            plan=plan,
            phase=TradePhase.SETTLED,
            stop_price=plan.stop_price,
            take_profit_price=None,
            orders=tuple(orders),
            fills=tuple(executed),
            exit_reason=reason,
        )
    )


def test_what_the_hedge_sold_would_have_gone_with_the_sales_that_came_after() -> None:
    summary = told((Leg.ENTRY, 10, 100), (Leg.HEDGE, 4, 110), (Leg.STOP, 6, 90))
    assert (summary.hedge_sold, summary.hedge_turnover) == (4, 440)
    assert summary.hedge_flow == 440 * (1 - FEE)
    assert summary.exit_price == 90


def test_a_part_that_was_sold_before_could_not_have_taken_the_hedges_units_along() -> None:
    fills = ((Leg.ENTRY, 10, 100), (Leg.PART, 5, 150), (Leg.HEDGE, 3, 110), (Leg.STOP, 2, 90))
    assert told(*fills).exit_price == 90


def test_each_sale_of_the_hedge_is_measured_by_what_came_after_it() -> None:
    fills = (
        (Leg.ENTRY, 10, 100),
        (Leg.HEDGE, 2, 105),
        (Leg.PART, 3, 120),
        (Leg.HEDGE, 4, 110),
        (Leg.STOP, 1, 80),
    )
    # Of 8 held, 3 went at 120 and the rest, be it 1 or 5, at 80: so would the first 2 have, at 95.
    assert told(*fills).exit_price == Decimal(2 * 95 + 4 * 80) / 6


def test_a_trade_without_a_sale_of_its_own_afterwards_ended_with_the_hedges() -> None:
    fills = ((Leg.ENTRY, 10, 100), (Leg.PART, 5, 150), (Leg.HEDGE, 2, 110), (Leg.EXIT, 3, 90))
    summary = told(*fills, reason=ExitReason.HEDGE)
    assert summary.hedge_sold == 5
    assert summary.exit_price == Decimal(2 * 110 + 3 * 90) / 5


def test_what_the_hedge_sells_of_a_trade_that_it_bought_itself_is_its_sale() -> None:
    fills = ((Leg.ENTRY, 10, 100), (Leg.HEDGE, 4, 110), (Leg.STOP, 6, 90))
    summary = told(*fills, source="hedge/r-7")
    assert (summary.hedge_bought, summary.hedge_sold) == (10, 4)
    assert (summary.hedge_turnover, summary.hedge_fees) == (1440, 1440 * FEE)
    assert summary.hedge_flow == 440 * (1 - FEE) - 1000 * (1 + FEE)
    assert summary.exit_price == 90


def test_a_trade_without_the_hedge_tells_nothing_of_it() -> None:
    summary = told((Leg.ENTRY, 10, 100), (Leg.STOP, 10, 90))
    nothing = (summary.hedge_bought, summary.hedge_sold, summary.hedge_flow, summary.exit_price)
    assert nothing == (0, 0, 0, None)


SALES = st.lists(
    st.tuples(st.sampled_from((Leg.HEDGE, Leg.PART)), st.integers(1, 100)), min_size=1, max_size=6
)


@given(SALES, st.integers(1, 100))
def test_it_is_what_a_trade_without_the_hedge_would_have_brought(sales, last) -> None:
    """Each sale takes half of what is left: without the hedge, half of more."""
    left, alone, brought = Decimal(1024), Decimal(1024), Decimal(0)
    fills = [(Leg.ENTRY, left, 100)]
    for leg, price in [*sales, (Leg.STOP, last)]:
        sold = left if leg is Leg.STOP else left / 2
        fills.append((leg, sold, price))
        if leg is not Leg.HEDGE:
            brought += alone * (sold / left) * price
            alone -= alone * (sold / left)
        left -= sold
    summary = told(*fills)
    own = sum((q * p for leg, q, p in fills if leg in (Leg.PART, Leg.STOP)), Decimal(0))
    if summary.hedge_sold:
        assert summary.exit_price is not None
        found = own + summary.hedge_sold * summary.exit_price
        assert abs(found - brought) < Decimal("1e-15")
