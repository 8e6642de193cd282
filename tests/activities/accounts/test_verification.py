"""Every planted difference is found, under its own name, and a clean pair of records is clean."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.accounts import verification
from activities.accounts.compared_records import (
    ExchangeOrder,
    ExchangeRecord,
    Minimum,
    OwnOrder,
    OwnRecord,
)
from activities.accounts.verification import compare
from activities.execution.timeouts import order_timeouts
from models.trading.orders import Fill, OrderStatus, Side

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SYMBOLS = ("BTC/USD", "ETH/USD")
MINIMUMS = {symbol: Minimum(Decimal("0.001"), Decimal("0.05")) for symbol in SYMBOLS}
ZERO = Decimal(0)


class Books:
    """Both records of an account, written side by side as its trades go."""

    def __init__(self):
        self.orders, self.own, self.fills = [], [], []

    def order(self, trade, side, kind, quantity, filled, symbol, *, attached=False, parent=None):
        number = len(self.orders) + 1
        done = filled == quantity
        status = OrderStatus.CLOSED if done else OrderStatus.OPEN
        name = f"O{number}" if parent else f"client-{number}"
        self.orders.append(
            ExchangeOrder(
                order_id=f"O{number}",
                client_order_id=None if attached or parent else name,
                userref=number if attached else None,
                parent_order_id=parent,
                symbol=symbol,
                side=side,
                order_type=kind,
                status=status,
                quantity=quantity,
                filled_quantity=filled,
            )
        )
        self.own.append(OwnOrder(name, trade, f"O{number}", status, number, 1, attached, 60))
        if filled:
            cost = filled * 100
            fill = Fill(
                f"T{number}",
                f"O{number}",
                symbol,
                side,
                filled,
                Decimal(100),
                cost,
                cost / 250,
                NOW,
            )
            self.fills.append(fill)
        return f"O{number}"

    def trade(self, number, symbol, quantity, sold, *, attached):
        """Buy, sell a part (through an exit), protect the rest."""
        entry = self.order(number, Side.BUY, "limit", quantity, quantity, symbol, attached=attached)
        if sold:
            self.order(number, Side.SELL, "market", sold, sold, symbol)
        if quantity > sold:
            parent = entry if attached else None
            self.order(number, Side.SELL, "stop-loss", quantity - sold, ZERO, symbol, parent=parent)

    def records(self):
        sums = {"USD": Decimal(1000)}
        for fill in self.fills:
            sign = 1 if fill.side is Side.BUY else -1
            asset = fill.symbol.split("/")[0]
            sums[asset] = sums.get(asset, ZERO) + sign * fill.quantity
            sums["USD"] -= sign * fill.cost + fill.fee
        exchange = ExchangeRecord(tuple(self.orders), tuple(self.fills), dict(sums), dict(sums))
        ours = OwnRecord(tuple(self.own), {f.execution_id: f for f in self.fills}, dict(sums))
        return exchange, ours


QUANTITIES = st.decimals("0.002", "5", places=3)


@st.composite
def some_books(draw, least=0):
    books = Books()
    for number in range(1, draw(st.integers(least, 4)) + 1):
        quantity = draw(QUANTITIES)
        sold = draw(st.sampled_from([ZERO, quantity, quantity / 2]))
        symbol = draw(st.sampled_from(SYMBOLS))
        books.trade(number, symbol, quantity, sold, attached=draw(st.booleans()))
    return books


def found(exchange, ours):
    return [(f.invariant, f.subject) for f in compare("company", exchange, ours, MINIMUMS)]


def changed(records, index, **changes):
    return (*records[:index], replace(records[index], **changes), *records[index + 1 :])


@given(some_books())
def test_clean_records_give_nothing(books):
    assert found(*books.records()) == []


@given(some_books(least=1), st.data())
def test_order_nobody_intended_is_found(books, data):
    exchange, ours = books.records()
    orphan = replace(
        exchange.orders[0],
        order_id="OX",
        client_order_id=data.draw(st.none() | st.just("stranger")),
        userref=data.draw(st.none() | st.just(999_999)),
        parent_order_id=None,
        side=data.draw(st.sampled_from(Side)),
        order_type="limit",
    )
    exchange = replace(exchange, orders=(*exchange.orders, orphan))
    assert found(exchange, ours) == [(verification.UNKNOWN_ORDERS, "OX")]


@given(some_books(least=1), st.data())
def test_order_the_exchange_does_not_have_is_found(books, data):
    exchange, ours = books.records()
    index = data.draw(st.integers(0, len(ours.orders) - 1))
    name = ours.orders[index].client_order_id
    orders = tuple(o for o in exchange.orders if o.order_id != ours.orders[index].order_id)
    findings = found(replace(exchange, orders=orders), ours)
    assert (verification.MISSING_ORDERS, name) in findings


@pytest.mark.parametrize(
    ("status", "age", "is_found"),
    [
        (OrderStatus.INTENDED, 8, True),
        (OrderStatus.UNKNOWN, 8, True),
        (OrderStatus.UNKNOWN, 7, False),
        (OrderStatus.REJECTED, 8, False),
        (OrderStatus.NOT_PLACED, 8, False),
    ],
)
def test_intent_without_an_order_is_found_unless_it_came_to_nothing(status, age, is_found):
    exchange, ours = Books().records()
    lost = OwnOrder("lost", 1, None, status, 7, 1, attached=False, age_seconds=age)
    findings = found(exchange, replace(ours, orders=(lost,)))
    assert findings == ([(verification.MISSING_ORDERS, "lost")] if is_found else [])


@pytest.mark.parametrize(("age", "is_found"), [(16, False), (18, True)])
def test_an_order_may_be_in_doubt_for_longer_where_the_market_waits(age, is_found):
    exchange, ours = Books().records()
    lost = OwnOrder("lost", 1, None, OrderStatus.UNKNOWN, 7, 1, attached=False, age_seconds=age)
    ours, patience = replace(ours, orders=(lost,)), order_timeouts(lockstep=True)
    found = verification.compare("company", exchange, ours, MINIMUMS, patience.proof_seconds)
    assert bool(found) is is_found


@given(some_books(least=1), st.data())
def test_second_order_for_one_intent_is_found(books, data):
    exchange, ours = books.records()
    candidates = [o for o in exchange.orders if o.parent_order_id is None]
    first = data.draw(st.sampled_from(candidates))
    twin = replace(first, order_id="OX", status=OrderStatus.CANCELED)
    findings = found(replace(exchange, orders=(*exchange.orders, twin)), ours)
    name = next(o.client_order_id for o in ours.orders if o.order_id == first.order_id)
    assert (verification.DOUBLED_ORDERS, name) in findings


@given(some_books(least=1), st.data())
def test_order_in_another_state_is_found(books, data):
    exchange, ours = books.records()
    index = data.draw(st.integers(0, len(ours.orders) - 1))
    status = ours.orders[index].status
    other = data.draw(st.sampled_from([OrderStatus.CANCELED, OrderStatus.REJECTED]))
    assert status is not other
    ours = replace(ours, orders=changed(ours.orders, index, status=other))
    expected = (verification.STATUS_DIFFERENCES, ours.orders[index].order_id)
    assert found(exchange, ours) == [expected]


def test_pending_and_open_are_no_difference():
    books = Books()
    books.order(1, Side.BUY, "limit", Decimal(1), ZERO, "BTC/USD")
    exchange, ours = books.records()
    ours = replace(ours, orders=changed(ours.orders, 0, status=OrderStatus.PENDING))
    assert found(exchange, ours) == []


@given(some_books(least=1), st.data())
def test_fill_that_differs_in_any_figure_is_found(books, data):
    exchange, ours = books.records()
    fill = data.draw(st.sampled_from(exchange.fills))
    figure = data.draw(
        st.sampled_from(["quantity", "price", "cost", "fee", "order_id", "symbol", "side"])
    )
    value = getattr(fill, figure)
    other = {"order_id": "OX", "symbol": "DOGE/USD"}.get(figure)
    if figure == "side":
        other = Side.SELL if value is Side.BUY else Side.BUY
    booked = replace(fill, **{figure: value + Decimal("1e-8") if other is None else other})
    ours = replace(ours, fills=ours.fills | {fill.execution_id: booked})
    assert found(exchange, ours) == [(verification.FILL_DIFFERENCES, fill.execution_id)]


@given(some_books(least=1), st.data())
def test_fill_on_one_side_only_is_found(books, data):
    exchange, ours = books.records()
    lost = data.draw(st.sampled_from(exchange.fills)).execution_id
    kept = {name: fill for name, fill in ours.fills.items() if name != lost}
    difference = (verification.FILL_DIFFERENCES, lost)
    assert found(exchange, replace(ours, fills=kept)) == [difference]
    theirs = replace(exchange, fills=tuple(f for f in exchange.fills if f.execution_id != lost))
    assert difference in found(theirs, ours)


@given(some_books(), st.data())
def test_balance_that_differs_is_found(books, data):
    exchange, ours = books.records()
    asset = data.draw(st.sampled_from(sorted(exchange.balances)))
    least = Decimal("0.01") if asset == "USD" else Decimal("1e-8")
    off = data.draw(st.sampled_from([least, -least, Decimal(100)]))
    other = ours.balances | {asset: ours.balances[asset] + off}
    difference = [(verification.BALANCE_DIFFERENCES, asset)]
    assert found(exchange, replace(ours, balances=other)) == difference
    theirs = exchange.ledger_sums | {asset: exchange.ledger_sums[asset] + off}
    assert found(replace(exchange, ledger_sums=theirs), ours) == difference


def test_asset_only_one_side_knows_is_found():
    exchange, ours = Books().records()
    more = ours.balances | {"DOGE": Decimal(1)}
    assert found(exchange, replace(ours, balances=more)) == [
        (verification.BALANCE_DIFFERENCES, "DOGE")
    ]
    theirs = replace(exchange, balances=more, ledger_sums=more)
    assert found(theirs, ours) == [(verification.BALANCE_DIFFERENCES, "DOGE")]


# --- protection ----------------------------------------------------------------------------------


def protection(books):
    exchange, ours = books.records()
    return {
        f.subject: (f.trade, f.detail)
        for f in compare("company", exchange, ours, MINIMUMS)
        if f.invariant == verification.UNPROTECTED
    }


@given(some_books(least=1), st.data())
def test_stop_that_is_gone_leaves_its_trade_unprotected(books, data):
    stops = [i for i, o in enumerate(books.orders) if o.order_type == "stop-loss"]
    if not stops:
        return
    index = data.draw(st.sampled_from(stops))
    for rows in (books.orders, books.own):
        rows[index] = replace(rows[index], status=OrderStatus.CANCELED)
    trade = books.own[index].trade
    expected = f"{books.orders[index].symbol} of trade {trade}"
    assert list(protection(books)) == [expected]


@given(quantity=QUANTITIES, stopped=st.decimals("0", "5", places=3))
def test_position_must_be_covered_whole_up_to_the_minimum(quantity, stopped):
    books = Books()
    books.order(1, Side.BUY, "market", quantity, quantity, "BTC/USD")
    if stopped:
        books.order(1, Side.SELL, "stop-loss", stopped, ZERO, "BTC/USD")
    rest = quantity - stopped
    assert bool(protection(books)) == (rest >= Decimal("0.001"))


def test_position_worth_less_than_the_least_order_cannot_be_covered():
    books = Books()
    books.order(1, Side.BUY, "market", Decimal("0.002"), Decimal("0.002"), "BTC/USD")
    exchange, ours = books.records()
    for cost, is_found in (("0.2", True), ("0.21", False)):
        least = {"BTC/USD": Minimum(Decimal("0.001"), Decimal(cost))}
        findings = compare("company", exchange, ours, least)
        assert [f.invariant for f in findings] == [verification.UNPROTECTED] * is_found


def test_stop_of_one_trade_covers_no_other():
    books = Books()
    books.order(1, Side.BUY, "market", Decimal(1), Decimal(1), "BTC/USD")
    books.order(2, Side.BUY, "market", Decimal(1), Decimal(1), "BTC/USD")
    books.order(1, Side.SELL, "stop-loss", Decimal(2), ZERO, "BTC/USD")
    assert protection(books) == {
        "BTC/USD of trade 2": (2, "1 BTC/USD held without a stop"),
    }


def test_dust_of_many_trades_is_no_position():
    books = Books()
    for number in range(1, 11):
        books.order(number, Side.BUY, "market", Decimal("0.1009"), Decimal("0.1009"), "BTC/USD")
        books.order(number, Side.SELL, "market", Decimal("0.1"), Decimal("0.1"), "BTC/USD")
    assert protection(books) == {}


def test_settled_trade_that_still_holds_something_is_found():
    books = Books()
    books.order(1, Side.BUY, "market", Decimal(1), Decimal(1), "BTC/USD")
    books.order(1, Side.SELL, "market", Decimal("0.4"), Decimal("0.4"), "BTC/USD")
    assert list(protection(books)) == ["BTC/USD of trade 1"]


@pytest.mark.parametrize(
    ("kind", "covers"),
    [("market", True), ("trailing-stop", True), ("limit", False), ("take-profit", False)],
)
def test_only_orders_that_sell_whatever_happens_protect(kind, covers):
    books = Books()
    books.order(1, Side.BUY, "market", Decimal(1), Decimal(1), "BTC/USD")
    books.order(1, Side.SELL, kind, Decimal(1), ZERO, "BTC/USD")
    assert (protection(books) == {}) is covers


def test_position_of_orders_nobody_intended_is_found_too():
    books = Books()
    books.order(1, Side.BUY, "market", Decimal(1), Decimal(1), "BTC/USD")
    books.own.clear()
    assert protection(books) == {
        "BTC/USD of unknown orders": (None, "1 BTC/USD held without a stop")
    }


def test_only_what_is_compared_with_the_exchange_claims_to_rest_on_its_record():
    own = {name for name, basis in verification.BASIS.items() if "exchange" not in basis[0]}
    assert own == {
        verification.AUDIT_BREAKS,
        verification.LEAKS,
        verification.QUARANTINED,
        verification.SILENT,
    }
