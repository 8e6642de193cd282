"""Matching: levels, price-time priority, queues behind others, self-trade prevention."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from models.simulation.engine.book import opposite
from models.simulation.engine.orders import (
    ForceKind,
    Moment,
    OrderKind,
    SelfTradePrevention,
    VenueOrderStatus,
)
from models.simulation.events import ExecutionType, PublicTrade
from models.simulation.markets.instruments import UNIVERSE
from models.simulation.markets.replay import ReplayMarket
from models.simulation.outcomes import VenueOptions
from models.simulation.venue import Venue
from models.trading.market import Candle
from tests.models.simulation.venue_builders import (
    BTC,
    BUY,
    SELL,
    WALL,
    a_step,
    a_venue,
    an_account,
    an_order,
    fills,
    kinds,
    moment,
)


def prices_and_quantities(executions):
    return [(str(one.price), f"{one.quantity.normalize():f}") for one in executions]


def test_market_order_takes_several_levels_at_resting_prices():
    venue = a_venue()
    placed = venue.add_order("alpha", an_order(kind=OrderKind.MARKET, volume="1.5"), moment())
    assert prices_and_quantities(fills(placed.events)) == [("1001", "1"), ("1002", "0.5")]
    assert placed.order.status is VenueOrderStatus.CLOSED
    assert kinds(placed.events, placed.txid) == [
        ExecutionType.PENDING_NEW,
        ExecutionType.NEW,
        ExecutionType.TRADE,
        ExecutionType.TRADE,
        ExecutionType.FILLED,
    ]
    assert [e.trade_id for e in fills(placed.events)] == [2, 3]


def test_liquidity_taken_stays_taken_until_the_next_step():
    venue = a_venue()
    venue.add_order("alpha", an_order(kind=OrderKind.MARKET, volume="1"), moment())
    assert venue.book(BTC).asks[0].price == Decimal(1002)
    second = venue.add_order("beta", an_order(kind=OrderKind.MARKET, volume="1"), moment())
    assert prices_and_quantities(fills(second.events)) == [("1002", "1")]
    venue.apply_step(a_step(2), WALL)
    assert venue.book(BTC).asks[0].price == Decimal(1001)


def test_market_order_beyond_the_book_is_canceled_with_what_it_got():
    venue = a_venue()
    placed = venue.add_order("alpha", an_order(kind=OrderKind.MARKET, volume="10"), moment())
    assert placed.order.status is VenueOrderStatus.CANCELED
    assert placed.order.executed == 3
    assert placed.order.reason == "Market price protection"
    assert placed.order.misc == ("partial",)


def test_market_order_stops_at_the_price_protection():
    venue = a_venue()
    venue.apply_step(a_step(2, asks=(("1001", "1"), ("1200", "5"))), WALL)
    placed = venue.add_order("alpha", an_order(kind=OrderKind.MARKET, volume="2"), moment(2))
    assert placed.order.executed == 1
    assert placed.order.status is VenueOrderStatus.CANCELED


def test_limit_order_takes_up_to_its_price_and_rests_the_remainder():
    venue = a_venue()
    placed = venue.add_order("alpha", an_order(volume="2", price="1001"), moment())
    assert prices_and_quantities(fills(placed.events)) == [("1001", "1")]
    assert placed.order.status is VenueOrderStatus.OPEN
    assert venue.book(BTC).bids[0].quantity == 1


def test_immediate_or_cancel_never_rests_and_fill_or_kill_is_all_or_nothing():
    venue = a_venue()
    ioc = an_order(volume="2", price="1001", time_in_force=ForceKind.IOC)
    fok = an_order(volume="3", price="1002", time_in_force=ForceKind.FOK)
    killed = venue.add_order(
        "beta", an_order(volume="4", price="1002", time_in_force=ForceKind.FOK), moment()
    )
    assert killed.order.status is VenueOrderStatus.CANCELED
    assert killed.order.executed == 0
    filled = venue.add_order("beta", fok, moment())
    assert filled.order.status is VenueOrderStatus.CLOSED
    venue.apply_step(a_step(2), WALL)
    part = venue.add_order("alpha", ioc, moment(2))
    assert (part.order.status, part.order.executed) == (VenueOrderStatus.CANCELED, 1)


def test_post_only_that_would_take_is_accepted_and_canceled_at_once():
    venue = a_venue()
    placed = venue.add_order("alpha", an_order(price="1001", post_only=True), moment())
    assert placed.txid is not None
    assert placed.order.status is VenueOrderStatus.CANCELED
    assert placed.order.reason == "Post only order"
    assert fills(placed.events) == []
    rests = venue.add_order("alpha", an_order(price="1000.9", post_only=True), moment())
    assert rests.order.status is VenueOrderStatus.OPEN


def test_resting_order_waits_behind_the_liquidity_that_was_there():
    venue = a_venue()
    placed = venue.add_order("alpha", an_order(volume="1", price="999"), moment())
    events = venue.apply_step(a_step(2, prints=[(SELL, "999", "0.4")]), WALL)
    assert fills(events) == []
    assert venue.order("alpha", placed.txid).ahead == Decimal("0.6")
    events = venue.apply_step(a_step(3, prints=[(SELL, "999", "0.7")]), WALL)
    assert prices_and_quantities(fills(events)) == [("999", "0.1")]
    assert fills(events)[0].maker
    tape = [e.quantity for e in events if isinstance(e, PublicTrade)]
    assert sum(tape) == Decimal("0.7")


def test_queue_shrinks_with_the_level_but_never_grows():
    venue = a_venue()
    placed = venue.add_order("alpha", an_order(price="999"), moment())
    venue.apply_step(a_step(2, bids=(("999", "0.2"),)), WALL)
    assert venue.order("alpha", placed.txid).ahead == Decimal("0.2")
    venue.apply_step(a_step(3, bids=(("999", "9"),)), WALL)
    assert venue.order("alpha", placed.txid).ahead == Decimal("0.2")


def test_print_at_the_price_by_a_taker_of_the_same_side_fills_nothing():
    venue = a_venue()
    venue.add_order("alpha", an_order(price="1000"), moment())
    assert fills(venue.apply_step(a_step(2, prints=[(BUY, "1000", "5")]), WALL)) == []


def test_print_through_the_price_fills_a_share_of_its_volume_at_the_order_price():
    venue = a_venue()
    placed = venue.add_order("alpha", an_order(volume="2", price="999"), moment())
    events = venue.apply_step(a_step(2, prints=[(BUY, "998.9", "0.1")]), WALL)
    assert prices_and_quantities(fills(events)) == [("999", "0.025")]
    tape = [e.quantity for e in events if isinstance(e, PublicTrade)]
    assert sum(tape) == Decimal("0.1"), "what is filled is part of what was printed"
    assert venue.order("alpha", placed.txid).remaining == Decimal("1.975")


def test_a_print_gives_all_that_rests_its_share_once():
    venue = a_venue()
    for account, price in (("alpha", "999.5"), ("beta", "999.5"), ("alpha", "999.2")):
        venue.add_order(account, an_order(volume="1", price=price), moment())
    events = venue.apply_step(a_step(2, prints=[(SELL, "999.2", "6")]), WALL)
    assert prices_and_quantities(fills(events)) == [("999.5", "1"), ("999.5", "0.5")]
    whole = a_venue(options=VenueOptions(resting_share=Decimal(1)))
    whole.add_order("alpha", an_order(volume="2", price="999.5"), moment())
    events = whole.apply_step(a_step(2, prints=[(SELL, "999.2", "6")]), WALL)
    assert prices_and_quantities(fills(events)) == [("999.5", "2")]


@pytest.mark.parametrize(
    ("side", "path", "limit", "improves", "price"),
    [
        # The step went from 1000 through 1004 to 1008, where bids begin at 1007.
        (SELL, ("1004", "1008"), "1005", False, "1005"),
        (SELL, ("1004", "1008"), "1005", True, "1007"),
        # A limit that the step did not pass is filled at the book.
        (SELL, ("1004", "1008"), "999", False, "1007"),
        (BUY, ("996", "992"), "995", False, "995"),
        (BUY, ("996", "992"), "1003", False, "994"),
    ],
)
def test_on_candles_no_order_fills_better_than_a_limit_that_the_step_has_passed(
    side, path, limit, improves, price
):
    venue = a_venue(options=VenueOptions(improves_past_limit=improves))
    last = Decimal(path[-1])
    book = {"bids": ((str(last - 1), "1"),), "asks": ((str(last + 2), "1"),)}
    venue.apply_step(a_step(2, prints=[(opposite(side), p, "1") for p in path], **book), WALL)
    taking = an_order(side, volume="0.5", price=limit, time_in_force=ForceKind.IOC)
    placed = venue.add_order("alpha", taking, moment(2))
    assert prices_and_quantities(fills(placed.events)) == [(price, "0.5")]


def test_an_order_that_takes_at_once_is_cancelled_over_the_rest():
    venue = a_venue()
    taking = an_order(volume="2", price="1001.5", time_in_force=ForceKind.IOC)
    placed = venue.add_order("alpha", taking, moment())
    assert prices_and_quantities(fills(placed.events)) == [("1001", "1")]
    assert placed.order.status is VenueOrderStatus.CANCELED
    assert (placed.order.executed, placed.order.held) == (1, 0)
    assert venue.book(BTC).bids[0].price == 999, "nothing of it rests"


def test_order_beyond_the_visible_book_needs_a_print_through_it_or_a_seen_queue():
    venue = a_venue()
    placed = venue.add_order("alpha", an_order(price="900"), moment())
    assert venue.order("alpha", placed.txid).ahead is None
    assert fills(venue.apply_step(a_step(2, prints=[(SELL, "900", "9")]), WALL)) == []
    venue.apply_step(a_step(3, bids=(("901", "1"), ("900", "2")), asks=(("902", "1"),)), WALL)
    assert venue.order("alpha", placed.txid).ahead == 2
    assert len(fills(venue.apply_step(a_step(4, prints=[(SELL, "900", "3")]), WALL))) == 1


def test_new_book_that_crosses_a_resting_order_fills_it_as_maker():
    venue = a_venue()
    venue.add_order("alpha", an_order(volume="2", price="1000"), moment())
    events = venue.apply_step(a_step(2, bids=(("990", "1"),), asks=(("995", "0.5"),)), WALL)
    assert prices_and_quantities(fills(events)) == [("1000", "0.125")]
    assert venue.book(BTC).bids[0].quantity == Decimal("1.875")
    assert venue.book(BTC).asks == ()


def test_new_book_that_crosses_a_resting_sale_fills_it_as_maker():
    venue = a_venue()
    venue.add_order("alpha", an_order(SELL, volume="2", price="1000"), moment())
    events = venue.apply_step(a_step(2, bids=(("1003", "0.5"),), asks=(("1004", "1"),)), WALL)
    assert prices_and_quantities(fills(events)) == [("1000", "0.125")]
    assert venue.book(BTC).bids == ()


def test_own_orders_match_each_other_in_price_then_time():
    venue = a_venue()
    first = venue.add_order("alpha", an_order(volume="1", price="1000"), moment())
    venue.add_order("alpha", an_order(volume="1", price="1000"), moment())
    better = venue.add_order("alpha", an_order(volume="0.5", price="1000.5"), moment())
    sold = venue.add_order("beta", an_order(SELL, volume="1", price="1000"), moment())
    makers = [(e.order_txid, str(e.quantity)) for e in fills(sold.events, "alpha")]
    assert makers == [(better.txid, "0.5"), (first.txid, "0.5")]
    assert all(e.maker for e in fills(sold.events, "alpha"))
    assert not any(e.maker for e in fills(sold.events, "beta"))


def test_others_ahead_at_the_price_are_taken_before_an_own_order():
    venue = a_venue()
    venue.add_order("alpha", an_order(volume="1", price="999"), moment())
    sold = venue.add_order("beta", an_order(SELL, volume="1.25", price="999"), moment())
    assert prices_and_quantities(fills(sold.events, "beta")) == [("999", "1"), ("999", "0.25")]
    assert prices_and_quantities(fills(sold.events, "alpha")) == [("999", "0.25")]


def test_self_trade_prevention_cancels_what_it_was_told_to():
    outcomes = {}
    for mode in SelfTradePrevention:
        venue = a_venue()
        resting = venue.add_order("alpha", an_order(price="1000"), moment())
        taker = venue.add_order("alpha", an_order(SELL, price="1000", self_trade=mode), moment())
        assert fills(taker.events) == []
        outcomes[mode.value] = (
            venue.order("alpha", resting.txid).status.value,
            venue.order("alpha", taker.txid).status.value,
        )
    assert outcomes == {
        "cancel-newest": ("open", "canceled"),
        "cancel-oldest": ("canceled", "open"),
        "cancel-both": ("canceled", "canceled"),
    }


def test_iceberg_shows_only_its_visible_part():
    venue = a_venue()
    shown = an_order(
        kind=OrderKind.ICEBERG, volume="3", price="1000", display_volume=Decimal("0.5")
    )
    venue.add_order("alpha", shown, moment())
    assert venue.book(BTC).bids[0].quantity == Decimal("0.5")


def test_public_trades_are_numbered_without_gap():
    venue = a_venue()
    events = list(
        venue.apply_step(a_step(2, prints=[(BUY, "1000", "1"), (SELL, "999", "1")]), WALL)
    )
    events += venue.add_order(
        "alpha", an_order(kind=OrderKind.MARKET, volume="2"), moment(2)
    ).events
    numbers = [e.trade_id for e in events if isinstance(e, PublicTrade)]
    assert numbers == list(range(2, 2 + len(numbers)))
    assert venue.last_trade_id(BTC) == numbers[-1]
    assert venue.last_trade(BTC) == Decimal(1002)


@pytest.mark.parametrize(("improves", "better"), [(True, True), (False, False)])
def test_a_target_inside_a_candle_is_sold_at_the_target_and_not_where_the_step_ends(
    improves, better
):
    at = datetime(2026, 8, 1, tzinfo=UTC)
    figures = (Decimal(price) for price in ("60000", "61234.5", "59876", "61000"))
    candle = Candle(BTC, 15, at, *figures, Decimal(50))
    universe = UNIVERSE.only([BTC])
    market = ReplayMarket(universe, {BTC: [candle]}, seed=1)
    options = VenueOptions(improves_past_limit=improves)
    venue = Venue(universe.instruments.values(), (an_account(),), 1, at, options)
    target = Decimal("60500.0")
    while venue.last_trade(BTC) is None or venue.last_trade(BTC) < target:
        venue.apply_step(market.next_step(), WALL)
    price = str(target)
    taking = an_order(SELL, volume="0.1", price=price, time_in_force=ForceKind.IOC)
    placed = venue.add_order("alpha", taking, Moment(venue.market_time, WALL))
    (fill,) = fills(placed.events)
    assert (fill.price > target) is better
    assert fill.price >= target
