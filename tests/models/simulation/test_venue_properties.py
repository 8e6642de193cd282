"""Whatever happens, nothing is created or lost, nothing fills outside the book, replay is exact."""

import json
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.simulation.engine.orders import (
    AmendRequest,
    CloseTerms,
    EditRequest,
    ForceKind,
    Moment,
    OrderKind,
    OrderRequest,
    PriceTerm,
    SelfTradePrevention,
)
from models.simulation.errors import VenueError
from models.simulation.steps import Level, MarketStep, Print, SymbolStep
from models.trading.orders import Side
from tests.models.simulation.venue_builders import (
    BTC,
    BUY,
    ETH,
    SELL,
    START,
    WALL,
    a_venue,
    an_order,
    fills,
)

TICK = Decimal("0.5")
grid = st.integers(min_value=-6, max_value=6)
quantities = st.sampled_from(
    [Decimal(x) for x in ("0.0001", "0.05", "0.3333", "1.00000001", "2.5", "7")]
)
sides = st.sampled_from(list(Side))
accounts = st.sampled_from(["alpha", "beta"])


def price_at(center, offset):
    return Decimal(1000) + (center + offset) * TICK


@st.composite
def a_market_move(draw):
    center = draw(st.integers(min_value=-12, max_value=12))
    prints = [
        Print(draw(sides), price_at(center, draw(grid)), draw(quantities))
        for _ in range(draw(st.integers(0, 3)))
    ]
    book = {}
    for side, sign in ((Side.BUY, -1), (Side.SELL, 1)):
        steps = sorted(draw(st.sets(st.integers(1, 5), max_size=4)))
        book[side] = tuple(Level(price_at(center, sign * n), draw(quantities)) for n in steps)
    return ("step", tuple(prints), book[Side.BUY], book[Side.SELL])


@st.composite
def a_request(draw):
    kind = draw(st.sampled_from(list(OrderKind)))
    side = draw(sides)
    volume = draw(quantities)
    price = price2 = shown = None
    if kind.is_trailing:
        price = PriceTerm(draw(st.sampled_from([Decimal("0.5"), Decimal(2)])), "+")
        price2 = PriceTerm(Decimal(1), draw(st.sampled_from("+-")))
        price2 = price2 if kind.is_priced else None
    elif kind is not OrderKind.MARKET:
        price = PriceTerm(price_at(0, 2 * draw(grid)))
        if kind not in (OrderKind.LIMIT, OrderKind.ICEBERG) and kind.is_priced:
            price2 = PriceTerm(price_at(0, 2 * draw(grid)))
    if kind is OrderKind.ICEBERG:
        shown = volume
    close = None
    if draw(st.booleans()):
        close = CloseTerms(OrderKind.STOP_LOSS, PriceTerm(price_at(0, 3 * draw(grid))))
    plain = kind in (OrderKind.LIMIT, OrderKind.ICEBERG)
    force = draw(st.sampled_from([ForceKind.GTC, ForceKind.IOC, ForceKind.FOK]))
    return OrderRequest(
        symbol=BTC,
        side=side,
        kind=kind,
        volume=volume,
        price=price,
        price2=price2,
        display_volume=shown,
        post_only=plain and draw(st.integers(0, 4)) == 0,
        fee_in_base=draw(st.booleans()),
        time_in_force=force if kind.is_priced and draw(st.booleans()) else ForceKind.GTC,
        self_trade=draw(st.sampled_from(list(SelfTradePrevention))),
        close=close,
        userref=draw(st.sampled_from([None, 1, 2])),
    )


actions = st.one_of(
    a_market_move(),
    st.tuples(st.just("add"), accounts, a_request()),
    st.tuples(st.just("add"), accounts, a_request()),
    st.tuples(st.just("cancel"), accounts, st.integers(0, 5)),
    st.tuples(st.just("amend"), accounts, st.integers(0, 5), quantities, grid),
    st.tuples(st.just("edit"), accounts, st.integers(0, 5), quantities),
    st.tuples(st.just("cancel_all"), accounts),
)


