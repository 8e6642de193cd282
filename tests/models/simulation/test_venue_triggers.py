"""Stops, take-profits, trailing stops and the children of conditional closes."""

from decimal import Decimal

import pytest

from models.simulation.engine.orders import AmendRequest, CloseTerms, OrderKind, VenueOrderStatus
from models.simulation.errors import VenueError
from models.simulation.events import ExecutionType
from models.simulation.outcomes import VenueOptions
from tests.models.simulation.venue_builders import (
    BUY,
    SELL,
    WALL,
    a_step,
    a_venue,
    an_order,
    fills,
    kinds,
    moment,
    term,
)


@pytest.mark.parametrize(
    ("side", "kind", "trigger", "near", "hit"),
    [
        (SELL, OrderKind.STOP_LOSS, "990", "990.1", "990"),
        (BUY, OrderKind.STOP_LOSS, "1010", "1009.9", "1010"),
        (SELL, OrderKind.TAKE_PROFIT, "1010", "1009.9", "1010"),
        (BUY, OrderKind.TAKE_PROFIT, "990", "990.1", "990"),
    ],
)
def test_trigger_fires_when_the_last_trade_reaches_it(side, kind, trigger, near, hit):
    venue = a_venue()
    placed = venue.add_order("alpha", an_order(side, kind, price=trigger), moment())
    assert venue.balances("alpha")["BTC"].held == 0
    assert fills(venue.apply_step(a_step(2, prints=[(SELL, near, "1")]), WALL)) == []
    events = venue.apply_step(a_step(3, prints=[(SELL, hit, "1")]), WALL)
    assert kinds(events, placed.txid) == [
        ExecutionType.STATUS,
        ExecutionType.TRADE,
        ExecutionType.FILLED,
    ]
    order = venue.order("alpha", placed.txid)
    assert order.misc == (("stopped",) if kind is OrderKind.STOP_LOSS else ("touched",))


def test_fired_stop_takes_from_the_book_that_the_step_ends_with():
    venue = a_venue()
    venue.add_order("alpha", an_order(SELL, OrderKind.STOP_LOSS, price="990"), moment())
    step = a_step(2, bids=(("950", "5"),), asks=(("951", "5"),), prints=[(SELL, "980", "1")])
    assert [e.price for e in fills(venue.apply_step(step, WALL))] == [Decimal(950)]


def test_stop_limit_rests_at_its_limit_after_the_trigger():
    venue = a_venue()
    request = an_order(SELL, OrderKind.STOP_LOSS_LIMIT, price="990", price2="985")
    placed = venue.add_order("alpha", request, moment())
    step = a_step(2, bids=(("980", "5"),), asks=(("986", "5"),), prints=[(SELL, "989", "1")])
    assert fills(venue.apply_step(step, WALL)) == []
    order = venue.order("alpha", placed.txid)
    assert (order.status, order.triggered) == (VenueOrderStatus.OPEN, True)
    assert venue.balances("alpha")["BTC"].held == 1
    events = venue.apply_step(a_step(3, prints=[(BUY, "985", "5")], bids=(("984", "1"),)), WALL)
    assert [e.price for e in fills(events)] == [Decimal(985)]


def test_trailing_stop_follows_only_favourably():
    venue = a_venue()
    placed = venue.add_order(
        "alpha", an_order(SELL, OrderKind.TRAILING_STOP, price="+10"), moment()
    )
    triggers = [venue.order("alpha", placed.txid).trigger_price]
    for number, price in enumerate(("1005", "996", "1004"), start=2):
        venue.apply_step(a_step(number, prints=[(BUY, price, "1")]), WALL)
        triggers.append(venue.order("alpha", placed.txid).trigger_price)
    assert triggers == [Decimal(x) for x in ("990", "995", "995", "995")]
    events = venue.apply_step(a_step(9, prints=[(SELL, "995", "1")]), WALL)
    assert len(fills(events)) == 1


def test_trailing_stop_limit_takes_its_limit_from_the_trigger():
    venue = a_venue()
    request = an_order(SELL, OrderKind.TRAILING_STOP_LIMIT, price="+1%", price2="-2")
    placed = venue.add_order("alpha", request, moment())
    venue.apply_step(a_step(2, prints=[(SELL, "989", "1")]), WALL)
    order = venue.order("alpha", placed.txid)
    assert (order.trigger_price, order.limit_price) == (Decimal(990), Decimal(988))


@pytest.mark.parametrize("fires", [True, False])
def test_stop_on_the_wrong_side_fires_at_once_or_is_canceled(fires):
    venue = a_venue(options=VenueOptions(wrong_side_stop_fires=fires))
    placed = venue.add_order("alpha", an_order(SELL, OrderKind.STOP_LOSS, price="1005"), moment())
    if fires:
        assert placed.order.status is VenueOrderStatus.CLOSED
    else:
        assert placed.order.reason == "Order would trigger immediately"


