from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.adapters.kraken.rest.orders import (
    amend_parameters,
    order_parameters,
    report_from_rest,
    reprice_parameters,
    sendable_quantities,
)
from activities.ports.exchange_errors import OrderRejectedError
from models.trading.instruments import InstrumentStatus
from models.trading.orders import (
    ConditionalClose,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from tests.support.kraken_rows import CLIENT_ID, INSTRUMENTS, ROW, SYMBOLS, an_order


def test_only_usd_spot_pairs_are_instruments():
    assert set(INSTRUMENTS) == {"BTC/USD", "NEW/USD"}
    assert INSTRUMENTS["NEW/USD"].status is InstrumentStatus.UNKNOWN


def test_limit_order_goes_by_client_order_id():
    at = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    assert order_parameters(an_order(), INSTRUMENTS["BTC/USD"], at) == {
        "pair": "XXBTZUSD",
        "type": "buy",
        "ordertype": "limit",
        "volume": "0.01000000",
        "price": "64000.0",
        "oflags": "fciq",
        "cl_ord_id": CLIENT_ID,
        "deadline": "2026-01-02T03:04:05.678Z",
    }


def test_an_entry_that_may_only_rest_says_so_and_is_repriced_on_the_tick():
    instrument = INSTRUMENTS["BTC/USD"]
    assert order_parameters(an_order(post_only=True), instrument, None)["oflags"] == "post,fciq"
    asked = reprice_parameters("O1", Decimal("64000.17"), instrument, post_only=True)
    assert asked == {"txid": "O1", "limit_price": Decimal("64000.1"), "post_only": True}
    with pytest.raises(OrderRejectedError):
        reprice_parameters("O1", Decimal("0.01"), instrument, post_only=False)


def test_order_with_a_close_goes_by_userref_and_flat_keys():
    close = ConditionalClose(OrderType.STOP_LOSS, Decimal(63000))
    order = an_order(order_type=OrderType.MARKET, limit_price=None, close=close)
    parameters = order_parameters(order, INSTRUMENTS["BTC/USD"], None)
    assert "cl_ord_id" not in parameters
    assert parameters["userref"] == str(order.userref)
    assert parameters["close[ordertype]"] == "stop-loss"
    assert parameters["close[price]"] == "63000.0"


def test_stop_limit_and_ioc_and_trailing():
    instrument = INSTRUMENTS["BTC/USD"]
    stop = an_order(
        side=Side.SELL,
        order_type=OrderType.STOP_LOSS_LIMIT,
        trigger_price=Decimal("63000.04"),
        limit_price=Decimal(62900),
    )
    parameters = order_parameters(stop, instrument, None)
    assert (parameters["price"], parameters["price2"]) == ("63000.1", "62900.0")
    ioc = an_order(time_in_force=TimeInForce.IOC)
    assert order_parameters(ioc, instrument, None)["timeinforce"] == "IOC"
    trailing = an_order(order_type=OrderType.TRAILING_STOP, trigger_price=Decimal(100))
    assert order_parameters(trailing, instrument, None)["price"] == "+100.0"


@pytest.mark.parametrize(
    "changes",
    [
        {"symbol": "BTC/EUR"},
        {"symbol": "ETH/USD"},
        {"quantity": Decimal("0.000000001")},
        {"quantity": Decimal(-1)},
        {"limit_price": None},
        {"limit_price": Decimal(0)},
        {"limit_price": Decimal("NaN")},
        {"order_type": OrderType.STOP_LOSS},
        {"order_type": OrderType.OTHER},
        {"close": ConditionalClose(OrderType.MARKET, Decimal(1))},
        {"close": ConditionalClose(OrderType.STOP_LOSS, Decimal("NaN"))},
    ],
)
def test_what_is_no_sound_usd_spot_order_is_refused(changes):
    with pytest.raises(OrderRejectedError):
        order_parameters(an_order(**changes), INSTRUMENTS["BTC/USD"], None)


def test_unknown_pair_is_refused():
    with pytest.raises(OrderRejectedError):
        order_parameters(an_order(), None, None)


@given(
    st.decimals("0.0001", "1000", places=12),
    st.decimals("1", "200000", places=6),
    st.sampled_from(list(Side)),
)
def test_rounding_is_never_against_the_one_who_asked(quantity, price, side):
    order = an_order(quantity=quantity, limit_price=price, side=side)
    parameters = order_parameters(order, INSTRUMENTS["BTC/USD"], None)
    assert 0 <= quantity - Decimal(parameters["volume"]) < Decimal("0.00000001")
    sent = Decimal(parameters["price"])
    worse = sent - price if side is Side.BUY else price - sent
    assert -Decimal("0.1") < worse <= 0
    assert "E" not in parameters["volume"] + parameters["price"]


def test_an_order_of_a_type_we_never_send_is_reported_all_the_same():
    report = report_from_rest("O1", ROW, SYMBOLS)
    assert report.order_type is OrderType.OTHER
    assert report.trigger_price is None
    assert report.limit_price is None
    assert report.userref is None
    assert report.status is OrderStatus.CANCELED
    assert report.filled_quantity == Decimal("0.1")
    assert report.execution_ids == ("T1",)
    assert report.opened_at == datetime(2024, 6, 4, 8, 33, 20, 330400, tzinfo=UTC)
    assert report.symbol == "BTC/USD"


def test_moved_stop_lies_on_the_steps_of_now_towards_the_market():
    coarse = replace(INSTRUMENTS["BTC/USD"], price_increment=Decimal(10), price_precision=0)
    assert amend_parameters("O1", Decimal("0.0123456789"), Decimal("40000.37"), coarse) == {
        "txid": "O1",
        "order_qty": Decimal("0.01234567"),
        "trigger_price": Decimal(40010),
    }
    assert amend_parameters("O1", None, Decimal("40000.37"), None) == {
        "txid": "O1",
        "trigger_price": Decimal("40000.37"),
    }
    with pytest.raises(OrderRejectedError):
        amend_parameters("O1", Decimal("1e-9"), None, coarse)


@given(st.decimals("0.00000001", "1000", places=8), st.integers(0, 8))
def test_order_is_recognised_by_what_was_sent_on_the_lot_step_of_then(quantity, decimals):
    then = replace(INSTRUMENTS["BTC/USD"], quantity_precision=decimals)
    assert then.floor_quantity(quantity) in sendable_quantities(quantity)
    assert all(one <= quantity for one in sendable_quantities(quantity))