class Driver:
    """Play actions on a venue and collect what it said, refusals included."""

    def __init__(self, venue, count=1):
        self.venue = venue
        self.count = count
        self.said = []

    def play(self, action):
        self.count += 1
        now = Moment(START + timedelta(seconds=self.count), WALL + timedelta(hours=self.count))
        try:
            events = list(getattr(self, action[0])(now, *action[1:]))
        except VenueError as refusal:
            self.said.append(refusal.text)
            return []
        self.said.append(repr(events))
        return events

    def step(self, now, prints, bids, asks):
        one = SymbolStep(BTC, prints, bids, asks)
        return self.venue.apply_step(MarketStep(self.count, now.market, (one,)), now.wall)

    def add(self, now, account, request):
        return self.venue.add_order(account, request, now).events

    def pick(self, account, index):
        live = self.venue.open_orders(account)
        return live[index % len(live)].txid if live else "OAAAAA-AAAAA-AAAAAA"

    def cancel(self, now, account, index):
        return self.venue.cancel(account, now, txid=self.pick(account, index)).events

    def amend(self, now, account, index, volume, offset):
        order = self.venue.order(account, self.pick(account, index))
        price = PriceTerm(price_at(0, offset)) if order and order.limit_price else None
        request = AmendRequest(txid=self.pick(account, index), volume=volume, limit_price=price)
        return self.venue.amend(account, request, now).events

    def edit(self, now, account, index, volume):
        request = EditRequest(self.pick(account, index), BTC, volume=volume)
        return self.venue.edit(account, request, now).events

    def cancel_all(self, now, account):
        return self.venue.cancel_all(account, now).events


def assert_sound(venue):
    totals = defaultdict(Decimal)
    for asset, amount in venue._exchange_state.counterparty.items():
        totals[asset] += amount
    for name in venue.accounts:
        held = defaultdict(Decimal)
        booked = defaultdict(Decimal)
        for order in venue.open_orders(name):
            held["USD" if order.side is Side.BUY else "BTC"] += order.held
            assert order.executed < order.volume
        for entry in venue.ledger(name):
            booked[entry.asset] += entry.amount - entry.fee
            assert entry.balance == booked[entry.asset]
        for asset, balance in venue.balances(name).items():
            totals[asset] += balance.total
            assert balance.total == booked[asset]
            assert balance.held == held[asset]
            assert 0 <= balance.held <= balance.total
        executed = defaultdict(Decimal)
        for execution in venue.executions(name):
            executed[execution.order_txid] += execution.quantity
        for order in venue.all_orders(name):
            assert order.executed == executed[order.txid]
            assert order.status.is_live or order.held == 0
    assert totals == {"USD": Decimal(200000), "BTC": Decimal(10)}
    book = venue.book(BTC)
    if book.bids and book.asks:
        assert book.bids[0].price < book.asks[0].price


@settings(max_examples=150, deadline=None)
@given(st.lists(actions, max_size=25))
def test_every_asset_is_conserved_and_every_hold_explained(sequence):
    driver = Driver(a_venue())
    for action in sequence:
        driver.play(action)
        assert_sound(driver.venue)


BID_THAT_RESTS_MEANWHILE = (
    [("add", "alpha", an_order(SELL, OrderKind.TAKE_PROFIT, price="1001"))],
    "beta",
    an_order(BUY, OrderKind.LIMIT, "3", price="1001"),
)
"""What beta does not get at 1001 rests there; its own trade has fired alpha's sale."""

TRAILING_STOP_THAT_RESTS_MEANWHILE = (
    [("add", "alpha", an_order(SELL, OrderKind.TRAILING_STOP_LIMIT, price="+1", price2="+1"))],
    "beta",
    an_order(
        SELL,
        OrderKind.MARKET,
        close=CloseTerms(OrderKind.TAKE_PROFIT, PriceTerm(Decimal(1000))),
    ),
)
"""Beta's sale at 999 fires alpha's stop, which rests at 1000; beta's close takes from it."""