def test_stop_without_coins_fails_only_when_it_fires():
    venue = a_venue()
    stop = an_order(SELL, OrderKind.STOP_LOSS, volume="5", price="990")
    placed = venue.add_order("alpha", stop, moment())
    venue.add_order("alpha", an_order(SELL, OrderKind.MARKET, volume="1"), moment())
    venue.apply_step(a_step(2, prints=[(SELL, "990", "1")]), WALL)
    order = venue.order("alpha", placed.txid)
    assert (order.status, order.reason) == (VenueOrderStatus.CANCELED, "Insufficient funds")


def test_resting_stops_may_place_holds():
    venue = a_venue(options=VenueOptions(stops_place_holds=True))
    venue.add_order("alpha", an_order(SELL, OrderKind.STOP_LOSS, volume="2", price="990"), moment())
    assert venue.balances("alpha")["BTC"].held == 2


@pytest.mark.parametrize("holds", [True, False])
def test_a_target_cannot_rest_beside_the_stop_of_the_same_coins(*, holds):
    """Either the target is refused, or it takes from the stop the coins that it would sell."""
    venue = a_venue(options=VenueOptions(stops_place_holds=holds))
    coins = str(venue.balances("alpha")["BTC"].total)
    stop = an_order(SELL, OrderKind.STOP_LOSS, volume=coins, price="990")
    stop_id = venue.add_order("alpha", stop, moment()).txid
    target = an_order(SELL, volume=coins, price="1100", post_only=True)
    if holds:
        with pytest.raises(VenueError) as caught:
            venue.add_order("alpha", target, moment())
        assert caught.value.text == "EOrder:Insufficient funds"
        return
    venue.add_order("alpha", target, moment())
    venue.apply_step(a_step(2, prints=[(SELL, "990", "1")]), WALL)
    order = venue.order("alpha", stop_id)
    assert (order.status, order.reason) == (VenueOrderStatus.CANCELED, "Insufficient funds")


def test_each_fill_bears_its_own_child_of_its_size():
    venue = a_venue()
    close = CloseTerms(OrderKind.STOP_LOSS, term("950"))
    request = an_order(kind=OrderKind.MARKET, volume="1.5", close=close, userref=42)
    placed = venue.add_order("alpha", request, moment())
    children = [o for o in venue.open_orders("alpha") if o.parent == placed.txid]
    assert [c.volume for c in children] == [Decimal(1), Decimal("0.5")]
    assert {c.side for c in children} == {SELL}
    assert {c.userref for c in children} == {42}
    assert {c.cl_ord_id for c in children} == {None}
    assert placed.close_description == "close position @ stop loss 950.0"


def test_canceling_the_rest_of_the_parent_leaves_children_alive():
    venue = a_venue()
    close = CloseTerms(OrderKind.STOP_LOSS, term("950"))
    placed = venue.add_order("alpha", an_order(volume="2", price="1001", close=close), moment())
    venue.cancel("alpha", moment(), txid=placed.txid)
    assert [o.parent for o in venue.open_orders("alpha")] == [placed.txid]


def test_fill_below_the_minimum_bears_no_child():
    venue = a_venue()
    venue.apply_step(a_step(2, asks=(("1001", "0.00005"), ("1002", "1"))), WALL)
    close = CloseTerms(OrderKind.STOP_LOSS, term("950"))
    request = an_order(kind=OrderKind.MARKET, volume="0.5", close=close)
    venue.add_order("alpha", request, moment(2))
    assert [o.volume for o in venue.open_orders("alpha")] == [Decimal("0.49995")]


def test_child_prices_may_be_relative_to_the_primary_and_inheritance_is_switchable():
    venue = a_venue(options=VenueOptions(children_inherit_userref=False))
    close = CloseTerms(OrderKind.STOP_LOSS_LIMIT, term("-2%"), term("-3%"))
    request = an_order(volume="1", price="1001", close=close, userref=9)
    venue.add_order("alpha", request, moment())
    (child,) = venue.open_orders("alpha")
    assert (child.trigger_price, child.limit_price) == (Decimal("981.0"), Decimal("971.0"))
    assert child.userref is None


def test_stop_moves_in_place_by_an_amend():
    venue = a_venue()
    placed = venue.add_order("alpha", an_order(SELL, OrderKind.STOP_LOSS, price="990"), moment())
    change = AmendRequest(txid=placed.txid, volume=Decimal(2), trigger_price=term("995"))
    amended = venue.amend("alpha", change, moment(1, 20))
    assert (amended.order.trigger_price, amended.order.volume) == (Decimal(995), Decimal(2))
    assert kinds(amended.events) == [ExecutionType.AMENDED]
    assert [a.amend_type for a in venue.amends("alpha", placed.txid)] == ["original", "user"]
    events = venue.apply_step(a_step(2, prints=[(SELL, "995", "1")]), WALL)
    assert sum(e.quantity for e in fills(events)) == 2