@settings(max_examples=100, deadline=None)
@given(st.lists(actions, max_size=15), accounts, a_request())
@example(*BID_THAT_RESTS_MEANWHILE)
@example(*TRAILING_STOP_THAT_RESTS_MEANWHILE)
def test_an_order_takes_only_what_the_public_book_showed(sequence, account, request):
    """What trades is the quantity shown before, or that of an order that came to rest since.

    The reference of a stop is the last trade (kraken-protocol §8.5): a trade may fire orders, and
    what they become, or what is left of the order itself, may rest before the next one takes it.
    """
    driver = Driver(a_venue())
    for action in sequence:
        driver.play(action)
    before = driver.venue.book(BTC)
    best = {Side.BUY: before.asks, Side.SELL: before.bids}
    rested = {o.txid for o in resting_orders(driver.venue)}
    events = driver.play(("add", account, request))
    executions = fills(events)
    makers = {execution.trade_id: execution for execution in executions if execution.maker}
    taken = defaultdict(Decimal)
    for execution in executions:
        order = driver.venue.order(execution.account, execution.order_txid)
        maker = makers.get(execution.trade_id)
        if maker is None or maker.order_txid in rested:
            taken[execution.side, execution.price] += execution.quantity * (not execution.maker)
        elif execution is maker:
            # It was not shown before, so it rests by now: at its limit, for as long as it may.
            assert execution.price == order.limit_price
            assert order.time_in_force is ForceKind.GTC
        if order.limit_price is not None:
            limit = order.limit_price
            inside = (
                execution.price <= limit if order.side is Side.BUY else execution.price >= limit
            )
            assert inside
    for (side, price), quantity in taken.items():
        shown = {level.price: level.quantity for level in best[side]}
        assert quantity <= shown.get(price, 0)


def resting_orders(venue):
    """Return the orders of all accounts that lie in the book."""
    live = (order for name in venue.accounts for order in venue.open_orders(name))
    return [o for o in live if o.limit_price is not None and not o.waits_for_trigger]


@pytest.mark.parametrize(
    ("situation", "taker", "price"),
    [
        (BID_THAT_RESTS_MEANWHILE, "alpha", "1001"),
        (TRAILING_STOP_THAT_RESTS_MEANWHILE, "beta", "1000"),
    ],
    ids=["rest of the order itself", "trailing stop limit"],
)
def test_an_order_that_comes_to_rest_is_taken_by_the_next_one(situation, taker, price):
    """A fired stop is an order like every other (§8.5), matched by price and time (§8.4)."""
    sequence, account, request = situation
    driver = Driver(a_venue())
    for action in sequence:
        driver.play(action)
    maker = "beta" if taker == "alpha" else "alpha"
    last = sorted(fills(driver.play(("add", account, request)))[-2:], key=lambda one: one.maker)
    assert [(one.account, one.maker) for one in last] == [(taker, False), (maker, True)]
    assert {(one.price, one.quantity) for one in last} == {(Decimal(price), Decimal(1))}


@settings(max_examples=80, deadline=None)
@given(st.lists(actions, max_size=12), st.lists(actions, max_size=12))
def test_a_restored_venue_goes_on_exactly_as_the_original(before, after):
    original = Driver(a_venue())
    for action in before:
        original.play(action)
    original.venue.advance(Moment(START, WALL))
    text = json.dumps(original.venue.state())
    twin = Driver(a_venue(market=False), original.count)
    twin.venue.restore(json.loads(text))
    assert json.dumps(twin.venue.state()) == text
    original.said.clear()
    for action in after:
        original.play(action)
        twin.play(action)
    assert twin.said == original.said
    assert twin.venue.state() == original.venue.state()


@settings(max_examples=50, deadline=None)
@given(st.lists(a_request(), min_size=1, max_size=8), st.data())
def test_ids_of_an_account_do_not_depend_on_other_accounts(requests, data):
    alone, together = Driver(a_venue()), Driver(a_venue())
    elsewhere = OrderRequest(ETH, Side.BUY, OrderKind.LIMIT, Decimal(1), PriceTerm(Decimal(1)))
    for request in requests:
        if data.draw(st.booleans()):
            together.play(("add", "beta", elsewhere))
        alone.play(("add", "alpha", request))
        together.play(("add", "alpha", request))

    def ids(driver):
        venue = driver.venue
        orders = [order.txid for order in venue.all_orders("alpha")]
        entries = [entry.txid for entry in venue.ledger("alpha")]
        return orders, [e.txid for e in venue.executions("alpha")], entries

    assert ids(alone) == ids(together)
